"""How sample customers behave: when they buy, what, and what they send back. Amounts in whole cents."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from reports.samples.goods import Good

_WEEKDAYS = (1.05, 0.95, 0.95, 1.0, 1.1, 0.9, 1.25)  # from Monday
_MONTHS = (0.85, 0.8, 0.9, 0.95, 1.0, 0.95, 0.9, 0.85, 1.0, 1.1, 1.45, 1.6)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 12, 13, 15, 18, 20, 19, 12, 6)
_SIZES, _SIZE_WEIGHTS = (1, 2, 3, 4, 6), (30, 27, 21, 14, 8)  # lines of an order
# Percent of the customers, and the tax in tenths of a percent.
COUNTRIES = {"DE": (40, 190), "AT": (14, 200), "CH": (18, 81), "FR": (14, 200), "IT": (14, 220)}
_NAMES = tuple(COUNTRIES)
CODES = {"SAMPLE10": 10, "SAMPLE15": 15, "SAMPLE25": 25}
_METHODS, _METHOD_WEIGHTS = ("stripe", "test-card", "invoice"), (62, 14, 24)
FEE, FREE_FROM = 490, 6000


@dataclass(slots=True)
class Line:
    good: Good
    quantity: int
    discount: int
    tax: int
    net: int
    total: int

    @property
    def subtotal(self) -> int:
        return self.good.cents * self.quantity


@dataclass(slots=True)
class Order:
    """One order; moments that did not come are None."""

    placed_at: datetime
    paid_at: datetime | None
    customer: int
    is_first: bool
    country: str
    code: str
    method: str
    rate: int  # in tenths of a percent
    fee: int
    fee_tax: int
    lines: list[Line] = field(default_factory=list)
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    refunded_at: datetime | None = None
    is_all_back: bool = False

    @property
    def tax(self) -> int:
        return self.fee_tax + sum(line.tax for line in self.lines)

    def total(self, *, included: bool) -> int:
        return self.fee + (0 if included else self.fee_tax) + sum(line.total for line in self.lines)


class Customers:
    """Sells so many lines on the days up to a moment; the same for the same seed."""

    def __init__(self, chance: Random, goods: Sequence[Good], *, included: bool) -> None:
        self.chance, self.goods, self.included = chance, goods, included
        self.weights = list(accumulate(good.weight for good in goods))
        self.hours = list(accumulate(_HOURS))
        self.countries = list(accumulate(weight for weight, _ in COUNTRIES.values()))
        self.known = 0

    def orders(self, lines: int, *, days: int, until: datetime, zone: ZoneInfo) -> Iterator[Order]:
        """Orders by the moment that they were placed."""
        today = until.astimezone(zone).date()
        every = [today - timedelta(days=number) for number in reversed(range(days))]
        weights = list(accumulate(self._weight(day, number / days) for number, day in enumerate(every)))
        done = 0
        for day, weight in zip(every, weights, strict=True):
            wanted = round(lines * weight / weights[-1])
            moments = sorted(self._moment(day, zone) for _ in range(max(0, wanted - done)))
            while moments and done < wanted:
                size = min(self.chance.choices(_SIZES, _SIZE_WEIGHTS)[0], wanted - done, len(moments))
                done += size
                placed_at = moments[size - 1]
                del moments[:size]
                if placed_at < until - timedelta(minutes=10):  # the last day is not over
                    yield self._order(placed_at, size, until)

    def _weight(self, day: date, progress: float) -> float:
        """Growing by a third over the time, with seasons, weekdays, and chance."""
        season = _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
        sale = 1.8 if (day.month, day.day) in ((11, 28), (11, 29), (7, 1), (7, 2)) else 1.0
        return season * sale * (1 + progress / 3) * math.exp(self.chance.gauss(0, 0.12))

    def _moment(self, day: date, zone: ZoneInfo) -> datetime:
        [hour] = self.chance.choices(range(24), cum_weights=self.hours)
        second = self.chance.randrange(3600)
        return datetime(day.year, day.month, day.day, hour, second // 60, second % 60, tzinfo=zone)

    def _order(self, placed_at: datetime, size: int, until: datetime) -> Order:
        chance = self.chance
        customer = chance.randrange(self.known) if self.known and chance.random() < 0.55 else self.known
        [country] = chance.choices(_NAMES, cum_weights=self.countries)
        [method] = chance.choices(_METHODS, _METHOD_WEIGHTS)
        code = chance.choice(list(CODES)) if chance.random() < 0.12 else ""
        paid_at = self._paid(placed_at, method, until)
        is_first = customer == self.known and paid_at is not None
        self.known += is_first
        rate = COUNTRIES[country][1]
        picked = {
            good.sku: good for good in chance.choices(self.goods, cum_weights=self.weights, k=size)
        }  # an order has a product once
        lines = [self._line(picked[sku], code, rate) for sku in sorted(picked)]
        worth = sum(line.subtotal - line.discount for line in lines)
        fee = 0 if worth >= FREE_FROM else FEE
        tax = self._tax(fee, rate)
        order = Order(placed_at, paid_at, customer, is_first, country, code, method, rate, fee, tax, lines)
        if paid_at:
            self._goes_on(order, paid_at, until)
        return order

    def _paid(self, placed_at: datetime, method: str, until: datetime) -> datetime | None:
        """Some never pay; transfers take days. Who has not paid yet by the end is left out as expired."""
        if self.chance.random() < 0.03:
            return None
        if method == "invoice":
            paid_at = placed_at + timedelta(minutes=self.chance.randrange(600, 6000))
            return paid_at if paid_at < until else None
        return placed_at + timedelta(seconds=self.chance.randrange(20, 240))

    def _line(self, good: Good, code: str, rate: int) -> Line:
        [quantity] = self.chance.choices((1, 2, 3, 6), (74, 17, 6, 3))
        subtotal = good.cents * quantity
        discount = subtotal * CODES[code] // 100 if code else 0
        price = subtotal - discount
        tax = self._tax(price, rate)
        net, total = (price - tax, price) if self.included else (price, price + tax)
        return Line(good, quantity, discount, tax, net, total)

    def _tax(self, price: int, rate: int) -> int:
        """Half up, as shop.pricing has it."""
        whole = 1000 + rate if self.included else 1000
        return (2 * price * rate + whole) // (2 * whole)

    def _goes_on(self, order: Order, paid_at: datetime, until: datetime) -> None:
        """Sent, delivered, and one of twenty comes back, half of these altogether."""
        hours = self.chance.randrange(4, 40)
        if (shipped_at := paid_at + timedelta(hours=hours)) < until:
            order.shipped_at = shipped_at
        if (delivered_at := shipped_at + timedelta(hours=hours + 12)) < until:
            order.delivered_at = delivered_at
        refunded_at = delivered_at + timedelta(days=self.chance.randrange(1, 20), minutes=hours)
        if self.chance.random() < 0.05 and refunded_at < until:
            order.refunded_at = refunded_at
            order.is_all_back = self.chance.random() < 0.5 or len(order.lines) == 1
