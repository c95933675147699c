"""manage.py sales_report: what it writes, and how it ends."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.management import CommandError, call_command

from reports import rendering
from reports.results import Answer
from tests.reports.selling import GivenBack, Sale, Ware, sell

pytestmark = pytest.mark.django_db

DAYS = {"start_date": "2026-03-28", "end_date": "2026-03-29"}
KNIFE, MUG = Ware("KNIFE", "Home > Kitchen"), Ware("MUG", "Home > Table")


def sold(moment: str, **said: Any) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    sell(Sale(at, [(KNIFE, 2, Decimal("50.00"))], percent=Decimal(0), **said))


def report(out: Path, **options: Any) -> list[dict[str, str]]:
    call_command("sales_report", output=str(out), **{**DAYS, **options})
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_lines_of_both_days_by_the_shops_clock_with_their_total(tmp_path: Path, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # whose clock moves in the night to the 29th
    sold("2026-03-27T22:59:59")
    sold("2026-03-27T23:00:00", email="ada@example.com")
    sold("2026-03-29T21:59:59", refunds=[GivenBack(100, 60)])
    sold("2026-03-29T22:00:00")

    *lines, total = report(tmp_path / "sales.csv", zone="Europe/Berlin")

    assert list(total) == ["order_id", "date", "customer", "product", "sku", "quantity", "price", "total"]
    assert [
        (line["date"], line["customer"], line["sku"], line["quantity"], line["total"]) for line in lines
    ] == [
        ("2026-03-28T00:00:00+01:00", "ada@example.com", "KNIFE", "2", "100.00"),
        ("2026-03-29T23:59:59+02:00", "kim@example.com", "KNIFE", "2", "100.00"),
    ]
    assert (total["order_id"], total["quantity"], total["total"]) == ("TOTAL", "4", "200.00")


def test_rows_by_what_is_asked_for_of_some_orders_compared(tmp_path: Path) -> None:
    sold("2026-03-28T12:00:00", country="DE")
    sold("2026-03-28T12:00:00", country="CH")
    sold("2025-03-29T12:00:00", country="DE")

    row, total = report(tmp_path / "sales.csv", group_by="country", compare="year", country="de")

    assert (row["country"], row["gross"], row["gross_before"]) == ("Germany", "100.00", "100.00")
    assert (total["country"], total["gross"]) == ("TOTAL", "100.00")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"end_date": "2026-03-27"}, "The last day, 2026-03-27, is before the first one, 2026-03-28."),
        ({"end_date": "2026-04-31"}, "There is no 2026-04-31: April 2026 has 30 days."),
        (
            {"zone": "Mars"},
            "There is no time zone “Mars”. Write one such as Europe/Berlin or America/New_York.",
        ),
        ({"start_date": "2021-03-01", "group_by": "hour"}, "ask for 93 at most, or by day."),
        ({"country": "Narnia"}, "“Narnia” is no country. Write its code of two letters, such as DE or CH."),
        ({"output": "nowhere/sales.csv"}, "Can't write nowhere/sales.csv: no file can be made there."),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_to_do(options: dict[str, str], said: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("sales_report", **{**DAYS, **options})

    assert (refused.value.returncode, str(refused.value).endswith(said)) == (2, True)


def test_what_breaks_off_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(answer: Answer, format: str, out: BinaryIO) -> None:
        out.write(b"order_id,da")
        raise OSError(28, "No space left on device")

    out = tmp_path / "sales.csv"
    out.write_text("as it was")
    monkeypatch.setattr(rendering, "render", half)

    with pytest.raises(CommandError) as broken:
        call_command("sales_report", output=str(out), **DAYS)

    assert (broken.value.returncode, str(broken.value)) == (1, f"Can't write {out}: No space left on device.")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"sales.csv": "as it was"}


def test_days_without_a_sale_are_a_report_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [total] = report(tmp_path / "sales.csv", sku="GONE")

    assert (total["order_id"], total["total"]) == ("TOTAL", "0.00")
    assert capsys.readouterr().err.splitlines()[1:] == [
        "The product “GONE” is not in the shop, and none was sold in these days. See that it is written as in"
        " the catalogue.",
        "Nothing was sold or given back in these days; the report has no rows.",
    ]


def test_database_that_is_away_is_said_in_a_line() -> None:
    environment = {"DATABASE_URL": "postgres://nobody:none@127.0.0.1:1/none", "PATH": ""}
    days = ["--start-date=2026-03-01", "--end-date=2026-03-02"]
    done = subprocess.run(
        [sys.executable, "manage.py", "sales_report", *days, "--skip-checks"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False)
    assert done.stderr.startswith("CommandError: The database gave no answer:")
