"""Undo and redo: what is taken back, what is kept and why, and that nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from imports import pipeline, restoring, undoing
from imports.models import ImportRun
from shop import stock
from shop.models import Category, Product, ProductImage, StockMovement
from tests.imports.running import (
    catalogue,
    confirm,
    do,
    import_rows,
    in_small_pieces,
    outcomes,
    row,
    values,
    work,
    work_up_to,
)

# Edits between imports must be told from those that imports make, so each is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

State = ImportRun.State
SALE = StockMovement.Kind.SALE

type Table = list[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _small_pieces(settings: Any) -> None:
    in_small_pieces(settings)


def undo(run: ImportRun) -> ImportRun:
    """The run's undo, done from beginning to end."""
    return work(undoing.begin(run))


def whole(*but: str) -> Table:
    """Every product with every column but these and the time of its last change; its images and its ledger's
    sum beside it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.sku, (to_jsonb(p) - 'updated_at' - %s::text[])::text,
                   (SELECT jsonb_agg(jsonb_build_array(i.source_url, i.file, i.alt, i.position)
                                     ORDER BY i.position, i.id)::text
                    FROM shop_productimage i WHERE i.product_id = p.id),
                   p.stock - p.opening_stock = (SELECT coalesce(sum(m.quantity), 0) FROM shop_stockmovement m
                                                WHERE m.product_id = p.id)
            FROM shop_product p ORDER BY p.sku
            """,
            [list(but)],
        )
        rows = cursor.fetchall()
    assert [sku for sku, *_, ledger_is_right in rows if not ledger_is_right] == []
    return rows


def said(run: ImportRun) -> list[tuple[str, str, str]]:
    """(SKU, code, reason) of each product that an undo kept."""
    return list(run.set_aside.order_by("sku").values_list("sku", "code", "reason"))


def changed(rows: list[dict[str, str]], every: int) -> list[dict[str, str]]:
    """The rows, each so many with other values in all of its columns."""
    new = {"name": "Renamed", "description": "", "price": "99", "stock": "77", "category": "Garden > Shed",
           "published": "no", "featured": "yes", "metadata": '{"colour": "ash"}'}  # fmt: skip
    return [cells | new if number % every == 0 else cells for number, cells in enumerate(rows)]


def on(run: ImportRun) -> str:
    run.refresh_from_db()
    return f"{run.finished_at:%-d %b %Y}"


def test_undo_of_a_first_import_leaves_no_product_and_its_categories() -> None:
    run = import_rows(catalogue())

    undone = undo(run)

    assert (undone.state, undone.error, outcomes(undone)) == ("completed", "", {"removed": 60})
    assert (undone.kind, undone.undoes, undone.filename) == ("undo", run, "catalog.csv")
    assert (undone.rows, undone.lines, whole()) == (60, 60, [])
    assert Category.objects.count() == 5


def test_redo_brings_a_first_import_back_with_ids_and_versions() -> None:
    before = import_rows(catalogue()) and whole()

    redone = undo(undo(ImportRun.objects.get()))

    assert (outcomes(redone), whole()) == ({"created": 60}, before)


def test_undo_gives_every_field_of_an_update_its_value_back() -> None:
    import_rows(catalogue())
    before = whole("source_hash")
    run = import_rows(changed(catalogue(), every=4))
    assert outcomes(run) == {"updated": 15, "unchanged": 45}
    after = whole("source_hash")

    undone = undo(run)
    assert (outcomes(undone), whole("source_hash")) == ({"updated": 15}, before)
    redone = undo(undone)
    assert (outcomes(redone), whole("source_hash")) == ({"updated": 15}, after)


def test_undo_enters_the_stock_in_the_ledger() -> None:
    import_rows([row("A", stock="3")])
    run = import_rows([row("A", stock="8")])

    undone = undo(run)

    ledger = StockMovement.objects.order_by("pk").values_list("quantity", "balance", "kind", "reference")
    assert list(ledger) == [(5, 8, "import", run.subject), (-5, 3, "undo", undone.subject)]


