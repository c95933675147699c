"""Undo and redo of an import as staff click through them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.imports.running import csv_of, row
from tests.stack import Stack


def _shot(page: Page, name: str) -> None:
    """A picture for people to look at, where a folder for them is given."""
    if folder := os.environ.get("TALLYMAN_SCREENSHOTS"):
        for width in (1400, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 720})


def test_import_is_undone_and_redone_by_a_click_and_a_confirmation(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text(csv_of([row(f"SKU-{number:02}") for number in range(40)]))
    done = stack.manage("import_catalog", str(path), "--wait")
    assert done.returncode == 0, done.stderr
    stack.sql("UPDATE shop_product SET price = 1 WHERE sku IN ('SKU-03', 'SKU-07')")
    page = visit("imports/importrun/1/change/")
    _shot(page, "import")

    page.get_by_role("link", name="Undo this import…").click()
    expect(page.get_by_role("row", name="38 are taken out of the catalogue")).to_be_visible()
    expect(page.get_by_role("row", name="SKU-03 It was edited since.")).to_be_visible()
    _shot(page, "undo")
    page.get_by_role("button", name="Undo this import").click()
    expect(page.locator('[data-outcome="removed"]')).to_have_text("38", timeout=30_000)
    expect(page.get_by_role("link", name="Redo")).to_be_visible(timeout=30_000)
    _shot(page, "undone")
    page.locator('tr:has([data-outcome="kept"])').get_by_role("link", name="list").click()
    expect(page.get_by_role("row", name="SKU-07 It was edited since.")).to_be_visible()
    _shot(page, "kept")
    page.go_back()

    page.get_by_role("link", name="Redo").click()
    page.get_by_role("button", name="Redo").click()
    expect(page.locator('[data-outcome="brought back"]')).to_have_text("38", timeout=30_000)
    assert stack.sql("SELECT count(*) FROM shop_product") == [(40,)]
