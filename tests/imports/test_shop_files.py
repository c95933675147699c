"""Files of other shops through the whole pipeline: wherever chunks end, each line comes to the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection

from imports import pipeline, receiving, references
from imports.models import ImportRun
from shop.models import Product
from tests.imports.running import (
    confirm,
    do,
    due_jobs,
    import_rows,
    outcomes,
    receive,
    rejections,
    work,
    work_up_to,
)
from tests.imports.shaped_files import fixture
from tests.imports.test_shaping import SHOPIFY, WOO

pytestmark = pytest.mark.django_db


def families() -> dict[str, tuple[str | None, dict[str, str], str]]:
    """(the parent's SKU, options, price) of each product by SKU."""
    found = Product.objects.values_list("sku", "parent__sku", "options", "price")
    return {sku: (parent, options, str(price)) for sku, parent, options, price in found}


def tables(run: ImportRun) -> set[str]:
    return {references.table_of(run)} & set(connection.introspection.table_names())


@pytest.mark.parametrize(
    ("name", "expected", "count"),
    [
        ("shopify", {"created": 4, "merged": 1}, 5),
        ("woocommerce", {"created": 4, "rejected": 4}, 4),
        ("medusa", {"created": 3}, 4),
        ("magento2", {"created": 4, "rejected": 3}, 4),
        ("prestashop", {"created": 4}, 4),
        ("spree", {"created": 4}, 4),
        ("vendure", {"created": 3}, 4),
        ("tallyman", {"created": 2}, 2),
    ],
)
def test_export_lands_with_no_mapping_and_is_unchanged_when_it_comes_again(
    name: str, expected: dict[str, int], count: int
) -> None:
    run = import_rows(fixture(name))
    again = import_rows(fixture(name))

    assert (run.profile, outcomes(run), Product.objects.count()) == (name, expected, count)
    assert outcomes(again) == {"unchanged": expected.pop("created"), **expected}


def test_groups_stay_whole_wherever_chunks_end(settings: Any) -> None:
    rows = [
        f"p-{product},{'' if size else 'Product'},{'' if size else 'Size'},{size},,{5 + size},,true\n"
        for product in range(60)
        for size in range(4)
    ]
    settings.IMPORT_CHUNK_BYTES = 300
    run = import_rows(SHOPIFY + "".join(rows))

    assert run.chunks_total > 10
    assert (outcomes(run), Product.objects.count()) == ({"created": 240}, 300)
    assert families()["p-59:3"] == ("p-59", {"Size": "3"}, "8.00")
    assert families()["p-59"] == (None, {}, "5.00")


def test_parent_is_found_by_id_in_another_chunk(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES = 200
    variants = [
        f"{number},variation,V-{number},V,1,{number},id:7,Colour,C{number}\n" for number in range(20, 60)
    ]
    run = import_rows(WOO + "".join([*variants, "7,variable,COAT,Coat,1,,,,\n"]))

    assert run.chunks_total > 5
    assert (outcomes(run), families()["COAT"]) == ({"created": 41}, (None, {}, "20.00"))
    assert {parent for sku, (parent, *_) in families().items() if sku != "COAT"} == {"COAT"}
    assert tables(run) == set()


def test_references_of_a_plan_that_is_done_twice_are_not_doubled() -> None:
    run = confirm(WOO + "7,variable,COAT,Coat,1,,,,\n8,variation,V,V,1,9,id:7,Colour,Red\n")
    references.collect(run, [("id:7", "OLD")])
    references.collect(run, [("id:7", "COAT"), ("price:id:7", "9")])

    assert references.finder(run)(["id:7", "id:8"]) == {"id:7": ["COAT"]}


def test_cancelled_import_leaves_no_references() -> None:
    run = pipeline.confirm(run=receive(fixture("woocommerce")))
    work_up_to(run, "stage")
    assert tables(run) == {references.table_of(run)}
    work(pipeline.cancel(run=run))
    assert tables(run) == set()


def test_import_cancelled_while_its_references_are_read_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    run = confirm(fixture("woocommerce"))
    plan = work_up_to(run, "plan")
    collect = references.collect

    def collect_late(run: ImportRun, notes: Iterable[tuple[str, str]]) -> None:
        work(pipeline.cancel(run=ImportRun.objects.get(pk=run.pk)))
        collect(run, notes)

    monkeypatch.setattr(references, "collect", collect_late)
    do(plan)

    plan.refresh_from_db()
    assert (plan.state, tables(run)) == ("cancelled", set())
    assert due_jobs() == []


def test_profile_can_be_declined_and_chosen() -> None:
    run = receive(fixture("shopify"))
    receiving.choose_profile(run, "")
    assert (run.profile, run.mapping["sku"]) == ("", run.header.index("Variant SKU"))

    receiving.choose_profile(run, "spree")
    assert (run.profile, "price" in run.mapping) == ("spree", False)
    with pytest.raises(ValueError, match="no profile “ebay”"):
        receiving.choose_profile(run, "ebay")


def test_export_without_a_column_of_skus_gets_made_ones() -> None:
    run = import_rows("Handle,Title,Option1 Name,Option1 Value,Variant Price\ncup,Cup,Size,S,9\ncup,,,M,8\n")

    assert outcomes(run) == {"created": 2}
    assert set(families()) == {"cup", "cup:s", "cup:m"}


def test_declined_profile_takes_each_row_for_a_product() -> None:
    run = receive("ID,Type,SKU,Name,Published,Regular price,Parent\n1,grouped,A,A,1,5,\n")
    receiving.choose_profile(run, "")
    run.save()
    run = work(pipeline.confirm(run=run))
    assert (outcomes(run), rejections(run)) == ({"created": 1}, [])
