"""The pages of imports in both colour schemes and widths, checked by axe-core."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.imports.running import csv_of, row
from tests.stack import Stack

ADD = "imports/importrun/add/"
_AXE = Axe().axe_script
_LOOK = """async within => {
    const { violations } = await axe.run(within || document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""
# With all that a page may have to tell: lines left out, cells that would be rejected, columns of one name.
LINES = """Supplier list
sku;name;price;price;;stock
A;Bowl;12,50 €;x;y;2
D;Mug;12,50 €;x;y;1.250
B;Cup;2,50 €;x;y;3
C;Jug;dear;x;y;3
A;Bowl;2,50 €;x;y;4
Total;;17,50 €
"""
VIEWS = [(1400, "light"), (390, "dark")]
ALL_VIEWS = [(1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")]
FINE = [(width, list[str]()) for width, _ in VIEWS]


def violations(page: Page, within: str | None = None) -> list[str]:
    """What axe finds on the page, or only in what the selector `within` finds."""
    if not page.evaluate("'axe' in window"):  # it takes as long to come in as to look
        page.evaluate(_AXE)
    return list(page.evaluate(_LOOK, within))


def seen(
    page: Page, within: str | None = None, views: list[tuple[int, str]] = VIEWS
) -> list[tuple[int, list[str]]]:
    """How wide the page comes out and what axe finds, on a light desktop, on a dark phone or as `views`."""
    found = []
    for width, scheme in views:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.reload()  # the admin asks for the scheme once
        found.append((page.evaluate("document.documentElement.scrollWidth"), violations(page, within)))
    return found


def test_pages_of_imports_have_no_violation(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LINES)
    page = visit(ADD)
    found = {"upload": seen(page, views=ALL_VIEWS)}
    for name in ("confirm", "confirm again"):
        page.goto(f"/admin/{ADD}")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Upload the file").click()
        expect(page.get_by_role("heading", name="Columns", exact=True)).to_be_visible()
        found[name] = seen(page, views=ALL_VIEWS)
        page.locator(".im-sticky").get_by_role("button", name="Import now").click()
        expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=60_000)
    found["result"] = seen(page, views=ALL_VIEWS)
    page.locator(".im-outcomes").get_by_role("link", name="list").click()
    expect(page.locator("#rows")).to_be_visible()
    found["set aside"] = seen(page, views=ALL_VIEWS)
    page.goto(f"/admin/{ADD}")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").click()
    page.locator(".im-sticky").get_by_role("button", name="Preview everything").click()
    expect(page.get_by_role("heading", name="Differences")).to_be_visible(timeout=60_000)
    found["preview"] = seen(page, views=ALL_VIEWS)
    assert found == {name: [(width, []) for width, _ in ALL_VIEWS] for name in found}


def test_pages_about_what_became_of_an_import_have_no_violation(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(csv_of([row(f"SKU-{number:02}") for number in range(40)]))
    done = stack.manage("import_catalog", str(path), "--wait")
    assert done.returncode == 0, done.stderr
    stack.sql("UPDATE shop_product SET price = 1, stock = stock + 2 WHERE sku = 'SKU-03'")
    page = visit("imports/importrun/1/change/")

    page.get_by_role("link", name="Undo this import…").click()
    expect(page.get_by_role("row", name="39 are taken out of the catalogue")).to_be_visible()
    found = {"undo": seen(page)}
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("link", name="Redo")).to_be_visible(timeout=30_000)
    found["undone"] = seen(page)
    page.locator('tr:has([data-outcome="kept"])').get_by_role("link", name="list").click()
    expect(page.get_by_role("row", name="SKU-03")).to_be_visible()
    found["kept"] = seen(page)
    page.goto("/admin/imports/importrun/")
    expect(page.get_by_role("link", name="Undo 2: list.csv")).to_be_visible()
    found["history"] = seen(page)
    page.goto("/admin/shop/product/?q=SKU-03")
    found["products"] = seen(page)
    page.get_by_role("link", name="Name of SKU-03").click()
    expect(page.get_by_role("heading", name="Changes by imports and staff")).to_be_visible()
    found["product"] = seen(page, ".tally-panel, .tally-ledger")  # the form around them is not ours
    assert found == dict.fromkeys(found, FINE)


def test_pages_of_an_import_that_is_stopped_have_no_violation(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(csv_of([row(f"SKU-{number:02}") for number in range(40)]))
    page = visit(ADD)
    stack.processes[0].kill()  # the worker: so everything stays as it is looked at
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").click()
    page.locator(".im-sticky").get_by_role("button", name="Import now").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    found = {"at work": seen(page)}
    page.locator("#pause").click()
    expect(page.locator("#paused")).to_be_visible()
    found["paused"] = seen(page)
    page.locator("#cancel").click()
    expect(page.get_by_role("heading", name="Cancel the import of list.csv?")).to_be_visible()
    found["cancel"] = seen(page)
    page.get_by_role("button", name="Cancel this import").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    found["cancelled"] = seen(page)
    assert found == dict.fromkeys(found, FINE)
