"""How a mail and what became of it look in the admin: its state, its frame, its attempts."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from notifications.messages import Rendered
from notifications.models import Message, MessageAttempt
from tasks.listing import spoken

STATE_COLOURS = {
    Message.State.QUEUED: "default",
    Message.State.SENDING: "primary",
    Message.State.SENT: "success",
    Message.State.UNCERTAIN: "warning",
    Message.State.FAILED: "danger",
    Message.State.SUPPRESSED: "warning",
    Message.Fate.DELIVERED: "success",
    Message.Fate.BOUNCED: "danger",
    Message.Fate.COMPLAINED: "danger",
}
_MEANINGS = {"success": "good", "warning": "look", "danger": "bad", "primary": "going", "default": "rest"}


_FRAME = (
    '<iframe title="{}" class="tally-mail" srcdoc="{}" sandbox="allow-popups allow-popups-to-escape-sandbox" '
    'referrerpolicy="no-referrer" style="width:min({}px,100%);height:{}px"></iframe>'
)


def state_of(message: Message) -> tuple[str, str]:
    """Its state as a key of STATE_COLOURS and in words; what was told later says more than `sent`."""
    if message.fate:
        return message.fate, message.get_fate_display()
    if message.may_be_double:
        return Message.State.UNCERTAIN, "sent, perhaps twice"
    return message.state, message.get_state_display()


def meaning_of(message: Message) -> str:
    """The same as the pages of orders colour it: good, look, bad, going or rest."""
    return _MEANINGS[STATE_COLOURS[state_of(message)[0]]]  # type: ignore[index]


def framed(html: str, *, title: str, width: int = 680, height: int = 860) -> SafeString:
    """The mail in a frame that may run and send nothing. What it loads is up to the page's policy, which a
    frame with its document inside inherits: no pictures from elsewhere. Its links open outside."""
    return format_html(_FRAME, title, html, width, height)


def size_of(content: Rendered) -> int:
    """Bytes of the mail as it travels, without what hosts on the way add."""
    mail = EmailMultiAlternatives(
        content.subject, content.text, settings.DEFAULT_FROM_EMAIL, [settings.SHOP_EMAIL]
    )
    if content.html:
        mail.attach_alternative(content.html, "text/html")
    return len(mail.message().as_bytes())


_ROW = '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td class="tally-words">{}</td></tr>'
_TABLE = (
    '<div class="tally-scroll" tabindex="0" role="region" aria-label="{}"><table class="tally-table">'
    "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
)


def attempts_of(message: Message) -> SafeString | str:
    """Each attempt with its time, how long it took, and the provider's words."""
    rows = [
        (tried.number, spoken(tried.began_at or tried.ended_at), tried.get_outcome_display(), _words(tried))
        for tried in message.tries.all()
    ]
    return _table("Attempts", ["No.", "When", "Outcome", "The provider’s answer"], rows) or "None so far."


def told_of(message: Message) -> SafeString | str:
    """What the provider told after it had taken the message."""
    rows = [
        (told.get_what_display(), spoken(told.happened_at), told.provider, told.said)
        for told in message.provider_events.all()
    ]
    return _table("Told later", ["What", "When", "By", "Words"], rows)


def _words(tried: MessageAttempt) -> str:
    if tried.began_at is None:
        return tried.said
    seconds = (tried.ended_at - tried.began_at).total_seconds()
    return f"{tried.said} ({seconds:.1f} s)"


def _table(title: str, heads: list[str], rows: Sequence[tuple[object, ...]]) -> SafeString | str:
    if not rows:
        return ""
    columns = format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads))
    return format_html(_TABLE, title, columns, format_html_join("", _ROW, rows))
