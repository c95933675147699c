"""Repaired lines land as any others, are counted, listed and downloaded, and can be rejected instead."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from imports import watching
from imports.models import ImportRun
from tests.imports.running import (
    confirm,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    receive,
    rejections,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

ROWS = [
    [f"SKU-{number:03}", f"Pot of {number} things, good", f"{number}.90", str(number), "Kitchen"]
    for number in range(30)
]
HEADER = ["sku", "name", "price", "stock", "category"]
_NOTES = [
    (12, "other_delimiter", "The line has another delimiter than the comma: read as SKU-010 | "
     "Pot of 10 things, good | 10.90 | 10 | Kitchen."),
    (22, "missing_delimiter", "The comma between cells 3 and 4 was missing: read as 20.90 | 20."),
    (27, "repeated_header", "The line repeats the header: left out."),
]  # fmt: skip


def sound() -> list[str]:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *ROWS])
    return out.getvalue().splitlines()


def broken() -> str:
    """The same with a line of semicolons, a comma lost, the header again, and a line beyond repair."""
    lines = sound()
    lines[11] = ";".join(ROWS[10])
    lines[21] = lines[21].replace(",20,", "20,")
    lines[25] = "SKU-024,lost"
    lines.insert(26, lines[0])
    return "\n".join([*lines, ""])


def repaired(run: ImportRun) -> list[tuple[int, str, str]]:
    return list(run.repaired_rows.values_list("line", "code", "message"))


def clean_products() -> dict[str, dict[str, Any]]:
    import_rows("\n".join(sound()))
    return products()


def test_repaired_lines_land_and_are_listed() -> None:
    run = import_rows(broken())

    assert outcomes(run) == {"created": 29, "rejected": 1}
    assert (run.repaired, repaired(run)) == (3, _NOTES)
    assert rejections(run) == [(26, "price", "too_few_cells")]
    assert (run.lines, run.rows, run.blank_lines) == (31, 30, 1)
    landed = products()
    assert {sku: cells for sku, cells in clean_products().items() if sku != "SKU-024"} == landed


def test_small_chunks_repair_the_same(settings: Any) -> None:
    in_small_pieces(settings)
    run = import_rows(broken())

    assert (run.chunks_total > 2, outcomes(run), repaired(run)) == (
        True,
        {"created": 29, "rejected": 1},
        _NOTES,
    )


def test_lines_staged_again_after_a_crash_are_repaired_once() -> None:
    run = confirm(broken())
    work_up_to(run, "load")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}")
    run = work(run)

    assert (outcomes(run), repaired(run)) == ({"created": 29, "rejected": 1}, _NOTES)


def test_repaired_row_with_a_bad_cell_is_rejected_only() -> None:
    lines = sound()
    lines[11] = ";".join([*ROWS[10][:3], "-5", ROWS[10][4]])
    run = import_rows("\n".join(lines))

    assert rejections(run) == [(12, "stock", "negative_stock")]
    assert (run.repaired, repaired(run)) == (0, [])
    with run.rejected_file.open("rb") as file:
        (_, mended) = csv.reader(io.StringIO(file.read().decode("utf-8-sig")))
    assert mended[:5] == [*ROWS[10][:3], "-5", "Kitchen"]


def test_same_file_again_changes_nothing() -> None:
    import_rows(broken())

    assert outcomes(import_rows(broken())) == {"unchanged": 29, "rejected": 1}


def test_without_repair_the_lines_are_rejected() -> None:
    run = import_rows(broken(), repair=False)

    assert outcomes(run) == {"created": 27, "rejected": 4}
    assert [(line, code) for line, _, code in rejections(run)] == [
        (12, "too_few_cells"),
        (22, "too_few_cells"),
        (26, "too_few_cells"),
        (27, "not_a_price"),
    ]
    assert (run.repaired, repaired(run)) == (0, [])


@pytest.mark.parametrize(("options", "repair"), [([], True), (["--no-repair"], False)])
def test_command_repairs_unless_told_not_to(tmp_path: Path, options: list[str], repair: bool) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text(broken())
    call_command("import_catalog", str(path), *options, stdout=io.StringIO())

    assert ImportRun.objects.get().repair is repair


def test_command_prints_what_was_repaired(capsys: pytest.CaptureFixture[str]) -> None:
    watching.print_result(import_rows(broken()))
    printed = capsys.readouterr().out

    lines = printed[printed.index("Repaired") :].splitlines()
    assert lines[0] == "Repaired or left out: 3 lines"
    assert (
        " ".join(lines[1:4]).split()
        == " ".join(f"Line {line}: {message}" for line, _, message in _NOTES).split()
    )


def inspected(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("inspect_csv", str(path), "--all", *options, stdout=out)
    return out.getvalue()


def test_inspection_writes_repaired_rows_and_tells_of_them(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text(broken())
    seen = json.loads(inspected(path))
    rows = list(csv.reader(io.StringIO(inspected(path, "--format", "csv"))))

    assert [(note["line"], note["code"], note["message"]) for note in seen["repairs"]] == _NOTES
    assert (seen["repaired"], seen["rejected"], seen["blank_lines"], seen["lines"]) == (3, 1, 1, 31)
    assert rows == [HEADER, *(row for row in ROWS if row[0] != "SKU-024")]
    unrepaired = json.loads(inspected(path, "--no-repair"))
    assert (unrepaired["repairs"], unrepaired["rejected"]) == ([], 3)


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def page_of(run: ImportRun, page: str = "change") -> str:
    return reverse(f"admin:imports_importrun_{page}", args=[run.pk])


def test_result_page_shows_the_repaired_lines(client: Client) -> None:
    run = import_rows(broken())
    page = client.get(page_of(run)).content.decode()

    assert [message in page for _, _, message in _NOTES] == [True, True, True]
    assert f'href="{page_of(run, "repaired")}"' in page


def test_result_page_without_repairs_has_no_list_of_them(client: Client) -> None:
    assert "Repaired lines" not in client.get(page_of(import_rows("\n".join(sound())))).content.decode()


def test_repaired_lines_download_as_csv(client: Client) -> None:
    answer = client.get(page_of(import_rows(broken()), "repaired"))
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]

    assert list(csv.reader(io.StringIO(content))) == [
        ["line", "code", "what was done"],
        *([str(line), code, message] for line, code, message in _NOTES),
    ]


@pytest.mark.parametrize(("form", "repair"), [({"repair": "on"}, True), ({}, False)])
def test_choice_of_the_page_starts_the_import_with_it(
    client: Client, form: dict[str, str], repair: bool
) -> None:
    run = receive(broken())
    assert 'name="repair" checked' in client.get(page_of(run)).content.decode()
    client.post(page_of(run), {"action": "import", "map-sku": "0", "map-name": "1", "mode": "upsert", **form})
    run.refresh_from_db()

    assert (run.state, run.repair) == ("planning", repair)
