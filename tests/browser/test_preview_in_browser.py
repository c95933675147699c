"""A preview, from the mapping page over its differences to the catalogue."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imports import sample_catalog
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import violations
from tests.browser.test_import_in_browser import ADD, PRICE, STOCK, outcomes, page_width, upload, watch, write
from tests.stack import Stack

ROWS = 3_000
HEADER = list(sample_catalog.COLUMNS)
CHANGED = range(0, ROWS, 10)  # their prices go up by a tenth
SOLD_OUT = range(5, ROWS, 7)  # their stock goes to zero
BROKEN = (7, 1_234)
NEW = 40

type Rows = list[list[str]]


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    """A supplier's list, and its next one."""
    rows: Rows = list(csv.reader(io.StringIO("".join(sample_catalog.rows(ROWS + NEW)))))
    first = write(tmp_path / "spring.csv", HEADER, rows[:ROWS])
    for at in CHANGED:
        rows[at][PRICE] = f"{float(rows[at][PRICE]) * 1.1:.2f}"
    for at in SOLD_OUT:
        rows[at][STOCK] = "0"
    for at in BROKEN:
        rows[at][PRICE] = "dear"
    return first, write(tmp_path / "summer.csv", HEADER, rows)


def preview(page: Page, path: Path) -> None:
    page.goto(f"/admin/{ADD}")
    upload(page, path)
    page.locator(".im-sticky").get_by_role("button", name="Preview everything").click()
    expect(page.get_by_role("heading", name="Preview: nothing is written yet")).to_be_visible(timeout=60_000)


def would(page: Page) -> dict[str, int]:
    """The headline numbers, those with rows."""
    cells = page.locator("[data-would]").evaluate_all("all => all.map(e => [e.dataset.would, e.textContent])")
    return {name: int(count.replace(",", "")) for name, count in cells if count != "0"}


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_preview_is_filtered_downloaded_approved_with_its_warning_and_watched_to_the_end(
    visit: Visit, stack: Stack, lists: tuple[Path, Path], tmp_path: Path, width: int, scheme: str
) -> None:
    page = visit(ADD, viewport={"width": width, "height": 900}, color_scheme=scheme)
    upload(page, lists[0])
    page.locator(".im-sticky").get_by_role("button", name="Import now").click()
    page.locator("#phase").wait_for()
    watch(page)

    preview(page, lists[1])
    counted = would(page)
    assert (counted["create"], counted["reject"], counted["rows"]) == (NEW, 2, ROWS + NEW)
    assert stack.sql("SELECT count(*) FROM shop_product") == [(ROWS,)]
    found = {"preview": (page_width(page), violations(page))}

    page.evaluate("window.neverReloaded = true")
    page.locator("#field-price").click()
    expect(page.locator("#field-price")).to_have_attribute("aria-current", "true")
    expect(page.locator("#field-price")).to_be_focused()
    changed = page.locator("[data-sku]").first
    expect(changed.locator("td").first).to_have_text("Price")
    expect(changed).to_contain_text("+10")
    page.locator("#later").click()
    expect(page.locator("#earlier")).to_be_visible()
    expect(page.locator("#differences-said")).to_have_text("50 of 300 products")
    page.go_back()
    expect(page.locator("#earlier")).to_have_count(0)
    assert page.evaluate("window.neverReloaded")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all as CSV").click()
    download.value.save_as(tmp_path / "differences.csv")
    lines = list(csv.DictReader((tmp_path / "differences.csv").read_text("utf-8-sig").splitlines()))
    assert len([line for line in lines if line["field"] == "price" and line["action"] == "update"]) == 300

    approve = page.get_by_role(
        "button", name=f"Approve and import {counted['create'] + counted['update']:,} rows"
    )
    approve.click()  # the browser asks for the warning first
    expect(page.get_by_role("checkbox", name="I have seen the warning")).to_be_focused()
    page.get_by_role("checkbox", name="I have seen the warning").check()
    approve.click()
    page.locator("#phase").wait_for()
    watch(page)
    assert outcomes(page)["updated"] == counted["update"]
    assert stack.sql("SELECT count(*) FROM shop_product") == [(ROWS + NEW,)]
    assert found == {name: (width, []) for name in found}


def test_preview_is_filtered_and_approved_without_javascript(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "few.csv", ["sku", "name", "price"], [["A", "Bowl", "9.50"], ["B", "Cup", "3.20"]]
    )
    page = visit(ADD, java_script_enabled=False)
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").press("Enter")
    page.locator(".im-sticky").get_by_role("button", name="Preview everything").press("Enter")
    expect(page.get_by_role("heading", name="Preview: nothing is written yet")).to_be_visible(timeout=60_000)
    page.get_by_label("SKU begins with").fill("B")
    page.get_by_role("button", name="Find").press("Enter")
    expect(page.locator("[data-sku]")).to_have_count(1)
    expect(page.locator("#show-created")).to_have_attribute("href", "?show=created&sku=B")
    page.get_by_role("button", name="Approve and import 2 rows").press("Enter")
    expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=60_000)
    assert stack.sql("SELECT count(*) FROM shop_product") == [(2,)]
