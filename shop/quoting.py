"""What an order would cost as the checkout is filled in so far. Nothing is taken: `ordering.place` works it
all out again, and says so where it comes to something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shop import placing, pricing
from shop.cart_rows import Row, subtotal
from shop.models import DeliveryMethod
from shop.pricing import Totals
from shop.problems import Problem, Refused


@dataclass(frozen=True, slots=True)
class Way:
    """A method that goes to the country, and its fee for these goods."""

    method: DeliveryMethod
    fee: Decimal
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """`totals` is None as long as the country is not known, or nothing goes there. `problems` are those of
    the lines and of the discount code."""

    rows: Sequence[Row]
    ways: Sequence[Way]
    goods: Decimal
    totals: Totals | None
    problems: Sequence[Problem]

    @property
    def changes(self) -> list[Problem]:
        """What became of lines, which can be accepted."""
        return [problem for problem in self.problems if problem.sku]


def quote(
    rows: Sequence[Row],
    *,
    methods: Sequence[DeliveryMethod],
    country: str = "",
    region: str = "",
    delivery: str = "",
    discount: str = "",
    email: str = "",
) -> Quote:
    """What these lines would cost there, by that method or else by the first one that goes there."""
    goods = sorted((row for row in rows if row.can_be_had), key=lambda row: row.sku)  # as they are placed
    problems = [row.problem for row in rows if row.problem]
    try:
        code = placing.usable_code(discount, goods=subtotal(goods), email=email)
    except Refused as refused:
        code = None
        problems.extend(refused.problems)
    going = [method for method in methods if method.goes_to(country)] if country else []
    method = next((one for one in going if one.code == delivery), going[0] if going else None)
    left = subtotal(goods) - (code.worth(subtotal(goods)) if code else 0)
    totals = None
    if method:
        items = [pricing.Item(row.price, row.quantity) for row in goods]
        tax = pricing.tax_for(country=country, region=region)
        totals = pricing.totals(items, tax=tax, code=code, method=method)
    ways = [Way(one, one.fee_for(left), one == method) for one in going]
    return Quote(rows, ways, subtotal(goods), totals, problems)
