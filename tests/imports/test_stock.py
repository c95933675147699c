"""What imports do to stock: set it without losing a sale, or adjust it; and what the ledger says of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from imports.cells import column_of
from imports.choices import MappingError
from imports.columns import CellError
from imports.models import ImportRun
from shop import stock
from shop.models import Product, StockMovement
from tests.imports.previews import approved, counted, preview
from tests.imports.running import (
    confirm,
    do,
    import_rows,
    in_small_pieces,
    outcomes,
    receive,
    rejections,
    row,
    values,
    work,
    work_up_to,
)
from tests.imports.shaped_files import fixture
from tests.imports.test_races import in_another_connection, wait_until_blocked
from tests.shop.test_stock import balances

pytestmark = pytest.mark.django_db
SALE = StockMovement.Kind.SALE
ADJUST = ImportRun.StockAs.ADJUST


def deliveries(**pieces: str) -> list[dict[str, str]]:
    """Rows that say nothing but SKU and stock."""
    return [{"sku": sku, "stock": text} for sku, text in pieces.items()]


def adjust(rows: Any, **options: Any) -> ImportRun:
    return import_rows(rows, stock_as=ADJUST, **options)


def ledger() -> list[tuple[int, int, str, str]]:
    """All movements, oldest first: (quantity, balance, kind, reference)."""
    movements = StockMovement.objects.order_by("pk")
    return list(movements.values_list("quantity", "balance", "kind", "reference"))


def messages(run: ImportRun) -> list[str]:
    return list(run.rejected_rows.values_list("message", flat=True))


# Set


def test_sale_before_the_file_came_is_not_taken_off_again() -> None:
    import_rows([row("A", stock="10")])
    stock.move({"A": -4}, kind=SALE)

    run = import_rows([row("A", stock="9")])

    assert (values("stock"), run.stock_kept) == ({"A": 9}, 0)


def test_sale_between_file_and_load_is_taken_off_the_files_number() -> None:
    import_rows([row("A", stock="10"), row("B", stock="10")])
    run = confirm([row("A", stock="9"), row("B", stock="9")])
    stock.move({"A": -4}, kind=SALE)

    work(run)

    assert (values("stock"), run.stock_kept) == ({"A": 5, "B": 9}, 1)
    assert ledger()[1:] == [(-1, 5, "import", run.subject), (-1, 9, "import", run.subject)]
    assert balances() == [True, True]


def test_sale_that_leaves_just_the_files_number_is_taken_off_as_well() -> None:
    import_rows([row("A", stock="10")])
    run = confirm([row("A", stock="9")])
    stock.move({"A": -1}, kind=SALE)

    work(run)

    assert (values("stock"), outcomes(run), run.stock_kept) == ({"A": 8}, {"updated": 1}, 1)


def test_sale_after_a_row_was_found_the_same_stays() -> None:
    file = [row("A", stock="10"), row("B", stock="1")]
    import_rows(file)
    run = confirm([row("A", stock="10"), row("B", stock="2")])
    work_up_to(run, "load")
    stock.move({"A": -1}, kind=SALE)

    work(run)

    assert (values("stock"), outcomes(run)) == ({"A": 9, "B": 2}, {"updated": 1, "unchanged": 1})


@pytest.mark.django_db(transaction=True)
def test_sale_during_the_load_is_taken_off_the_files_number() -> None:
    import_rows([row("A", stock="10")])
    run = confirm([row("A", stock="9")])
    job = work_up_to(run, "load")
    errors: list[BaseException] = []
    with transaction.atomic():
        stock.move({"A": -4}, kind=SALE)
        loading = in_another_connection(lambda: do(job), errors)
        wait_until_blocked(loading)
    loading.join(30)
    work(run)

    assert (errors, values("stock"), run.stock_kept) == ([], {"A": 5}, 1)


@pytest.mark.django_db(transaction=True)
def test_sale_that_waits_for_the_load_finds_what_it_wrote() -> None:
    import_rows([row("A", stock="10")])
    run = confirm([row("A", stock="3")])
    job = work_up_to(run, "load")
    errors: list[BaseException] = []
    with transaction.atomic():
        ImportRun.objects.select_for_update().get(pk=run.pk)  # so that the load stops before it commits
        loading = in_another_connection(lambda: do(job), errors)
        wait_until_blocked(loading)
        selling = in_another_connection(lambda: stock.move({"A": -4}, kind=SALE), errors)
        wait_until_blocked(selling, sessions=2)
    loading.join(30)
    selling.join(30)
    work(run)

    [refused] = errors
    assert isinstance(refused, stock.OutOfStock)
    assert (refused.left, values("stock"), run.stock_kept) == ({"A": 3}, {"A": 3}, 0)


# Adjust


def test_pieces_are_added_and_taken_away_and_the_ledger_has_each() -> None:
    import_rows([row("A", stock="10"), row("B", stock="10"), row("C", stock="10"), row("D", stock="10")])

    run = adjust(deliveries(A="+5", B="-3", C="0", D=""))

    assert values("stock") == {"A": 15, "B": 7, "C": 10, "D": 10}
    assert outcomes(run) == {"updated": 2, "unchanged": 2}
    assert ledger() == [(5, 15, "import", run.subject), (-3, 7, "import", run.subject)]
    assert balances() == [True] * 4


def test_same_file_adjusts_each_time() -> None:
    import_rows([row("A", stock="10")])
    file = [row("A", stock="5")]

    first, second = adjust(file), adjust(file)

    assert (outcomes(first), outcomes(second)) == ({"updated": 1}, {"updated": 1})
    assert values("stock") == {"A": 20}


def test_file_that_set_the_stock_is_not_recognised_when_it_adjusts() -> None:
    file = [row("A", stock="5")]
    import_rows(file)

    assert (outcomes(adjust(file)), values("stock")) == ({"updated": 1}, {"A": 10})
    assert (outcomes(import_rows(file)), values("stock")) == ({"updated": 1}, {"A": 5})


def test_new_product_begins_with_the_pieces() -> None:
    run = adjust([row("A", stock="5")])

    assert (outcomes(run), values("stock"), ledger()) == ({"created": 1}, {"A": 5}, [])


def test_new_product_with_fewer_than_none_is_rejected() -> None:
    run = adjust([row("A", stock="-5"), row("B", stock="1")])

    assert (outcomes(run), values("stock")) == ({"created": 1, "rejected": 1}, {"B": 1})
    assert rejections(run) == [(2, "stock", "negative_stock")]
    assert messages(run) == [
        "A is no product yet, so 5 can't be taken away from it. Write 0 or more, or correct the SKU."
    ]


def test_product_that_would_go_below_zero_is_rejected_and_left_as_it_is() -> None:
    import_rows([row("A", stock="1200"), row("B", stock="3")])

    run = adjust([row("A", stock="-1201", name="Other"), row("B", stock="-3")])

    assert (outcomes(run), values("stock")) == ({"updated": 1, "rejected": 1}, {"A": 1200, "B": 0})
    assert values("name")["A"] == "Name of A"
    assert messages(run) == [
        "A has 1,200 in stock, and 1,201 were to be taken away. Correct the number, or leave the row out."
    ]


def test_product_sold_meanwhile_counts_as_it_is_when_it_is_adjusted() -> None:
    import_rows([row("A", stock="10"), row("B", stock="10")])
    run = confirm(deliveries(A="-8", B="-8"), stock_as=ADJUST)
    work_up_to(run, "load")
    stock.move({"A": -4, "B": -1}, kind=SALE)

    work(run)

    assert (values("stock"), outcomes(run)) == ({"A": 6, "B": 1}, {"updated": 1, "rejected": 1})
    assert run.stock_kept == 0


def test_more_than_can_be_stored_is_rejected() -> None:
    import_rows([row("A", stock="2147483647")])

    run = adjust(deliveries(A="1"))

    assert messages(run) == [
        "A has 2,147,483,647 in stock, and 1 more are beyond what can be stored. Check the number."
    ]


@pytest.mark.parametrize(
    ("mode", "found", "skus"),
    [
        ("create", {"skipped": 1, "rejected": 1}, {"A": 3}),
        ("update", {"skipped": 1, "rejected": 1}, {"A": 3}),
    ],
)
def test_mode_decides_before_the_stock_does(mode: str, found: dict[str, int], skus: dict[str, int]) -> None:
    import_rows([row("A")])

    run = adjust([row("A", stock="-9"), row("B", stock="-9")], mode=mode)

    assert (outcomes(run), values("stock")) == (found, skus)


def test_rejected_parent_leaves_its_variants_without_one() -> None:
    rows = [row("S", stock="-1", parent=""), row("S-1", stock="1", parent="S", options="Size: M")]

    run = adjust(rows)

    assert rejections(run) == [(2, "stock", "negative_stock"), (3, "parent", "no_parent")]


def test_rest_of_a_row_is_written_without_pieces() -> None:
    import_rows([row("A", stock="4")])

    run = adjust([row("A", stock="", name="Other")])

    assert (outcomes(run), values("stock"), values("name")) == ({"updated": 1}, {"A": 4}, {"A": "Other"})
    assert ledger() == []


def test_lost_staging_table_adjusts_nothing_twice(settings: Any) -> None:
    in_small_pieces(settings)
    skus = [f"S-{number:02}" for number in range(30)]
    import_rows([row(sku, stock="10") for sku in skus])
    run = confirm([{"sku": sku, "stock": "-1" if sku != "S-29" else "-11"} for sku in skus], stock_as=ADJUST)
    job = work_up_to(run, "load")
    do(job)
    assert 10 in values("stock").values()
    assert 9 in values("stock").values()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert values("stock") == {**dict.fromkeys(skus, 9), "S-29": 10}
    assert outcomes(run) == {"updated": 29, "rejected": 1}
    assert StockMovement.objects.count() == 29


def test_constant_adjusts_rows_without_a_number() -> None:
    import_rows([row("A", stock="4"), row("B", stock="4")])

    adjust(deliveries(A="", B="-1"), constants={"stock": "-2"})

    assert values("stock") == {"A": 2, "B": 3}


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("5", 5), ("+5", 5), ("-3", -3), ("0", 0), ("-0", 0), ("3-", -3), ("(3)", -3), ("−3", -3),
        ("- 1,200,000", -1_200_000), ("+2 pcs", 2),
    ],
)  # fmt: skip
def test_pieces_are_written_with_a_sign(text: str, pieces: int) -> None:
    assert int(column_of("stock", adjusts=True)().clean(text)) == pieces


@pytest.mark.parametrize("text", ["-", "1.5", "many", "2147483648", "-2147483648", "5 %"])
def test_pieces_that_are_no_number_are_refused(text: str) -> None:
    with pytest.raises(CellError):
        column_of("stock", adjusts=True)().clean(text)


@pytest.mark.parametrize("texts", [["1", "+2", "-3"], ["1", "--2"], ["1", ""]])
def test_many_pieces_are_cleaned_as_each_alone(texts: list[str]) -> None:
    column = column_of("stock", adjusts=True)()

    at_once = column.clean_all(texts)

    assert at_once == (texts if texts[-1] == "-3" else None)


def test_sign_is_refused_where_stock_is_set() -> None:
    assert rejections(import_rows([row("A", stock="-3")])) == [(2, "stock", "negative_stock")]


def test_clearing_text_adds_nothing_and_is_refused() -> None:
    import_rows([row("A", stock="4")])

    run = adjust(deliveries(A="__clear__"), blank="clear")

    assert (rejections(run), values("stock")) == ([(2, "stock", "cannot_be_cleared")], {"A": 4})


def test_adjusting_is_remembered_with_the_header() -> None:
    import_rows([row("A")], stock_as=ADJUST)

    again = receive("sku,name,price,stock\nA,B,1,2\n")

    assert (again.stock_as, again.saved_mapping is not None) == (ADJUST, True)
    assert receive("sku,stock\nA,2\n").stock_as == "set"


def test_export_of_a_shop_says_what_is_there() -> None:
    with pytest.raises(MappingError, match="A shop's export says what stock there is"):
        confirm(fixture("shopify"), stock_as=ADJUST)


def test_stock_that_means_nothing_known_is_refused() -> None:
    with pytest.raises(MappingError, match="“add” is nothing that numbers of stock can mean"):
        confirm([row("A")], stock_as="add")


def test_import_without_stock_may_be_remembered_as_adjusting() -> None:
    run = adjust([{"sku": "A", "name": "B", "price": "1"}])

    assert (outcomes(run), run.adjusts_stock, Product.objects.get().stock) == ({"created": 1}, False, 0)


def test_preview_of_pieces_tells_what_comes_and_what_is_refused() -> None:
    import_rows([row("A", stock="5"), row("B", stock="5"), row("C", stock="5")])

    run = preview([*deliveries(A="-2", B="-9", C="0"), row("D", stock="-1")], stock_as=ADJUST)

    assert counted(run) == {"update": 1, "reject": 2, "fields": {"stock": 1}}
    assert outcomes(approved(run)) == {"updated": 1, "unchanged": 1, "rejected": 2}
    assert values("stock") == {"A": 3, "B": 5, "C": 5}
