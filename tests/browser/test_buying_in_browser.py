"""Buying in a real browser: by keyboard alone from search to order, and every page looked at by axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Looks, opened
from tests.browser.test_storefront_in_browser import go
from tests.shop.stripe_server import stripe_server
from tests.stack import Stack, copied_stack

_CATALOGUE = """
from celery import current_app
from shop import indexing, ordering
from shop.models import DeliveryMethod
from shop.placing import Address
from tasks.models import Job
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, refund
knife = a_product(name="Bread knife", slug="bread-knife", price=20)
for size in ("20 cm", "25 cm"):
    options = {"Length": size}
    a_product(parent=knife, sku=f"BK-{size[:2]}", name="Bread knife", options=options, price=25, stock=9)
DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH", "DE"])
DeliveryMethod.objects.create(code="courier", name="Courier", fee=15, countries=["CH"], position=1)
indexing.catalogue_changed()
job = Job.objects.get()
current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk}).get()
payer = Address(name="Robin Roe", company="Roe & Sons", line1="Rue 2", city="Paris", country="FR")
order = a_paid_order({"BK-25": 2}, billing=payer)
ordering.fulfil(order=order, pieces={"BK-25": 1}, carrier="Post", tracking_code="99.1",
                tracking_url="https://post.example/99.1")
refund(order, "5")
a_product(sku="MUG", price=12, stock=9)
a_payment(an_order({"MUG": 2}, email="robin@example.com"), gateway="invoice", awaiting=True)
"""
_BUYING = {
    *("shop:cart", "shop:change_cart", "shop:checkout", "shop:order", "shop:pay", "shop:product"),
    *("storefront/product.html", "storefront/cart.html", "storefront/checkout.html", "storefront/order.html"),
    *("storefront/conflict.html", "storefront/leaving.html", "403_csrf.html", "error.html"),
}
_CANCELLING = {"shop:order", "storefront/order.html", "shop:cancel_order", "storefront/order_cancel.html"}
LOOKED_AT = _BUYING | _CANCELLING


@pytest.fixture(scope="module")
def shop(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Something to buy, an order of which a part is sent, three ways to pay, and the web server."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("shop")) as stack, stripe_server() as stripe:
        stack.environment |= {
            "BANK_ACCOUNT": "CH00 0000 0000 0000 0000 0",
            "PAYMENT_METHODS": "test-card,invoice,stripe",
            "STRIPE_API_URL": stripe.url,
            "STRIPE_SECRET_KEY": "sk_of_a_test",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_a_test",
        }
        done = stack.manage("shell", "-c", _CATALOGUE)
        assert done.returncode == 0, done.stderr
        stack.start_web()
        yield stack


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


def fill(page: Page, group: str, name: str, line1: str, city: str, country: str) -> None:
    """Type an address into the checkout's group of that name."""
    address = page.get_by_role("group", name=group, exact=True)
    for label, text in (("Name", name), ("Street and number", line1), ("City", city)):
        address.get_by_label(label, exact=True).fill(text)
    address.get_by_label("Country").select_option(country)


