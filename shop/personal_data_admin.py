"""Hand out and erase what is held about a customer, for staff; the list is the log of what was done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from shop import accounts, personal_data
from shop.account_pages import as_file
from shop.models import DataRequest
from shop.personal_data import Person
from tasks.admin import ReadOnlyAdmin
from tasks.listing import spoken

_LOOK_UP = "shop_datarequest_person"
_PERMISSIONS = {"export": "shop.export_personal_data", "erase": "shop.erase_personal_data"}


@admin.register(DataRequest)
class DataRequestAdmin(ReadOnlyAdmin):
    """What was handed out and erased, and the page that does it."""

    list_display = ["kind", "done_by", "how_much", "when"]
    list_filter = ["kind"]
    fieldsets = [(None, {"fields": ["kind", "done_by", "how_much", "at", "subject"]})]
    readonly_fields = ["done_by", "how_much"]
    search_fields = ["by__startswith"]
    search_help_text = "User name of staff; to see what was done for an address, look the address up"

    def get_urls(self) -> list[URLPattern]:
        """The list leads to the page on which an address is looked up."""
        door = self.admin_site.admin_view(self.person)
        return [path("person/", door, name=_LOOK_UP), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The log, with the button to look somebody up."""
        doors = [("Look a customer up", reverse(f"admin:{_LOOK_UP}"))]
        more = {"doors": doors, **(extra_context or {})}
        return super().changelist_view(request, more)

    def person(self, request: HttpRequest) -> HttpResponse:
        """Look an address up, and hand out or erase what is held about it; each takes its own permission.

        Always sent as a form: addresses don't belong into the logs of web servers.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        email = request.POST.get("email", "").strip()[:254]
        found = personal_data.of_address(email) if email else None
        what = request.POST.get("do")
        if found and what in _PERMISSIONS:
            if not request.user.has_perm(_PERMISSIONS[what]):
                raise PermissionDenied
            if answer := self._done(request, found, what):
                return answer
        return TemplateResponse(request, "shop/personal_data.html", self._shown(request, email, found))

    def _done(self, request: HttpRequest, person: Person, what: str) -> HttpResponse | None:
        """The file, or the log after an erasure; None where that was refused."""
        by = request.user.get_username()
        if what == "export":
            return as_file(personal_data.export(person, by=by))
        if "sure" not in request.POST:
            messages.error(request, "Nothing was erased: say that you are sure.")
            return None
        try:
            figures = personal_data.erase(person, by=by)
        except personal_data.StillOpen as reason:
            messages.error(request, str(reason))
            return None
        messages.success(request, f"Erased: {_counted(figures)}.")
        return HttpResponseRedirect(reverse("admin:shop_datarequest_changelist"))

    def _shown(self, request: HttpRequest, email: str, person: Person | None) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": "Personal data of a customer",
            "email": email,
            "person": person,
            "is_verified": _is_verified(person),
            "orders": personal_data.orders_of(person).count() if person else 0,
            "before": personal_data.requests_of(email) if email else [],
            "may_export": request.user.has_perm(_PERMISSIONS["export"]),
            "may_erase": request.user.has_perm(_PERMISSIONS["erase"]),
        }

    @display(description="by")
    def done_by(self, done: DataRequest) -> str:
        return done.by or "the customer"

    @display(description="how much")
    def how_much(self, done: DataRequest) -> str:
        return _counted(done.figures)

    @display(description="when", ordering="at")
    def when(self, done: DataRequest) -> str:
        return spoken(done.at)


def _is_verified(person: Person | None) -> bool:
    """Whether the account has shown that the address which was looked up is its own."""
    if person is None or person.user is None:
        return False
    return set(person.addresses) <= set(accounts.verified_addresses(person.user))


def _counted(figures: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in figures.items())
