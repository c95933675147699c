"""Asking for mails in a real browser: every page of it looked at by axe, in both schemes and widths."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looking import Looks, opened
from tests.stack import Stack

_CATALOGUE = """
from tests.shop.factories import a_product
a_product(sku="JUG", name="Jug", slug="jug", price=20, stock=0)
a_product(sku="CUP", name="Cup", slug="cup", price=5, stock=9)
"""
_LINKS = """
from shop import subscriptions
from shop.models import Subscription
for kind in ("stock", "cart"):
    one = Subscription.objects.get(kind=kind)
    print(*(subscriptions.link(one, purpose) for purpose in ("confirm", "end", "cart")))
"""
LOOKED_AT = {
    *("shop:product", "shop:cart", "storefront/product.html", "storefront/cart.html"),
    *("shop:mail_ask_stock", "shop:mail_ask_cart", "shop:mail_confirm", "shop:mail_end", "shop:mail_cart"),
    *("storefront/mail_stock.html", "storefront/mail_cart.html", "storefront/mail_said.html"),
    "storefront/mail_left.html",
}


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """A product that is sold out and one that is not, and the web server."""
    done = stack.manage("shell", "-c", _CATALOGUE)
    assert done.returncode == 0, done.stderr
    stack.start_web()
    return stack


def test_pages_of_asking_for_a_mail_have_no_violation(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    looks = Looks()
    page = opened(chromium, shop, complaints)
    page.goto("/p/jug/")
    looks.at(page, "storefront/product.html", "sold out")
    page.locator("form:has([name=email])").evaluate("form => form.noValidate = true")
    page.get_by_role("textbox", name="E-mail").fill("kim")
    page.get_by_role("button", name="Write to me").click()
    expect(page.get_by_role("textbox", name="E-mail")).to_have_attribute("aria-invalid", "true")
    looks.at(page, "storefront/mail_stock.html")
    page.get_by_role("textbox", name="E-mail").fill("kim@example.com")
    page.get_by_role("button", name="Write to me").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    looks.at(page, "storefront/mail_said.html", "asked")
    page.goto("/p/cup/")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").click()
    box = page.get_by_role("checkbox", name="Remind me once by e-mail")
    expect(box).not_to_be_checked()
    looks.at(page, "storefront/cart.html")
    box.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("textbox", name="E-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("textbox", name="E-mail")).to_be_focused()
    looks.at(page, "storefront/mail_cart.html")
    page.get_by_role("textbox", name="E-mail").fill("kim@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()

    printed = shop.manage("shell", "-c", _LINKS)
    (confirm, end, _), (_, _, left) = (
        re.findall(r"\S+//[^/\s]+(/mails/\S+)", line) for line in printed.stdout.strip().splitlines()[-2:]
    )
    page.goto(confirm)
    looks.at(page, "storefront/mail_said.html", "confirm")
    page.get_by_role("button", name="Yes, write to me").click()
    expect(page.get_by_role("heading", name="We write to you")).to_be_visible()
    page.goto(end)
    looks.at(page, "storefront/mail_said.html", "end")
    page.get_by_role("button", name="Write to me no more").click()
    expect(page.get_by_role("heading", name="You get no such mail any more")).to_be_visible()
    looks.at(page, "storefront/mail_said.html", "ended")
    elsewhere = opened(chromium, shop, complaints)
    elsewhere.goto(left)
    looks.at(elsewhere, "storefront/mail_left.html")
    elsewhere.get_by_role("button", name="Put this into my cart").click()
    expect(elsewhere.locator(".st-count")).to_have_text("1")
    assert (looks.found, complaints) == ([], [])
    assert looks.pages == LOOKED_AT
