"""Buying in a real browser: by keyboard alone from search to order, and every page looked at by axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessibility import violations
from tests.browser.test_import_in_browser import page_width
from tests.browser.test_storefront_in_browser import go, opened
from tests.stack import Stack

_CATALOGUE = """
from celery import current_app
from shop import indexing
from shop.models import DeliveryMethod
from tasks.models import Job
from tests.shop.factories import a_product
knife = a_product(name="Bread knife", slug="bread-knife", price=20)
for size in ("20 cm", "25 cm"):
    options = {"Length": size}
    a_product(parent=knife, sku=f"BK-{size[:2]}", name="Bread knife", options=options, price=25, stock=4)
DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH", "DE"])
DeliveryMethod.objects.create(code="courier", name="Courier", fee=15, countries=["CH"], position=1)
indexing.catalogue_changed()
job = Job.objects.get()
current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk}).get()
"""
_VIEWS = [(width, scheme) for width in (1400, 390) for scheme in ("light", "dark")]


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """Something to buy, and the web server."""
    done = stack.manage("shell", "-c", _CATALOGUE)
    assert done.returncode == 0, done.stderr
    stack.start_web()
    return stack


def write(page: Page, label: str, text: str) -> None:
    """Reach the field of that label with the tabulator, and type."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.labels?.[0]?.textContent.trim()") == label:
            page.keyboard.type(text)
            return
    pytest.fail(f"the tabulator never came to “{label}”")


def test_customer_buys_by_keyboard_alone(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    page = opened(chromium, shop, complaints)
    page.goto("/")

    write(page, "Search the shop", "bread knife\n")
    expect(page.get_by_role("heading", name="“bread knife”")).to_be_visible()
    go(page, "Bread knife")
    expect(page.get_by_role("heading", name="Bread knife")).to_be_visible()
    go(page, "25 cm")
    expect(page.get_by_label("Quantity")).to_be_visible()
    go(page, "Add to cart")
    expect(page.locator(".st-count")).to_have_text("1")
    go(page, "Go to the cart")
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    write(page, "Quantity of Bread knife", "2")  # what is there is selected when it is reached
    page.keyboard.press("Tab")
    expect(page.locator(".st-count")).to_have_text("2")
    go(page, "Go to checkout")
    expect(page.get_by_role("heading", name="Checkout")).to_be_visible()
    write(page, "E-mail", "kim@example.com")
    write(page, "Name", "Kim Doe")
    write(page, "Street and number", "Main Street 1")
    write(page, "City", "Bern")
    write(page, "Country", "Switz")
    expect(page.get_by_role("radio", name="Courier")).to_be_visible()
    go(page, "Place the order, €59.40")

    expect(page.get_by_role("heading", name="Thank you, your order is paid")).to_be_visible()
    expect(page.locator(".st-total")).to_have_text("Total€59.40")
    assert complaints == []


def seen(page: Page) -> list[str]:
    """What axe finds on the page in both schemes and widths, and whether it is too wide."""
    found = []
    for width, scheme in _VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found += violations(page)
        found += ["too wide"] if page_width(page) > width else []
    return found


def test_pages_of_buying_have_no_violation(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    page = opened(chromium, shop, complaints)
    page.goto("/cart/")
    found = {"empty cart": seen(page)}
    page.goto("/p/bread-knife/?variant=BK-20")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("3 × Bread knife in your cart")).to_be_visible()
    found["added"] = seen(page)
    shop.sql("UPDATE shop_product SET stock = 2, price = 26 WHERE sku = 'BK-20'")
    page.goto("/cart/")
    found["cart with a problem"] = seen(page)
    page.get_by_role("button", name="Take the 2 that are left").click()
    page.get_by_role("link", name="Go to checkout").click()
    found["checkout"] = seen(page)
    address = page.get_by_role("group", name="Address", exact=True)
    address.get_by_label("Country").select_option("CH")
    page.get_by_role("radio", name="Courier").check()
    page.locator("form.st-buying").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Place the order, €72.36").click()
    expect(address.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    found["checkout with mistakes"] = seen(page)
    for label, text in (("Name", "Kim Doe"), ("Street and number", "Main Street 1"), ("City", "Bern")):
        address.get_by_label(label, exact=True).fill(text)
    page.get_by_role("textbox", name="E-mail").fill("kim@example.com")
    page.get_by_label("Card number").fill("4000 0000 0000 9995")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible()
    found["declined"] = seen(page)
    page.get_by_role("radio", name="Bank transfer").check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Your transfer")).to_be_visible()
    found["transfer"] = seen(page)

    assert (found, complaints) == ({name: [] for name in found}, [])
    # The bank was asked and has not answered; then it has.
    shop.sql("UPDATE shop_payment SET state = 'started' WHERE state = 'awaiting'")
    page.reload()
    expect(page.get_by_role("heading", name="We are waiting for the bank's answer")).to_be_visible()
    assert seen(page) == []
    shop.sql("UPDATE shop_payment SET state = 'failed' WHERE state = 'started'")
    expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible(timeout=15_000)
