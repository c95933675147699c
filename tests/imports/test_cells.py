"""The three states of a cell: absent, blank, and cleared by the import's token."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from imports import choices, recognising, staging
from imports.cells import Cells
from imports.columns import BY_NAME, CellError
from imports.models import ImportRun
from shop.models import Category, Product
from tests.imports.running import (
    confirm,
    import_rows,
    outcomes,
    products,
    receive,
    rejections,
    row,
    values,
    work,
)

pytestmark = pytest.mark.django_db

FULL = row(
    "A",
    description="Long",
    category="Home > Kitchen",
    published="no",
    featured="yes",
    metadata='{"colour": "oak"}',
)
EMPTIED = {"description": "", "stock": 0, "metadata": {}, "category__full_name": None}
CLEARABLE = ("description", "stock", "category", "metadata")
NOT_CLEARABLE = ("name", "price", "published", "featured")


def journal(run: ImportRun) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What the import changed, before and after."""
    return list(run.changes.values_list("before", "after"))


def blanked(*names: str, by: str = "") -> dict[str, str]:
    """The full row with some of its cells blank, or holding `by`."""
    return FULL | dict.fromkeys(names, by)


def test_column_that_is_not_in_the_file_is_untouched_under_either_policy() -> None:
    import_rows([FULL])
    before = products()["A"]
    import_rows("sku,name\nA,New\n", blank="clear")
    assert products()["A"] == before | {"name": "New"}


def test_blank_cells_keep_what_is_there_by_default() -> None:
    import_rows([FULL])
    before = products()
    run = import_rows([blanked(*CLEARABLE, *NOT_CLEARABLE)])
    assert (outcomes(run), products()) == ({"unchanged": 1}, before)


def test_blank_cells_clear_what_can_be_cleared_when_the_policy_says_so() -> None:
    import_rows([FULL])
    before = products()["A"]
    run = import_rows([blanked(*CLEARABLE, *NOT_CLEARABLE)], blank="clear")
    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | EMPTIED


@pytest.mark.parametrize("policy", ["keep", "clear"])
def test_token_clears_under_either_policy(policy: str) -> None:
    import_rows([FULL])
    before = products()["A"]
    run = import_rows([blanked(*CLEARABLE, by=" __clear__ ")], blank=policy)
    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | EMPTIED


@pytest.mark.parametrize("name", CLEARABLE)
def test_one_cleared_cell_of_one_row_changes_nothing_else(name: str) -> None:
    import_rows([FULL])
    before = products()["A"]
    run = import_rows(f"sku,{name}\nA,__clear__\n")
    key = "category__full_name" if name == "category" else name
    assert (outcomes(run), products()["A"]) == ({"updated": 1}, before | {key: EMPTIED[key]})


@pytest.mark.parametrize("name", [*NOT_CLEARABLE, "sku"])
def test_token_where_nothing_can_be_cleared_rejects_the_row(name: str) -> None:
    run = import_rows([blanked(name, by="__clear__"), row("B")])
    assert (outcomes(run), rejections(run)) == (
        {"created": 1, "rejected": 1},
        [(2, name, "cannot_be_cleared")],
    )
    assert run.rejected_rows.get().message == (
        f"{BY_NAME[name].label} can't be cleared. Write a value instead of __clear__."
    )


def test_cleared_fields_are_journaled_as_they_were_and_are() -> None:
    import_rows([FULL])
    category = Product.objects.get().category_id
    run = import_rows([blanked(*CLEARABLE, by="__clear__")])
    assert journal(run) == [
        (
            {"description": "Long", "stock": 3, "metadata": {"colour": "oak"}, "category_id": category},
            {"description": "", "stock": 0, "metadata": {}, "category_id": None},
        )
    ]


def test_clearing_what_is_empty_already_is_unchanged_and_not_journaled() -> None:
    import_rows([row("A", stock="0"), row("B", stock="0")])
    run = import_rows("sku,description,stock,category,metadata\nA,,,,\nB,,,,\n", blank="clear")
    assert (outcomes(run), journal(run)) == ({"unchanged": 2}, [])


def test_cleared_cells_of_a_new_product_are_empty() -> None:
    run = import_rows([blanked(*CLEARABLE, by="__clear__")])
    assert outcomes(run) == {"created": 1}
    assert products()["A"] == products()["A"] | EMPTIED | {"published": False, "featured": True}


