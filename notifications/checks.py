"""What the settings of mail must say: `manage.py` refuses without, or `check --deploy` warns."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from notifications import webhooks


@register
def provider_is_known(**_: Any) -> list[CheckMessage]:
    """EMAIL_PROVIDER is one of anymail's."""
    name = settings.EMAIL_PROVIDER
    if not name or (name.isidentifier() and find_spec(f"anymail.backends.{name}")):
        return []
    hint = "Use a name of django-anymail in small letters, such as mailgun, postmark, sendgrid or brevo."
    return [
        Error(f"EMAIL_PROVIDER is {name}, which django-anymail does not know.", hint=hint, id="mail.E001")
    ]


@register(deploy=True)
def webhook_is_checked(**_: Any) -> list[CheckMessage]:
    """Without, what the provider tells of bounces is refused, and the shop writes to dead addresses."""
    if not settings.EMAIL_PROVIDER or webhooks.is_verified():
        return []
    says = "Nothing is set that the mail provider's webhooks could be checked by, so they are refused."
    hint = "Set ANYMAIL_WEBHOOK_SECRET, or the key that the provider signs with (docs/mail_providers.md)."
    return [Warning(says, hint=hint, id="mail.W001")]