def test_what_was_edited_sold_or_imported_since_is_kept_and_listed(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 30_000, 150
    import_rows(catalogue(200))
    rows = catalogue(1_000)
    before = whole()
    run = import_rows(changed(rows[:200], every=2) + rows[200:])
    assert outcomes(run) == {"created": 800, "updated": 100, "unchanged": 100}
    landed = whole("source_hash")
    for number in [*range(0, 10, 2), *range(300, 305)]:
        product = Product.objects.get(sku=f"SKU-{number:03}")
        product.description += "!"
        product.save()
    sold = ["SKU-010", "SKU-012", "SKU-310", "SKU-311", "SKU-312"]
    for sku in sold:
        stock.move({sku: -2}, kind=SALE, reference="order/1")
    later = import_rows([row(sku, name="Later") for sku in ("SKU-020", "SKU-320", "SKU-321")])
    touched = {sku: cells for sku, *cells in whole()}

    undone = undo(run)

    kept = {
        **{
            f"SKU-{number:03}": ("edited", "It was edited since.")
            for number in [*range(0, 10, 2), *range(300, 305)]
        },
        **dict.fromkeys(sold, ("sold", "2 sold since.")),
        **{
            sku: ("later_import", f"Import {later.pk} changed it on {on(later)}.")
            for sku in ("SKU-020", "SKU-320", "SKU-321")
        },
    }
    assert {sku: (code, reason) for sku, code, reason in said(undone)} == kept
    assert outcomes(undone) == {"updated": 92, "removed": 790, "skipped": 18}
    left = {sku: cells for sku, *cells in whole()}
    assert {sku: cells for sku, cells in left.items() if sku in kept} == {sku: touched[sku] for sku in kept}
    restored = {sku: cells for sku, *cells in whole("source_hash") if sku not in kept}
    assert restored == {sku: cells for sku, *cells in _without(before, "source_hash") if sku not in kept}

    redone = undo(undone)
    assert outcomes(redone) == {"updated": 92, "created": 790}
    again = {sku: cells for sku, *cells in whole("source_hash") if sku not in kept}
    assert again == {sku: cells for sku, *cells in landed if sku not in kept}
    assert {sku: cells for sku, *cells in whole() if sku in kept} == {sku: touched[sku] for sku in kept}


def test_imports_undone_in_the_reverse_order_leave_the_beginning_and_redone_the_end() -> None:
    first = import_rows(catalogue(20))
    middle = whole("source_hash")
    second = import_rows(changed(catalogue(30), every=3))
    end = whole("source_hash", "opening_stock")

    undo_second = undo(second)
    assert whole("source_hash") == middle
    undo_first = undo(first)
    assert (whole(), said(undo_second), said(undo_first)) == ([], [], [])

    undo(undo_first)
    redone = undo(undo_second)
    assert (said(redone), whole("source_hash", "opening_stock")) == ([], end)


def test_a_product_whose_stock_the_import_left_alone_is_restored_whatever_was_sold() -> None:
    import_rows([row("A", price="5", stock="9")])
    run = import_rows("sku,price\nA,6\n")
    stock.move({"A": -2}, kind=SALE)

    undone = undo(run)

    assert (outcomes(undone), values("price"), values("stock")) == ({"updated": 1}, {"A": 5}, {"A": 7})


@pytest.mark.parametrize(
    ("moves", "reason"),
    [
        ([("sale", -3)], "3 sold since."),
        ([("sale", -3), ("return", 3)], "3 sold, 3 returned since."),
        ([("return", 1)], "1 returned since."),
    ],
)
def test_stock_that_was_sold_is_kept(moves: list[tuple[str, int]], reason: str) -> None:
    run = import_rows([row("A", stock="9")])
    for kind, quantity in moves:
        stock.move({"A": quantity}, kind=StockMovement.Kind(kind))

    assert said(undo(run)) == [("A", "sold", reason)]
    assert values("name") == {"A": "Name of A"}


def test_sales_before_the_import_wrote_do_not_matter() -> None:
    import_rows([row("A", stock="9", price="1")])
    run = confirm([row("A", stock="20", price="2")])
    work_up_to(run, "load")
    stock.move({"A": -4}, kind=SALE)
    work(run)

    undone = undo(run)

    assert (outcomes(undone), values("stock"), values("price")) == ({"updated": 1}, {"A": 5}, {"A": 1})
    whole()


def test_stock_corrected_by_hand_is_kept() -> None:
    run = import_rows([row("A", stock="9")])
    Product.objects.update(stock=11)

    assert said(undo(run)) == [("A", "edited", "Its stock was corrected since: +2.")]


def test_stock_that_a_later_import_set_is_kept_until_that_is_undone() -> None:
    run = import_rows([row("A", stock="9")])
    later = import_rows("sku,stock\nA,4\n")

    kept = undo(run)
    assert said(kept) == [("A", "later_import", f"Import {later.pk} changed its stock on {on(later)}.")]
    assert (kept.state, values("stock")) == ("completed", {"A": 4})


def test_products_that_are_gone_are_listed() -> None:
    run = import_rows([row("A"), row("B")])
    gone = Product.objects.get(sku="A")
    pk = gone.pk
    gone.delete()

    undone = undo(run)

    assert outcomes(undone) == {"removed": 1, "skipped": 1}
    assert said(undone) == [("", "gone", f"It was deleted since (its id was {pk}).")]


def test_a_product_taken_out_by_an_undo_is_gone_for_the_undo_of_a_later_import() -> None:
    first = import_rows([row("A", stock="9")])
    second = import_rows("sku,stock\nA,4\n")
    with connection.cursor() as cursor:  # so that the first can be undone below the second
        cursor.execute("UPDATE shop_product SET stock = opening_stock WHERE sku = 'A'")
        cursor.execute("ALTER TABLE shop_stockmovement DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM shop_stockmovement WHERE kind = 'correction'")
        cursor.execute("ALTER TABLE shop_stockmovement ENABLE TRIGGER USER")
    below = undo(first)
    assert outcomes(below) == {"removed": 1}

    undone = undo(second)

    assert said(undone) == [("A", "gone", f"Undo {below.pk} took it out on {on(below)}.")]


def test_a_created_product_with_a_variant_by_hand_is_kept() -> None:
    run = import_rows([row("A"), row("B")])
    parent = Product.objects.get(sku="A")
    Product.objects.create(sku="A-1", slug="a-1", name="By hand", price=1, parent=parent)

    undone = undo(run)

    assert said(undone) == [("A", "has_variants", "A variant of it stays: A-1")]
    assert sorted(values("name")) == ["A", "A-1"]


def test_variants_go_before_their_products_and_come_back_after_them() -> None:
    rows = [row(f"P{n}", options="") for n in range(9)]
    rows += [row(f"P{n}-{size}", parent=f"P{n}", options=f"Size: {size}") for n in range(9) for size in "SML"]
    run = import_rows(rows)
    before = whole()
    Product.objects.filter(sku="P4-S").update(price=1)

    undone = undo(run)
    assert outcomes(undone) == {"removed": 34, "skipped": 2}
    assert said(undone) == [
        ("P4", "has_variants", "A variant of it stays: P4-S"), ("P4-S", "edited", "It was edited since."),
    ]  # fmt: skip
    redone = undo(undone)
    assert outcomes(redone) == {"created": 34}
    others = [cells for cells in before if cells[0] != "P4-S"]
    assert [cells for cells in whole() if cells[0] != "P4-S"] == others


def test_variants_that_moved_move_back_whatever_the_order() -> None:
    """A top product became a variant, a variant became one of its own, and others changed their parent."""
    import_rows([
        row("A"), row("B"), row("C"), row("B-1", parent="B", options="N: 1"),
        row("C-1", parent="C", options="N: 1"), row("C-2", parent="C", options="N: 2"),
    ])  # fmt: skip
    before = whole("source_hash")
    first = import_rows("sku,parent\nC-1,__clear__\nC-2,A\n")
    second = import_rows("sku,parent\nC,C-1\nB-1,C-1\n")
    assert (outcomes(first), outcomes(second)) == ({"updated": 2}, {"updated": 2})
    after = whole("source_hash")

    undo_second = undo(second)
    undo_first = undo(first)
    assert (whole("source_hash"), said(undo_second), said(undo_first)) == (before, [], [])
    undo(undo_first)
    undo(undo_second)
    assert whole("source_hash") == after


def test_images_go_back_to_what_they_were() -> None:
    urls = [f"https://example.com/{n}.jpg" for n in range(4)]
    import_rows([row("A", images=f"{urls[0]} | {urls[1]}"), row("B", images=urls[2])])
    before = whole("source_hash")
    run = import_rows([row("A", images=f"{urls[3]} | {urls[1]}"), row("C", images=urls[0])])
    after = whole("source_hash")

    undone = undo(run)
    assert (outcomes(undone), whole("source_hash")) == ({"updated": 1, "removed": 1}, before)
    undo(undone)
    assert whole("source_hash") == after
    assert ProductImage.objects.count() == 4


def _with_odd_images() -> None:
    """Texts, a position twice, gaps, an address twice, an uploaded picture between them, a fetched one."""
    import_rows([row("A"), row("B", images="https://example.com/0.jpg | https://example.com/1.jpg")])
    product = Product.objects.get(sku="A")
    for position, url, file, alt in [
        (7, "https://example.com/1.jpg", "", "from the back"),
        (3, "https://example.com/0.jpg", "", "from the front"),
        (3, "", "products/own.jpg", "our own"),
        (3, "https://example.com/0.jpg", "products/fetched.jpg", ""),
    ]:
        ProductImage.objects.create(product=product, source_url=url, file=file, alt=alt, position=position)


def _image_rows() -> Table:
    return list(ProductImage.objects.order_by("pk").exclude(alt="").values_list("pk", "alt"))


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([row("A", images="https://example.com/2.jpg"), row("B", images="https://example.com/2.jpg")], {}),
        ([row("A", images="https://example.com/1.jpg"), row("B", price="9")], {}),
        ([row("A", images=""), row("B", images="")], {"blank": "clear"}),
        ([row("A"), row("B")], {"mode": "delete"}),
    ],
)
def test_alternative_texts_and_positions_of_images_come_back(
    rows: list[dict[str, str]], chosen: dict[str, str]
) -> None:
    _with_odd_images()
    before, texts = whole("source_hash", "opening_stock"), _image_rows()
    run = import_rows(rows, **chosen)
    after = whole("source_hash")

    undone = undo(run)
    assert (said(undone), whole("source_hash", "opening_stock"), _image_rows()) == ([], before, texts)
    redone = undo(undone)
    assert (said(redone), whole("source_hash")) == ([], after)
    again = undo(redone)
    assert (said(again), whole("source_hash", "opening_stock"), _image_rows()) == ([], before, texts)


