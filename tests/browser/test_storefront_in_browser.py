"""The storefront in a real browser: by keyboard, by axe, in both colour schemes and widths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Looks, opened
from tests.browser.test_accessibility import ALL_VIEWS
from tests.stack import Stack, copied_stack

_CATALOGUE = """
from celery import current_app
from shop import indexing
from tasks.models import Job
from tests.shop.factories import a_category, a_product
kitchen = a_category("Home > Kitchen")
for number in range(30):
    figures = {"price": number + 1, "stock": number % 3, "category": kitchen}
    a_product(name=f"Bowl {number:02}", slug=f"bowl-{number}", **figures)
knife = a_product(name="Bread knife", slug="bread-knife", price=20, category=kitchen,
                  description="<p>Cuts bread.</p>")
for size, price in (("20 cm", 20), ("25 cm", 25)):
    figures = {"price": price, "compare_at_price": 30, "stock": 4}
    a_product(parent=knife, sku=f"BK-{size[:2]}", options={"Length": size}, **figures)
indexing.catalogue_changed()
job = Job.objects.get()
current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk}).get()
"""
PAGES = {
    "storefront/products.html": ("/", "/c/home/", "/?q=bowl", "/?q=bwol&lowest=x", "/?q=unicorn"),
    "storefront/product.html": ("/p/bread-knife/", "/p/bread-knife/?variant=BK-25"),
    "404.html": ("/none",),
}
LOOKED_AT = {*PAGES, "shop:home", "shop:category", "shop:product"}


@pytest.fixture(scope="module")
def shop(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A catalogue, and the web server; no worker is needed to read, and nobody does more."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("shop")) as stack:
        done = stack.manage("shell", "-c", _CATALOGUE)
        assert done.returncode == 0, done.stderr
        stack.start_web()
        yield stack


def go(page: Page, name: str) -> None:
    """Reach the link of that name with the tabulator, and follow it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"the tabulator never came to “{name}”")


def test_customer_gets_from_search_to_a_variant_by_keyboard_alone(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    page = opened(chromium, shop, complaints)
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("bred knif")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="“bred knif”")).to_be_visible()
    go(page, "Home")
    expect(page.get_by_role("heading", name="“bred knif” in Home")).to_be_visible()
    go(page, "Bread knife")
    expect(page.get_by_role("heading", name="Bread knife")).to_be_visible()
    go(page, "25 cm")
    expect(page).to_have_url(f"{shop.url}/p/bread-knife/?variant=BK-25")
    expect(page.locator(".st-price").first).to_have_text("€25.00 before: €30.00")
    expect(page.locator("a[aria-current=true]")).to_be_focused()
    page.go_back()
    expect(page.locator(".st-price").first).to_have_text("from €20.00")
    go(page, "Kitchen")

    expect(page.get_by_role("heading", name="Kitchen", exact=True)).to_be_visible()
    assert complaints == []


def test_filters_change_the_list_without_leaving_the_page(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    page = opened(chromium, shop, complaints)
    page.goto("/")
    page.evaluate("window.stayed = true")

    page.get_by_label("In stock").check()
    page.get_by_label("Sort by").select_option("price")
    expect(page.locator(".st-card h3").first).to_have_text("Bowl 01")
    expect(page.get_by_role("status")).to_have_text("Products that match the filters.")

    assert (page.evaluate("window.stayed"), "sort=price" in page.url, complaints) == (True, True, [])


def test_storefront_works_without_javascript(chromium: Browser, shop: Stack) -> None:
    page = opened(chromium, shop, [], java_script_enabled=False)
    page.goto("/c/home/kitchen/")

    page.get_by_label("Sort by").select_option("-price")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".st-card h3").last).to_have_text("Bowl 00")
    page.get_by_role("link", name="First page").click()
    page.get_by_role("link", name="Bowl 29").click()

    expect(page.get_by_role("heading", name="Bowl 29")).to_be_visible()


def test_pages_of_the_storefront_have_no_violation(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    looks = Looks(ALL_VIEWS)
    page = opened(chromium, shop, complaints)
    for template, paths in PAGES.items():
        for path in paths:
            page.goto(path)
            looks.at(page, template, path)

    assert (looks.found, complaints) == ([], [])
    assert looks.pages == LOOKED_AT
