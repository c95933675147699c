"""The doors to pages in the admin: who may come in."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

type View = Callable[..., HttpResponseBase]
type Check = Callable[[HttpRequest], bool]


def door(site: AdminSite, view: View, allowed: Check) -> View:
    """Anonymous visitors get the login page, others without the right 403, before any body is read."""
    inner = site.admin_view(view)

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if "HX-Request" in request.headers:  # it would put the login page into the live page
                return HttpResponse(headers={"HX-Refresh": "true"})
        elif not (site.has_permission(request) and allowed(request)):
            raise PermissionDenied
        return inner(request, *args, **kwargs)

    return update_wrapper(guarded, view)
