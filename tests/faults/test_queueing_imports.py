"""Imports that wait for each other, and one that is cancelled in the middle."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.conftest import Reference, start_import, state_of, wait_until_over
from tests.faults.effects import counters, effects_of, products
from tests.stack import Rows, Stack

# Started early, because a Python of its own takes longer to start than the import to load.
_CANCEL_WHILE_LOADING = """
import time
from imports import pipeline
from imports.models import ImportRun
while (run := ImportRun.objects.filter(state="loading", ranges_done__gte=2).first()) is None:
    time.sleep(0.01)
pipeline.cancel(run=run)
"""


def test_two_imports_confirmed_together_land_one_after_the_other(
    stack: Stack, catalogue: Path, small_catalogue: Path, reference: Reference
) -> None:
    big, small = start_import(stack, catalogue), start_import(stack, small_catalogue)
    stack.launch("beat")
    stack.launch("worker")
    seen = set()

    def both_ended() -> bool:
        states = state_of(stack, big), state_of(stack, small)
        seen.add(states)
        return states == ("completed", "completed")

    stack.wait_for(both_ended, seconds=120)
    wait_until_over(stack, small)
    assert ("loading", "waiting") in seen
    order = "SELECT a.finished_at <= b.started_at FROM imports_importrun a, imports_importrun b"
    assert stack.sql(f"{order} WHERE a.id = %s AND b.id = %s", [big, small]) == [(True,)]
    assert effects_of(stack, big).counters == reference.effects.counters
    assert _prices(stack, small_catalogue) == _prices_in(small_catalogue)
    later = set(_prices_in(small_catalogue))
    assert [row for row in products(stack) if row[0] not in later] == [
        row for row in reference.effects.products if row[0] not in later
    ]


def _prices_in(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return {row["sku"]: row["price"] for row in csv.DictReader(file)}


def _prices(stack: Stack, path: Path) -> dict[str, str]:
    query = "SELECT sku, price::text FROM shop_product WHERE sku = ANY(%s)"
    return dict(stack.sql(query, [list(_prices_in(path))]))


def test_cancelled_import_counts_what_landed_and_lets_the_next_one_in(
    stack: Stack, catalogue: Path, reference: Reference
) -> None:
    stack.launch("beat")
    with ThreadPoolExecutor(1) as background:
        cancelling = background.submit(stack.manage, "shell", "-v", "0", "-c", _CANCEL_WHILE_LOADING)
        cancelled, following = start_import(stack, catalogue), start_import(stack, catalogue)
        stack.launch("worker")
        done = cancelling.result()
    assert done.returncode == 0, done.stderr
    wait_until_over(stack, following)

    result, later = counters(stack, cancelled), counters(stack, following)
    assert result["state"] == "cancelled"
    made = "SELECT sum(cardinality(product_ids))::int FROM imports_createdproducts WHERE run_id = %s"
    changed = "SELECT count(*) FROM imports_rowchange WHERE run_id = %s"
    assert stack.sql(f"SELECT ({made}), ({changed})", [cancelled, cancelled]) == [
        (result["created"], result["updated"])
    ]
    whole = reference.effects.counters
    assert 0 < result["created"] < whole["created"]
    settled = sum(result[name] for name in ("created", "updated", "unchanged", "superseded", "rejected"))
    assert result["pending"] == whole["rows"] - settled > 0
    assert stack.sql("SELECT relname FROM pg_class WHERE relname LIKE 'imports_staging%'") == []
    # What the first one had landed, the second finds unchanged.
    assert later["state"] == "completed"
    assert later["created"] == whole["created"] - result["created"]
    assert _without_slugs(products(stack)) == _without_slugs(reference.effects.products)


def _without_slugs(rows: Rows) -> Rows:
    """Products that share a name: which of them came first decides, and two imports are an order."""
    return [(sku, re.sub(r'"slug": "[^"]*"', "", content), *rest) for sku, content, *rest in rows]
