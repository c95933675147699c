"""What the options of `manage.py import_catalog` make of an import; how it runs is told in tests/flows."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from imports import links, watching
from imports.models import ImportRun, SavedMapping
from shop.models import Category, Product
from tests.imports.running import confirm, import_rows, values, work

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


# --- Which column is which, and what was chosen before


def begin_again(tmp_path: Path, content: str, *options: str) -> ImportRun:
    """A second import that the command began."""
    path = tmp_path / "again.csv"
    path.write_text(content, encoding="utf-8")
    call_command("import_catalog", str(path), *options, stdout=StringIO(), stderr=StringIO())
    return ImportRun.objects.get(filename="again.csv")


FILE = "Artikelnr,Preis,Preis,\nA,1.50,2.50,x\n"


@pytest.mark.parametrize(
    ("pair", "mapping"),
    [
        ("price=preis", {"sku": 0, "price": 1}),
        ("price=#3", {"sku": 0, "price": 2}),
        ("name=#4", {"sku": 0, "price": 1, "name": 3}),
        ("price=", {"sku": 0}),
    ],
)
def test_column_is_given_by_name_or_number(tmp_path: Path, pair: str, mapping: dict[str, int]) -> None:
    assert begin(tmp_path, FILE, "--map", pair).mapping == mapping


@pytest.mark.parametrize("theirs", ["#0", "#5", "#", "#x", "Farbe"])
def test_column_that_is_not_there_is_bad_usage(tmp_path: Path, theirs: str) -> None:
    with pytest.raises(CommandError) as refused:
        begin(tmp_path, FILE, "--map", f"price={theirs}")
    assert str(refused.value) == (
        f"catalog.csv has no column “{theirs}”. It has: “Artikelnr”, “Preis”, “Preis”, “”."
        " Columns can also be given by their number, such as #4."
    )


def test_choices_are_remembered_for_the_next_file_with_the_header(tmp_path: Path) -> None:
    chosen = [
        "--map",
        "price=#3",
        "--set",
        "category=Home",
        "--set",
        "price.format=point",
        "--blank",
        "clear",
    ]
    begin(tmp_path, FILE, *chosen)
    run = begin_again(tmp_path, FILE, "--set", "category=Garden", "--set", "price.currency=EUR")
    assert (run.mapping, run.blank, run.constants) == (
        {"sku": 0, "price": 2},
        "clear",
        {"category": "Garden"},
    )
    assert run.options == {"price": {"format": "point", "currency": "EUR"}}


def test_remembered_choices_are_ignored_when_asked_to(tmp_path: Path) -> None:
    begin(tmp_path, FILE, "--map", "price=#3", "--keep-unknown")
    run = begin_again(tmp_path, FILE, "--forget-mapping")
    assert (run.mapping, run.keep_unknown) == ({"sku": 0, "price": 1}, False)


def test_command_says_that_it_goes_by_an_earlier_import(tmp_path: Path) -> None:
    begin(tmp_path, FILE, "--map", "price=#3")
    said = StringIO()
    SavedMapping.objects.update(mapped_at=datetime(2026, 11, 3, 12, tzinfo=UTC))
    call_command("import_catalog", str(tmp_path / "catalog.csv"), stdout=StringIO(), stderr=said)
    assert said.getvalue() == (
        "Columns as they were mapped on 3 Nov 2026, for the last file with this header"
        " (--forget-mapping guesses them anew).\n"
    )


def said_by(path: Path, *options: str) -> str:
    said = StringIO()
    call_command("import_catalog", str(path), *options, stdout=StringIO(), stderr=said)
    return said.getvalue()


def test_source_of_an_earlier_import_is_said_and_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    begin(tmp_path, FILE, "--source", "acme")
    assert said_by(path).endswith("Source: “acme”, as for that file (--source '' for none).\n")
    said_by(path, "--mode", "delete")
    said_by(path, "--source", "")
    runs = ImportRun.objects.order_by("pk").values_list("mode", "source", "mirror")
    assert list(runs) == [
        ("upsert", "acme", ""), ("upsert", "acme", ""), ("delete", "", ""), ("upsert", "", ""),
    ]  # fmt: skip


def test_mirror_of_a_source_that_was_not_named_now_is_refused(tmp_path: Path) -> None:
    begin(tmp_path, FILE, "--source", "acme", "--mirror-source")
    with pytest.raises(CommandError, match="Name the source"):
        begin_again(tmp_path, FILE, "--mirror-source")
    run = begin_again(tmp_path, FILE)
    assert (run.source, run.mirror, run.mirror_category) == ("acme", "", None)


PREVIEW = """
column    of the file  what stands there  becomes   look at
sku       Artikelnr    A                  A
                       B                  B
