"""What the options of `manage.py import_catalog` make of an import; how it runs is told in tests/flows."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from imports.models import ImportRun

pytestmark = pytest.mark.django_db


def begin(tmp_path: Path, content: str, *options: str) -> ImportRun:
    """The import that the command began."""
    path = tmp_path / "catalog.csv"
    path.write_text(content, encoding="utf-8")
    call_command("import_catalog", str(path), *options, stdout=StringIO())
    return ImportRun.objects.get()


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], ("keep", "__clear__")),
        (["--blank", "clear"], ("clear", "__clear__")),
        (["--blank", "keep", "--clear-token", " - "], ("keep", "-")),
    ],
)
def test_policy_and_token_of_blank_cells(tmp_path: Path, options: list[str], chosen: tuple[str, str]) -> None:
    run = begin(tmp_path, "sku,stock\nA,\n", *options)
    assert (run.state, run.blank, run.clear_token) == ("planning", *chosen)


def test_constants_and_options_of_columns(tmp_path: Path) -> None:
    run = begin(
        tmp_path, "sku,price\nA,1.234\n", "--set", "category=Home > Kitchen", "--set", "price.format=comma",
        "--set", " price.currency = EUR ",
    )  # fmt: skip
    assert run.constants == {"category": "Home > Kitchen"}
    assert run.options == {"price": {"format": "comma", "currency": "EUR"}}


def test_file_is_read_as_the_options_say(tmp_path: Path) -> None:
    run = begin(
        tmp_path, "Stock;of March\nsku;'name'\nA;'x;y'\n", "--header-line", "2", "--quotechar", "'",
        "--delimiter", ";", "--encoding", "latin-1",
    )  # fmt: skip
    assert run.header == ["sku", "name"]
    assert run.dialect["given"] == {
        "encoding": "latin-1", "delimiter": ";", "quotechar": "'", "header_line": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (["--delimiter", "tab", "--map", "sku=sku,name"], ["sku,name"]),
        (["--delimiter", "comma-space", "--map", "sku=sku,name"], ["sku,name"]),
        (["--quotechar", "none", "--header-line", "2", "--map", "sku=A"], ["A", '"Pot"']),
        (["--header-line", "none", "--map", "sku=Column 1"], ["Column 1", "Column 2"]),
    ],
)
def test_what_is_hard_to_type_has_a_name(tmp_path: Path, options: list[str], header: list[str]) -> None:
    assert begin(tmp_path, 'sku,name\nA,"Pot"\nB,Pan\n', *options).header == header


@pytest.mark.parametrize(
    "options", [["--header-line", "0"], ["--header-line", "x"], ["--quotechar", "q"], ["--delimiter", "x"]]
)
def test_option_that_is_not_offered_is_bad_usage(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(CommandError, match="argument --"):
        begin(tmp_path, "sku,name\nA,Pot\n", *options)


def test_line_that_can_be_no_header_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Line 7 can’t be the header") as refused:
        begin(tmp_path, "sku,name\nA,Pot\n", "--header-line", "7")
    assert (refused.value.returncode, ImportRun.objects.exists()) == (2, False)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("category", "not of the form our=value"),
        ("price.format=dots", "It can be: point, comma, auto"),
        ("stock=", "no value"),
    ],
)
def test_setting_that_can_not_be_is_bad_usage(tmp_path: Path, pair: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        begin(tmp_path, "sku,stock\nA,\n", "--set", pair)
    assert (refused.value.returncode, ImportRun.objects.exists()) == (2, False)


def test_empty_token_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="1 to 40 characters") as refused:
        begin(tmp_path, "sku,stock\nA,\n", "--clear-token", "")
    assert (refused.value.returncode, ImportRun.objects.exists()) == (2, False)
