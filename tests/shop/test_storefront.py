"""Lists and product pages, as a browser gets them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop.browsing import PAGE
from shop.models import Product, ProductImage
from tests.shop.factories import a_category, a_product
from tests.shop.shopping import all_pages, index_all, names, names_on, next_page, opened

pytestmark = pytest.mark.django_db


def some_products() -> None:
    kitchen = a_category("Home > Kitchen")
    a_product(name="Ängel", price=Decimal(5), stock=1, category=a_category("Garden"))
    a_product(name="bowl", price=Decimal(20), stock=0, category=kitchen)
    a_product(name="Cup", price=Decimal(10), stock=2, category=a_category("Home"))
    a_product(name="Hidden", published=False, category=kitchen)
    index_all()


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({}, ["Cup", "bowl", "Ängel"]),
        ({"sort": "price"}, ["Ängel", "Cup", "bowl"]),
        ({"sort": "-price"}, ["bowl", "Cup", "Ängel"]),
        ({"sort": "name"}, ["Ängel", "bowl", "Cup"]),
        ({"sort": "sideways"}, ["Cup", "bowl", "Ängel"]),
        ({"lowest": "5.01", "highest": "20"}, ["Cup", "bowl"]),
        ({"lowest": "much", "highest": "10"}, ["Cup", "Ängel"]),
        ({"in_stock": "on"}, ["Cup", "Ängel"]),
        ({"after": "nonsense"}, ["Cup", "bowl", "Ängel"]),
    ],
)
def test_list_is_filtered_and_sorted(client: Client, query: dict[str, str], listed: list[str]) -> None:
    some_products()

    assert names(client, **query) == listed


def test_category_lists_what_is_in_it_and_below(client: Client) -> None:
    some_products()
    page = opened(client, "/c/home/")

    assert names(client, "/c/home/") == ["Cup", "bowl"]
    assert names(client, "/c/home/kitchen/") == ["bowl"]
    assert names(client, "/c/home/", q="cup") == ["Cup"]
    assert '<a href="/c/home/kitchen/">Kitchen</a> <span class="st-soft">1</span>' in page


def test_category_page_shows_the_way_to_it(client: Client) -> None:
    some_products()

    page = opened(client, "/c/home/kitchen/")

    assert '<a href="/c/home/">Home</a>' in page
    assert '<span aria-current="page">Kitchen</span>' in page


@pytest.mark.parametrize("sort", ["newest", "price", "-price", "name", "relevance"])
def test_each_product_is_seen_once_while_others_come_in(client: Client, sort: str) -> None:
    at_first = [f"Knife {number:03}" for number in range(2 * PAGE + 5)]
    for number, name in enumerate(at_first):
        a_product(name=name, price=Decimal(number % 3 + 1))
    index_all()

    page = opened(client, "/", q="knife", sort=sort)
    seen: list[str] = []
    while True:
        seen += names_on(page)
        for price in (Decimal("0.50"), Decimal(2), Decimal(9)):
            a_product(name="Knife 0 new", price=price)
        index_all()
        address = next_page(page)
        if address is None:
            break
        page = opened(client, address)

    assert sorted(name for name in seen if name in at_first) == at_first


def test_names_that_are_alike_are_paged_too(client: Client) -> None:
    for number in range(PAGE + 3):
        a_product(name=f"Kitchen {number}")
    index_all()

    assert len(all_pages(client, q="kithcen")) == len(set(all_pages(client, q="kithcen"))) == PAGE + 3


def test_last_page_leads_nowhere(client: Client) -> None:
    for _ in range(PAGE):
        a_product()
    index_all()

    assert next_page(opened(client)) is None


@pytest.mark.parametrize("after", ["x", "W10", "WyJwcmljZSIsMCwiTmFOIiwiMDAiXQ", "é", "a" * 5000])
@pytest.mark.parametrize("sort", ["newest", "price"])
def test_cursor_that_is_none_begins_at_the_beginning(client: Client, after: str, sort: str) -> None:
    some_products()

    assert names(client, sort=sort, after=after) == names(client, sort=sort)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        *(("price", value) for value in ("NaN", "sNaN", "Infinity", "1e999999", [0, [1], 99])),
        *(("name", value) for value in ("\ud800", "\0")),
    ],
)
def test_cursor_at_what_no_product_has_begins_at_the_beginning(
    client: Client, sort: str, value: object
) -> None:
    some_products()
    parts = json.dumps([sort, 0, value, "0" * 32]).encode()

    listed = names(client, sort=sort, after=urlsafe_b64encode(parts).decode())

    assert listed == names(client, sort=sort)


def queries(client: Client, path: str, **query: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        opened(client, path, **query)
    return len(
        [one for one in captured.captured_queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    )


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/", {}),
        ("/c/home/", {"sort": "price", "in_stock": "on"}),
        ("/", {"q": "thing"}),
        ("/", {"q": "thimg"}),
    ],
)
def test_no_list_does_more_queries_when_it_is_longer(
    client: Client, path: str, query: dict[str, str]
) -> None:
    category = a_category("Home > Kitchen")
    counted = []
    for _ in range(2):
        for number in range(PAGE):
            product = a_product(name=f"Thing {number}", category=category)
            ProductImage.objects.create(product=product, source_url="https://example.com/a.jpg")
            a_product(parent=product, stock=1)
        index_all()
        counted.append((queries(client, path, **query), queries(client, path, **query)))

    assert counted[0] == counted[1]
    cold, warm = counted[0]
    assert (cold <= 9, warm) == (True, 2)


def test_product_page_does_few_queries_however_many_variants(client: Client) -> None:
    product = a_product(slug="shirt", category=a_category("Clothing"))
    for number in range(50):
        a_product(parent=product, options={"Size": str(number)})

    assert (queries(client, "/p/shirt/"), queries(client, "/p/shirt/")) == (6, 2)


def test_product_with_variants_shows_from_until_one_is_chosen(client: Client) -> None:
    shirt = a_product(slug="shirt", name="Shirt", price=Decimal(99))
    for size, colour, price, stock in (("S", "red", 20, 9), ("M", "red", 25, 2), ("S", "blue", 20, 0)):
        options = {"Size": size, "Colour": colour}
        a_product(parent=shirt, sku=f"{size}-{colour}", options=options, price=Decimal(price), stock=stock)
    page = opened(client, "/p/shirt/")
    chosen = {sku: opened(client, "/p/shirt/", variant=sku) for sku in ("S-red", "M-red", "S-blue")}

    assert '<span class="st-soft">from</span> €20.00' in page
    assert "Choose above" in page
    assert [
        (sku, "€25.00" in text, "In stock" in text, "Only 2 left" in text, "Out of stock" in text)
        for sku, text in chosen.items()
    ] == [
        ("S-red", False, True, False, False),
        ("M-red", True, False, True, False),
        ("S-blue", False, False, False, True),
    ]
    assert 'href="/p/shirt/?variant=M-red"' in chosen["S-red"]  # the other size, in the same colour
    assert chosen["S-red"].count('aria-current="true"') == 2


def test_unknown_variant_shows_the_product(client: Client) -> None:
    shirt = a_product(slug="shirt")
    a_product(parent=shirt, sku="S", options={"Size": "S"})

    assert 'aria-current="true"' not in opened(client, "/p/shirt/", variant="X")


def test_variants_own_address_leads_to_its_product(client: Client) -> None:
    shirt = a_product(slug="shirt")
    a_product(parent=shirt, slug="shirt-s", sku="S/1", options={"Size": "S"})

    assert client.get("/p/shirt-s/").headers["Location"] == "/p/shirt/?variant=S%2F1"


def test_price_before_is_struck_through_only_above_the_price(client: Client) -> None:
    a_product(slug="less", price=Decimal(10), compare_at_price=Decimal("12.50"))
    a_product(slug="more", price=Decimal(10), compare_at_price=Decimal(8))
    index_all()

    assert ("€12.50</s>" in opened(client, "/p/less/"), "<s>" in opened(client, "/p/more/")) == (True, False)
    assert opened(client).count("<s>") == 1


@pytest.mark.parametrize("price", [Decimal(0), Decimal(-1)])
def test_price_before_of_nothing_is_refused(price: Decimal) -> None:
    with pytest.raises(IntegrityError, match="product_compare_at_price_positive"), transaction.atomic():
        a_product(compare_at_price=price)


def test_price_before_is_content_and_so_makes_a_new_version() -> None:
    product = a_product()
    Product.objects.filter(pk=product.pk).update(compare_at_price=5)

    assert Product.objects.get(pk=product.pk).version > product.version


@pytest.mark.parametrize(
    ("language", "price"),
    [("en", "€1,299.50"), ("de", "1.299,50\xa0€"), ("fr", "1\u202f299,50\xa0€"), ("xx", "€1,299.50")],
)
def test_prices_are_written_in_the_language_of_the_request(client: Client, language: str, price: str) -> None:
    a_product(slug="desk", price=Decimal("1299.5"))

    page = client.get("/p/desk/", headers={"Accept-Language": language}).text

    assert price in page


def test_description_keeps_harmless_html_only(client: Client) -> None:
    a_product(slug="a", description='<p onclick="x()">Good <script>bad()</script><b>bold</b></p>')
    a_product(slug="b", description="1 < 2\n\nand more")

    assert "<p>Good <b>bold</b></p>" in opened(client, "/p/a/")
    assert "<p>1 &lt; 2</p>\n\n<p>and more</p>" in opened(client, "/p/b/")


@pytest.mark.parametrize("path", ["/p/none/", "/c/none/", "/nothing", "/p/hidden/", "/p/of-hidden/"])
def test_what_is_not_there_says_so_and_leads_on(client: Client, path: str) -> None:
    hidden = a_product(slug="hidden", published=False)
    a_product(slug="of-hidden", parent=hidden)

    response = client.get(path)

    assert (response.status_code, "This page does not exist" in response.text) == (404, True)


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/", {}, "Here will be what the shop sells"),
        ("/", {"q": "unicorn"}, "Nothing is called “unicorn”, or anything like it."),
        ("/", {"lowest": "1"}, "No product matches these filters."),
        ("/c/empty/", {}, "There is nothing in Empty at the moment."),
    ],
)
def test_empty_list_says_what_to_do(client: Client, path: str, query: dict[str, str], says: str) -> None:
    a_category("Empty")

    assert says in opened(client, path, **query)


def test_list_shows_nothing_that_was_taken_out_meanwhile(client: Client) -> None:
    some_products()
    Product.objects.filter(name="Cup").update(published=False)
    Product.objects.filter(name="bowl").delete()

    assert names(client) == ["Ängel"]


def test_stock_is_never_kept(client: Client) -> None:
    product = a_product(slug="cup", name="Cup", stock=5)
    index_all()
    pages = ("/", "/p/cup/")
    before = [opened(client, path).count("Out of stock") for path in pages]
    Product.objects.filter(pk=product.pk).update(stock=0)

    assert (before, [opened(client, path).count("Out of stock") for path in pages]) == ([0, 0], [1, 1])
    assert names(client, in_stock="on") == []


def test_stored_pictures_are_served_and_nothing_else_is(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    default_storage.save("imports/1/file.csv", ContentFile(b"secret"))
    product = a_product(slug="cup")
    ProductImage.objects.create(
        product=product, file=default_storage.save("products/a.png", ContentFile(b"png"))
    )

    served = client.get("/media/products/a.png")

    assert (served.status_code, b"".join(served.streaming_content)) == (200, b"png")
    assert 'src="/media/products/a.png"' in opened(client, "/p/cup/")
    asked = (
        "/media/products/../imports/1/file.csv",
        "/media/imports/1/file.csv",
        "/media/products/",
        "/media/products/no",
        "/media/products/a%00b.jpg",
    )
    assert {path: client.get(path).status_code for path in asked} == dict.fromkeys(asked, 404)


def test_storefront_has_a_strict_policy_and_the_admin_its_own(client: Client, admin_client: Client) -> None:
    a_product(slug="cup")
    policies = {
        path: client.get(path).headers["Content-Security-Policy"] for path in ("/", "/p/cup/", "/none")
    }

    assert {path: "unsafe" in policy for path, policy in policies.items()} == dict.fromkeys(policies, False)
    assert "script-src 'self';" in policies["/"]
    assert "default-src 'none'" in policies["/"]
    assert "'unsafe-eval'" in admin_client.get("/admin/").headers["Content-Security-Policy"]
    headers = client.get("/").headers
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")


def test_pages_have_no_style_or_script_inside(client: Client) -> None:
    a_product(slug="cup")
    index_all()

    for path in ("/", "/p/cup/"):
        page = opened(client, path)
        assert [part for part in ("<style", "style=", "onclick", "hx-on", "<script>") if part in page] == []
