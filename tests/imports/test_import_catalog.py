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


@pytest.mark.parametrize(
    ("options", "profile"), [([], "shopify"), (["--profile", "none"], ""), (["--profile", "spree"], "spree")]
)
def test_profile_is_recognised_or_as_told(tmp_path: Path, options: list[str], profile: str) -> None:
    header = "Handle,Title,Variant SKU,Variant Price\n"
    run = begin(tmp_path, f"{header}a,A,A-1,5\n", *options, "--map", "sku=Variant SKU")
    assert (run.profile, run.mapping["sku"]) == (profile, 2)
