"""What a message's own page in the admin shows, field by field."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import display
from unfold.utils import display_for_label

from notifications import attachments, circuit, holding, kinds, origins, outbox, showing
from notifications.models import Message
from notifications.showing import STATE_COLOURS

# Who may look at the outbox could otherwise have a superuser's password set anew, and follow the link.
_HIDDEN = "Not shown: a mail about an account may have a link that lets its reader in."


class MessageFields:
    """For the admin of messages."""

    @display(description="State")
    def state_in_words(self, message: Message) -> SafeString:
        """The same on the message's own page, where Unfold leaves labels out."""
        label: SafeString = display_for_label(showing.state_of(message), "", STATE_COLOURS)
        return label

    @display(description="Address held back")
    def held_back(self, message: Message) -> SafeString:
        """The rows of the list that its address is on."""
        return format_html_join(
            mark_safe("<br>"),
            '<a class="link" href="{}">since {}: {}</a>',
            (
                (
                    reverse("admin:notifications_suppression_change", args=[row.pk]),
                    f"{row.created_at:%Y-%m-%d}",
                    row.get_why_display(),
                )
                for row in holding.in_force(message.recipient)
            ),
        )

    @display(description="HTML")
    def html_preview(self, message: Message) -> SafeString | str:
        if message.kind == outbox.ACCOUNT:
            return _HIDDEN
        html = attachments.shown(message)
        return showing.framed(html, title="The mail as HTML") if html else "It has only text."

    @display(description="Text")
    def text_preview(self, message: Message) -> SafeString | str:
        if message.kind == outbox.ACCOUNT:
            return _HIDDEN
        return format_html('<pre class="tally-log">{}</pre>', message.text)

    @display(description="Attempts")
    def every_attempt(self, message: Message) -> SafeString | str:
        return showing.attempts_of(message)

    @display(description="Next attempt")
    def next_attempt(self, message: Message) -> str:
        if not message.is_on_its_way or message.due_at is None:
            return "None: it has come to its end."
        due = date_format(timezone.localtime(message.due_at), "DATETIME_FORMAT")
        return circuit.told() or ("As soon as may be." if message.due_at <= timezone.now() else due)

    @display(description="Told later")
    def told_later(self, message: Message) -> SafeString | str:
        return showing.told_of(message)

    @display(description="Headers")
    def header_lines(self, message: Message) -> SafeString | str:
        if not message.headers:
            return "They are set at the first attempt."
        lines = format_html_join("\n", "{}: {}", sorted(message.headers.items()))
        return format_html('<pre class="tally-log">{}</pre>', lines)

    @display(description="Kind")
    def kind_of_mail(self, message: Message) -> SafeString | str:
        """With the way to what it looks like, which asks whether its reader may see it."""
        if not kinds.named(message.kind).samples:
            return message.kind
        address = reverse("admin:notifications_kind", args=[message.kind])
        return format_html('<a class="link" href="{}">{}</a>', address, kinds.named(message.kind).title)

    @display(description="About")
    def about_what(self, message: Message) -> SafeString | str:
        """With the way to its page, which asks whether its reader may see it."""
        address = origins.address_of(message)
        return (
            format_html('<a class="link" href="{}">{}</a>', address, message.about)
            if address
            else message.about
        )

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
