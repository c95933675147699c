"""The outbox as staff see it: what went out, to whom, what the provider said; send again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.utils import display_for_label

from notifications import account_mail, circuit, origins, outbox
from notifications.models import Message


class HtmxHttpRequest(HttpRequest):
    """A request that has passed the HTMX middleware."""

    htmx: HtmxDetails


_STATE_COLOURS = {
    Message.State.QUEUED: "default",
    Message.State.SENDING: "primary",
    Message.State.SENT: "success",
    Message.State.UNCERTAIN: "warning",
    Message.State.FAILED: "danger",
    Message.State.SUPPRESSED: "default",
}
# Who may look at the outbox could otherwise have a superuser's password set anew, and follow the link.
_HIDDEN = "Not shown: a mail about an account may have a link that lets its reader in."


@admin.register(Message)
class MessageAdmin(ModelAdmin):
    """Read-only: a message says what was sent, so only a new one can say something else."""

    list_display = ["state_label", "subject_line", "recipient", "attempts", "created_at", "sent_at"]
    list_display_links = ["subject_line"]
    list_filter = ["state", "kind"]
    search_fields = ["subject", "recipient", "about__exact", "message_id__exact"]
    show_full_result_count = False
    actions = ["send_again"]
    actions_detail = ["send_this_again"]
    fieldsets = [
        (None, {"fields": ["state_in_words", "recipient", "subject", "error", "answer"]}),
        ("As HTML", {"fields": ["html_preview"]}),
        ("As text", {"fields": ["text_preview"]}),
        (
            "On its way",
            {
                "fields": [
                    "attempts",
                    "doubtful_attempts",
                    "next_attempt",
                    "created_at",
                    "sent_at",
                    "first",
                    "resent_as",
                ]
            },
        ),
        ("Headers and origin", {"fields": ["header_lines", "kind", "event", "about_what"]}),
    ]
    readonly_fields = [field for _, part in fieldsets for field in part["fields"]]

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        """Without an empty error or answer: the other one tells."""
        empty = {name for name in ("error", "answer") if not getattr(obj, name, "")}
        return [
            (title, {**part, "fields": [name for name in part["fields"] if name not in empty]})
            for title, part in self.fieldsets
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_send_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Sending again is what the permission to add messages allows here."""
        return request.user.has_perm("notifications.add_message")

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
        message = self.get_object(request, object_id)
        again = self._sent_again(request, message)
        if again is not None:
            self.message_user(request, "This is the new message; it is on its way.", messages.SUCCESS)
        target = reverse("admin:notifications_message_change", args=[(again or message).pk])
        # The dialog is fetched by HTMX, which would follow an ordinary redirect inside the dialog.
        return (HttpResponseClientRedirect if request.htmx else HttpResponseRedirect)(target)

    def _sent_again(self, request: HttpRequest, message: Message) -> Message | None:
        try:
            again = outbox.resend(message)
        except (outbox.StillOnItsWay, outbox.NotWanted) as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return None
        self.log_addition(request, again, f"Sent again from message {message.pk}")
        return again

    @display(description="State", ordering="state", label=_STATE_COLOURS)
    def state_label(self, message: Message) -> tuple[str, str]:
        if message.may_be_double:
            return Message.State.UNCERTAIN, "sent, perhaps twice"
        return message.state, message.get_state_display()

    @display(description="Subject", ordering="subject")
    def subject_line(self, message: Message) -> SafeString:
        """Wide enough to be read on a phone, where the table scrolls."""
        return format_html('<span style="display:block;min-width:16rem">{}</span>', message.subject)

    @display(description="State")
    def state_in_words(self, message: Message) -> SafeString:
        """The same on the message's own page, where Unfold leaves labels out."""
        label: SafeString = display_for_label(self.state_label(message), "", _STATE_COLOURS)
        return label

    @display(description="HTML")
    def html_preview(self, message: Message) -> SafeString | str:
        """The mail in a frame that may run nothing; its links open outside."""
        if message.kind == account_mail.KIND:
            return _HIDDEN
        if not message.html:
            return "This message has only text."
        return format_html(
            '<iframe title="The mail as HTML" srcdoc="{}" '
            'sandbox="allow-popups allow-popups-to-escape-sandbox" '
            'style="width:min(680px,80vw);height:860px;border:0;border-radius:6px"></iframe>',
            message.html,
        )

    @display(description="Text")
    def text_preview(self, message: Message) -> SafeString | str:
        if message.kind == account_mail.KIND:
            return _HIDDEN
        return format_html('<pre class="tally-log">{}</pre>', message.text)

    @display(description="Headers")
    def header_lines(self, message: Message) -> SafeString | str:
        if not message.headers:
            return "They are set at the first attempt."
        lines = format_html_join("\n", "{}: {}", sorted(message.headers.items()))
        return format_html('<pre class="tally-log">{}</pre>', lines)

    @display(description="About")
    def about_what(self, message: Message) -> SafeString | str:
        """With the way to its page, which asks whether its reader may see it."""
        address = origins.address_of(message)
        return (
            format_html('<a class="link" href="{}">{}</a>', address, message.about)
            if address
            else message.about
        )

    @display(description="Next attempt")
    def next_attempt(self, message: Message) -> str:
        if not message.is_on_its_way or message.due_at is None:
            return "None: it has come to its end."
        due = date_format(timezone.localtime(message.due_at), "DATETIME_FORMAT")
        return circuit.told() or ("As soon as may be." if message.due_at <= timezone.now() else due)

    @display(description="Resend of")
    def first(self, message: Message) -> SafeString | str:
        return _link(message.resend_of) if message.resend_of else "Nothing, it is the first."

    @display(description="Sent again as")
    def resent_as(self, message: Message) -> SafeString | str:
        links = [(_link(again),) for again in message.resends.order_by("pk")]
        return format_html_join(", ", "{}", links) if links else "It was not sent again."


def _link(message: Message) -> SafeString:
    address = reverse("admin:notifications_message_change", args=[message.pk])
    return format_html('<a class="link" href="{}">message {}</a>', address, str(message.pk))
