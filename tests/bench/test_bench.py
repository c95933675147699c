"""The benchmark measures real imports, refuses wrong ones, and leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import catalogue, observing
from bench.catalogue import Case, Catalogue, WrongResult
from bench.contenders import Taken
from bench.results import Measurement, Results, Spread
from config.embedded import Servers
from shop.models import Product

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def test_bench_run_writes_figures_and_removes_its_servers(tmp_path: Path) -> None:
    report = tmp_path / "results.md"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "--rows", "500", "--rounds", "1", "--out", str(report)),
            *("--only", "import-export,tallyman-1", "--loop-rows", "100"),
        ],
        cwd=BASE_DIR,
        env={**os.environ, "TALLYMAN_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [re.split(r" \| ", line.strip("| ")) for line in report.read_text().splitlines() if "|" in line]
    filled = {row[0]: (row[1], ["–" not in cell for cell in row[2:]]) for row in rows[2:]}
    assert filled == {
        "server-side `COPY`, the limit": ("500", [True, True, False, False, False, False, False]),
        "django-import-export, bulk": ("100", [True, True, True, True, False, False, True]),
        "**Tallyman, 1 worker**": ("500", [True, True, True, True, False, False, True]),
    }
    assert list((tmp_path / "data").iterdir()) == []


def test_reading_is_measured_into_a_section_of_its_own(tmp_path: Path) -> None:
    report = tmp_path / "results.md"
    report.write_text("# What imports cost\n\n## Other\n\n| a |\n")
    for rows in ("300", "200"):
        done = subprocess.run(
            [sys.executable, "-m", "bench.reading", "--rows", rows, "--rounds", "1", "--out", str(report)],
            cwd=BASE_DIR, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    text = report.read_text()
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# What imports cost", "## Other", "## Reading a clean file",
    ]  # fmt: skip
    assert (" 200 rows," in text, " 300 rows," in text, text.count("| peak MB |")) == (True, False, 1)


@pytest.mark.django_db(transaction=True)
def test_catalogue_whose_rows_differ_from_the_file_is_refused(servers: Servers, tmp_path: Path) -> None:
    files = catalogue.make(50, tmp_path)
    files.prepare(Case.CHANGED, Catalogue.copy_base)
    files.verify(Case.UNCHANGED)
    with pytest.raises(WrongResult, match=r"^products that differ from the file's$"):
        files.verify(Case.CHANGED)
    Product.objects.filter(pk=Product.objects.values("pk")[:1]).delete()
    with pytest.raises(WrongResult, match=r"^49 products instead of 50$"):
        files.verify(Case.UNCHANGED)


def test_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    def measured(contender: str, number: int, case: Case, seconds: float) -> Measurement:
        return Measurement(contender, contender, 100, number, case, Taken(seconds))

    results = Results(
        measured(contender, number, case, seconds)
        for number, copy, ours in ((1, 1.0, 2.0), (2, 8.0, 4.0), (3, 3.0, 3.0))
        for contender, case, seconds in (("copy", Case.FIRST, copy), ("ours", Case.CHANGED, ours))
    )
    assert results.ratio("ours", Case.CHANGED) == Spread(1.0, 0.5, 2.0)
    assert results.ratio("ours", Case.FIRST) is None


def test_being_watched_is_judged_by_the_median_of_the_rounds() -> None:
    pages = [{"on": 10.0, "off": off} for off in (9.0, 9.8, 9.9)]
    imports = [{"on": 100.0, "off": 100.0}] * 3

    section, is_cheap = observing._section(pages, imports, 10, 100)
    assert ("| pages, p95 in ms | 10.0 | 9.8 | 0.980 (0.90–0.99) | 3 |" in section, is_cheap) == (True, True)

    section, is_cheap = observing._section(pages, [{"on": 96.0, "off": 100.0}], 10, 100)
    assert ("NOT REACHED" in section, is_cheap) == (True, False)
