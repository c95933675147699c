"""All that a preview would change, as a CSV file that is made while it is sent."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from imports import checking, staging
from imports.columns import COLUMNS
from imports.dry_run import Comparison
from imports.finishing import Echo
from imports.models import ImportRun

_AT_ONCE = 1_000  # products
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would run
_HEADER = ("line", "sku", "action", "field", "before", "after")

type Product = tuple[int, str, dict[str, Any]]


def preview_csv(run: ImportRun) -> Iterator[str]:
    """The differences as CSV lines. UTF-8 with a byte order mark, which spreadsheets need to read it right.

    For a run that was previewed and has not ended.
    """
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(_HEADER)
    for line, *texts in differences(run):
        yield writer.writerow([line, *map(_safe, texts)])


def differences(run: ImportRun) -> Iterator[tuple[int, str, str, str, str, str]]:
    """(line, SKU, action, field, before, after) for each field of a product: of those that would change or be
    taken out, then of those that would be created; each in the order of SKUs."""
    takes_out = run.mode in (ImportRun.Mode.UNPUBLISH, ImportRun.Mode.DELETE)
    for line, sku, fields, before, after in _changes(run):
        for name in fields:
            texts = _text(before[name]), _text((after or {}).get(name))
            yield line, sku, "remove" if takes_out else "update", name, *texts
    for line, sku, values in _creations(run):
        for name, value in values.items():
            yield line, sku, "create", name, "", _text(value)


def _changes(run: ImportRun) -> Iterator[tuple[int, str, list[str], dict[str, Any], dict[str, Any] | None]]:
    """(line, SKU, fields, before, after) in the order of SKUs, some at a time: no query lasts as long as the
    download."""
    rows, after = run.planned_changes.order_by("sku"), ""
    while some := list(
        rows.filter(sku__gt=after).values_list("line", "sku", "fields", "before", "after")[:_AT_ONCE]
    ):
        yield from some
        after = some[-1][1]


def _creations(run: ImportRun) -> Iterator[Product]:
    """(line, SKU, value of each field) of the products that would be created: all others, then variants."""
    if run.mode not in (ImportRun.Mode.UPSERT, ImportRun.Mode.CREATE) or not run.ranges_total:
        return
    if staging.is_lost(run):
        checking.rebuild(run)
    for variants in (False, True) if "parent" in run.written else (False,):
        after = ""
        while some := _some_creations(run, after=after, variants=variants):
            yield from some
            after = some[-1][1]


def _some_creations(run: ImportRun, *, after: str, variants: bool) -> list[Product]:
    with connection.cursor() as cursor:
        whole = Comparison(cursor, run, {"low": after, "high": None, "variants": variants})
        cursor.execute(
            f"""
            SELECT s.line, s.sku, json_build_object({_values(run)})::text FROM {whole.source}
            WHERE {whole.would_create} AND s.sku > %(low)s ORDER BY s.sku LIMIT {_AT_ONCE}
            """,
            whole.params,
        )
        return [
            (line, sku, {name: value for name, value in json.loads(values).items() if value is not None})
            for line, sku, values in cursor
        ]


def _values(run: ImportRun) -> str:
    """SQL for names and values of a new product's fields."""
    values = {column.name: f"s.{column.name}" for column in COLUMNS if column.name in run.written}
    values.pop("sku", None)
    if "category" in values:
        values["category"] = "coalesce(m.full_name, s.category)"
    if "metadata" in values or run.keep_unknown:
        values["metadata"] = "nullif(coalesce(s.metadata, '{}') || coalesce(s.extra, '{}'), '{}')"
    return ", ".join(f"'{name}', {value}" for name, value in values.items())


def _text(value: Any) -> str:
    """A value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " | ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _safe(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
