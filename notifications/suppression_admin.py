"""The list of addresses that are not written to: staff add to it and lift, each with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RadioFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from notifications import holding
from notifications.models import Suppression
from tasks.listing import BigListAdmin, spoken, stacked

_COLOURS = {"in force": "danger", "lifted": "default"}


class InForceFilter(RadioFilter):
    """Those that count, and those of the past."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In force"), ("no", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "yes")


class SuppressionForm(forms.ModelForm):
    """An address that staff hold back."""

    class Meta:
        model = Suppression
        fields = ["address", "scope", "note"]
        labels = {"note": "Reason"}
        help_texts = {"address": "", "note": "Whoever finds it on the list in a year wants to know."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "note" in self.fields:  # a row that is there is only shown
            self.fields["note"].required = True

    def clean_address(self) -> str:
        """As the list has it. Refuses one that staff have put there already."""
        address = holding.normalised(self.cleaned_data["address"])
        if "@" not in address:
            raise forms.ValidationError("A mail address is something like name@example.com.")
        if any(row.why == Suppression.Why.STAFF for row in holding.in_force(address)):
            raise forms.ValidationError(f"{address} is on the list already.")
        return address


class LiftForm(BaseDialogForm):
    """Why the address is written to again."""

    note = forms.CharField(label="Why", max_length=200, widget=UnfoldAdminTextInputWidget)


@admin.register(Suppression)
class SuppressionAdmin(BigListAdmin):
    """Nothing is changed or deleted: a row is lifted, and stays as what was."""

    form = SuppressionForm
    list_display = ["whom", "standing", "scope", "since", "who"]
    list_display_links = ["whom"]
    list_filter = [InForceFilter, ("why", ChoicesDropdownFilter), ("scope", ChoicesDropdownFilter)]
    search_fields = ["address__startswith"]
    search_help_text = "The beginning of an address, in small letters"
    actions_detail = ["lift"]
    fieldsets = [
        (None, {"fields": ["address", "state", "scope", "why", "note", "because_of"]}),
        ("Who and when", {"fields": ["created_at", "who", "lifted_at", "lifted_by", "lifted_note"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["address", "scope", "note"]})]
        past = [] if obj.lifted_at else ["lifted_at", "lifted_by", "lifted_note"]
        return [
            (title, {**part, "fields": [name for name in part["fields"] if name not in past]})
            for title, part in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> list[str]:
        return [field for _, part in self.fieldsets for field in part["fields"]] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What the permission to change the list allows; `obj` is a key where Unfold asks."""
        if not request.user.has_perm("notifications.change_suppression"):
            return False
        return obj is None or Suppression.objects.filter(pk=obj, lifted_at__isnull=True).exists()

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        """Through `holding`, which also holds back what waits."""
        row = holding.hold_back(
            obj.address,
            why=Suppression.Why.STAFF,
            scope=Suppression.Scope(obj.scope),
            note=obj.note,
            by=request.user.get_username(),
        )
        if row is None:  # somebody else did it since the form was checked
            row = next(one for one in holding.in_force(obj.address) if one.why == Suppression.Why.STAFF)
        obj.pk = row.pk

    @action(
        description="Write to it again",
        permissions=["lift"],
        url_path="lift",
        icon="mark_email_read",
        dialog={
            "title": "Write to this address again?",
            "description": "Mails of later events go to it. Those that were held back can be sent again.",
            "form_submit_text": "Write to it again",
            "form_class": LiftForm,
        },
    )
    def lift(self, request: Any, form: LiftForm, object_id: str) -> HttpResponse:
        """Take it off the list, and say in the log who did."""
        row = self.get_object(request, object_id)
        if holding.lift(row, by=request.user.get_username(), note=form.cleaned_data["note"]):
            self.log_change(request, row, "Lifted")
            self.message_user(request, "Mails go to this address again.", messages.SUCCESS)
        target = reverse("admin:notifications_suppression_change", args=[object_id])
        return (HttpResponseClientRedirect if request.htmx else HttpResponseRedirect)(target)

    @display(description="address", ordering="address")
    def whom(self, row: Suppression) -> SafeString:
        return stacked(row.address, row.get_why_display())

    @display(description="standing", label=_COLOURS)
    def standing(self, row: Suppression) -> str:
        return "lifted" if row.lifted_at else "in force"

    @display(description="state")
    def state(self, row: Suppression) -> str:
        return self.standing(row)

    @display(description="since", ordering="created_at")
    def since(self, row: Suppression) -> SafeString | str:
        return spoken(row.created_at)

    @display(description="by")
    def who(self, row: Suppression) -> str:
        return row.by or "the mail provider"

    @display(description="message")
    def because_of(self, row: Suppression) -> SafeString | str:
        """With the way to it, which asks whether its reader may see it."""
        if row.message_id is None:
            return "–"
        address = reverse("admin:notifications_message_change", args=[row.message_id])
        return format_html('<a class="link" href="{}">message {}</a>', address, str(row.message_id))