def test_images_that_are_told_by_their_addresses_are_journaled_as_addresses() -> None:
    import_rows([row("A", images="https://example.com/0.jpg | https://example.com/1.jpg")])
    run = import_rows([row("A", images="https://example.com/1.jpg")])
    assert run.changes.get().before == {"images": ["https://example.com/0.jpg", "https://example.com/1.jpg"]}


def test_a_product_with_a_picture_of_its_own_since_is_kept() -> None:
    run = import_rows([row("A")])
    ProductImage.objects.create(product=Product.objects.get(), source_url="https://example.com/1.jpg")

    assert said(undo(run)) == [("A", "edited", "It was edited since.")]
    assert ProductImage.objects.count() == 1


def test_a_product_whose_category_was_deleted_is_kept() -> None:
    import_rows([row("A", category="Old"), row("B", category="Old > Older")])
    run = import_rows([row("A", category="New"), row("B", category="New")])
    Category.objects.filter(name="Older").delete()

    undone = undo(run)

    assert said(undone) == [("B", "no_category", "The category that it was in was deleted since.")]
    assert values("category__full_name") == {"A": "Old", "B": "New"}


@pytest.mark.parametrize(
    ("field", "code", "reason"),
    [
        ("sku", "sku_taken", "Another product has its SKU now."),
        ("slug", "slug_taken", "Another product has its slug now: name-of-a"),
    ],
)
def test_a_product_whose_name_is_taken_does_not_come_back(field: str, code: str, reason: str) -> None:
    undone = undo(import_rows([row("A"), row("B")]))
    Product.objects.create(
        **{"sku": "X", "slug": "x", field: {"sku": "A", "slug": "name-of-a"}[field]}, name="X", price=1
    )

    redone = undo(undone)

    assert (outcomes(redone), said(redone)) == ({"created": 1, "skipped": 1}, [("A", code, reason)])


