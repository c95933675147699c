"""An export, from a filtered list of products to the file on the disk of whoever asked for it."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

from imports import sample_catalog
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import FINE, seen
from tests.stack import Stack

HEADER = ",".join(sample_catalog.COLUMNS) + "\n"


def test_products_of_a_filtered_list_are_exported_and_downloaded(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(HEADER + "".join(sample_catalog.rows(1_000)))
    done = stack.manage("import_catalog", str(path), "--wait")
    assert done.returncode == 0, done.stderr
    query = (
        "SELECT sku, name, price::text FROM shop_product WHERE NOT published AND sku ^@ 'TM-K' ORDER BY sku"
    )
    listed = stack.sql(query)
    page = visit("shop/product/?published__exact=0")

    page.locator("#searchbar").fill("TM-K")
    page.locator("#searchbar").press("Enter")
    page.get_by_role("link", name="Export…").click()
    expect(page.get_by_role("heading", name=f"{len(listed)} products", exact=True)).to_be_visible()
    found = {"choose": seen(page)}
    page.get_by_role("button", name=f"Export {len(listed)} products").click()
    expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=30_000)
    found["done"] = seen(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download catalogue-1.csv").click()
    download.value.save_as(tmp_path / "export.csv")
    page.get_by_role("link", name="All exports").click()
    expect(page.get_by_role("link", name="Download", exact=True)).to_have_count(1)
    found["list"] = seen(page)

    with (tmp_path / "export.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["sku"], row["name"], row["price"]) for row in csv.DictReader(file)] == listed
    assert found == dict.fromkeys(found, FINE)
