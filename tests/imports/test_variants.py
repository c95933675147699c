"""Variants under their parents, through the whole pipeline."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from shop.models import Product
from tests.imports.running import (
    confirm,
    csv_of,
    do,
    due_jobs,
    import_rows,
    outcomes,
    rejected_file,
    rejections,
    row,
    set_aside,
    staging_tables,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db


def variant(sku: str, parent: str, options: str = "", **cells: str) -> dict[str, str]:
    return row(sku, parent=parent, options=options or f"Number: {sku}", **cells)


def shirt(*sizes: str) -> list[dict[str, str]]:
    return [row("shirt"), *(variant(f"shirt-{size}", "shirt", f"Size: {size}") for size in sizes)]


def families() -> dict[str, tuple[str | None, dict[str, str]]]:
    """(the parent's SKU, options) of each product by SKU."""
    listed = Product.objects.order_by("sku").values_list("sku", "parent__sku", "options")
    return {sku: (parent, options) for sku, parent, options in listed}


def test_variants_come_under_their_parent_with_their_options() -> None:
    run = import_rows([row("shirt"), variant("shirt-M", "shirt", "Colour: red | Size: M")])

    assert outcomes(run) == {"created": 2}
    assert families() == {"shirt": (None, {}), "shirt-M": ("shirt", {"Colour": "red", "Size": "M"})}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("pick", [0, -1])
def test_order_of_lines_and_of_jobs_does_not_matter(order: int, pick: int, settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 100, 3
    rows = [row(f"P{n:02}") for n in range(12)]
    rows += [variant(f"{kind}{n:02}", f"P{n:02}") for kind in "AZ" for n in range(12)]

    run = work(confirm(rows[::order]), choose=lambda jobs: jobs[pick])

    assert (run.state, outcomes(run), run.chunks_total > 10) == ("completed", {"created": 36}, True)
    assert run.ranges_done == run.ranges_total > 6
    assert [parent for parent, _ in families().values()] == [
        *(f"P{n:02}" for n in range(12)),
        *[None] * 12,
        *(f"P{n:02}" for n in range(12)),
    ]


def test_variant_is_loaded_after_all_parents_of_the_file(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 2
    run = confirm([variant("A", "Z"), *(row(sku) for sku in "VWXYZ")])
    job = work_up_to(run, "load")
    seen = []
    while job.kind == "imports.load":
        seen.append((job.payload["variants"], Product.objects.count()))
        do(job)
        [job, *_] = due_jobs()

    assert seen[-1] == (True, 5)
    assert [variants for variants, _ in seen].count(True) == 1


def test_file_of_variants_alone_finds_their_parents_in_the_catalogue() -> None:
    import_rows([row("shirt")])

    run = import_rows([variant("shirt-M", "shirt", "Size: M")])

    assert (outcomes(run), families()["shirt-M"]) == ({"created": 1}, ("shirt", {"Size": "M"}))


@pytest.mark.parametrize("mode", ["upsert", "update"])
def test_same_file_again_changes_nothing(mode: str) -> None:
    rows = [
        row("shirt", images="https://x.test/1.jpg"),
        variant("shirt-M", "shirt", images="https://x.test/2.jpg"),
    ]
    import_rows(rows)

    run = import_rows(rows, mode=mode)

    assert (outcomes(run), run.changes.count()) == ({"unchanged": 2}, 0)


def test_changed_options_and_parent_are_updated_and_journaled() -> None:
    import_rows([row("shirt"), row("coat"), variant("M", "shirt", "Size: M")])
    pks = values("pk")

    run = import_rows([row("shirt"), row("coat"), variant("M", "coat", "Size: medium")])

    assert (outcomes(run), families()["M"]) == ({"updated": 1, "unchanged": 2}, ("coat", {"Size": "medium"}))
    change = run.changes.get()
    assert change.before == {"options": {"Size": "M"}, "parent_id": str(pks["shirt"])}
    assert change.after == {"options": {"Size": "medium"}, "parent_id": str(pks["coat"])}


def test_blank_parent_and_options_keep_what_is_there() -> None:
    import_rows(shirt("M"))

    run = import_rows("sku,price,parent,options\nshirt-M,7,,\n")

    assert outcomes(run) == {"updated": 1}
    assert families()["shirt-M"] == ("shirt", {"Size": "M"})


@pytest.mark.parametrize(("cell", "policy"), [("__clear__", "keep"), ("", "clear")])
def test_cleared_parent_makes_a_product_of_its_own(cell: str, policy: str) -> None:
    import_rows(shirt("M"))

    run = import_rows(f"sku,parent,options\nshirt-M,{cell},{cell}\n", blank=policy)

    assert (outcomes(run), families()["shirt-M"]) == ({"updated": 1}, (None, {}))


def test_former_variant_may_get_variants_in_the_same_file() -> None:
    import_rows(shirt("M"))

    run = import_rows("sku,parent,name,price\nshirt-M,__clear__,,\nshirt-M-red,shirt-M,Red,1\n")

    assert outcomes(run) == {"created": 1, "updated": 1}
    assert families()["shirt-M-red"][0] == "shirt-M"


def test_variant_without_a_parent_is_rejected_and_harms_no_other() -> None:
    run = import_rows([row("shirt"), variant("lost", "coat"), variant("shirt-M", "shirt")])

    assert (outcomes(run), rejections(run)) == ({"created": 2, "rejected": 1}, [(3, "parent", "no_parent")])
    rejected = run.rejected_rows.get()
    assert (rejected.value, rejected.message) == (
        "coat",
        "“coat” is not there for this to be a variant of: no product has that SKU, and no sound row of the"
        " file makes one. Add or mend its row, or correct the parent's SKU.",
    )


def test_variant_of_a_rejected_row_comes_with_it_in_the_file_to_mend() -> None:
    rows = [row("shirt", price="dear"), variant("shirt-M", "shirt", "Size: M")]

    run = import_rows(rows)

    assert rejections(run) == [(2, "price", "not_a_price"), (3, "parent", "no_parent")]
    mended = csv_of_cells(rejected_file(run)).replace("dear", "9")
    assert outcomes(import_rows(mended)) == {"created": 2}
    assert families()["shirt-M"] == ("shirt", {"Size": "M"})


def csv_of_cells(rows: list[list[str]]) -> str:
    return csv_of([dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]], rows[0])


@pytest.mark.parametrize("order", [1, -1])
def test_variant_of_a_variant_of_the_file_is_rejected(order: int, settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    rows = [variant("A", "M"), row("shirt"), variant("M", "shirt"), variant("Z", "M")]

    run = import_rows(rows[::order])

    lines = [2, 5]
    assert outcomes(run) == {"created": 2, "rejected": 2}
    assert rejections(run) == [(line, "parent", "nested_variant") for line in lines]
    assert run.rejected_rows.first().message == (  # type: ignore[union-attr]
        "“M” is a variant itself and can't have variants. Write the product that it is a variant of."
    )


def test_variant_of_a_variant_of_the_catalogue_is_rejected() -> None:
    import_rows(shirt("M"))

    run = import_rows([row("shirt-M"), variant("A", "shirt-M")])

    assert rejections(run) == [(3, "parent", "nested_variant")]
    assert list(families()) == ["shirt", "shirt-M"]


def test_product_with_variants_can_become_none() -> None:
    import_rows([*shirt("M"), row("coat")])

    run = import_rows("sku,parent\nshirt,coat\n")

    assert rejections(run) == [(2, "parent", "nested_variant")]
    assert run.rejected_rows.get().message == (
        "“shirt” has variants of its own, so it can't become a variant. Give those another parent first."
    )


def test_row_that_names_itself_as_its_parent_is_rejected() -> None:
    run = import_rows([variant("A", "A"), variant("B", "B", price="x"), row("C")])

    assert outcomes(run) == {"created": 1, "rejected": 2}
    assert rejections(run) == [(2, "parent", "own_parent"), (3, "price", "not_a_price")]
    assert [code for _, _, code, _ in run.rejected_rows.get(line=3).more] == ["own_parent"]


def test_parent_deleted_before_its_variants_are_loaded_rejects_them(settings: Any) -> None:
    run = confirm(shirt("M"))
    do(work_up_to(run, "load"))
    Product.objects.all().delete()

    work(run)

    assert (outcomes(run), rejections(run)) == ({"created": 1, "rejected": 1}, [(3, "parent", "no_parent")])


def test_update_only_takes_known_variants_and_skips_new_ones() -> None:
    import_rows([*shirt("M"), row("coat")])

    rows = [variant("shirt-M", "coat"), variant("shirt-L", "shirt"), variant("new", "nowhere")]
    run = import_rows(rows, mode="update")

    assert (outcomes(run), families()["shirt-M"][0]) == ({"updated": 1, "skipped": 2}, "coat")


def test_create_only_leaves_known_variants_alone() -> None:
    import_rows(shirt("M"))

    rows = [variant("shirt-M", "nowhere"), variant("shirt-L", "shirt"), variant("new", "nowhere")]
    run = import_rows(rows, mode="create")

    assert outcomes(run) == {"created": 1, "skipped": 1, "rejected": 1}
    assert rejections(run) == [(4, "parent", "no_parent")]
    assert families()["shirt-M"] == ("shirt", {"Size": "M"})


def test_later_line_of_a_variant_wins() -> None:
    run = import_rows([row("shirt"), variant("M", "nowhere"), variant("M", "shirt", "Size: M")])

    assert outcomes(run) == {"created": 2, "superseded": 1}
    assert set_aside(run) == [(3, "superseded", "Line 4 has the same SKU and comes later.")]


@pytest.mark.parametrize(
    ("rows", "rejected", "superseded", "expected"),
    [
        # The later line has no parent; where the earlier one has none either, each is rejected by itself.
        ([row("A"), variant("A", "nowhere")], [3], [], {"A": None}),
        ([variant("A", "S"), variant("A", "nowhere")], [3], [], {"A": "S"}),
        ([variant("A", "lost"), variant("A", "nowhere")], [2, 3], [], {}),
        ([row("A"), variant("A", "S"), variant("A", "nowhere")], [4], [2], {"A": "S"}),
        ([row("A"), variant("A", "nowhere"), variant("A", "S")], [], [2, 3], {"A": "S"}),
        # Its parent is a variant: by the file, or in the catalogue unless the file makes it none.
        ([row("A"), variant("A", "B"), variant("B", "S")], [3], [], {"A": None, "B": "S"}),
        ([row("A"), variant("A", "S-M")], [3], [], {"A": None}),
        ([row("A"), variant("A", "S-M"), row("S-M", parent="__clear__")], [], [2], {"A": "S-M", "S-M": None}),
        # It has variants itself.
        ([row("S"), variant("S", "T")], [3], [], {}),
        # Its parent's later line is rejected first, or stands and makes it a variant of a variant.
        (
            [row("A"), variant("A", "B"), row("B"), variant("B", "nowhere")],
            [5],
            [2],
            {"A": "B", "B": None},
        ),
        ([row("A"), variant("A", "B"), row("B"), variant("B", "S")], [3], [4], {"A": None, "B": "S"}),
        # In a circle, nobody's later line is known to stand before the load.
        ([row("A"), variant("A", "B"), row("B"), variant("B", "A")], [3, 5], [2, 4], {}),
    ],
)
def test_later_line_that_can_be_no_variant_supersedes_nothing(
    rows: list[dict[str, str]], rejected: list[int], superseded: list[int], expected: dict[str, str | None]
) -> None:
    import_rows([row("S"), variant("S-M", "S"), row("T")])

    run = import_rows(rows)

    assert [line for line, _, _ in rejections(run)] == rejected
    assert [line for line, _, _ in set_aside(run)] == superseded
    before = {"S": None, "S-M": "S", "T": None}
    assert {sku: parent for sku, (parent, _) in families().items()} == before | expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        # New products come in one mode only, so a parent that the file has is none in the other.
        ("create", {"created": 2, "skipped": 1, "superseded": 2}),
        ("update", {"updated": 1, "skipped": 2, "rejected": 1, "superseded": 1}),
    ],
)
def test_later_line_is_judged_by_what_the_mode_lets_in(mode: str, expected: dict[str, int]) -> None:
    import_rows([row("known")])
    rows = [row("known", price="2"), variant("known", "new"), row("new"), row("A"), variant("A", "new")]

    run = import_rows(rows, mode=mode)

    assert outcomes(run) == expected


def test_crash_brings_back_no_line_that_was_rejected_or_superseded(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    run = confirm([row("A"), variant("A", "B"), variant("A", "nowhere"), row("B")])
    do(work_up_to(run, "load"))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert (run.state, outcomes(run)) == ("completed", {"created": 2, "superseded": 1, "rejected": 1})
    assert families()["A"][0] == "B"


@pytest.mark.parametrize("emptied", [False, True])
def test_crash_changes_no_reason_why_a_row_of_a_rejected_parent_is_rejected(
    emptied: bool, settings: Any
) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    run = confirm([variant("A", "nowhere"), variant("B", "A"), row("C"), variant("C", "nowhere")])
    while not rejections(run)[1:]:
        do(work_up_to(run, "load"))
    if emptied:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert rejections(run) == [
        (2, "parent", "no_parent"),
        (3, "parent", "nested_variant"),
        (5, "parent", "no_parent"),
    ]
    assert outcomes(run) == {"created": 1, "rejected": 3}


def test_product_keeps_the_slug_that_its_variants_would_have_too() -> None:
    import_rows([variant("M", "P", name="Shirt"), row("P", name="Shirt"), variant("L", "P", name="Shirt")])

    assert values("slug") == {"L": "shirt--l", "M": "shirt--m", "P": "shirt"}


def test_crash_during_the_load_of_variants_changes_nothing(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 100, 4
    rows = [variant(f"V{n:02}", f"P{n % 3}", name="Same", images="https://x.test/a") for n in range(12)]
    rows += [row(f"P{n}", name="Same") for n in range(3)] + [variant("lost", "nowhere")]
    run = confirm(rows)
    for _ in range(3):
        do(work_up_to(run, "load"))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert (run.state, outcomes(run)) == ("completed", {"created": 15, "rejected": 1})
    assert {sku: parent for sku, (parent, _) in families().items()} == {
        "P0": None, "P1": None, "P2": None, **{f"V{n:02}": f"P{n % 3}" for n in range(12)}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("A")], set()),
        (shirt("M"), {"parent", "options"}),
        ([row("A", images="https://x.test/a")], {"images"}),
    ],
)
def test_only_imports_that_need_them_stage_further_columns(rows: Any, expected: set[str]) -> None:
    run = confirm(rows)
    work_up_to(run, "check")

    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, staging_tables(run)[0])
    assert {column.name for column in described} & {"parent", "options", "images", "counts"} == expected


