"""Preview, filter, warning, approval, pause, resume and undo of one import, by clicks alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect

from imports import sample_catalog
from tests.browser.conftest import Visit
from tests.browser.test_import_in_browser import ADD, PRICE, outcomes, page_width, upload, watch, write
from tests.stack import Stack

OLD, NEW = 4_000, 16_000
HEADER = list(sample_catalog.COLUMNS)
_CONTENT = "SELECT sku, name, price, stock, published, metadata::text, version FROM shop_product ORDER BY sku"
_AT_WORK = "SELECT count(*) FROM tasks_job WHERE state = 'running'"


def _shown(page: Page) -> dict[str, int]:
    page.reload()
    return outcomes(page)


def test_import_is_previewed_approved_paused_resumed_and_undone(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    rows = list(csv.reader(io.StringIO("".join(sample_catalog.rows(OLD + NEW)))))
    old = write(tmp_path / "old.csv", HEADER, rows[:OLD])
    for at in range(0, OLD, 10):
        rows[at][PRICE] = f"{float(rows[at][PRICE]) * 1.8:.2f}"
    page = visit(ADD)
    done = stack.manage("import_catalog", str(old), "--wait")
    assert done.returncode == 0, done.stderr
    before = stack.sql(_CONTENT)

    upload(page, write(tmp_path / "new.csv", HEADER, rows))
    page.locator(".im-sticky").get_by_role("button", name="Preview everything").click()
    expect(page.get_by_role("heading", name="Preview: nothing is written yet")).to_be_visible(timeout=60_000)
    assert stack.sql(_CONTENT) == before
    page.locator("#field-price").click()
    expect(page.locator("#field-price")).to_have_attribute("aria-current", "true")
    page.get_by_role("checkbox", name="I have seen the warning").check()
    page.get_by_role("button", name="Approve and import").click()

    page.locator("#pause").click()
    expect(page.locator("#paused")).to_be_visible()
    stack.wait_for(lambda: stack.sql(_AT_WORK) == [(0,)])
    halfway = _shown(page)
    assert 0 < halfway["pending"] < OLD + NEW
    assert (_shown(page), page_width(page)) == (halfway, 1280)

    page.locator("#resume").click()
    page.locator("#phase").wait_for()
    watch(page)
    ended = outcomes(page)
    assert (ended["created"], ended["updated"], ended.get("pending", 0)) == (NEW, OLD // 10, 0)

    page.get_by_role("link", name="Undo this import…").click()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("link", name="Redo")).to_be_visible(timeout=60_000)
    assert stack.sql(_CONTENT) == before
