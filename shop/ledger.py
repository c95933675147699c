"""How a product's stock ledger is shown: its last movements, each with the way to what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from shop.models import Product, StockMovement

_SHOWN = 20

_addresses: dict[str, Callable[[int], str]] = {}


def leads_to(subject: str, address: Callable[[int], str]) -> None:
    """Have movements with a reference such as `import/12` lead to `address(12)`, for the subject `import`.

    For apps that move stock and have pages of their own; they call it when they are ready.
    """
    _addresses[subject] = address


class Entry(NamedTuple):
    """A movement as the panel shows it; `address` is blank where nothing has a page."""

    movement: StockMovement
    why: str
    address: str


def panel(product: Product) -> SafeString:
    """The product's latest movements and its opening stock, as HTML."""
    movements = product.stock_movements.order_by("-pk")[: _SHOWN + 1]
    entries = [_entry(movement) for movement in movements]
    return render_to_string(
        "shop/ledger.html",
        {"product": product, "entries": entries[:_SHOWN], "has_more": len(entries) > _SHOWN, "shown": _SHOWN},
    )


def _entry(movement: StockMovement) -> Entry:
    subject, _, number = movement.reference.partition("/")
    if subject in _addresses and number.isdecimal():
        kind = movement.kind.capitalize()  # “Import 12” and “Undo 12” say it all, “Sale 10001” does not
        why = f"{kind} {number}" if subject in StockMovement.Kind else f"{kind}, {subject} {number}"
        return Entry(movement, why, _addresses[subject](int(number)))
    kind = str(StockMovement.Kind(movement.kind).label).capitalize()
    return Entry(movement, f"{kind}, {movement.reference}" if movement.reference else kind, "")