def test_a_product_brought_back_and_then_sold_is_kept() -> None:
    redone = undo(undo(import_rows([row("A", stock="5"), row("B")])))
    stock.move({"A": -1}, kind=SALE)

    again = undo(redone)

    assert (outcomes(again), said(again)) == ({"removed": 1, "skipped": 1}, [("A", "sold", "1 sold since.")])


def test_undo_of_a_cancelled_import_takes_back_what_had_landed() -> None:
    import_rows(catalogue(30))
    before = whole("source_hash")
    run = confirm(changed(catalogue(), every=2))
    do(work_up_to(run, "load"))
    do(work_up_to(run, "load"))
    pipeline.cancel(run=run)
    run.refresh_from_db()
    assert 0 < run.created + run.updated < 45

    undone = undo(run)

    assert (undone.rows, said(undone), whole("source_hash")) == (run.created + run.updated, [], before)


def test_undo_that_was_cancelled_is_gone_on_with_by_another() -> None:
    run = import_rows(catalogue())
    stopped = undoing.begin(run)
    do(work_up_to(stopped, "undo"))
    pipeline.cancel(run=stopped)

    second = undo(run)

    stopped.refresh_from_db()
    assert outcomes(second) == {"removed": stopped.pending, "unchanged": stopped.removed}
    assert (stopped.removed > 0, whole(), said(second)) == (True, [], [])


