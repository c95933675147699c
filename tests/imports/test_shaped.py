"""Files whose records a shaper turns into rows of ours: several a line, or none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest
from django.db import connection

from imports import shaping
from imports.columns import COLUMNS
from imports.models import ImportRun
from imports.shaping import Shaped
from shop.models import Product
from tests.imports.running import (
    confirm,
    do,
    import_rows,
    outcomes,
    rejected_file,
    rejections,
    set_aside,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

HEADER = "handle,sku,name,price,stock,size,image"
SHOP = (
    "shirt,shirt-S,Shirt,9,1,S,https://x.test/1",
    "shirt,shirt-M,Shirt in M,8,1,M,",
    "shirt,,,,,,https://x.test/2",
    "cap,cap,Cap,5,1,,",
    "gift,gift,Gift card,5,1,,",
)


class Grouped:
    """Records of one handle are a product; those with a size are its variants, others add an image."""

    columns = frozenset({"parent", "options", "images"})

    def __init__(self, run: ImportRun) -> None:
        self.header = run.header
        self.kept: list[tuple[int, dict[str, str]]] = []

    def shape(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> Shaped:
        records = [
            (line, dict(zip(self.header, row, strict=True))) for line, row in zip(lines, rows, strict=True)
        ]
        groups = [
            list(group) for _, group in groupby(self.kept + records, lambda record: record[1]["handle"])
        ]
        self.kept = groups.pop()
        return self.of(groups)

    def finish(self) -> Shaped:
        return self.of([self.kept])

    def of(self, groups: list[list[tuple[int, dict[str, str]]]]) -> Shaped:
        shaped = Shaped([], [], [], [], [])
        for group in groups:
            (line, lead), handle = group[0], group[0][1]["handle"]
            images = " | ".join(record["image"] for _, record in group if record["image"])
            if handle == "gift":
                shaped.rejected.append((line, "handle", "gift", "not_sold", "Gift cards can't be sold."))
            elif not lead["size"]:
                add(shaped, line, **lead, images=images)
            else:
                about = {"name": lead["name"], "price": lead["price"]}
                add(shaped, line, counts=False, sku=handle, images=images, **about)
                for number, record in group:
                    if record["size"]:
                        add(shaped, number, **record, parent=handle, options=f"Size: {record['size']}")
                    else:
                        shaped.merged.append((number, line))
        return shaped


def add(shaped: Shaped, line: int, *, counts: bool = True, **cells: str) -> None:
    shaped.lines.append(line)
    shaped.rows.append([cells.get(column.name, "") for column in COLUMNS])
    shaped.counts.append(counts)


@pytest.fixture(autouse=True)
def _shaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shaping, "shaper_of", lambda run: Grouped(run) if run.header[:1] == ["handle"] else None
    )


def file_of(*lines: str) -> str:
    return "".join(f"{line}\n" for line in (HEADER, *lines))


def families() -> dict[str, str | None]:
    return dict(Product.objects.order_by("sku").values_list("sku", "parent__sku"))


def test_each_line_has_one_outcome_however_many_products_it_makes() -> None:
    run = import_rows(file_of(*SHOP))

    assert outcomes(run) == {"created": 3, "merged": 1, "rejected": 1}
    assert (run.lines, run.rows) == (5, 5)
    assert families() == {"cap": None, "shirt": None, "shirt-M": "shirt", "shirt-S": "shirt"}
    shirt = Product.objects.get(sku="shirt")
    assert list(shirt.images.values_list("source_url", flat=True)) == ["https://x.test/1", "https://x.test/2"]
    assert values("options") == {"cap": {}, "shirt": {}, "shirt-M": {"Size": "M"}, "shirt-S": {"Size": "S"}}


def test_rejected_lines_come_back_with_the_cells_of_the_file() -> None:
    run = import_rows(file_of(*SHOP))

    assert rejected_file(run) == [
        [*HEADER.split(","), "_line", "_error"],
        ["gift", "gift", "Gift card", "5", "1", "", "", "6", "Gift cards can't be sold."],
    ]


def test_same_file_again_changes_nothing() -> None:
    import_rows(file_of(*SHOP))

    run = import_rows(file_of(*SHOP))

    assert outcomes(run) == {"unchanged": 3, "merged": 1, "rejected": 1}
    assert run.changes.count() == 0


def test_change_of_an_accompanying_product_is_journaled_but_no_outcome_of_its_line() -> None:
    import_rows(file_of(*SHOP))

    run = import_rows(file_of(SHOP[0], SHOP[1], "shirt,,,,,,https://x.test/3"))

    assert outcomes(run) == {"unchanged": 2, "merged": 1}
    assert [(change.line, list(change.after)) for change in run.changes.all()] == [(2, ["images"])]


def test_broken_variant_leaves_the_parent_that_others_need() -> None:
    run = import_rows(file_of(SHOP[0].replace(",1,", ",many,"), *SHOP[1:3]))

    assert outcomes(run) == {"created": 1, "merged": 1, "rejected": 1}
    assert rejections(run) == [(2, "stock", "not_a_number")]
    assert families() == {"shirt": None, "shirt-M": "shirt"}


def test_broken_parent_rejects_its_line_once_and_leaves_its_variants_without_one() -> None:
    run = import_rows(file_of(SHOP[0].replace(",9,", ",cheap,"), *SHOP[1:4]))

    assert outcomes(run) == {"created": 1, "rejected": 3}
    assert rejections(run) == [
        (2, "price", "not_a_price"),
        (3, "parent", "no_parent"),
        (4, "", "lead_rejected"),
    ]
    assert (run.rejected_rows.get(line=2).more, families()) == ([], {"cap": None})


def test_parent_that_lacks_what_a_new_product_needs_rejects_its_line() -> None:
    import_rows("sku,name,price\nshirt-S,Shirt,9\n")

    run = import_rows(file_of(SHOP[0].replace(",9,", ",,"), *SHOP[3:4]))

    assert (outcomes(run), rejections(run)) == (
        {"created": 1, "rejected": 1},
        [(2, "price", "missing_price")],
    )
    assert families() == {"cap": None, "shirt-S": None}


def test_row_that_postgresql_refuses_rejects_its_line_once() -> None:
    run = import_rows(file_of(*SHOP), constants={"metadata": '{"a": 1e-99999}'})

    assert (run.state, outcomes(run)) == ("completed", {"rejected": 5})
    assert Product.objects.count() == 0


def test_group_that_comes_twice_supersedes_only_lines_that_count() -> None:
    run = import_rows(file_of(*SHOP[:2], SHOP[3], "shirt,shirt-S,Other,9,1,S,"))

    assert outcomes(run) == {"created": 3, "superseded": 1}
    assert set_aside(run) == [(2, "superseded", "Line 5 has the same SKU and comes later.")]
    assert values("name")["shirt"] == "Other"


def test_superseded_companion_is_no_outcome_of_its_line() -> None:
    run = import_rows(file_of(SHOP[0], SHOP[3], "shirt,shirt-M,Other,8,1,M,"))

    assert (outcomes(run), set_aside(run)) == ({"created": 3}, [])
    assert (values("name")["shirt"], families()["shirt-S"]) == ("Other", "shirt")


def test_lines_that_make_a_product_together_are_not_recognised_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Grouped, "columns", frozenset({"options"}))
    import_rows(file_of(*SHOP), mapping={"sku": 1, "name": 2, "price": 3})

    run = import_rows(file_of(*SHOP), mapping={"sku": 1, "name": 2, "price": 3})

    assert outcomes(run) == {"unchanged": 3, "merged": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("create", {"created": 1, "skipped": 1, "merged": 1}),
        ("update", {"updated": 1, "skipped": 1, "merged": 1}),
    ],
)
def test_modes_count_lines(mode: str, expected: dict[str, int]) -> None:
    import_rows(file_of(SHOP[0]))

    run = import_rows(file_of(SHOP[0].replace(",1,", ",4,"), *SHOP[1:3]), mode=mode)

    assert outcomes(run) == expected


@pytest.mark.parametrize("mode", ["create", "upsert"])
def test_modes_count_lines_that_change_nothing(mode: str) -> None:
    import_rows(file_of(*SHOP))

    run = import_rows(file_of(*SHOP), mode=mode)

    outcome = "skipped" if mode == "create" else "unchanged"
    assert outcomes(run) == {outcome: 3, "merged": 1, "rejected": 1}
    assert set_aside(run) == [
        (line, "skipped", "The product exists already, and this import only creates new ones.")
        for line in (2, 3, 5)
        if mode == "create"
    ]


def test_unknown_columns_are_kept_with_the_product_that_counts() -> None:
    import_rows(file_of(*SHOP[:2]), keep_unknown=True)

    assert values("metadata") == {
        "shirt": {},
        "shirt-S": {"handle": "shirt", "size": "S"},
        "shirt-M": {"handle": "shirt", "size": "M"},
    }


def test_crash_during_the_load_counts_no_line_twice(settings: Any) -> None:
    import_rows(file_of(*SHOP[:3]))
    settings.IMPORT_RANGE_ROWS = 1
    changed = [f"shirt,shirt-{n},Shirt {n},9,{n},{n},https://x.test/{n}" for n in range(9)]
    run = confirm(file_of(SHOP[0], *SHOP[1:3], *changed, *SHOP[3:]))
    do(work_up_to(run, "load"))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert (run.state, run.error) == ("completed", "")
    assert outcomes(run) == {"created": 10, "unchanged": 2, "merged": 1, "rejected": 1}


def test_deleted_parent_of_an_update_rejects_its_line_once() -> None:
    import_rows(file_of(*SHOP))
    text = "handle,sku,stock,size,name,price,image\nshirt,shirt-S,4,S,,,\ncap,cap,4,,,,\n"
    run = confirm(text)
    work_up_to(run, "load")
    Product.objects.filter(sku="shirt").delete()

    work(run)

    assert (outcomes(run), rejections(run)) == ({"updated": 1, "rejected": 1}, [(2, "parent", "no_parent")])


def test_broken_companion_takes_its_sound_line_with_it() -> None:
    run = import_rows(file_of(SHOP[0].replace("https:", "ftp:"), *SHOP[1:2], SHOP[3]))

    assert outcomes(run) == {"created": 1, "rejected": 2}
    assert rejections(run) == [(2, "image", "not_an_address"), (3, "parent", "no_parent")]


def test_errors_of_all_rows_of_a_line_are_told_once_each() -> None:
    run = import_rows(file_of("shirt,shirt-S,Shirt,cheap,many,S,ftp://x"))

    rejected = run.rejected_rows.get()
    assert [rejected.code, *(code for _, _, code, _ in rejected.more)] == [
        "not_a_price",
        "not_an_address",
        "not_a_number",
    ]


def test_row_that_postgresql_refuses_takes_its_companion_with_it() -> None:
    text = f'{HEADER},metadata\n{SHOP[0]},"{{""a"": 1e-99999}}"\n{SHOP[3]},\n'
    run = import_rows(text)

    assert (outcomes(run), families()) == ({"created": 1, "rejected": 1}, {"cap": None})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ((SHOP[0].replace(",1,", ",4,"), *SHOP[1:3]), {"updated": 1, "unchanged": 1, "merged": 1}),
        ((*SHOP[:2], "shirt,,,,,,https://x.test/3"), {"unchanged": 2, "merged": 1}),
    ],
)
def test_crash_tells_a_line_from_what_accompanies_it(
    changed: tuple[str, ...], expected: dict[str, int]
) -> None:
    import_rows(file_of(*SHOP))
    run = confirm(file_of(*changed))
    work_up_to(run, "load")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert (run.state, outcomes(run), run.changes.count()) == ("completed", expected, 1)
