"""`manage.py export_catalog` with a real worker, and the file back into the catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from imports import sample_catalog
from tests.stack import BASE_DIR, Stack, migrated_database, stack  # noqa: F401

_ROWS = 2_000


def test_an_export_comes_back_as_it_was(stack: Stack, tmp_path: Path) -> None:  # noqa: F811
    stack.launch("beat")
    stack.start_worker()
    made = tmp_path / "made.csv"
    made.write_text(sample_catalog.HEADER + "".join(sample_catalog.rows(_ROWS, seed=4)))
    assert stack.manage("import_catalog", str(made), "--json").returncode == 0

    out = tmp_path / "out.csv"
    done = stack.manage("export_catalog", str(out))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"{_ROWS:,} rows in ")
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.csv"]  # nothing is left beside it
    again = json.loads(stack.manage("import_catalog", str(out), "--json").stdout)
    assert {name: again[name] for name in ("status", "rows", "unchanged")} == {
        "status": "completed",
        "rows": _ROWS,
        "unchanged": _ROWS,
    }

    piped = subprocess.run(
        [sys.executable, "manage.py", "export_catalog", "-"],
        cwd=BASE_DIR, env=stack.environment, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert piped.stdout == out.read_bytes()