def test_blank_name_of_a_new_product_is_missing_under_either_policy() -> None:
    run = import_rows([blanked("name")], blank="clear")
    assert rejections(run) == [(2, "name", "missing_name")]


def test_clearing_makes_no_category_of_that_name() -> None:
    run = import_rows([blanked("category", by="__clear__"), row("B", category="Home")])
    assert (run.categories_created, values("category__full_name")) == (1, {"A": None, "B": "Home"})


def test_the_token_is_text_when_another_one_was_chosen() -> None:
    run = import_rows([row("A", description="__clear__"), row("B", description="-")], clear_token="-")
    assert (outcomes(run), values("description")) == ({"created": 2}, {"A": "__clear__", "B": ""})


@pytest.mark.parametrize("token", ["", "  ", "x" * 41])
def test_token_that_no_cell_should_be_is_refused(token: str) -> None:
    with pytest.raises(choices.MappingError, match="1 to 40 characters"):
        confirm([FULL], clear_token=token)


# --- Lines that were recognised would keep the old meaning


def recognised_lines(monkeypatch: pytest.MonkeyPatch, run: ImportRun) -> int:
    """Do the import; returns how many of its lines were recognised."""
    seen: list[int] = []

    def noted(run: ImportRun, reader: Any) -> recognising.Recognised:
        answer = recognising.recognise(run, reader)
        seen.append(sum(reader.recognised))
        return answer

    monkeypatch.setattr(staging, "recognise", noted)
    work(run)
    return sum(seen)


def test_same_file_under_the_same_policy_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    import_rows([blanked("description", by="__clear__")], blank="clear")
    again = confirm([blanked("description", by="__clear__")], blank="clear")
    assert (recognised_lines(monkeypatch, again), outcomes(again)) == (1, {"unchanged": 1})


def test_same_file_with_a_cleared_category_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    import_rows([FULL])
    import_rows([blanked("category")], blank="clear")
    again = confirm([blanked("category")], blank="clear")
    assert recognised_lines(monkeypatch, again) == 1


@pytest.mark.parametrize("options", [{"blank": "clear"}, {"clear_token": "oak"}])
def test_same_file_under_another_policy_is_not_recognised(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    rows = [row("A", description="oak", category="Home"), row("B", category="")]
    import_rows(rows)
    Product.objects.filter(sku="B").update(description="Kept")
    import_rows(rows)
    again = confirm(rows, **options)
    assert recognised_lines(monkeypatch, again) == 0
    expected = {"A": "oak", "B": ""} if "blank" in options else {"A": "", "B": "Kept"}
    assert values("description") == expected


@pytest.mark.parametrize(
    "options",
    [
        {"constants": {"featured": "yes"}},
        {"options": {"price": {"format": "comma"}}},
        {"mapping": {"sku": 0}},
    ],
)
def test_same_file_read_another_way_is_not_recognised(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    rows = "sku,price,name\nA,12,Bowl\n"
    import_rows(rows)
    again = confirm(rows, **options)
    assert recognised_lines(monkeypatch, again) == 0


@pytest.mark.parametrize(
    "options", [{"constants": {"category": "Home"}}, {"options": {"price": {"format": "comma"}}}]
)
def test_same_file_read_the_same_way_is_recognised(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    rows = "sku,price,name\nA,12,Bowl\n"
    import_rows(rows, **options)
    assert recognised_lines(monkeypatch, confirm(rows, **options)) == 1


def test_constant_category_that_was_renamed_since_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "sku,price,name\nA,12,Bowl\n"
    import_rows(rows, constants={"category": "Home"})
    category = Category.objects.get()
    category.name = "House"
    category.save()
    again = confirm(rows, constants={"category": "Home"})
    assert recognised_lines(monkeypatch, again) == 0
    assert values("category__full_name") == {"A": "Home"}


# --- Constants and fallbacks


def test_constant_stands_in_for_a_column_that_the_file_has_not() -> None:
    run = import_rows([row("A"), row("B")], constants={"category": "Home >Kitchen", "published": "nein"})
    assert outcomes(run) == {"created": 2}
    assert values("category__full_name") == {"A": "Home > Kitchen", "B": "Home > Kitchen"}
    assert values("published") == {"A": False, "B": False}


def test_constant_updates_and_is_journaled() -> None:
    import_rows([row("A")])
    run = import_rows("sku\nA\n", constants={"description": "New", "stock": "3"})
    assert (outcomes(run), journal(run)) == ({"updated": 1}, [({"description": ""}, {"description": "New"})])


@pytest.mark.parametrize("policy", ["keep", "clear"])
def test_constant_is_what_blank_cells_fall_back_to_under_either_policy(policy: str) -> None:
    rows = [row("A", category="Garden"), row("B", category=" "), row("C", category="__clear__")]
    import_rows(rows, constants={"category": "Home"}, blank=policy)
    assert values("category__full_name") == {"A": "Garden", "B": "Home", "C": None}


def test_constant_price_lets_rows_without_one_create_products() -> None:
    run = import_rows("sku,name,price\nA,Bowl,\nB,Cup,3\n", constants={"price": "1.234,50"})
    assert (outcomes(run), values("price")) == ({"created": 2}, {"A": Decimal("1234.50"), "B": 3})


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"sku": "A"}, "“sku” can't be set for all rows. These can: name, description, price,"),
        ({"colour": "red"}, "“colour” can't be set for all rows."),
        ({"category": " "}, "There is no value for category to be set to."),
        ({"stock": "-1"}, "stock can't be set to that. The stock -1 is below zero. Write 0 or more."),
    ],
)
def test_constant_that_can_not_be_is_refused(constants: dict[str, str], message: str) -> None:
    with pytest.raises(choices.MappingError) as refused:
        confirm([FULL], constants=constants)
    assert str(refused.value).startswith(message)


