"""What the list of imports can be filtered by."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from imports.models import ImportRun

_NOBODY = "none"


class KindFilter(DropdownFilter):
    """Plain imports, those with a preview, or undos."""

    title = "kind"
    parameter_name = "kind"
    _KINDS = {
        "import": ("Imports without a preview", Q(kind=ImportRun.Kind.IMPORT, preview=False)),
        "preview": ("Imports with a preview", Q(kind=ImportRun.Kind.IMPORT, preview=True)),
        "undo": ("Undos", Q(kind=ImportRun.Kind.UNDO)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self._KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> QuerySet[ImportRun]:
        kind = self._KINDS.get(self.value() or "")
        return queryset.filter(kind[1]) if kind else queryset


class OwnerFilter(DropdownFilter):
    """Who uploaded it: only people who did, of whom there are few."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        owners = ImportRun.objects.order_by().values("owner").distinct()
        people = get_user_model()._default_manager.filter(pk__in=owners).order_by("username")
        return [(str(one.pk), str(one)) for one in people] + [(_NOBODY, "Nobody (from the command line)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> QuerySet[ImportRun]:
        value = self.value() or ""
        if value == _NOBODY:
            return queryset.filter(owner=None)
        return queryset.filter(owner=int(value)) if value.isdecimal() else queryset