price     Preis        1.234,50           1234.50
                       2,50               2.50
stock     Lager        many               rejected  1 of 2 sampled rows would be rejected: “many” is not a whole number. Write digits only, 25.
                       3                  3
category, where absent or blank: Home
Not used: Farbe.
"""  # noqa: E501


@pytest.fixture
def _in_a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TERM", raising=False)  # a dumb terminal has 80


@pytest.fixture
def _at_work(monkeypatch: pytest.MonkeyPatch, _in_a_wide_terminal: None) -> None:
    """Whoever waits for an import does its jobs meanwhile."""
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: work(ImportRun.objects.latest("pk")))
    monkeypatch.setattr(watching, "time", clock)


def told(*arguments: str) -> str:
    """What the command said."""
    said = StringIO()
    call_command("import_catalog", *arguments, stdout=said)
    return said.getvalue()


@pytest.mark.usefixtures("_at_work")
def test_preview_shows_first_what_the_columns_become(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text("Artikelnr;Preis;Lager;Farbe\nA;1.234,50;many;red\nB;2,50;3;blue\n")
    said = told(str(path), "--preview", "--map", "stock=Lager", "--set", "category=Home")
    assert said.split()[: len(PREVIEW.split())] == PREVIEW.split()


WHOLE_PREVIEW = """
what would become of the rows  rows  products by field
created                        1
updated                        1     price 1
unchanged                      1
rejected                       1
rows in the file               4
Warning: 1 of 4 rows (25 %) would be rejected.
Warning: The price of 1 product would change by more than 50 %. 1 of them would cost more than 2.5 times as much, or as little.
  line 2 A: update price “5.0” → “99.5”
  line 4 C: create name “Lid”
