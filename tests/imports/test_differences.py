"""The differences of a preview, page by page."""

from __future__ import annotations

import pytest
from django.db import connection

from imports import differences
from imports.differences import Page, Wanted
from imports.models import ImportRun
from tests.imports.running import confirm, import_rows, row, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> ImportRun:
    """Of six products B… stays, C and D change, A, Ä and E are new; the page shows two at a time."""
    import_rows([row("B"), row("C"), row("D")])
    rows = [row("A"), row("B"), row("C", price="13.75"), row("D", name="Dish", stock="4"), row("E"), row("Ä")]
    return work(confirm(rows, preview=True))


def shown(page: Page) -> list[tuple[str, str, list[str]]]:
    """SKU, action and changed fields of each."""
    return [
        (one.sku, one.action, [field.name for field in one.fields] if one.action == "updated" else [])
        for one in page.rows
    ]


def test_all_differences_come_in_the_order_of_their_skus(run: ImportRun) -> None:
    page = differences.page_of(run, Wanted())
    assert shown(page) == [
        ("A", "created", []),
        ("C", "updated", ["price"]),
        ("D", "updated", ["name", "stock"]),
        ("E", "created", []),
        ("Ä", "created", []),
    ]
    assert [(one.name, one.line) for one in page.rows][:3] == [
        ("Name of A", 2),
        ("Name of C", 4),
        ("Name of D", 5),
    ]
    assert (page.has_earlier, page.has_later) == (False, False)


@pytest.mark.parametrize(
    ("wanted", "skus"),
    [
        (Wanted(action="created"), "A E Ä"),
        (Wanted(action="updated"), "C D"),
        (Wanted(action="removed"), ""),
        (Wanted(field="price"), "C"),
        (Wanted(field="stock", action="updated"), "D"),
        (Wanted(field="featured"), ""),
        (Wanted(sku="D"), "D"),
        (Wanted(sku="Ä"), "Ä"),
        (Wanted(sku="d"), ""),
        (Wanted(sku="D", action="created"), ""),
    ],
)  # fmt: skip
def test_filters_leave_only_what_fits(run: ImportRun, wanted: Wanted, skus: str) -> None:
    assert [one.sku for one in differences.page_of(run, wanted).rows] == skus.split()


def test_pages_lead_forth_and_back_over_both_sources(run: ImportRun) -> None:
    seen = []
    page = differences.page_of(run, Wanted(), size=2)
    seen.append(([one.sku for one in page.rows], page.has_earlier, page.has_later))
    page = differences.page_of(run, Wanted(after=page.last), size=2)
    seen.append(([one.sku for one in page.rows], page.has_earlier, page.has_later))
    page = differences.page_of(run, Wanted(after=page.last), size=2)
    seen.append(([one.sku for one in page.rows], page.has_earlier, page.has_later))
    page = differences.page_of(run, Wanted(before=page.first), size=2)
    seen.append(([one.sku for one in page.rows], page.has_earlier, page.has_later))
    page = differences.page_of(run, Wanted(before=page.first), size=2)
    seen.append(([one.sku for one in page.rows], page.has_earlier, page.has_later))
    assert seen == [
        (["A", "C"], False, True),
        (["D", "E"], True, True),
        (["Ä"], True, False),
        (["D", "E"], True, True),
        (["A", "C"], False, True),
    ]


def test_new_product_is_shown_with_what_it_gets(run: ImportRun) -> None:
    [new] = differences.page_of(run, Wanted(sku="A")).rows
    assert [(field.name, field.after[0][0].text) for field in new.fields] == [
        ("price", "12.50"),
        ("stock", "3"),
    ]


def test_products_that_a_mode_takes_out_are_removed() -> None:
    import_rows([row("A"), row("B")])
    run = confirm([row("A")], preview=True)
    run.planned_changes.create(
        sku="A", line=2, fields=["published"], before={"published": True}, after={"published": False}
    )
    run.planned_changes.create(
        sku="B", line=0, fields=["published"], before={"published": True}, after={"published": False}
    )
    ImportRun.objects.filter(pk=run.pk).update(mode="unpublish")
    run.refresh_from_db()
    assert [(one.sku, one.action) for one in differences.page_of(run, Wanted(action="removed")).rows] == [
        ("A", "removed"),
        ("B", "removed"),
    ]
    assert differences.page_of(run, Wanted(action="updated")).rows == []


def test_new_variants_are_among_the_others_but_none_that_would_be_rejected() -> None:
    lone, variant = row("Z", parent="nobody"), row("B", parent="A", options="Size: M")
    run = work(confirm([row("A"), variant, row("C"), lone], preview=True))
    assert [one.sku for one in differences.page_of(run, Wanted()).rows] == ["A", "B", "C"]
    assert run.forecast["create"] == 3


@pytest.mark.parametrize(
    "wanted", [Wanted(), Wanted(sku="SKU-5"), Wanted(action="created", after="SKU-5"), Wanted(before="SKU-5")]
)
def test_new_products_are_read_along_their_index(wanted: Wanted) -> None:
    """Or a page of a million would be sorted anew at every click."""
    import_rows([row(f"OLD-{number}") for number in range(50)])
    rows = [row(f"OLD-{number}", price="1.00") for number in range(50)]
    run = work(confirm([*rows, *(row(f"SKU-{number}") for number in range(400))], preview=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [run.staging_table])
        assert any("WHERE (version IS NULL)" in definition for (definition,) in cursor.fetchall())
    assert len(differences.page_of(run, wanted, size=5).rows) == 5
