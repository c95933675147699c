"""What the system checks say of the shop's settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks


def found(settings: Any, **values: Any) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    ids = [str(message.id) for message in run_checks(include_deployment_checks=True)]
    return [id for id in ids if id.startswith("shop.")]


@pytest.mark.parametrize(
    ("currency", "ids"), [("EUR", []), ("CHF", []), ("JPY", ["shop.E001"]), ("KWD", ["shop.E001"])]
)
def test_currency_without_cents_is_an_error(settings: Any, currency: str, ids: list[str]) -> None:
    assert found(settings, STORE_CURRENCY=currency, PAYMENT_METHODS=["test-card"]) == ids


@pytest.mark.parametrize(
    ("methods", "account", "ids"),
    [(["invoice"], "", ["shop.W001"]), (["invoice"], "CH00 1234", []), (["test-card"], "", [])],
)
def test_bank_transfer_without_an_account_is_warned_of(
    settings: Any, methods: list[str], account: str, ids: list[str]
) -> None:
    assert found(settings, PAYMENT_METHODS=methods, BANK_ACCOUNT=account) == ids