# Images


def pictures(sku: str = "A") -> list[tuple[str, str, int]]:
    """(address, file, position) of a product's images in their order."""
    return list(
        Product.objects.get(sku=sku).images.values_list("source_url", "file", "position")  # type: ignore[misc]
    )


def addresses(*names: str) -> str:
    return " | ".join(f"https://x.test/{name}" for name in names)


def at(*names: str) -> list[tuple[str, str, int]]:
    return [(f"https://x.test/{name}", "", position) for position, name in enumerate(names)]


def test_images_are_stored_as_addresses_in_their_order() -> None:
    run = import_rows([row("A", images=addresses("2", "1")), row("B")])

    assert (outcomes(run), pictures(), pictures("B")) == ({"created": 2}, at("2", "1"), [])


@pytest.mark.parametrize("names", [("1", "2", "3"), ("2", "1"), ("2",), ("4", "2")])
def test_changed_images_replace_those_that_came_from_addresses(names: tuple[str, ...]) -> None:
    import_rows([row("A", images=addresses("1", "2"))])
    known = {image.source_url: image.pk for image in Product.objects.get().images.all()}
    Product.objects.get().images.create(file="mine.jpg", position=9)

    run = import_rows([row("A", images=addresses(*names))])

    assert (outcomes(run), pictures()) == ({"updated": 1}, [*at(*names), ("", "mine.jpg", 9)])
    kept = {image.source_url: image.pk for image in Product.objects.get().images.exclude(source_url="")}
    assert {url: pk for url, pk in kept.items() if url in known} == {
        url: pk for url, pk in known.items() if url in kept
    }
    change = run.changes.get()
    assert change.before["images"] == [url for url, _, _ in at("1", "2")]
    assert change.after["images"] == [url for url, _, _ in at(*names)]


