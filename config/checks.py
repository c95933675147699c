"""What the environment should say before strangers visit the shop: told by `manage.py check --deploy`.

What is missing here works all the same on the machine of whoever tries Tallyman, and fails elsewhere in
ways that are hard to tell: links in mails lead to 127.0.0.1, forms are refused, sessions end at each other
machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.http.request import validate_host

NEEDED = (
    "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL", "TALLYMAN_DATA_DIR",
)  # fmt: skip


@register(deploy=True)
def environment_is_complete(**_: object) -> list[CheckMessage]:
    """The variables that docs/operations.md asks for (*Install*), each named when it is empty."""
    if missing := [name for name in _needed() if not os.environ.get(name)]:
        says = f"Not set: {', '.join(missing)}. What stands in for them suits one machine and its owner."
        hint = "Set them for all processes alike, in the environment or .env (docs/operations.md, Install)."
        return [Warning(says, hint=hint, id="config.W001")]
    return []


def _needed() -> Iterator[str]:
    for name in NEEDED:
        if name != "EMAIL_URL" or not settings.EMAIL_PROVIDER:  # whose API takes the mails
            yield name


@register(deploy=True)
def site_can_be_visited(**_: object) -> list[CheckMessage]:
    """By HTTPS, under a name that is answered, and known to be HTTPS behind a proxy."""
    return [found for look in (_https, _host, _proxy) if (found := look())]


def _https() -> CheckMessage | None:
    if settings.SITE_URL.startswith("https://"):
        return None
    says = f"SITE_URL is {settings.SITE_URL}: passwords and sessions would go over the network in the clear."
    return Warning(says, hint="Have a proxy do TLS, and set SITE_URL=https://….", id="config.W002")


def _host() -> CheckMessage | None:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        return None
    says = f"ALLOWED_HOSTS has no {host}, the host of SITE_URL, so each of its visitors gets 400."
    return Warning(says, hint=f"Add {host} to ALLOWED_HOSTS.", id="config.W003")


def _proxy() -> CheckMessage | None:
    if not settings.SITE_URL.startswith("https://") or settings.TRUSTED_PROXY_COUNT:
        return None
    says = (
        "SITE_URL is HTTPS and TRUSTED_PROXY_COUNT is 0: forms are refused, for all requests look like HTTP."
    )
    hint = "Set TRUSTED_PROXY_COUNT to the number of your proxies, and have them set X-Forwarded-Proto."
    return Warning(says, hint=hint, id="config.W004")


@register(deploy=True)
def mails_have_a_sender(**_: object) -> list[CheckMessage]:
    """An address that other mail servers take mails from, and that answers reach."""
    senders = {name: parseaddr(getattr(settings, name))[1] for name in ("DEFAULT_FROM_EMAIL", "SHOP_EMAIL")}
    if local := [f"{name} is {address}" for name, address in senders.items() if _is_local(address)]:
        says = f"{' and '.join(local)}, which no other mail server takes mails from or brings answers to."
        return [Warning(says, hint="Set both to addresses of your domain.", id="config.W005")]
    return []


def _is_local(address: str) -> bool:
    return address.rpartition("@")[2] in ("", "localhost")
