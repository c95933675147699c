"""kill -9 of workers in the middle of an undo: products, counts, journal and ledger end as if nobody had."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.catching import WRITING, catcher, hold
from tests.faults.conftest import newest_run, start_import, wait_until_over
from tests.faults.effects import Effects, effects_of
from tests.stack import Rows, Stack

_KILLS = 5


def start_undo(stack: Stack, run: int) -> int:
    """Begin the undo of an import; returns its id."""
    done = stack.manage("undo_import", "--skip-checks", str(run))
    assert done.returncode == 0, done.stderr
    return newest_run(stack)


def test_undo_survives_five_workers_killed_in_open_transactions(
    stack: Stack, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    with capsys.disabled():
        print(f"\nTALLYMAN_SEED={seed} chooses these kills again:")
    before = _state(stack)
    stack.environment["IMPORT_RANGE_ROWS"] = "400"  # more jobs than five kills can use up
    stack.launch("beat")
    worker = stack.launch("worker", "--hostname=w0@%h")
    run = start_import(stack, catalogue)
    wait_until_over(stack, run)
    imported, edited = _state(stack), _edit(stack, run)

    hold(worker)
    undo = start_undo(stack, run)
    with catcher(stack) as watching:
        for number in range(_KILLS):
            caught = watching.stop(
                worker, name=f"w{number}", kind="imports.undo", condition=WRITING, skip=rng.randrange(2)
            )
            worker.kill()
            with capsys.disabled():
                print(f"  kill -9 in an open transaction: {caught.kind}, job {caught.job}")
            worker = stack.launch("worker", f"--hostname=w{number + 1}@%h")
    wait_until_over(stack, undo)

    kept = [sku for (sku,) in edited]
    assert _without(_state(stack), kept) == _without(before, kept)
    _reconciles(stack, effects_of(stack, undo), run, kept)
    redo = start_undo(stack, undo)
    wait_until_over(stack, redo)
    assert _without(_state(stack), kept) == _without(imported, kept)


def _edit(stack: Stack, run: int) -> Rows:
    """Change some of the products that the import wrote, as staff would; returns their SKUs."""
    return stack.sql(
        """
        UPDATE shop_product SET description = 'By hand' WHERE id IN (
            (SELECT product_id FROM imports_rowchange WHERE run_id = %(run)s ORDER BY product_id
             LIMIT 10)
            UNION ALL
            (SELECT unnest(product_ids) AS id FROM imports_createdproducts WHERE run_id = %(run)s
             ORDER BY id LIMIT 10)
        ) RETURNING sku
        """,
        {"run": run},
    )


def _state(stack: Stack) -> Rows:
    """Every product with all that an undo must bring back; ids and versions too."""
    return stack.sql(
        "SELECT sku, (to_jsonb(p) - 'updated_at' - 'source_hash' - 'opening_stock')::text FROM shop_product p"
        " ORDER BY sku"
    )


def _without(rows: Rows, skus: list[str]) -> Rows:
    left_out = set(skus)
    return [row for row in rows if row[0] not in left_out]


def _reconciles(stack: Stack, effects: Effects, run: int, kept: list[str]) -> None:
    """Every product of the import has one outcome and is in the journal or the list; the ledger is right."""
    counts: dict[str, Any] = effects.counters
    [(created, changed)] = stack.sql("SELECT created, updated FROM imports_importrun WHERE id = %s", [run])
    assert (counts["state"], counts["rows"], counts["skipped"]) == ("completed", created + changed, len(kept))
    assert counts["removed"] + counts["updated"] == created + changed - len(kept)
    assert len(effects.journal) == counts["removed"] + counts["updated"]
    assert sorted(row[1] for row in effects.set_aside) == sorted(kept)
    assert effects.messages != []
    differs = """
        SELECT count(*) FROM shop_product p WHERE stock <> opening_stock + coalesce(
            (SELECT sum(quantity) FROM shop_stockmovement m WHERE m.product_id = p.id), 0)
    """
    assert stack.sql(differs) == [(0,)]
    twice = """
        SELECT count(*) FROM (SELECT FROM shop_stockmovement WHERE kind = 'undo' GROUP BY product_id
                              HAVING count(*) > 1) t
    """
    assert stack.sql(twice) == [(0,)]
