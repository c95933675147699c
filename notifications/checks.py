"""What the settings of mail must say: `manage.py` refuses without, or `check --deploy` warns."""

from __future__ import annotations

import re
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


@register
def look_is_legible(**_: Any) -> list[CheckMessage]:
    """The shop's colours are colours, and its logo is where mail programs may fetch it from."""
    found: list[CheckMessage] = []
    if settings.SHOP_LOGO and not re.fullmatch(r"https?://[^\s\"'<>]+", settings.SHOP_LOGO):
        says = f"SHOP_LOGO is {settings.SHOP_LOGO}, which is no address of the web."
        found.append(Error(says, hint="Something like https://shop.example/static/logo.png.", id="mail.E002"))
    for name, ground, mode in (("SHOP_COLOUR", "#ffffff", "white"), ("SHOP_COLOUR_DARK", "#292622", "dark")):
        colour = getattr(settings, name)
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            hint = "Write it as #rrggbb, such as #026d71."
            found.append(Error(f"{name} is {colour}, which is no colour.", hint=hint, id="mail.E003"))
        elif (ratio := _contrast(colour, ground)) < 4.5:
            says = (
                f"{name} {colour} is hard to read on {mode}: a contrast of {ratio:.1f}, and 4.5 is the least."
            )
            hint = "Take a darker one." if mode == "white" else "Take a lighter one."
            found.append(Warning(says, hint=hint, id="mail.W002"))
    return found


def _contrast(one: str, other: str) -> float:
    """Of two colours as WCAG reckons it: from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
