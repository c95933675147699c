"""Sales recomputed from the rows of orders, one by one, in whole cents: nothing here is shared with reports
but the meaning of their figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from reports.questions import Grouping, Question
from shop.models import Order, OrderLine, Payment, Refund

NOTHING = dict.fromkeys(
    ("orders", "new", "units", "gross", "discounts", "delivery", "refunds", "tax", "net"), 0
)


@dataclass
class Fact:
    at: datetime
    order: Order
    line: OrderLine | None
    figures: dict[str, int]


def cents(amount: Decimal) -> int:
    return int(amount * 100)


def half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


def shared(amount: int, weights: list[Fraction]) -> list[int]:
    """By largest remainder, of equal ones to the first."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [amount * weight / whole for weight in weights]
    found = [int(one) for one in exact]
    order = sorted(range(len(weights)), key=lambda n: (found[n] - exact[n], n))
    for n in order[: amount - sum(found)]:
        found[n] += 1
    return found


def facts() -> Iterator[Fact]:
    for order in Order.objects.filter(paid_at__isnull=False):
        yield from _facts_of(order)


def _facts_of(order: Order) -> Iterator[Fact]:
    assert order.paid_at
    lines = list(order.lines.order_by("sku"))
    for line in lines:
        yield Fact(order.paid_at, order, line, {
            "units": line.quantity, "gross": cents(line.total), "discounts": cents(line.discount),
            "tax": cents(line.tax), "net": cents(line.net),
        })  # fmt: skip
    goods = sum(cents(line.total) for line in lines)
    fee = cents(order.total) - goods
    fee_tax = cents(order.tax) - sum(cents(line.tax) for line in lines)
    yield Fact(order.paid_at, order, None, {
        "orders": 1, "new": int(order.is_first), "gross": fee, "delivery": fee, "tax": fee_tax,
        "net": fee - fee_tax,
    })  # fmt: skip
    yield from _refunds_of(order, lines, fee, fee_tax)


def _refunds_of(order: Order, lines: list[OrderLine], fee: int, fee_tax: int) -> Iterator[Fact]:
    """All lines of an order have one rate, so the tax of a refund is that of its amount."""
    left = [*(cents(line.total) for line in lines), fee]
    tax_left = [*(cents(line.tax) for line in lines), fee_tax]
    for refund in Refund.objects.filter(payment__order=order, state="done").order_by("id"):  # as they came
        if refund.payment.state != Payment.State.CAPTURED:
            continue
        amount = cents(refund.amount)
        worth = [
            min(left[n], half_up(Fraction(cents(line.total) * min(pieces, line.quantity), line.quantity)))
            for n, line in enumerate(lines)
            for pieces in [refund.restock.get(line.sku, 0)]
        ]
        first = shared(min(amount, sum(worth)), [Fraction(one) for one in [*worth, 0]])
        rest = shared(
            amount - sum(first), [Fraction(has - got) for has, got in zip(left, first, strict=True)]
        )
        amounts = [one + other for one, other in zip(first, rest, strict=True)]
        tax = half_up(Fraction(sum(tax_left) * amount, sum(left)))
        weights = [
            Fraction(max(0, owed) * some * 1_000_000 // has) if some else Fraction(0)
            for owed, some, has in zip(tax_left, amounts, left, strict=True)
        ]
        taxes = shared(tax, weights if any(weights) else [Fraction(some) for some in amounts])
        for n, (some, its_tax) in enumerate(zip(amounts, taxes, strict=True)):
            left[n] -= some
            tax_left[n] -= its_tax
            line = lines[n] if n < len(lines) else None
            assert refund.done_at
            yield Fact(refund.done_at, order, line, {"refunds": some, "tax": -its_tax, "net": its_tax - some})


def _method(order: Order) -> str:
    payment = order.payments.filter(state="captured").first()
    return payment.gateway if payment else ""


KEYS: dict[Grouping, Callable[[Fact], Any]] = {
    Grouping.PRODUCT: lambda fact: fact.line and (fact.line.parent_sku or fact.line.sku),
    Grouping.VARIANT: lambda fact: fact.line and fact.line.sku,
    Grouping.CUSTOMER: lambda fact: fact.order.email.lower(),
    Grouping.COUNTRY: lambda fact: fact.order.shipping_address["country"],
    Grouping.TAX_RATE: lambda fact: (fact.line or fact.order.lines.all()[0]).tax_percent,
    Grouping.PAYMENT: lambda fact: _method(fact.order),
    Grouping.DISCOUNT: lambda fact: fact.order.discount_code,
}


def time_key(grouping: Grouping, at: datetime, question: Question) -> Any:
    local = at.astimezone(question.period.zone)
    day = local.date()
    match grouping:
        case Grouping.HOUR:
            return (local.replace(minute=0, second=0, microsecond=0, tzinfo=None), local.utcoffset())
        case Grouping.WEEK:
            return day - timedelta(days=day.isoweekday() - 1)
        case Grouping.MONTH:
            return day.replace(day=1)
    return day


def sums(question: Question, facts: list[Fact]) -> dict[Any, dict[str, int]]:
    """Figures in cents by the question's groups, those with any only; filters are not looked at."""
    grouping = question.group_by
    found: dict[Any, dict[str, int]] = defaultdict(lambda: dict(NOTHING))
    for fact in facts:
        if (
            not question.period.first
            <= fact.at.astimezone(question.period.zone).date()
            <= question.period.last
        ):
            continue
        for key in _keys(grouping, fact, question):
            for name, value in fact.figures.items():
                found[key][name] += value
    return {key: figures for key, figures in found.items() if any(figures.values())}


def _keys(grouping: Grouping, fact: Fact, question: Question) -> list[Any]:
    if grouping.is_time:
        return [time_key(grouping, fact.at, question)]
    if grouping == Grouping.LINES:
        return ["all"]
    if grouping != Grouping.CATEGORY:
        return [KEYS[grouping](fact)]
    if fact.line is None or not fact.line.category:
        return [None if fact.line is None else ""]
    names = fact.line.category.split(" > ")
    return [" > ".join(names[:length]) for length in range(1, len(names) + 1)]
