"""The three states of a cell: absent, blank, and cleared by the import's token."""

from __future__ import annotations

from typing import Any

import pytest

from imports import pipeline, recognising, staging
from imports.cells import Cells
from imports.columns import BY_NAME, CellError
from imports.models import ImportRun
from shop.models import Product
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
    with pytest.raises(pipeline.MappingError, match="1 to 40 characters"):
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


# --- At once and one by one


def test_token_among_many_cells_is_found() -> None:
    bad: set[int] = set()
    cells = Cells(BY_NAME["description"](), at=0, blank=None, token="__clear__")
    assert cells.clean_all([" a ", "", "__clear__"], bad) == ["a", None, ""]
    names = Cells(BY_NAME["name"](), at=0, blank=None, token="__clear__")
    assert names.clean_all(["a", "__clear__"], bad) == ["a", None]
    assert bad == {1}
    with pytest.raises(CellError):
        names.clean("__clear__")


def test_draft_has_the_policy_and_token_that_are_usual() -> None:
    run = receive("sku\nA\n")
    assert (run.blank, run.clear_token) == ("keep", "__clear__")
