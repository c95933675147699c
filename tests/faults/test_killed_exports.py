"""kill -9 of a worker and its children at random moments of an export: its file is the undisturbed one."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.catching import signal_tree
from tests.stack import Stack

_KILLS = 5  # that find the export running
_EXPORTS = 6  # at most: one may be over before it is killed
_PRODUCTS = 30_000  # so many that an export takes a while
_MORE = """
INSERT INTO shop_product (sku, slug, name, description, price, metadata, options, published, updated_at)
SELECT 'X-' || n, 'x-' || n, 'Product ' || n, repeat('word ', 40) || n, mod(n, 100),
       jsonb_build_object('n', n), '{}', mod(n, 7) > 0, now()
FROM generate_series(1, %s) AS n
"""


def test_export_survives_five_workers_killed_at_random(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    [(stocked,)] = stack.sql("SELECT count(*) FROM shop_product")
    stack.sql(_MORE, [_PRODUCTS])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    stack.environment["TMPDIR"] = str(scratch)
    stack.launch("beat")
    worker = stack.start("worker")
    undisturbed = tmp_path / "undisturbed.csv"
    assert stack.manage("export_catalog", "--skip-checks", str(undisturbed)).returncode == 0
    [(seconds,)] = stack.sql(
        "SELECT extract(epoch FROM finished_at - started_at)::float FROM imports_exportrun"
    )

    kills = exports = attempt = 0
    while kills < _KILLS:
        if not attempt:  # the first one, or the last kill came too late
            signal_tree(worker, signal.SIGSTOP)  # else it may be done before the command has ended
            assert stack.manage("export_catalog", "--skip-checks", "-", "--no-wait").returncode == 0
            signal_tree(worker, signal.SIGCONT)
            exports, attempt = exports + 1, 1
            assert exports <= _EXPORTS
            assert _attempt_began(stack, attempt)
        after = rng.uniform(0, seconds / 2)
        with capsys.disabled():  # a run that passes shows them as well
            print(f"\n  TALLYMAN_SEED={seed}: kill -9 {after:.3f} s after attempt {attempt} began", end="")
        time.sleep(after)
        worker.kill()
        worker = stack.launch("worker")
        attempt = attempt + 1 if _attempt_began(stack, attempt + 1) else 0
        kills += attempt > 0
    stack.wait_for(lambda: _run(stack)[0] == "completed", seconds=60)

    runs = stack.sql("SELECT state, file, rows, size FROM imports_exportrun ORDER BY id OFFSET 1")
    media = Path(stack.environment["TALLYMAN_DATA_DIR"]) / "media"
    assert len(runs) == exports
    for state, file, rows, size in runs:
        assert (media / file).read_bytes() == undisturbed.read_bytes()
        assert (state, rows, size) == ("completed", stocked + _PRODUCTS, undisturbed.stat().st_size)
    assert len(list(media.glob("exports/*/*"))) == 1 + exports  # nothing of the killed attempts is left
    assert list(scratch.glob("tallyman-export-*")) == []


def _attempt_began(stack: Stack, number: int) -> bool:
    """Wait for that attempt at the newest export; False when that is over instead."""
    query = (
        "SELECT state = 'running' AND attempts = %s, state = 'done' FROM tasks_job"
        " WHERE kind = 'imports.export' ORDER BY id DESC LIMIT 1"
    )
    stack.wait_for(lambda: any(stack.sql(query, [number])[0]))
    [(began, _)] = stack.sql(query, [number])
    return began


def _run(stack: Stack) -> tuple[str, str, int, int]:
    """State, file, rows and size of the newest export."""
    [run] = stack.sql("SELECT state, file, rows, size FROM imports_exportrun ORDER BY id DESC LIMIT 1")
    return run
