"""kill -9 of a worker and its children during a preview: it shows the same, and what it showed is written."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from config.processes import Process
from tests.faults.catching import COMPARING, WRITING, catcher
from tests.faults.conftest import Reference, newest_run, wait_until_over
from tests.faults.effects import counters, effects_of
from tests.faults.previews import findings, preview
from tests.stack import Stack

# Two kills while the file is read, one while it is checked, two while it is compared with the catalogue.
_PHASES = [
    ("imports.stage", WRITING, 5),
    ("imports.stage", WRITING, 5),
    ("imports.check", COMPARING, 1),
    ("imports.compare", WRITING, 4),
    ("imports.compare", WRITING, 4),
]


def test_preview_survives_five_workers_killed_in_open_transactions(
    stack: Stack, catalogue: Path, reference: Reference, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    with capsys.disabled():  # a run that passes shows it as well
        print(f"\nTALLYMAN_SEED={seed} chooses these kills again:")
    stack.launch("beat")
    worker = stack.launch("worker", "--hostname=w0@%h")
    undisturbed = preview(stack, catalogue)
    expected = findings(stack, newest_run(stack))

    with ThreadPoolExecutor() as background:
        disturbed = background.submit(preview, stack, catalogue)
        for number, phase in enumerate(_PHASES):
            _kill_in(stack, worker, number, phase, rng)
            worker = stack.launch("worker", f"--hostname=w{number + 1}@%h")
        shown = disturbed.result()

    run = newest_run(stack)
    assert findings(stack, run) == expected
    assert {name: shown[name] for name in ("forecast", "warnings", "differences")} == {
        name: undisturbed[name] for name in ("forecast", "warnings", "differences")
    }
    assert stack.manage("import_catalog", "--skip-checks", "--approve", str(run), "--yes").returncode == 0
    wait_until_over(stack, run)
    # Written is what an import without a preview writes, and what was foretold.
    assert effects_of(stack, run).differences(reference.effects) == []
    assert _foretold(shown) == {name: counters(stack, run)[name] for name in _foretold(shown)}


def _kill_in(
    stack: Stack, worker: Process, number: int, phase: tuple[str, str, int], rng: random.Random
) -> None:
    kind, condition, chances = phase
    with catcher(stack) as watching:
        caught = watching.stop(
            worker, name=f"w{number}", kind=kind, condition=condition, skip=rng.randrange(chances)
        )
        worker.kill()
        stack.wait_for(lambda: not watching.is_open(caught), seconds=30)


def _foretold(shown: dict[str, Any]) -> dict[str, int]:
    """The outcomes that the preview announces."""
    figures = {
        "created": "create", "updated": "update", "unchanged": "unchanged", "skipped": "skip",
        "rejected": "reject", "superseded": "superseded",
    }  # fmt: skip
    return {outcome: shown[outcome] + shown["forecast"].get(name, 0) for outcome, name in figures.items()}