def test_redo_of_an_undo_that_was_cancelled_brings_back_what_it_took() -> None:
    run = import_rows(catalogue())
    before = whole()
    stopped = undoing.begin(run)
    do(work_up_to(stopped, "undo"))
    pipeline.cancel(run=stopped)

    undo(stopped)
    assert whole() == before
    assert (outcomes(undo(run)), whole()) == ({"removed": 60}, [])


def test_undo_waits_for_the_import_at_work() -> None:
    run = import_rows([row("A")])
    other = confirm([row("B")])
    work_up_to(other, "load")

    waiting = undoing.begin(run)
    assert waiting.state == State.WAITING
    work(waiting)
    assert (waiting.state, list(values("sku"))) == ("completed", ["B"])


def test_what_cannot_be_undone_says_why() -> None:
    waiting = confirm([row("Z")])
    with pytest.raises(undoing.NotUndoable) as refused:
        undoing.begin(waiting)
    assert str(refused.value) == f"{waiting} is not over (reading the file). Cancel it, or wait for its end."
    work(waiting)
    same = import_rows([row("Z")])
    with pytest.raises(undoing.NotUndoable) as refused:
        undoing.preview(same)
    assert str(refused.value) == f"{same} changed nothing, so there is nothing to take back."
    begun = undoing.begin(waiting)
    with pytest.raises(undoing.NotUndoable) as refused:
        undoing.begin(waiting)
    assert str(refused.value) == f"{waiting} is being taken back by undo {begun.pk}."
    work(begun)
    with pytest.raises(undoing.NotUndoable) as refused:
        undoing.begin(waiting)
    assert str(refused.value) == f"{waiting} was taken back by undo {begun.pk}."


