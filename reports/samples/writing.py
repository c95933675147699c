"""Sample orders as text for COPY, some thousands at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.db.backends.utils import CursorWrapper

from reports import sharing
from reports.samples.customers import COUNTRIES, Line, Order

_ORDER = (
    "id token email language currency prices_include_tax shipping_address billing_address delivery_code"
    " delivery_name discount_code subtotal discount delivery delivery_tax net tax total paid refunded state"
    " placed_at expires_at paid_at is_first fulfilled_at delivered_at ended_at"
)
_LINE = (
    "order_id product_id sku name options category price quantity subtotal discount tax_percent net tax total"
    " shipped restocked counted"
)
_PAYMENT = (
    "id order_id gateway idempotency_key provider_reference amount currency refund_reserved state captured_at"
    " error details created_at updated_at"
)
_REFUND = (
    "id payment_id idempotency_key provider_reference amount restock reason by state done_at error created_at"
    " updated_at"
)
_TABLES = {
    "shop_order": _ORDER,
    "shop_orderline": _LINE,
    "shop_payment": _PAYMENT,
    "shop_refund": _REFUND,
    "sample_order": "order_id",
    "sample_part": "refund_id order_id sku amount tax",
}
_NOBODY = "\\N"
_ADDRESSES = {
    country: json.dumps({"name": "Sample Customer", "city": "Sampleton", "country": country})
    for country in COUNTRIES
}


@dataclass
class Writer:
    """Gathers rows and copies them; `mark` tells these customers and payments from other runs'."""

    cursor: CursorWrapper
    chance: Random
    currency: str
    included: bool
    mark: str
    rows: dict[str, list[str]] = field(default_factory=lambda: {table: [] for table in _TABLES})

    def flush(self) -> None:
        for table, columns in _TABLES.items():
            names = ", ".join(columns.split())
            with self.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as stream:
                stream.write("".join(self.rows[table]))
            self.rows[table].clear()

    def add(self, order: Order) -> None:
        """An order with all that belongs to it."""
        key = self._key(order.placed_at)
        total = order.total(included=self.included)
        pieces = self._back(order)
        given = self._given(order, total)
        self._row("sample_order", key)
        self._add_order(key, order, total, given)
        for line in order.lines:
            self._add_line(key, line, order, pieces)
        if order.paid_at:
            self._add_payment(key, order, order.paid_at, total, given, pieces)

    def _row(self, table: str, *cells: object) -> None:
        self.rows[table].append("\t".join(map(str, cells)) + "\n")

    def _key(self, at: datetime) -> str:
        """A UUIDv7 of that moment, so that keys are in the order of time as real ones are."""
        bits = self.chance.getrandbits(72)
        low, middle = bits & (1 << 60) - 1, bits >> 60
        return f"{int(at.timestamp() * 1000):012x}7{middle:03x}8{low:015x}"

    @staticmethod
    def _back(order: Order) -> dict[str, int]:
        """Pieces that came back into stock, by SKU."""
        if order.paid_at is None or order.is_all_back:
            return {line.good.sku: line.quantity for line in order.lines}
        return {order.lines[0].good.sku: order.lines[0].quantity} if order.refunded_at else {}

    @staticmethod
    def _given(order: Order, total: int) -> int:
        if order.refunded_at is None:
            return 0
        return total if order.is_all_back else order.lines[0].total

    def _add_order(self, key: str, order: Order, total: int, given: int) -> None:
        address = _ADDRESSES[order.country]
        ended_at = order.refunded_at if order.is_all_back else None
        if order.paid_at is None:
            ended_at = order.placed_at + timedelta(minutes=5)
        worth, taken = sum(line.subtotal for line in order.lines), total if order.paid_at else 0
        saved, soon = sum(line.discount for line in order.lines), order.placed_at + timedelta(minutes=5)
        amounts = (worth, saved, order.fee, order.fee_tax, total - order.tax, order.tax, total, taken, given)
        self._row(
            "shop_order", key, f"{self.chance.getrandbits(120):030x}",
            f"buyer{order.customer}-{self.mark}@example.com", "en", self.currency, _bool(self.included),
            address, address, "post", "Post", order.code, *map(_money, amounts), _state(order),
            _moment(order.placed_at), _moment(soon), _moment(order.paid_at), _bool(order.is_first),
            _moment(order.shipped_at), _moment(order.delivered_at), _moment(ended_at),
        )  # fmt: skip

    def _add_line(self, key: str, line: Line, order: Order, pieces: dict[str, int]) -> None:
        good, back = line.good, pieces.get(line.good.sku, 0)
        self._row(
            "shop_orderline", key, good.id, good.sku, good.name, "{}", good.category, _money(good.cents),
            line.quantity, _money(line.subtotal), _money(line.discount),
            f"{order.rate // 10}.{order.rate % 10}", _money(line.net), _money(line.tax), _money(line.total),
            line.quantity if order.shipped_at else 0, back, line.quantity - back,
        )  # fmt: skip

    def _add_payment(
        self, key: str, order: Order, paid_at: datetime, total: int, given: int, pieces: dict[str, int]
    ) -> None:
        payment, at = self._key(paid_at), _moment(paid_at)
        self._row(
            "shop_payment", payment, key, order.method, f"sample-{payment}", "", _money(total), self.currency,
            _money(given), "captured", at, "", "{}", at, at,
        )  # fmt: skip
        if not order.refunded_at:
            return
        refund, done = self._key(order.refunded_at), _moment(order.refunded_at)
        self._row(
            "shop_refund", refund, payment, f"sample-{refund}", "", _money(given), json.dumps(pieces), "", "",
            "done", done, "", done, done,
        )  # fmt: skip
        for share in sharing.shares(self._parts(order), Decimal(given) / 100, pieces):
            sku = _NOBODY if share.line is None else order.lines[share.line].good.sku
            self._row("sample_part", refund, key, sku, share.amount, share.tax)

    def _parts(self, order: Order) -> Sequence[sharing.Part]:
        """As reports.sharing has them; lines are known by their place."""
        percent = Decimal(order.rate) / 10
        parts = [
            sharing.Part(n, line.good.sku, line.quantity, percent, total, total, Decimal(line.tax) / 100)
            for n, line in enumerate(order.lines)
            for total in [Decimal(line.total) / 100]
        ]
        fee = Decimal(order.fee + (0 if self.included else order.fee_tax)) / 100
        return [*parts, sharing.Part(None, "", 0, percent, fee, fee, Decimal(order.fee_tax) / 100)]


def write(writer: Writer, orders: Iterable[Order], *, batch: int = 10_000) -> int:
    """Copy the orders; returns how many. Memory has one batch of them."""
    count = 0
    for count, order in enumerate(orders, 1):
        writer.add(order)
        if count % batch == 0:
            writer.flush()
    writer.flush()
    return count


def _state(order: Order) -> str:
    if order.paid_at is None:
        return "expired"
    if order.is_all_back:
        return "refunded"
    if order.delivered_at:
        return "delivered"
    return "fulfilled" if order.shipped_at else "paid"


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _bool(value: bool) -> str:
    return "t" if value else "f"


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else _NOBODY
