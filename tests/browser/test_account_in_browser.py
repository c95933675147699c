"""An account in a real browser: signing up, logging in with a second factor, the list of orders."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.accounts.people import code_of
from tests.browser.looking import Looks, opened
from tests.stack import Stack

_ORDERS = """
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, an_order
from shop import ordering
for sku, name in (("KNIFE", "Bread knife with a handle of walnut"), ("CUP", "Cup"), ("JUG", "Jug")):
    a_product(sku=sku, name=name, price=1299, stock=99)
ordering.cancel(order=an_order({"KNIFE": 1}))
order = a_paid_order({"KNIFE": 2, "CUP": 10, "JUG": 3})
ordering.fulfil(order=order)
ordering.deliver(order=order)
"""
EMAIL, PASSWORD, OTHER_PASSWORD = "kim@example.com", "a good long password", "an even better long password"
LOOKED_AT = {
    *("account_login", "account_signup", "account_inactive", "account_reauthenticate", "account_email"),
    *("account_logout", "account_email_verification_sent", "account_confirm_email"),
    *("account_change_password", "account_reset_password", "account_reset_password_done"),
    *("account_reset_password_from_key", "account_reset_password_from_key_done"),
    *("mfa_index", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp"),
    *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    *("shop:account", "shop:account_data", "shop:account_erase", "storefront/account.html"),
    *("storefront/account_data.html", "storefront/account_erase.html", "storefront/account_erased.html"),
}
_OURS = {"": "account", "data/": "account_data"}


def link_in_mail(stack: Stack, subject: str) -> str:
    """The path of the link in the mail with that in its subject."""
    [(text,)] = stack.sql("SELECT text FROM notifications_message WHERE subject LIKE %s", [f"%{subject}%"])
    return re.search(r"https?://[^/\s]+(/account/\S+)", text)[1]  # type: ignore[index]


def test_customer_signs_up_logs_in_and_sees_the_orders(chromium: Browser, stack: Stack) -> None:
    stack.start_web()
    complaints: list[str] = []
    looks = Looks()
    page = opened(chromium, stack, complaints)

    def look(path: str, what: str = "") -> None:
        page.goto(f"/account/{path}")
        looks.at(page, f"storefront/{_OURS[path]}.html" if path in _OURS else "", what)

    page.goto("/")
    page.get_by_role("link", name="Log in").click()
    looks.at(page)
    for path in ("inactive/", "confirm-email/", "confirm-email/none/", "password/reset/key/1-none/"):
        look(path, "of nobody")
    page.goto("/account/login/")
    page.get_by_role("link", name="Sign up").click()
    looks.at(page)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()
    looks.at(page, "storefront/account.html", "without orders")
    page.goto(link_in_mail(stack, "onfirm"))
    looks.at(page)
    page.get_by_role("button", name="Confirm").click()
    page.goto("/account/logout/")
    looks.at(page)
    page.get_by_role("button", name="Log out").click()
    assert stack.manage("shell", "-c", _ORDERS).returncode == 0

    look("password/reset/")
    page.get_by_label("Email").fill(EMAIL)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/reset/done/"))
    looks.at(page)
    page.goto(link_in_mail(stack, "assword"))
    looks.at(page)
    for field in page.locator("input[type=password]").all():
        field.fill(OTHER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/key/done/"))
    looks.at(page)

    page.goto("/account/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    looks.at(page, what="with a wrong password")
    page.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("row").nth(1)).to_contain_text("10 × Cup, 3 × Jug and 1 more")
    for path in ("", "email/", "password/change/", "2fa/", "data/"):
        look(path)

    page.goto("/account/2fa/totp/activate/")
    looks.at(page)
    page.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".st-qr")).to_be_visible()
    assert page.evaluate("document.querySelector('.st-qr').naturalWidth") > 0
    looks.at(page)
    secret = page.locator("#authenticator_secret").input_value()
    done, late = page.get_by_role("heading", name="Recovery Codes"), page.get_by_text("Incorrect code")
    for _ in range(2):  # a code may end while it is typed; the next one has half a minute
        page.get_by_label("code").fill(code_of(secret))
        page.keyboard.press("Enter")
        expect(done.or_(late)).to_be_visible()
        if done.is_visible():
            break
    expect(done).to_be_visible()
    looks.at(page)
    code = page.locator("textarea").input_value().split()[0]
    for path in ("2fa/", "2fa/totp/deactivate/", "2fa/recovery-codes/generate/", "2fa/reauthenticate/"):
        look(path, "with a second factor")
    page.goto("/account/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/account/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/2fa/authenticate/"))
    looks.at(page)
    page.get_by_label("code").first.fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()

    page.goto("/account/data/erase/")
    page.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Erase your data")).to_be_visible()
    looks.at(page, "storefront/account_erase.html")
    page.get_by_role("button", name="Erase my account and data").click()
    expect(page.get_by_role("heading", name="Your data is erased")).to_be_visible()
    looks.at(page, "storefront/account_erased.html")

    assert (looks.found, complaints) == ([], [])
    assert looks.pages == LOOKED_AT
