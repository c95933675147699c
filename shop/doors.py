"""Doors that later apps open from the admin's list of products: a page that is about those products.

    product_doors.append(Door("export", "Export…", "Export selected…", "admin:…_add", "app.add_thing"))

A button beside the list leads to the page with the list's query string, an action to the same page with
`?ids=…,…` of the selected products, or again the query string where all pages of the list were selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Door:
    """A page about the products of a list; `permission` is that of who may go there."""

    name: str
    button: str
    action: str
    url_name: str
    permission: str

    def is_open_to(self, request: HttpRequest) -> bool:
        """Whether this user may go there."""
        return request.user.has_perm(self.permission)

    def address(self, query: str = "") -> str:
        """Where it leads to."""
        return reverse(self.url_name) + (f"?{query}" if query else "")

    def go(self, model_admin: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseRedirect:
        """The action: lead there with what was selected in the list."""
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(self.address(request.GET.urlencode()))
        ids = ",".join(str(pk) for pk in chosen.values_list("pk", flat=True))
        return HttpResponseRedirect(self.address(urlencode({"ids": ids})))


product_doors: list[Door] = []
