"""What a product's page shows of imports: which of them changed what, among the edits of staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from imports import history
from imports.models import ImportRun
from imports.wording import Teller, Told
from shop.models import Product
from shop.panels import Panel
from tasks.listing import spoken

_PER_PAGE = 20
_FARTHEST = 500  # pages; so many changes nobody reads, and each page reads all before it


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to the product, by a run or by one of the staff."""

    at: datetime
    when: str
    what: str
    who: str = ""
    run: ImportRun | None = None
    line: int | None = None
    changes: Sequence[Told] = ()


def changes(request: HttpRequest, product: Product) -> Panel:
    """The panel; `?changes=2` is its second page."""
    number = _number(request.GET.get("changes", ""))
    wanted = number * _PER_PAGE + 1  # one more tells whether there is another page
    events, edits = history.of_product(product, limit=wanted), _edits(product, wanted)
    both: list[history.Event | LogEntry] = [*events, *edits]
    newest = sorted(both, key=_at, reverse=True)[:wanted]
    shown = newest[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    return Panel(
        "Changes by imports and staff",
        "imports/product_changes.html",
        {
            "entries": _entries(shown),
            "newer": number - 1,
            "older": number + 1 if len(newest) == wanted and number < _FARTHEST else None,
            "may_see_imports": request.user.has_perm("imports.view_importrun")
            or request.user.has_perm("imports.add_importrun"),
        },
    )


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), _FARTHEST) if is_number else 1


def _edits(product: Product, limit: int) -> list[LogEntry]:
    """What staff did to it in the admin."""
    kind = ContentType.objects.get_for_model(Product)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(product.pk))
    return list(entries.select_related("user").order_by("-action_time")[:limit])


def _at(one: history.Event | LogEntry) -> datetime:
    return one.action_time if isinstance(one, LogEntry) else one.at


def _entries(shown: list[history.Event | LogEntry]) -> list[Entry]:
    events = [one for one in shown if isinstance(one, history.Event)]
    teller = Teller(side for event in events for side in (event.before, event.after))
    return [_by_staff(one) if isinstance(one, LogEntry) else _by_run(one, teller) for one in shown]


def _by_staff(entry: Any) -> Entry:
    return Entry(
        entry.action_time, spoken(entry.action_time), entry.get_change_message(), who=str(entry.user)
    )


def _by_run(event: history.Event, teller: Teller) -> Entry:
    has_both = event.before is not None and event.after is not None
    told = teller.changes(event.before or {}, event.after or {}) if has_both else ()
    return Entry(event.at, spoken(event.at), event.what, run=event.run, line=event.line, changes=told)
