"""`manage.py import_catalog` from a file to the catalogue with a real worker, as people or scripts do."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from imports import sample_catalog
from imports.models import OUTCOMES
from tests.stack import Stack, copied_stack, migrated_database  # noqa: F401

_CANCEL = """
from imports import pipeline
from imports.models import ImportRun
pipeline.cancel(run=ImportRun.objects.get(filename={name!r}))
"""


@pytest.fixture(scope="module")
def idle(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: F811
    """A Tallyman without a worker."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("idle")) as stack:
        yield stack


@pytest.fixture(scope="module")
def working(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: F811
    """A Tallyman with a worker and beat."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("working")) as stack:
        stack.launch("beat")
        stack.start_worker()
        yield stack


def _catalogue(path: Path, rows: int, **options: Any) -> Path:
    with path.open("w", newline="") as file:
        file.write(sample_catalog.HEADER)
        file.writelines(sample_catalog.rows(rows, **options))
    return path


def _json(stdout: str) -> dict[str, Any]:
    """The one object on stdout; anything beside it is an error."""
    result: dict[str, Any] = json.loads(stdout)
    return result


def test_json_accounts_for_every_row_of_the_file(working: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "good.csv", 3_000, seed=1, errors=1)
    done = working.manage("import_catalog", str(path), "--json")

    assert (done.returncode, done.stderr) == (0, "")
    result = _json(done.stdout)
    assert list(result) == ["id", "status", "rows", *OUTCOMES, "seconds", "rows_per_second"]
    assert {key: result[key] for key in ("status", "rows", "created", "rejected")} == {
        "status": "completed",
        "rows": 3_000,
        "created": 2_970,
        "rejected": 30,
    }
    assert sum(result[outcome] for outcome in OUTCOMES) == result["rows"]
    landed = "SELECT sum(cardinality(product_ids))::int FROM imports_createdproducts WHERE run_id = %s"
    assert working.sql(landed, [result["id"]]) == [(result["created"],)]
    assert working.sql("SELECT count(*) FROM shop_product") == [(result["created"],)]


def test_wait_without_a_terminal_prints_the_table_and_nothing_else(working: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "other.csv", 1_000, seed=2, errors=1)
    done = working.manage("import_catalog", str(path), "--wait", "--map", "description=")

    assert (done.returncode, done.stderr) == (0, "")
    shown = dict(re.findall(r"│ (\w[\w ]*?) +│ +([\d,]+) │", done.stdout))
    expected = dict.fromkeys(OUTCOMES, "0") | {"created": "990", "rejected": "10"}
    assert shown == {**expected, "sum": "1,000", "rows in the file": "1,000"}
    [file] = re.findall(r"Rejected rows: (.+)", done.stdout)
    assert len(Path(file).read_text(encoding="utf-8-sig").splitlines()) == 1 + 10


def test_failed_import_exits_1_with_the_reason(working: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "endless.csv", 500)
    with path.open("a") as file:
        file.write("x" * 17_000_000)
    done = working.manage("import_catalog", str(path), "--json")

    assert (done.returncode, _json(done.stdout)["status"]) == (1, "failed")
    [(error,)] = working.sql("SELECT error FROM imports_importrun WHERE filename = 'endless.csv'")
    assert "longer than 16" in error


def test_cancelled_import_exits_1(idle: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "unwanted.csv", 10)
    with ThreadPoolExecutor(1) as background:
        importing = background.submit(idle.manage, "import_catalog", str(path), "--json")
        confirmed = "SELECT state FROM imports_importrun WHERE filename = 'unwanted.csv'"
        idle.wait_for(lambda: idle.sql(confirmed) == [("planning",)])
        cancelled = idle.manage("shell", "-v", "0", "-c", _CANCEL.format(name="unwanted.csv"))
        done = importing.result()
    assert cancelled.returncode == 0, cancelled.stderr
    assert (done.returncode, _json(done.stdout)["status"]) == (1, "cancelled")


_GOOD = (sample_catalog.HEADER + "".join(sample_catalog.rows(10))).encode()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        pytest.param(None, [], "No such file", id="missing file"),
        pytest.param(b"", [], "empty", id="empty file"),
        pytest.param(bytes(range(256)) * 40, [], "binary", id="binary file"),
        pytest.param(_GOOD, ["--map", "sku=Code"], "Code", id="no such column"),
        pytest.param(_GOOD, ["--map", "nonsense"], "our=theirs", id="no mapping"),
        pytest.param(_GOOD, ["--mode", "replace"], "replace", id="unknown mode"),
        pytest.param(b"colour,size\nred,3\n", [], "SKU", id="no SKU column"),
    ],
)
def test_bad_usage_exits_2_with_the_fix(
    idle: Stack, tmp_path: Path, content: bytes | None, options: list[str], message: str
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    before = idle.sql("SELECT count(*) FROM imports_importrun")
    done = idle.manage("import_catalog", str(path), "--json", *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert idle.sql("SELECT count(*) FROM imports_importrun") == before
    assert list((idle.folder / "data" / "media").rglob("bad*.csv")) == []


def test_stopped_database_gives_one_line(idle: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "fine.csv", 10)
    environment = dict(idle.environment)
    try:
        idle.environment["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/nothing"
        done = idle.manage("import_catalog", str(path), "--json")
    finally:
        idle.environment = environment
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert re.fullmatch(r"PostgreSQL does not answer \(.+\)\. Check DATABASE_URL .+", line)


def test_database_lost_while_waiting_gives_one_line(idle: Stack, tmp_path: Path) -> None:
    path = _catalogue(tmp_path / "waiting.csv", 10)
    with ThreadPoolExecutor(1) as background:
        waiting = background.submit(idle.manage, "import_catalog", str(path), "--json", "--forget-mapping")
        confirmed = "SELECT state FROM imports_importrun WHERE filename = 'waiting.csv'"
        idle.wait_for(lambda: idle.sql(confirmed) == [("planning",)])
        idle.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        done = waiting.result()
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("PostgreSQL does not answer (")
