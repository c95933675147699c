"""A seller, a provider of one's own, and something to sell."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.shop.factories import a_product


@pytest.fixture(autouse=True)
def seller(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SITE_URL = "https://shop.example"
    settings.STORE_CURRENCY, settings.PRICES_INCLUDE_TAX, settings.TAX_PERCENT = "EUR", True, Decimal(19)
    settings.SELLER_NAME, settings.SELLER_ADDRESS = "Example Goods Ltd.", "Dock 4\n20457 Hamburg\nGermany"
    settings.SELLER_VAT_ID, settings.BANK_ACCOUNT = "DE123456789", "DE02 1203 0000 0000 2020 51"
    a_product(sku="KNIFE", name="Bread knife", price="19.99", stock=5_000, options={"Size": "L"})
    a_product(sku="FORK", name="Fork", price="5.55", stock=5_000)