# --- Numbers


def test_numbers_are_read_as_the_sample_shows_them() -> None:
    text = "Artikelnummer;Bezeichnung;Preis;Bestand\nA;Topf;1.234,50 €;1.250 Stk.\nB;Deckel;1.234;1.000,0\n"
    run = import_rows(text)
    assert run.options == {"price": {"format": "comma", "currency": "EUR"}, "stock": {"format": "comma"}}
    assert outcomes(run) == {"created": 2}
    assert values("price") == {"A": Decimal("1234.50"), "B": 1234}
    assert values("stock") == {"A": 1250, "B": 1000}


def test_doubtful_numbers_are_rejected_until_the_format_is_chosen() -> None:
    text = "sku,name,price\nA,Pot,1.234\n"
    assert rejections(import_rows(text)) == [(2, "price", "ambiguous_number")]
    run = import_rows(text, options={"price": {"format": "comma"}})
    assert (outcomes(run), values("price")) == ({"created": 1}, {"A": 1234})


def test_cell_that_contradicts_the_format_of_its_column_is_rejected() -> None:
    run = import_rows(
        "sku;name;price\nA;Pot;12,5\nB;Lid;12,75\nC;Cup;3.25\n", options={"price": {"format": "comma"}}
    )
    assert (outcomes(run), rejections(run)) == (
        {"created": 2, "rejected": 1},
        [(4, "price", "other_number_format")],
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"colour": {"format": "comma"}},
            "There is no option “colour.format”. There are: price.format, price.currency,",
        ),
        ({"name": {"format": "comma"}}, "There is no option “name.format”."),
        ({"price": {"format": "dots"}}, "“dots” is no price.format. It can be: point, comma, auto."),
    ],
)
def test_option_that_is_not_offered_is_refused(options: dict[str, dict[str, str]], message: str) -> None:
    with pytest.raises(choices.MappingError) as refused:
        confirm([FULL], options=options)
    assert str(refused.value).startswith(message)


# --- At once and one by one


def test_token_among_many_cells_is_found() -> None:
    bad: set[int] = set()
    cells = Cells(BY_NAME["description"](), at=0, blank=None, token="__clear__")
    assert cells.clean_all([[" a ", "", "__clear__"]], bad) == ["a", None, ""]
    names = Cells(BY_NAME["name"](), at=0, blank=None, token="__clear__")
    assert names.clean_all([["a", "__clear__"]], bad) == ["a", None]
    assert bad == {1}
    with pytest.raises(CellError):
        names.clean("__clear__")


def test_draft_has_the_policy_and_token_that_are_usual() -> None:
    run = receive("sku\nA\n")
    assert (run.blank, run.clear_token) == ("keep", "__clear__")
