"""Customers who press the button at the same moment, over HTTP: nobody gets what another has, nobody is
asked twice, and everybody gets an answer that makes sense."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest

from shop.visiting import Form, Page, Visitor
from tests.stack import Stack, copied_stack, migrated_database  # noqa: F401

type Order = Callable[[], Page]

_WHO = {
    "email": "kim@example.com",
    "name": "Kim Doe",
    "line1": "Main Street 1",
    "city": "Bern",
    "postcode": "3000",
    "country": "CH",
    "payment": "test-card",
    "card_number": "4242 4242 4242 4242",
}


@pytest.fixture(scope="module")
def shop(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: F811
    """A shop with two web processes, open for business."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("shop")) as stack:
        stack.environment |= {"PAYMENT_METHODS": "test-card", "WEB_CONCURRENCY": "2"}
        stack.sql(
            "INSERT INTO shop_deliverymethod (code, name, fee, countries, position)"
            " VALUES ('post', 'Post', 4.50, '{}', 0)"
        )
        stack.start_web()
        yield stack


def a_product(shop: Stack, *, stock: int) -> str:
    """A product with so many pieces; returns its slug, which is its SKU too."""
    slug = f"p-{uuid4().hex[:12]}"
    shop.sql(
        "INSERT INTO shop_product (sku, slug, name, description, price, stock, opening_stock)"
        " VALUES (%(slug)s, %(slug)s, 'Copper kettle', '', 12.50, %(stock)s, %(stock)s)",
        {"slug": slug, "stock": stock},
    )
    return slug


def ready_to_order(shop: Stack, slugs: Sequence[str], **said: str) -> Order:
    """What presses the button of a customer who has these in the cart and has filled in the checkout."""
    visitor = Visitor(shop.url)
    for slug in slugs:
        visitor.put_into_cart(f"/p/{slug}/")
    page, form = visitor.fill_in_checkout(**_WHO | said)
    return lambda: visitor.send(page, form)


def at_once(orders: Sequence[Order]) -> list[Page]:
    """The answers to all of them, sent at the same moment."""
    barrier = Barrier(len(orders))

    def press(order: Order) -> Page:
        barrier.wait(60)
        return order()

    with ThreadPoolExecutor(len(orders)) as pool:
        return list(pool.map(press, orders))


def prepared(shop: Stack, many: Sequence[Sequence[str]], **said: str) -> list[Order]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda slugs: ready_to_order(shop, slugs, **said), many))


def outcomes(pages: Sequence[Page], refusal: str) -> Counter[str]:
    """How many are at an order of their own, how many were refused with these words."""
    found: Counter[str] = Counter()
    for page in pages:
        if page.status == 200 and "/orders/" in page.url:
            found["ordered"] += 1
        elif page.status == 200 and refusal in page.text:
            found["refused"] += 1
        else:
            found[f"{page.status} {page.url}"] += 1
    return found


def orders_of(shop: Stack, slug: str) -> int:
    [(count,)] = shop.sql("SELECT count(*) FROM shop_orderline WHERE sku = %s", [slug])
    return int(count)


def must_add_up(shop: Stack) -> None:
    done = shop.manage("reconcile")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_last_piece_is_sold_once_when_a_hundred_want_it(shop: Stack) -> None:
    slug = a_product(shop, stock=1)

    pages = at_once(prepared(shop, [[slug]] * 100))

    assert outcomes(pages, "Copper kettle is sold out.") == {"ordered": 1, "refused": 99}
    assert orders_of(shop, slug) == 1
    must_add_up(shop)


def test_carts_with_the_same_goods_in_another_order_do_not_wait_in_a_circle(shop: Stack) -> None:
    one, other = a_product(shop, stock=1000), a_product(shop, stock=1000)

    pages = at_once(prepared(shop, [[one, other], [other, one]] * 100))

    assert outcomes(pages, "") == {"ordered": 200}
    assert len({page.url for page in pages}) == 200
    assert (orders_of(shop, one), orders_of(shop, other)) == (200, 200)
    assert shop.sql("SELECT DISTINCT stock FROM shop_product WHERE sku IN (%s, %s)", [one, other]) == [(800,)]
    must_add_up(shop)


def test_button_pressed_fifty_times_orders_and_charges_once(shop: Stack) -> None:
    slug = a_product(shop, stock=100)
    order = ready_to_order(shop, [slug])

    pages = at_once([order] * 50)

    assert {(page.status, page.url) for page in pages} == {(200, pages[0].url)}
    assert outcomes(pages, "") == {"ordered": 50}
    assert orders_of(shop, slug) == 1
    query = "SELECT p.state FROM shop_payment p JOIN shop_orderline l USING (order_id) WHERE l.sku = %s"
    assert shop.sql(query, [slug]) == [("captured",)]
    must_add_up(shop)


def test_pay_pressed_twice_in_each_of_ten_tabs_charges_once(shop: Stack) -> None:
    slug = a_product(shop, stock=100)
    declined = ready_to_order(shop, [slug], card_number="4000 0000 0000 9995")()
    assert "The payment did not go through" in declined.text

    def tab() -> Order:
        visitor = Visitor(shop.url)
        page = visitor.open(declined.url)
        return lambda: visitor.send(page, page.form_with("card_number"))

    pages = at_once([press for press in (tab() for _ in range(10)) for _ in range(2)])

    assert {(page.status, page.url) for page in pages} == {(200, declined.url)}
    query = (
        "SELECT p.state, count(*) FROM shop_payment p JOIN shop_orderline l USING (order_id)"
        " WHERE l.sku = %s GROUP BY 1 ORDER BY 1"
    )
    assert shop.sql(query, [slug]) == [("captured", 1), ("failed", 1)]
    assert "Thank you, your order is paid" in Visitor(shop.url).open(declined.url).text
    must_add_up(shop)


def test_key_of_a_checkout_with_other_details_is_a_conflict(shop: Stack) -> None:
    slug = a_product(shop, stock=100)
    visitor = Visitor(shop.url)
    visitor.put_into_cart(f"/p/{slug}/")
    page, form = visitor.fill_in_checkout(**_WHO)
    changed = Form(form.action, form.method, form.fields | {"city": "Basel"})

    assert visitor.send(page, form).status == 200
    visitor.put_into_cart(f"/p/{slug}/")

    assert visitor.send(page, changed).status == 409
    assert orders_of(shop, slug) == 1


def test_discount_code_with_ten_uses_is_used_ten_times(shop: Stack) -> None:
    slug = a_product(shop, stock=1000)
    shop.sql("INSERT INTO shop_discountcode (code, percent, \"limit\") VALUES ('TEN', 10, 10)")

    pages = at_once(prepared(shop, [[slug]] * 100, discount="TEN"))

    assert outcomes(pages, "The discount code TEN is not valid, or not any more.") == {
        "ordered": 10,
        "refused": 90,
    }
    assert shop.sql("SELECT used FROM shop_discountcode WHERE code = 'TEN'") == [(10,)]
    must_add_up(shop)
