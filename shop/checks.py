"""What the settings must say for the shop to sell: `manage.py` refuses without.

What they should say is told by `manage.py check --deploy`: who tries the shop has no bank account to name.
"""

from __future__ import annotations

from typing import Any

from babel.numbers import get_currency_precision
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register
def currency_has_cents(**_: Any) -> list[CheckMessage]:
    """Amounts are kept, rounded and charged with two decimals: another currency would be charged wrongly."""
    code = settings.STORE_CURRENCY
    if (digits := get_currency_precision(code)) == 2:
        return []
    says = f"STORE_CURRENCY is {code}, whose amounts have {digits} decimals. The shop counts with 2."
    return [Error(says, hint="Choose a currency with cents, such as EUR, USD or CHF.", id="shop.E001")]


@register(deploy=True)
def transfers_have_an_account(**_: Any) -> list[CheckMessage]:
    """Who chooses the bank transfer must be told where to transfer the money to."""
    if "invoice" not in settings.PAYMENT_METHODS or settings.BANK_ACCOUNT:
        return []
    says = "Customers may pay by bank transfer, and BANK_ACCOUNT is empty, so nobody tells them where to."
    hint = "Set BANK_ACCOUNT (IBAN, bank, holder), or take invoice out of PAYMENT_METHODS."
    return [Warning(says, hint=hint, id="shop.W001")]
