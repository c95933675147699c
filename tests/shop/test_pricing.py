"""What orders cost: every column to the cent, and their sums without any rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import pricing
from shop.models import DeliveryMethod, DiscountCode, TaxRate
from shop.pricing import CENT, Item, Tax, Totals

EXCLUDED, INCLUDED = Tax(Decimal(8), included=False), Tax(Decimal(8), included=True)

prices = st.decimals(0, 10**9, places=2)
items = st.lists(st.builds(Item, prices, st.integers(1, 9999)), min_size=1, max_size=30)
taxes = st.builds(Tax, st.decimals(0, 100, places=3), st.booleans())
codes = st.one_of(
    st.none(),
    st.builds(DiscountCode, percent=st.decimals("0.01", 100, places=2)),
    st.builds(DiscountCode, amount=st.decimals("0.01", 10**6, places=2)),
)
methods = st.one_of(
    st.none(), st.builds(DeliveryMethod, fee=prices, free_from=st.one_of(st.none(), st.decimals(0, 100)))
)


def amounts(totals: Totals) -> dict[str, str]:
    names = ("subtotal", "discount", "delivery", "delivery_tax", "net", "tax", "total")
    return {name: str(getattr(totals, name)) for name in names}


@given(items=items, tax=taxes, code=codes, method=methods)
def test_totals_add_up_to_the_cent_whatever_is_ordered(
    items: list[Item], tax: Tax, code: DiscountCode | None, method: DeliveryMethod | None
) -> None:
    totals = pricing.totals(items, tax=tax, code=code, method=method)

    lines = totals.lines
    assert totals.total == totals.net + totals.tax
    assert totals.subtotal - totals.discount + totals.delivery == (
        totals.total if tax.included else totals.net
    )
    assert sum(line.discount for line in lines) == totals.discount <= totals.subtotal
    assert sum(line.tax for line in lines) + totals.delivery_tax == totals.tax
    for line, item in zip(lines, items, strict=True):
        assert line.subtotal == item.price * item.quantity
        assert line.total == line.net + line.tax
        assert 0 <= line.discount <= line.subtotal
        assert line.tax >= 0
        assert line.total == line.total.quantize(CENT)


@given(amount=st.decimals(0, 10**6, places=2), weights=st.lists(prices, min_size=1, max_size=50))
def test_shares_are_within_a_cent_of_their_weight_and_add_up(amount: Decimal, weights: list[Decimal]) -> None:
    shares = pricing.split(amount, weights)

    whole = sum(weights)
    assert sum(shares) == (amount if whole else 0)
    for share, weight in zip(shares, weights, strict=True):
        assert whole == 0 or abs(share - amount * weight / whole) < CENT


def test_tax_is_added_to_prices_without_it() -> None:
    totals = pricing.totals([Item(Decimal("10.00"), 3)], tax=EXCLUDED)

    assert amounts(totals) == {
        "subtotal": "30.00", "discount": "0.00", "delivery": "0.00", "delivery_tax": "0.00", "net": "30.00",
        "tax": "2.40", "total": "32.40",
    }  # fmt: skip


def test_tax_is_taken_out_of_prices_with_it() -> None:
    method = DeliveryMethod(fee=Decimal("5.40"))

    totals = pricing.totals([Item(Decimal("10.00"), 3)], tax=INCLUDED, method=method)

    assert amounts(totals) == {
        "subtotal": "30.00", "discount": "0.00", "delivery": "5.40", "delivery_tax": "0.40", "net": "32.78",
        "tax": "2.62", "total": "35.40",
    }  # fmt: skip


def test_half_a_cent_of_tax_is_rounded_up_on_each_line() -> None:
    one = Item(Decimal("0.50"), 1)
    tax = Tax(Decimal(1), included=False)

    totals = pricing.totals([one, one], tax=tax)

    assert [line.tax for line in totals.lines] == [Decimal("0.01"), Decimal("0.01")]
    assert totals.tax == Decimal("0.02")


def test_discount_is_shared_by_price_and_the_odd_cents_go_to_the_largest_remainders() -> None:
    three = [Item(Decimal(price), 1) for price in ("10.00", "10.00", "20.00")]

    totals = pricing.totals(three, tax=EXCLUDED, code=DiscountCode(amount=Decimal("0.10")))

    assert [str(line.discount) for line in totals.lines] == ["0.03", "0.02", "0.05"]


def test_discount_takes_no_more_than_the_goods_cost_and_nothing_off_the_delivery() -> None:
    method = DeliveryMethod(fee=Decimal("5.00"))

    totals = pricing.totals(
        [Item(Decimal("3.00"), 1)], tax=EXCLUDED, code=DiscountCode(amount=Decimal(50)), method=method
    )

    assert (totals.discount, totals.net, totals.total) == (Decimal(3), Decimal(5), Decimal("5.40"))


@pytest.mark.parametrize(("goods", "fee"), [("49.99", "5.00"), ("50.00", "0.00")])
def test_delivery_is_free_from_an_amount_on(goods: str, fee: str) -> None:
    method = DeliveryMethod(fee=Decimal("5.00"), free_from=Decimal("50.00"))

    assert pricing.totals([Item(Decimal(goods), 1)], tax=EXCLUDED, method=method).delivery == Decimal(fee)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "percent"),
    [
        ({"country": "US", "region": "ny "}, "8.875"),
        ({"country": "us", "region": "TX"}, "1.000"),
        ({"country": "FR"}, "8"),
    ],
    ids=["region", "country", "default"],
)
def test_tax_is_the_regions_or_the_countrys_or_the_default(place: dict[str, Any], percent: str) -> None:
    TaxRate.objects.create(country="US", percent="1")
    TaxRate.objects.create(country="US", region="NY", percent="8.875")

    assert pricing.tax_for(**place) == Tax(Decimal(percent), included=False)