def test_preview_counts_what_the_undo_then_does() -> None:
    import_rows(catalogue(20))
    run = import_rows(changed(catalogue(), every=2) + [row("V", parent="SKU-030", options="N: 1")])
    Product.objects.filter(sku="SKU-002").update(price=1)
    stock.move({"SKU-040": -1}, kind=SALE)

    would = undoing.preview(run)

    kept = [
        undoing.Kept("SKU-002", "edited", "It was edited since."),
        undoing.Kept("SKU-040", "sold", "1 sold since."),
    ]
    assert would == undoing.Preview(restore=9, remove=40, bring_back=0, keep=2, done=0, kept=kept)
    undone = undo(run)
    assert outcomes(undone) == {"updated": 9, "removed": 40, "skipped": 2}
    redo = undoing.preview(undone)
    assert redo == undoing.Preview(restore=9, remove=0, bring_back=40, keep=0, done=0, kept=[])


def test_a_part_that_is_done_twice_writes_once() -> None:
    import_rows(catalogue(30))
    run = import_rows(changed(catalogue(), every=2))
    undone = undoing.begin(run)
    job = work_up_to(undone, "undo")

    assert do(job).startswith("done")
    assert do(job) == "nothing to do"
    work(undone)
    assert outcomes(undone) == {"updated": 15, "removed": 30}


def test_products_are_found_by_key_where_statistics_are_of_the_emptied_catalogue() -> None:
    """A journal without statistics beside products whose statistics say that there are none: the planner had
    read each product and, for each, the journal: minutes for each part."""
    run = import_rows([row(f"A-{number:04}") for number in range(600)])
    gone = import_rows([row(f"A-{number:04}") for number in range(600)], mode="delete")
    work(undoing.begin(gone))
    job = work_up_to(undoing.begin(ImportRun.objects.latest("pk")), "undo")
    assert run
    plans = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FOR UPDATE OF p" in sql:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE pg_class SET reltuples = 1 WHERE relname = 'shop_product'")
                execute("EXPLAIN " + sql, params, many, context)
                plans.append("\n".join(line for (line,) in context["cursor"].fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        do(job)
    assert ["Index Cond: (id = ANY" in plan for plan in plans] == [True]


def test_undo_without_the_right_to_leave_triggers_out_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a database role that may not set `session_replication_role`."""
    monkeypatch.setattr(restoring, "_MAY_LEAVE_OUT", "SELECT false")
    rows = [row("A", stock="0", images="https://example.com/1.jpg"), row("B", stock="4", category="Home")]
    import_rows(rows)
    before = whole("source_hash")
    run = import_rows([*(cells | {"stock": "8", "price": "1"} for cells in rows), row("A-1", parent="A")])
    undone = undo(run)
    assert whole("source_hash") == before
    undo(undone)
    undo(ImportRun.objects.latest("pk"))
    first = ImportRun.objects.earliest("pk")
    gone = undo(first)
    assert whole() == []
    undo(gone)
    assert whole("source_hash", "opening_stock") == _without(before, "opening_stock")


def _without(table: Table, name: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg((c::jsonb - %s)::text ORDER BY n)"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS t(c, n)",
            [name, [content for _, content, *_ in table]],
        )
        [contents] = cursor.fetchone()
    return [(sku, content, *rest) for (sku, _, *rest), content in zip(table, contents, strict=True)]
