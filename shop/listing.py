"""The admin's list of products as a query, for whoever works with what a list shows."""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from shop.models import Product, ProductQuerySet


def listed(query: str) -> ProductQuerySet:
    """The products, on all pages, of the list at this query string (`q=oak&published__exact=1`).

    Raises ValueError for filters that the list does not have.
    """
    request = HttpRequest()
    request.method, request.GET = "GET", QueryDict(query)
    request.user = AnonymousUser()  # it is only asked which actions it may use
    model_admin = admin.site.get_model_admin(Product)
    try:
        changelist = model_admin.get_changelist_instance(request)
    except (IncorrectLookupParameters, SuspiciousOperation) as error:
        raise ValueError(query) from error
    return cast(ProductQuerySet, changelist.get_queryset(request))