def test_pages_of_buying_have_no_violation(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    looks = Looks()
    page = opened(chromium, shop, complaints)
    page.goto("/cart/")
    looks.at(page, "storefront/cart.html", "empty")
    page.goto("/p/bread-knife/?variant=BK-20")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("3 × Bread knife in your cart")).to_be_visible()
    looks.at(page, "storefront/product.html", "added")
    shop.sql("UPDATE shop_product SET stock = 2, price = 26 WHERE sku = 'BK-20'")
    page.goto("/cart/")
    looks.at(page, "storefront/cart.html", "with a problem")
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Take the 2 that are left").click()
    expect(page.get_by_role("heading", name="Please send it again")).to_be_visible()
    looks.at(page, "403_csrf.html")
    page.get_by_role("link", name="Go to the cart").click()
    page.get_by_role("button", name="Take the 2 that are left").click()
    page.get_by_role("link", name="Go to checkout").click()
    looks.at(page, "storefront/checkout.html")

    other = page.get_by_role("group", name="Billing address").get_by_label("Name", exact=True)
    expect(other).to_be_hidden()
    page.get_by_role("radio", name="Another address").check()
    page.get_by_role("group", name="Address", exact=True).get_by_label("Country").select_option("CH")
    page.get_by_role("radio", name="Courier").check()
    page.locator("form.st-buying").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Place the order, €72.36").click()
    expect(other).to_have_attribute("aria-invalid", "true")
    looks.at(page, "storefront/checkout.html", "with mistakes in both addresses")
    fill(page, "Address", "Kim Doe", "Main Street 1", "Bern", "CH")
    fill(page, "Billing address", "Robin Roe", "Rue 2", "Paris", "FR")
    page.get_by_role("textbox", name="E-mail").fill("kim@example.com")
    page.get_by_label("Card number").fill("4000 0000 0000 9995")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible()
    written = page.get_by_role("complementary").get_by_role("heading", name="Invoice goes to")
    expect(written.locator("+ address")).to_have_text("Robin RoeRue 2 ParisFrance")
    looks.at(page, "storefront/order.html", "declined")

    key = page.locator("form.st-again [name=key]").input_value()
    page.get_by_label("Card number").fill("4000 0000 0000 9995")
    page.get_by_role("button", name="Pay").click()
    expect(page.locator(f"[name=key]:not([value='{key}'])")).to_be_attached()
    page.locator("form.st-again [name=key]").evaluate("(field, key) => field.value = key", key)
    page.get_by_role("radio", name="Bank transfer").check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="This was sent before")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("in another way")
    looks.at(page, "storefront/conflict.html")
    page.get_by_role("link", name="Look at the order").click()
    page.get_by_role("radio", name="Bank transfer").check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Your transfer")).to_be_visible()
    looks.at(page, "storefront/order.html", "transfer")
    # The bank was asked and has not answered; then it has.
    turn = "UPDATE shop_payment SET state = %s WHERE order_id = %s AND state = %s"
    [(order,)] = shop.sql("SELECT id FROM shop_order WHERE token = %s", [page.url.split("/")[-2]])
    shop.sql(turn, ["started", order, "awaiting"])
    page.reload()
    expect(page.get_by_role("heading", name="We are waiting for the bank's answer")).to_be_visible()
    looks.at(page, "storefront/order.html", "under way")
    shop.sql(turn, ["failed", order, "started"])
    expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible(timeout=15_000)
    page.route("https://checkout.stripe.com/**", lambda route: route.fulfill(status=204))  # so we stay
    page.get_by_role("radio", name="Card").last.check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="On to the payment page")).to_be_visible()
    looks.at(page, "storefront/leaving.html")

    [(token,)] = shop.sql("SELECT token FROM shop_order WHERE refunded = 5")
    page.goto(f"/orders/{token}/")
    expect(page.get_by_role("heading", name="Part of your order is on its way")).to_be_visible()
    looks.at(page, "storefront/order.html", "partly sent")
    shop.sql("ALTER TABLE shop_cart RENAME TO shop_cart_away")
    try:
        page.goto("/cart/")
        looks.at(page, "error.html")
    finally:
        shop.sql("ALTER TABLE shop_cart_away RENAME TO shop_cart")

    assert (looks.found, complaints) == ([], [])
    assert looks.pages == _BUYING


def test_customer_cancels_by_keyboard_an_order_that_is_not_paid(chromium: Browser, shop: Stack) -> None:
    complaints: list[str] = []
    looks = Looks()
    [(token,)] = shop.sql("SELECT token FROM shop_order WHERE email = 'robin@example.com'")
    page = opened(chromium, shop, complaints)
    page.goto(f"/orders/{token}/")

    go(page, "cancel the order")
    expect(page.get_by_role("heading", name="Cancel order")).to_be_visible()
    looks.at(page, "storefront/order_cancel.html")
    go(page, "Keep it")
    expect(page.get_by_role("heading", name="Your transfer")).to_be_visible()
    go(page, "cancel the order")
    expect(page.get_by_role("heading", name="Cancel order")).to_be_visible()
    go(page, "Cancel the order")
    expect(page.get_by_role("heading", name="This order was cancelled")).to_be_visible()
    looks.at(page, "storefront/order.html", "cancelled")

    assert shop.sql("SELECT stock FROM shop_product WHERE sku = 'MUG'") == [(9,)]
    assert (looks.found, complaints, looks.pages) == ([], [], _CANCELLING)
