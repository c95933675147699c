"""Previews from the command line, and all that one shows."""

import json
from pathlib import Path
from typing import Any

from tests.faults.effects import counters
from tests.stack import Stack


def preview(stack: Stack, path: Path) -> dict[str, Any]:
    """Preview an import of the file, wait for it, and return what the command prints."""
    done = stack.manage("import_catalog", "--skip-checks", str(path), "--preview", "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def findings(stack: Stack, run: int) -> list[Any]:
    """All that a preview shows, in a form in which two can be compared."""
    return [
        counters(stack, run),
        stack.sql("SELECT forecast::text, warnings::text FROM imports_importrun WHERE id = %s", [run]),
        stack.sql(
            "SELECT sku, line, fields, before::text, after::text FROM imports_plannedchange"
            " WHERE run_id = %s ORDER BY sku",
            [run],
        ),
        stack.sql(
            f"SELECT line, sku, same, version, slug, name, price FROM imports_staging_{run} ORDER BY sku"
        ),
        stack.sql("SELECT line, sku, code FROM imports_setasiderow WHERE run_id = %s ORDER BY line", [run]),
    ]
