"""kill -9 of the workers while a mirror is loaded and what the file lacks is unpublished."""

import os
import random
import time
from pathlib import Path

import pytest

from tests.faults.catching import WRITING, catcher
from tests.faults.conftest import newest_run, wait_until_over
from tests.faults.effects import Effects, effects_of
from tests.stack import Rows, Stack, copied_stack

_PHASES = ["imports.load", "imports.mirror", "imports.mirror", "imports.mirror"]
_UNLISTED = """
SELECT p.sku, r.before::text, r.after::text, p.version = r.version_after
FROM imports_rowchange r JOIN shop_product p ON p.id = r.product_id
WHERE r.run_id = %s AND r.line = 0 ORDER BY p.sku
"""


def mirror(stack: Stack, path: Path) -> int:
    """Import the file as all that the category Garden has; returns the import's id."""
    done = stack.manage(
        "import_catalog", "--skip-checks", str(path), "--source", "acme", "--mirror-category", "garden"
    )
    assert done.returncode == 0, done.stderr
    return newest_run(stack)


def what_it_did(stack: Stack, run: int) -> tuple[Effects, Rows]:
    """All effects, and whether what was unpublished has the versions that the journal says."""
    return effects_of(stack, run), stack.sql(_UNLISTED, [run])


def test_mirror_survives_workers_killed_in_open_transactions(
    stack: Stack,
    stocked: str,
    small_catalogue: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    with capsys.disabled():
        print(f"\nTALLYMAN_SEED={seed} chooses these kills again.")
    (tmp_path / "undisturbed").mkdir()
    with copied_stack(stocked, tmp_path / "undisturbed") as calm:
        calm.environment |= {"IMPORT_RANGE_ROWS": "40", "JOB_LEASE_SECONDS": "60"}
        calm.launch("beat")
        calm.launch("worker")
        run = mirror(calm, small_catalogue)
        wait_until_over(calm, run)
        expected = what_it_did(calm, run)
        calm.kill()
    assert expected[0].counters["unlisted"] > 200  # so that there are enough ranges to kill in

    stack.environment["IMPORT_RANGE_ROWS"] = "40"
    stack.launch("beat")
    run = mirror(stack, small_catalogue)
    with catcher(stack) as watching:
        worker = stack.launch("worker", "--hostname=w0@%h")
        for number, kind in enumerate(_PHASES):
            skip = rng.randrange(2) if kind == "imports.load" else 0
            caught = watching.stop(worker, name=f"w{number}", kind=kind, condition=WRITING, skip=skip)
            worker.kill()
            stack.wait_for(lambda caught=caught: not watching.is_open(caught), seconds=30)  # type: ignore[misc]
            worker = stack.launch("worker", f"--hostname=w{number + 1}@%h")
    wait_until_over(stack, run)

    effects, changes = what_it_did(stack, run)
    assert effects.differences(expected[0]) == []
    assert changes == expected[1]