def test_image_and_price_changed_are_one_journaled_change() -> None:
    import_rows([row("A", price="1", images=addresses("1"))])

    run = import_rows([row("A", price="2", images=addresses("2"))])

    assert outcomes(run) == {"updated": 1}
    assert run.changes.get().after == {"price": 2, "images": ["https://x.test/2"]}


def test_image_removed_by_staff_comes_back_with_the_file() -> None:
    import_rows([row("A", images=addresses("1", "2"))])
    Product.objects.get().images.filter(position=0).delete()

    run = import_rows([row("A", images=addresses("1", "2"))])

    assert (outcomes(run), pictures()) == ({"updated": 1}, at("1", "2"))


def test_address_that_a_product_has_twice_is_left_once() -> None:
    import_rows([row("A", images=addresses("1", "2"))])
    Product.objects.get().images.create(source_url="https://x.test/1", position=5)

    run = import_rows([row("A", images=addresses("1", "2", "1"))])

    assert (outcomes(run), pictures()) == ({"updated": 1}, at("1", "2"))


@pytest.mark.parametrize(("cell", "policy"), [("__clear__", "keep"), ("", "clear")])
def test_cleared_images_leave_uploaded_files(cell: str, policy: str) -> None:
    import_rows([row("A", images=addresses("1"))])
    Product.objects.get().images.create(file="mine.jpg", position=1)

    import_rows([row("A", images=cell)], blank=policy)

    assert pictures() == [("", "mine.jpg", 1)]


def test_blank_images_keep_what_is_there() -> None:
    import_rows([row("A", images=addresses("1")), row("B", images=addresses("1"))])

    run = import_rows([row("A", images="", price="3"), row("B", images=addresses("2"))])

    assert (outcomes(run), pictures(), pictures("B")) == ({"updated": 2}, at("1"), at("2"))


def test_staff_edit_of_the_images_is_seen_in_a_line_that_the_file_repeats() -> None:
    import_rows([row("A", images=addresses("1")), row("B", images=addresses("1"))])
    Product.objects.get(sku="A").images.update(source_url="https://x.test/mine")

    run = import_rows([row("A", images=addresses("1")), row("B", images=addresses("1"))])

    assert (outcomes(run), pictures()) == ({"updated": 1, "unchanged": 1}, at("1"))


def test_images_of_products_that_the_mode_leaves_out_stay() -> None:
    import_rows([row("A", images=addresses("1"))])

    run = import_rows([row("A", images=addresses("2")), row("B", images=addresses("3"))], mode="create")

    assert (outcomes(run), pictures(), pictures("B")) == ({"created": 1, "skipped": 1}, at("1"), at("3"))
