"""What allauth asks us: how an account is named, how its mails go out, who may do without a second factor."""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import translation

from notifications import account_mail

log = structlog.get_logger(__name__)


def display(user: User) -> str:
    """How a person is called in mails and on pages: the user name of a customer says nothing."""
    return user.get_full_name() or user.email or user.get_username()


class AccountAdapter(DefaultAccountAdapter):
    """Accounts of customers and staff."""

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """Customers log in by e-mail. Their user name says nothing about them: it stays in the log of orders
        when they are erased."""
        if not user.username:
            user.username = f"customer-{secrets.token_hex(6)}"

    def send_mail(self, template_prefix: str, email: str, context_: dict[str, Any], **_: Any) -> None:
        """Put the mail into the outbox: a login does not wait for the mail server, which may be down. It is
        in the language of the page that it was asked for on, or the shop's if its templates are broken."""
        shop = {"name": settings.SHOP_NAME, "domain": settings.SITE_URL}  # what allauth's own texts name
        told = {"request": context.request, "email": email, "shop_name": settings.SHOP_NAME, **context_}
        told["current_site"] = shop
        what = template_prefix.rpartition("/")[2]
        language = translation.get_language() or settings.LANGUAGE_CODE
        try:
            self._write(what, template_prefix, email, told, language)
        except DatabaseError:
            raise
        except Exception:
            log.exception("a mail about an account could not be rendered", kind=what, language=language)
            self._write(what, template_prefix, email, told, settings.LANGUAGE_CODE)

    def _write(self, what: str, prefix: str, email: str, told: dict[str, Any], language: str) -> None:
        with translation.override(language):
            mail = self.render_mail(prefix, email, told)
        account_mail.write(what=what, to=email, subject=mail.subject, text=str(mail.body), language=language)


class MFAAdapter(DefaultMFAAdapter):
    """Second factors."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Where staff must have one, they can't put it away."""
        return not (settings.STAFF_MFA_REQUIRED and authenticator.user.is_staff)