These are of 2 products that would change.
Nothing was written yet. To write it: manage.py import_catalog --approve {pk} --yes
To discard it: manage.py import_catalog --discard {pk}
All differences: {page}
"""  # noqa: E501


@pytest.mark.usefixtures("_at_work")
def test_preview_shows_the_differences_and_how_to_go_on(tmp_path: Path) -> None:
    import_rows("sku,name,price\nA,Pot,5\nB,Pan,6\n")
    path = tmp_path / "catalog.csv"
    path.write_text("sku,name,price\nA,Pot,99.5\nB,Pan,6\nC,Lid,7\nD,Bad,x\n")

    said = told(str(path), "--preview", "--limit", "2").split("what would", 1)

    run = ImportRun.objects.latest("pk")
    whole = WHOLE_PREVIEW.format(pk=run.pk, page=links.import_page(run))
    assert [line.split() for line in f"what would{said[1]}".splitlines()] == [
        line.split() for line in whole.strip().splitlines()
    ]
    assert (run.state, values("price")) == ("previewed", {"A": 5, "B": 6})


@pytest.mark.usefixtures("_at_work")
def test_preview_as_json_has_forecast_warnings_and_differences(tmp_path: Path) -> None:
    import_rows("sku,name,price\nA,Pot,5\n")
    path = tmp_path / "catalog.csv"
    path.write_text("sku,name,price\nA,Pot,6\nB,Lid,7\n")

    result = json.loads(told(str(path), "--preview", "--json", "--limit", "1"))

    run = ImportRun.objects.latest("pk")
    assert result == {
        **run.summary(),
        "forecast": run.forecast,
        "warnings": [],
        "differences": [
            {"line": 2, "sku": "A", "action": "update", "field": "price", "before": "5.0", "after": "6.0"}
        ],
    }


@pytest.mark.usefixtures("_at_work")
def test_previewed_import_is_approved_by_its_number() -> None:
    import_rows("sku,name,price\nA,Pot,5\n")
    run = work(confirm("sku,name,price\nA,Pot,99\n", preview=True))

    with pytest.raises(CommandError, match="--yes accepts the warnings") as refused:
        told("--approve", str(run.pk))
    assert refused.value.returncode == 1
    assert json.loads(told("--approve", str(run.pk), "--yes", "--json"))["updated"] == 1
    with pytest.raises(CommandError, match=f"Import {run.pk}: catalog.csv is completed."):
        told("--approve", str(run.pk), "--yes")
    assert values("price") == {"A": 99}


def test_approved_import_is_not_waited_for_unless_told() -> None:
    run = work(confirm("sku,name,price\nA,Pot,5\n", preview=True))
    said = told("--approve", str(run.pk))
    assert said == f"Import {run.pk}: catalog.csv has begun. Watch it: {links.import_page(run)}\n"


def test_preview_is_discarded_by_its_number() -> None:
    run = work(confirm("sku,name,price\nA,Pot,5\n", preview=True))
    assert (
        told("--discard", str(run.pk))
        == f"Import {run.pk}: catalog.csv was discarded. Nothing was written.\n"
    )
    run.refresh_from_db()
    assert run.state == "cancelled"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_at_work")
def test_skipped_rows_are_previewed_again_by_number() -> None:
    import_rows("sku,name,price\nA,Pot,5\n")
    run = work(confirm("sku,name,price\nA,Pot,6\n", preview=True))
    Product.objects.update(price=7)
    told("--approve", str(run.pk), "--wait")

    said = told("--retry-skipped", str(run.pk))
    assert "line 2 A: update price “7.0” → “6.0”" in said
    with pytest.raises(CommandError, match="skipped no rows because of changes"):
        told("--retry-skipped", str(ImportRun.objects.latest("pk").pk))


@pytest.mark.parametrize("options", [["--approve", "4711"], [], ["--discard", "1", "--approve", "2"]])
def test_no_import_to_decide_on_is_bad_usage(options: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        told(*options)
    assert str(refused.value) in (
        "There is no import 4711. Their numbers are in the admin's list.",
        "Error: one of the arguments file --approve --discard --retry-skipped is required",
        "Error: argument --approve: not allowed with argument --discard",
    )


@pytest.mark.usefixtures("_at_work")
def test_preview_of_a_shops_file_tells_what_its_rows_come_to(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text(
        "Type,SKU,Name,Regular price,Parent,Tax class\n"
        "variable,COAT,Coat,,,full\nvariation,COAT-S,Coat S,9,COAT,full\nvariation,LOST,Lost,9,,full\n"
    )
    lines = told(str(path), "--preview").splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:2] == ["what", "would"])
    assert lines[at - 3 : at] == [
        "The first 3 rows come to 1 product, 1 variant and 0 images.",
        "Line 4 would be rejected: A variation needs the SKU of its parent, or id: with its ID. Fill it in.",
        "Not used: Tax class.",
    ]


@pytest.mark.parametrize(
    ("options", "profile"), [([], "shopify"), (["--profile", "none"], ""), (["--profile", "spree"], "spree")]
)
def test_profile_is_recognised_or_as_told(tmp_path: Path, options: list[str], profile: str) -> None:
    header = "Handle,Title,Variant SKU,Variant Price\n"
    run = begin(tmp_path, f"{header}a,A,A-1,5\n", *options, "--map", "sku=Variant SKU")
    assert (run.profile, run.mapping["sku"]) == (profile, 2)


# --- What broken rows and absent products mean


def test_policies_are_as_the_options_say(tmp_path: Path) -> None:
    category = Category.objects.create(name="Home")
    run = begin(
        tmp_path, "sku,name\nA,Pot\n", "--errors", "12", "--source", "acme", "--mirror-category", " home "
    )
    assert (run.errors, run.error_limit, run.source) == ("limit", 12, "acme")
    assert (run.mirror, run.mirror_category) == ("category", category)


def test_source_is_mirrored(tmp_path: Path) -> None:
    run = begin(tmp_path, "sku,name\nA,Pot\n", "--errors", "nothing", "--source", "acme", "--mirror-source")
    assert (run.errors, run.mirror, run.source) == ("nothing", "source", "acme")


def test_list_of_skus_is_enough_to_take_products_out(tmp_path: Path) -> None:
    run = begin(tmp_path, "sku\nA\nB\n", "--mode", "delete")
    assert (run.mode, run.written) == ("delete", {"sku"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--errors", "few"], "“few” is neither land nor nothing nor a number of rows."),
        (["--mirror-category", "Attic"], "There is no category “Attic”."),
        (["--mirror-source"], "Name the source"),
        (["--mirror-source", "--mirror-category", "Home"], "not allowed with argument"),
        (["--mode", "delete", "--mirror-source", "--source", "acme"], "Leave one of the two out."),
    ],
)
def test_policies_that_do_not_fit_are_bad_usage(tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        begin(tmp_path, "sku,name\nA,Pot\n", *options)
    assert not ImportRun.objects.exists()
