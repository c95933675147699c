"""What `manage.py export_catalog` refuses, and begins; how it waits for its file is told in tests/flows."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from imports.models import ExportRun
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db


def begin(out: str, *options: str) -> ExportRun:
    """The export that the command began."""
    call_command("export_catalog", out, "--no-wait", *options, stderr=StringIO())
    return ExportRun.objects.get()


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], {}),
        (["--published"], {"published": True}),
        (["--unpublished", "--category", "home>KITCHEN"], {"category": "Home > Kitchen", "published": False}),
    ],
)
def test_options_choose_the_products(options: list[str], chosen: dict[str, object]) -> None:
    a_category("Home > Kitchen")
    assert begin("out.csv", *options).filter == chosen


@pytest.mark.parametrize(
    ("out", "options", "format"),
    [
        ("out.csv", [], "csv"),
        ("out.XLSX", [], "xlsx"),
        ("-", [], "csv"),
        ("out.txt", ["--format", "xlsx"], "xlsx"),
    ],
)
def test_format_is_as_the_file_is_called(out: str, options: list[str], format: str) -> None:
    assert begin(out, *options).format == format


def test_category_that_is_not_there_is_bad_usage() -> None:
    with pytest.raises(CommandError) as refused:
        begin("out.csv", "--category", "Nowhere")
    assert str(refused.value) == (
        "There is no category “Nowhere”. Write its whole path, such as Home > Kitchen."
    )
    assert (refused.value.returncode, ExportRun.objects.count()) == (2, 0)


def test_place_that_can_t_be_written_to_is_bad_usage(tmp_path: Path) -> None:
    a_product()
    for out in (tmp_path, tmp_path / "nowhere" / "out.csv"):
        with pytest.raises(CommandError) as refused:
            call_command("export_catalog", str(out))
        assert str(refused.value) == f"Can't write {out}: no file can be made there."
        assert (refused.value.returncode, ExportRun.objects.count()) == (2, 0)
