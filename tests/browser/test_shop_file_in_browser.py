"""An export of another shop, from the upload to its variants in the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import violations
from tests.browser.test_import_in_browser import ADD, confirm, outcomes, page_width, upload, watch
from tests.stack import Stack

EXPORT = Path(__file__).parent.parent / "data" / "shopify-shop.csv"
JUMPER_SKUS = ["WJ-L-MOSS", "WJ-L-RUST", "WJ-M-MOSS", "WJ-M-RUST", "WJ-S-MOSS", "WJ-S-RUST"]


def texts(page: Page, cells: str) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(cells).all_inner_texts()]


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_shopify_export_is_recognised_corrected_imported_and_its_variants_are_seen(
    visit: Visit, stack: Stack, width: int, scheme: str
) -> None:
    page = visit(ADD, viewport={"width": width, "height": 900}, color_scheme=scheme)
    upload(page, EXPORT)

    expect(page.get_by_text("Recognised as an export of Shopify.")).to_be_visible()
    expect(page.locator("#families > p").first).to_have_text(
        "7 products, 15 variants and 13 images come out of the first 21 rows;"
        " 3 rows only add to another one’s product."
    )
    expect(page.locator("#shows-sku .im-look")).to_have_count(0)
    jumper = page.locator("#families tr").filter(has=page.get_by_text("wool-jumper", exact=True))
    expect(jumper).to_contain_text("Knitwear")
    page.get_by_role("combobox", name="Category").first.select_option(label="Product Category")
    expect(jumper).to_contain_text("Apparel & Accessories > Clothing > Jumpers")
    found = {"confirm": (page_width(page), violations(page))}

    confirm(page)
    watch(page)
    assert outcomes(page) == {"created": 18, "merged": 3, "rows": 21}
    page.get_by_role("link", name="See the products").click()
    page.get_by_role("link", name="Wool jumper 6 variants").click()
    expect(page.get_by_role("heading", name="Variants")).to_be_visible()
    assert texts(page, "td.field-variant") == JUMPER_SKUS
    assert sorted(texts(page, "td.field-set_apart"))[0] == "Size: L, Colour: Moss"
    assert texts(page, "td.field-priced") == ["94.00", "94.00", "89.00", "89.00", "89.00", "89.00"]
    assert texts(page, "td.field-in_stock")[:2] == ["out of stock 0", "low 3"]
    expect(page.get_by_role("link", name="Open", exact=True)).to_have_count(3)
    found["product"] = (page_width(page), [])
    assert found == {name: (width, []) for name in found}
    assert stack.sql(
        "SELECT c.full_name, p.sku, count(v.id) FROM shop_product p"
        " JOIN shop_category c ON c.id = p.category_id JOIN shop_product v ON v.parent_id = p.id"
        " WHERE p.sku = 'wool-jumper' GROUP BY 1, 2"
    ) == [("Apparel & Accessories > Clothing > Jumpers", "wool-jumper", 6)]
