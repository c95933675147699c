"""The outbox as staff see it: what went out, to whom, what was said of it; send again."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from notifications import holding, kinds, outbox, showing
from notifications import kind_pages as _kind_pages  # noqa: F401 - registers its own
from notifications import suppression_admin as _suppressions  # noqa: F401
from notifications.message_fields import MessageFields
from notifications.models import Message
from notifications.readdressing import AddressForm
from notifications.showing import STATE_COLOURS
from shop import correcting
from shop.filters import DayRangeFilter
from tasks.listing import BigListAdmin, spoken


class HtmxHttpRequest(HttpRequest):
    """A request that has passed the HTMX middleware."""

    htmx: HtmxDetails


_REFUSALS = (outbox.StillOnItsWay, outbox.BelongsToOne, outbox.NotWanted)


class KindFilter(DropdownFilter):
    """The kinds that this release knows; asking the table for its own would read all of it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.title) for kind in kinds.every()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(MessageFields, BigListAdmin):
    """Read-only: a message says what was sent, so only a new one can say something else."""

    list_display = ["state_label", "subject_line", "recipient", "attempts", "created", "sent"]
    list_display_links = ["subject_line"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        KindFilter,
        ("fate", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    ]
    search_fields = ["subject"]  # the field is there; what it searches says get_search_results
    search_help_text = "An order's number, the beginning of an address, a Message-ID, or words of a subject"
    actions = ["send_again"]
    actions_detail = ["send_this_again", "send_elsewhere"]
    fieldsets = [
        (None, {"fields": ["state_in_words", "recipient", "held_back", "subject", "error", "answer"]}),
        ("As HTML", {"fields": ["html_preview"]}),
        ("As text", {"fields": ["text_preview"]}),
        (
            "On its way",
            {
                "fields": [
                    "every_attempt", "next_attempt", "told_later", "doubtful_attempts", "created_at",
                    "sent_at", "first", "resent_as", "by",
                ]
            },
        ),
        (
            "Headers and origin",
            {"fields": ["header_lines", "provider_id", "kind_of_mail", "event", "about_what"]},
        ),
    ]  # fmt: skip
    readonly_fields = [field for _, part in fieldsets for field in part["fields"]]
    _SHOWN_IF_ANY = ("error", "answer", "by", "provider_id", "doubtful_attempts")

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        """Without what is empty and says nothing by that."""
        empty = {name for name in self._SHOWN_IF_ANY if not getattr(obj, name, "")}
        if obj and not showing.told_of(obj):
            empty.add("told_later")
        if obj and not holding.in_force(obj.recipient):
            empty.add("held_back")
        return [
            (title, {**part, "fields": [name for name in part["fields"] if name not in empty]})
            for title, part in self.fieldsets
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By order or import, address or Message-ID by index; else by words of the subject."""
        term = search_term.strip()
        if found := re.fullmatch(r"<?message-(\d{1,18})\.[^>]*>?", term):
            return queryset.filter(pk=found[1]), False
        if re.fullmatch(r"\w+/\d+", term):
            return queryset.filter(about=term), False
        if "@" in term:
            return queryset.filter(recipient__istartswith=term), False
        words = Q(subject__icontains=term) if term else Q()
        number = term.removeprefix("#")
        if number.isascii() and number.isdecimal():
            words |= Q(about__in=[f"order/{number}", f"import/{number}"])
        return queryset.filter(words), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_send_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Sending again is what the permission to add messages allows here."""
        return request.user.has_perm("notifications.add_message")

    def has_readdress_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As above, but never for what lets its reader in. `obj` is a key where Unfold asks."""
        if not self.has_send_permission(request):
            return False
        message = Message.objects.filter(pk=obj).first() if obj else None
        return message is None or outbox.may_be_readdressed(message)

    @action(description="Send again", permissions=["send"], icon="forward_to_inbox")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Queue a new message for each of the selected, unless it is still on its way."""
        again = sum(self._sent_again(request, message) is not None for message in queryset.order_by("pk"))
        if again:
            self.message_user(request, f"{again} sent again, each as a new message.", messages.SUCCESS)

    @action(
        description="Send again",
        permissions=["send"],
        url_path="send-again",
        icon="forward_to_inbox",
        dialog={
            "title": "Send this message again?",
            "description": "Its recipient gets the same text as a new message. This one stays as it is.",
            "form_submit_text": "Send again",
        },
    )
    def send_this_again(self, request: HtmxHttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue a new message like this one and show it."""
        return self._shown_again(request, object_id)

    @action(
        description="Correct the address",
        permissions=["readdress"],
        url_path="send-elsewhere",
        icon="edit_note",
        dialog={
            "title": "Send this message to another address?",
            "description": "Who is there gets the same text as a new message. This one stays as it is.",
            "form_submit_text": "Send it there",
            "form_class": AddressForm,
        },
    )
    def send_elsewhere(self, request: HtmxHttpRequest, form: AddressForm, object_id: str) -> HttpResponse:
        """Queue a new message like this one, to the address of the form, and show it."""
        message, to = self.get_object(request, object_id), form.cleaned_data["recipient"]
        order = form.order if form.cleaned_data.get("for_order") else None
        if order and correcting.email(order=order, wrong=message.recipient, right=to):
            self.log_change(request, order, "E-mail address corrected")
        return self._shown_again(request, object_id, to=to)

    def _shown_again(self, request: HtmxHttpRequest, object_id: str, *, to: str = "") -> HttpResponse:
        message = self.get_object(request, object_id)
        again = self._sent_again(request, message, to=to)
        if again is not None and again.state == Message.State.SUPPRESSED:
            self.message_user(request, f"It was not sent. {again.error}", messages.WARNING)
        elif again is not None:
            self.message_user(request, "This is the new message; it is on its way.", messages.SUCCESS)
        target = reverse("admin:notifications_message_change", args=[(again or message).pk])
        # The dialog is fetched by HTMX, which would follow an ordinary redirect inside the dialog.
        return (HttpResponseClientRedirect if request.htmx else HttpResponseRedirect)(target)

    def _sent_again(self, request: HttpRequest, message: Message, *, to: str = "") -> Message | None:
        try:
            again = outbox.resend(message, to=to, by=request.user.get_username())
        except _REFUSALS as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return None
        where = " to another address" if to else ""  # not which: the log outlives an erasure
        self.log_addition(request, again, f"Sent again from message {message.pk}{where}")
        return again

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, message: Message) -> tuple[str, str]:
        return showing.state_of(message)

    @display(description="Subject", ordering="subject")
    def subject_line(self, message: Message) -> SafeString:
        """Wide enough to be read on a phone, where the table scrolls."""
        return format_html('<span style="display:block;min-width:16rem">{}</span>', message.subject)

    @display(description="Created", ordering="created_at")
    def created(self, message: Message) -> SafeString | str:
        return spoken(message.created_at)

    @display(description="Sent", ordering="sent_at")
    def sent(self, message: Message) -> SafeString | str:
        return spoken(message.sent_at)
