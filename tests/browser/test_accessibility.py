"""The pages of imports in both colour schemes and widths, checked by axe-core."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

ADD = "imports/importrun/add/"
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


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")]
)
def test_pages_of_imports_have_no_violation(visit: Visit, tmp_path: Path, width: int, scheme: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LINES)
    page = visit(ADD, viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = {"upload": violations(page)}
    for name in ("confirm", "confirm again"):
        page.goto(f"/admin/{ADD}")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Upload the file").click()
        expect(page.get_by_role("heading", name="Columns", exact=True)).to_be_visible()
        found[name] = violations(page)
        page.locator(".im-sticky").get_by_role("button", name="Import now").click()
        expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=60_000)
    found["result"] = violations(page)
    page.locator(".im-outcomes").get_by_role("link", name="list").click()
    expect(page.locator("#rows")).to_be_visible()
    found["set aside"] = violations(page)
    page.goto(f"/admin/{ADD}")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").click()
    page.locator(".im-sticky").get_by_role("button", name="Preview everything").click()
    expect(page.get_by_role("heading", name="Differences")).to_be_visible(timeout=60_000)
    found["preview"] = violations(page)
    assert found == {name: [] for name in found}
