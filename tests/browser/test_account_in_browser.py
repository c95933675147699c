"""An account in a real browser: signing up, logging in with a second factor, the list of orders."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.accounts.people import code_of
from tests.browser.test_accessibility import violations
from tests.browser.test_import_in_browser import page_width
from tests.browser.test_storefront_in_browser import opened
from tests.stack import Stack

_ORDERS = """
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, an_order
from allauth.account.models import EmailAddress
from shop import accounts
for sku, name in (("KNIFE", "Bread knife with a handle of walnut"), ("CUP", "Cup"), ("JUG", "Jug")):
    a_product(sku=sku, name=name, price=1299, stock=99)
an_order({"KNIFE": 1}); a_paid_order({"KNIFE": 2, "CUP": 10, "JUG": 3})
address = EmailAddress.objects.get()
address.verified = True
address.save()
"""
EMAIL, PASSWORD = "kim@example.com", "a good long password"
PATHS = ("", "email/", "password/change/", "2fa/", "data/", "logout/")
VIEWS = [(1400, "light"), (390, "dark")]


def look(page: Page, found: dict[str, list[str]], name: str) -> None:
    """Note what axe finds on this page, and whether it is wider than the screen, in two views; keep pictures
    of it where SCREENSHOTS says."""
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900 if width > 400 else 844})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = [] if page_width(page) <= width else ["too wide"]
        found[f"{name} {width}"] = [*violations(page), *wide]
        if folder := os.environ.get("SCREENSHOTS"):
            title = name.strip("/").replace("/", "-") or "orders"
            page.screenshot(path=Path(folder) / f"{title}-{width}.png")
    page.set_viewport_size({"width": 1400, "height": 900})


def test_customer_signs_up_logs_in_and_sees_the_orders(chromium: Browser, stack: Stack) -> None:
    stack.start_web()
    complaints: list[str] = []
    found: dict[str, list[str]] = {}
    page = opened(chromium, stack, complaints)  # type: ignore[arg-type]
    page.goto("/")
    page.get_by_role("link", name="Log in").click()
    look(page, found, "login")
    for path in ("password/reset/", "password/reset/done/", "inactive/"):
        page.goto(f"/account/{path}")
        look(page, found, path)
    page.goto("/account/login/")
    page.get_by_role("link", name="Sign up").click()
    look(page, found, "signup")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()
    look(page, found, "no orders")
    page.get_by_role("link", name="Log out").click()
    page.get_by_role("button", name="Log out").click()
    assert stack.manage("shell", "-c", _ORDERS).returncode == 0

    page.goto("/account/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, found, "wrong password")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("row").nth(1)).to_contain_text("10 × Cup, 3 × Jug and 1 more")
    for path in PATHS:
        page.goto(f"/account/{path}")
        look(page, found, path)

    page.goto("/account/2fa/totp/activate/")
    look(page, found, "reauthenticate")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".st-qr")).to_be_visible()
    assert page.evaluate("document.querySelector('.st-qr').naturalWidth") > 0
    look(page, found, "totp")
    page.get_by_label("code").fill(code_of(page.locator("#authenticator_secret").input_value()))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
    look(page, found, "recovery codes")
    for path in ("2fa/", "data/erase/", "2fa/totp/deactivate/", "2fa/recovery-codes/generate/"):
        page.goto(f"/account/{path}")
        look(page, found, f"with {path}")

    assert found == {name: [] for name in found}
    assert complaints == []
