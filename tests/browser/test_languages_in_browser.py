"""Languages in a real browser: chosen without JavaScript, and from the right on every page of buying."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import opened
from tests.browser.test_accessibility import violations
from tests.browser.test_import_in_browser import page_width
from tests.browser.test_storefront_in_browser import _CATALOGUE
from tests.stack import Stack

_DELIVERY = """
from shop.models import DeliveryMethod
DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH", "DE"])
"""
PAGES = ("/", "/?q=unicorn", "/p/bread-knife/?variant=BK-25", "/account/login/", "/none")


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """Something to buy, and the web server."""
    done = stack.manage("shell", "-c", _CATALOGUE + _DELIVERY)
    assert done.returncode == 0, done.stderr
    stack.start_web()
    return stack


def is_right(page: Page, width: int) -> list[str]:
    """What is wrong with an Arabic page of that width."""
    root = page.locator("html")
    said = (root.get_attribute("lang"), root.get_attribute("dir"))
    return [
        *([] if said == ("ar", "rtl") else [f"{said}"]),
        *([] if page_width(page) <= width else ["too wide"]),
        *violations(page),
    ]


def test_customer_chooses_arabic_without_javascript_and_buys_in_it(chromium: Browser, shop: Stack) -> None:
    phone = {"width": 390, "height": 900}
    page = opened(chromium, shop, [], java_script_enabled=False, locale="de-DE", viewport=phone)
    page.goto("/p/bread-knife/?variant=BK-25")
    expect(page.locator("html")).to_have_attribute("lang", "de")

    page.get_by_role("button", name="العربية").click()
    expect(page).to_have_url(f"{shop.url}/p/bread-knife/?variant=BK-25")
    page.get_by_role("button", name="إضافة إلى السلة").click()
    page.get_by_role("link", name="إتمام الشراء").click()
    fields = {
        "البريد الإلكتروني": "kim@example.com",
        "الاسم": "كيم",
        "الشارع ورقم المبنى": "شارع 1",
        "المدينة": "برن",
    }
    for label, text in fields.items():
        page.get_by_label(label, exact=True).first.fill(text)  # the next one is the billing address's
    page.get_by_role("button", name="تأكيد الطلب").click()
    expect(page.get_by_role("heading", name="شكرًا لك، تم دفع ثمن طلبك")).to_be_visible()
    order = page.url

    cookies = page.context.cookies()
    for width, scheme in ((390, "light"), (1400, "dark")):
        size = {"width": width, "height": 900}
        reader = opened(chromium, shop, [], viewport=size, color_scheme=scheme)
        reader.context.add_cookies(cookies)  # type: ignore[arg-type]
        reader.goto("/p/bread-knife/?variant=BK-25")
        reader.get_by_role("button", name="إضافة إلى السلة").click()
        expect(reader.locator(".st-count")).to_be_visible()
        wrong = {}
        for path in (*PAGES, "/cart/", "/checkout/", order):
            reader.goto(path)
            wrong[path] = is_right(reader, width)
        assert wrong == {path: [] for path in wrong}
