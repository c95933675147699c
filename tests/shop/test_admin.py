"""The catalogue's admin pages, as a browser sees them."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.urls import reverse

from shop.models import Category, Product, ProductImage
from tasks.listing import EstimatingPaginator
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db

PRODUCTS = "/admin/shop/product/"
CATEGORIES = "/admin/shop/category/"

A_FORM = {
    "name": "Bread knife",
    "sku": "KN-1",
    "slug": "bread-knife",
    "price": "12.50",
    "stock": "3",
    "metadata": "{}",
    "published": "on",
    "images-TOTAL_FORMS": "0",
    "images-INITIAL_FORMS": "0",
}


def listed(client: Client, **query: Any) -> list[str]:
    """SKUs in the list of products."""
    page = client.get(PRODUCTS, query)
    assert page.status_code == 200
    return re.findall(r'field-sku[^>]*">([^<]*)<', page.text)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def run(client: Client, page: str, action: str, objects: list[Any], **more: str) -> Any:
    selected = [str(one.pk) for one in objects]
    return client.post(page, {"action": action, "_selected_action": selected, "index": "0", **more})


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return dict(errors)


def test_product_list_shows_stock_as_a_word_and_a_colour(admin_client: Client) -> None:
    for stock in (0, 3, 1200):
        a_product(stock=stock)
    page = admin_client.get(PRODUCTS).text
    labels = re.findall(r'<span class="[^"]*(bg-\w+-100)[^"]*"\s*>\s*([^<]*?)\s*</span>', page)

    assert sorted(labels) == [
        ("bg-green-100", "in stock 1,200"),
        ("bg-orange-100", "low 3"),
        ("bg-red-100", "out of stock 0"),
    ]


def test_product_list_with_prices_shows_two_places_and_separators(admin_client: Client) -> None:
    a_product(price=Decimal("1234.5"))

    assert re.findall(r'field-priced[^>]*">([^<]*)<', admin_client.get(PRODUCTS).text) == ["1,234.50"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"stock": "out"}, ["B"]),
        ({"stock": "low"}, ["A"]),
        ({"stock": "nonsense"}, ["A", "B", "C"]),
        ({"published__exact": "0"}, ["C"]),
        ({"featured__exact": "1"}, ["A"]),
        ({"published__exact": "1", "stock": "in"}, []),
    ],
)
def test_product_filters_narrow_the_list(
    admin_client: Client, query: dict[str, str], found: list[str]
) -> None:
    a_product(sku="A", name="1", stock=2, featured=True)
    a_product(sku="B", name="2", stock=0)
    a_product(sku="C", name="3", stock=50, published=False)

    assert listed(admin_client, **query) == found


def test_category_filter_includes_what_is_below(admin_client: Client) -> None:
    home = a_category("Home")
    a_product(sku="in", category=a_category("Home > Kitchen"))
    a_product(sku="out", category=a_category("Zoo"))

    assert listed(admin_client, category__id__exact=home.pk) == ["in"]


@pytest.mark.parametrize("value", ["abc", "999999"])
def test_category_filter_with_nonsense_shows_the_whole_list(admin_client: Client, value: str) -> None:
    assert admin_client.get(PRODUCTS, {"category__id__exact": value}).headers["Location"] == f"{PRODUCTS}?e=1"


def test_category_filter_lists_no_categories_until_somebody_types(admin_client: Client) -> None:
    a_category("A very particular category")

    assert "A very particular category" not in admin_client.get(PRODUCTS).text
    found = admin_client.get(
        reverse("admin:autocomplete"),
        {"app_label": "shop", "model_name": "product", "field_name": "category", "term": "particular"},
    )
    assert [result["text"] for result in found.json()["results"]] == ["A very particular category"]


def test_created_filter_includes_both_days(admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    moments = {
        "before": "2026-03-09T22:59:59Z",
        "first": "2026-03-09T23:00:00Z",  # midnight in Berlin
        "last": "2026-03-11T22:59:59Z",
        "after": "2026-03-11T23:00:00Z",
    }
    for name, moment in moments.items():
        Product.objects.filter(pk=a_product(sku=name, name=name).pk).update(created_at=moment)

    assert listed(admin_client, created_at_from="2026-03-10", created_at_to="2026-03-11") == ["first", "last"]
    assert listed(admin_client, created_at_from="2026-03-11", created_at_to="9999-12-31") == ["after", "last"]


def test_search_prefers_skus_and_falls_back_to_words_of_the_name(admin_client: Client) -> None:
    a_product(sku="KN-1", name="Bread knife, steel")
    a_product(sku="KN-2", name="Steel pan")
    a_product(sku="X-9", name="Holder for KN-1")

    assert listed(admin_client, q="kn-1") == ["KN-1"]
    assert listed(admin_client, q="steel knife") == ["KN-1"]
    assert listed(admin_client, q="STEEL") == ["KN-1", "KN-2"]
    assert listed(admin_client, q="nothing such") == []


@pytest.mark.parametrize(
    ("action", "field", "start", "message"),
    [
        ("publish", "published", False, "2 products are now published."),
        ("unpublish", "published", True, "2 products are now unpublished."),
        ("feature", "featured", False, "2 products are now featured."),
        ("unfeature", "featured", True, "2 products are no longer featured."),
    ],
)
def test_action_switches_the_chosen_products_and_counts_them(
    admin_client: Client, action: str, field: str, start: bool, message: str
) -> None:
    chosen = [a_product(**{field: start}) for _ in range(2)] + [a_product(**{field: not start})]
    left = a_product(**{field: start})

    assert messages_of(run(admin_client, PRODUCTS, action, chosen)) == [message]
    assert Product.objects.filter(**{field: start}).get() == left


def test_action_with_nothing_to_change_says_so(admin_client: Client) -> None:
    response = run(admin_client, PRODUCTS, "publish", [a_product(published=True)])

    assert messages_of(response) == ["Nothing to do: all of them were published already."]


def test_product_is_added_with_an_image(admin_client: Client) -> None:
    image = {
        "images-TOTAL_FORMS": "1",
        "images-0-source_url": "https://example.com/knife.jpg",
        "images-0-position": "0",
    }
    response = admin_client.post(f"{PRODUCTS}add/", {**A_FORM, **image})

    assert response.headers["Location"] == PRODUCTS
    product = Product.objects.get(sku="KN-1")
    assert (product.price, product.stock, product.pk.version) == (Decimal("12.50"), 3, 7)
    assert ProductImage.objects.get().product == product


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"price": "-1"}, {"price": ["The price can't be negative."]}),
        ({"stock": "-2"}, {"stock": ["The stock can't be negative."]}),
        ({"sku": "TAKEN"}, {"sku": ["A product with this SKU already exists."]}),
        ({"slug": "taken"}, {"slug": ["A product with this slug already exists; choose another."]}),
        ({"metadata": "{"}, {"metadata": ["Enter a valid JSON."]}),
        ({"price": "1e400"}, {"price": ["Ensure that there are no more than 12 digits in total."]}),
    ],
)
def test_product_form_names_the_field_and_the_fault(
    admin_client: Client, change: dict[str, str], errors: dict[str, list[str]]
) -> None:
    a_product(sku="TAKEN", slug="taken")

    assert errors_of(admin_client.post(f"{PRODUCTS}add/", {**A_FORM, **change})) == errors
    assert Product.objects.count() == 1


def test_image_without_source_is_refused_in_its_row(admin_client: Client) -> None:
    image = {"images-TOTAL_FORMS": "1", "images-0-alt": "A knife", "images-0-position": "0"}
    response = admin_client.post(f"{PRODUCTS}add/", {**A_FORM, **image})

    (formset,) = response.context["inline_admin_formsets"]
    assert formset.formset.errors == [{"__all__": ["Give a file or an address."]}]


def test_category_list_is_a_tree_with_counts(admin_client: Client) -> None:
    a_product(category=a_category("Home > Kitchen"))
    a_category("Home & Garden")
    page = html.unescape(admin_client.get(CATEGORIES).text)

    names = re.findall(r'--depth: (\d)">([^<]*)<', page)
    counts = re.findall(r"category__id__exact=\d+\"[^>]*>([^<]*)<", page)
    assert names == [("0", "Home"), ("1", "Kitchen"), ("0", "Home & Garden")]
    assert counts == ["0", "1", "0"]


def test_category_is_added_without_a_slug(admin_client: Client) -> None:
    admin_client.post(f"{CATEGORIES}add/", {"name": "Kitchen tools", "slug": "", "parent": ""})

    assert Category.objects.get().path == "kitchen-tools"


def test_category_form_refuses_a_move_below_itself(admin_client: Client) -> None:
    knives = a_category("Home > Knives")
    home = Category.objects.get(name="Home")
    response = admin_client.post(
        f"{CATEGORIES}{home.pk}/change/", {"name": "Home", "slug": "home", "parent": knives.pk}
    )

    assert errors_of(response) == {
        "parent": ["“Home” can't be moved below itself: “Home > Knives” is part of it."]
    }


def test_category_form_refuses_a_name_that_is_there(admin_client: Client) -> None:
    a_category("Home")
    response = admin_client.post(f"{CATEGORIES}add/", {"name": "HOME", "slug": "other", "parent": ""})

    assert errors_of(response) == {"name": ["“HOME” already exists (case and spacing do not count)."]}


def test_category_renamed_in_the_form_renames_what_is_below(admin_client: Client) -> None:
    a_category("Home > Knives")
    home = Category.objects.get(name="Home")
    admin_client.post(f"{CATEGORIES}{home.pk}/change/", {"name": "House", "slug": "house", "parent": ""})

    assert Category.objects.get(name="Knives").path == "house/knives"


def test_category_in_use_is_not_deleted_and_the_message_says_why(admin_client: Client) -> None:
    knives = a_category("Knives")
    for _ in range(12):
        a_product(category=knives)
    change = reverse("admin:shop_category_change", args=[knives.pk])
    response = admin_client.post(f"{CATEGORIES}{knives.pk}/delete/", {"post": "yes"})

    assert response.headers["Location"] == change
    assert messages_of(response) == ["“Knives” can't be deleted: 12 products are in it. Move them first."]
    assert Category.objects.filter(pk=knives.pk).exists()


def test_free_category_is_deleted(admin_client: Client) -> None:
    free = a_category("Free")
    admin_client.post(f"{CATEGORIES}{free.pk}/delete/", {"post": "yes"})

    assert not Category.objects.exists()


def test_deleting_several_categories_stops_when_one_is_in_use(admin_client: Client) -> None:
    a_category("Home > Kitchen")
    free = a_category("Free")
    response = run(admin_client, CATEGORIES, "delete_selected", list(Category.objects.all()), post="yes")

    assert messages_of(response) == ["“Home” can't be deleted: 1 subcategory is in it. Move it first."]
    assert Category.objects.filter(pk=free.pk).exists()


def test_deleting_many_categories_in_use_names_five_of_them(admin_client: Client) -> None:
    for number in range(7):
        a_category(f"Root {number} > Leaf")
    response = run(admin_client, CATEGORIES, "delete_selected", list(Category.objects.roots()))

    assert len(messages_of(response)) == 6
    assert messages_of(response)[-1] == "The same goes for 2 more of them."


def test_deleting_free_categories_asks_first_and_then_does_it(admin_client: Client) -> None:
    free = [a_category("One"), a_category("Two")]
    asked = run(admin_client, CATEGORIES, "delete_selected", free)
    assert (asked.status_code, Category.objects.count()) == (200, 2)

    run(admin_client, CATEGORIES, "delete_selected", free, post="yes")
    assert not Category.objects.exists()


def test_staff_without_permission_can_do_nothing(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("clerk", is_staff=True))
    category = a_category("Home")

    pages = [PRODUCTS, CATEGORIES, f"{CATEGORIES}{category.pk}/delete/"]
    assert [client.get(page).status_code for page in pages] == [403, 403, 403]
    assert "Products" not in client.get("/admin/").text


@pytest.mark.parametrize("page", [PRODUCTS, CATEGORIES])
def test_list_needs_few_queries_whatever_its_length(
    admin_client: Client, page: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        a_product(category=a_category(f"Home > Category {number}"))

    with django_assert_max_num_queries(12):
        assert admin_client.get(page).text.count("action-select") >= 50


def test_huge_list_is_estimated_unless_it_is_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    Product.objects.bulk_create(
        Product(sku=f"SKU-{number}", slug=f"p-{number}", name="Knife", price=1) for number in range(300)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE shop_product")
    Product.objects.filter(sku__lt="SKU-2").delete()
    rows = Product.objects.order_by("name")
    small = EstimatingPaginator(rows, 100)
    assert (small.count, small.is_estimate) == (rows.count(), False)

    monkeypatch.setattr(EstimatingPaginator, "estimate_from", 300)
    huge, filtered = EstimatingPaginator(rows, 100), EstimatingPaginator(rows.published(), 100)
    assert (huge.count, huge.is_estimate) == (300, True)
    assert (filtered.count, filtered.is_estimate) == (rows.count(), False)


# Variants


def a_family() -> tuple[Product, Product]:
    shirt = a_product(sku="shirt", name="Shirt")
    return shirt, a_product(
        sku="shirt-M", name="Shirt M", parent=shirt, options={"Size": "M", "Fit": "slim"}, stock=3
    )


def cells(page: Any, column: str) -> list[str]:
    """The texts of a column's cells, tags left out."""
    found = re.findall(rf"<td[^>]*field-{column}[^>]*>(.*?)</td>", page.text, re.S)
    return [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in found]


def test_product_page_lists_its_variants_with_links(admin_client: Client) -> None:
    shirt, medium = a_family()

    page = admin_client.get(f"{PRODUCTS}{shirt.pk}/change/")

    assert [cells(page, name) for name in ("variant", "set_apart", "priced", "in_stock")] == [
        ["shirt-M"],
        ["Fit: slim, Size: M"],
        ["9.99"],
        ["low 3"],
    ]
    assert f'<a class="tally-link" href="{PRODUCTS}{medium.pk}/change/">shirt-M</a>' in page.text


def test_page_of_a_variant_has_no_list_of_variants(admin_client: Client) -> None:
    _, medium = a_family()

    page = admin_client.get(f"{PRODUCTS}{medium.pk}/change/")

    assert (cells(page, "variant"), page.context["adminform"].form.initial["parent"]) == (
        [],
        medium.parent_id,
    )


def test_product_with_variants_is_saved(admin_client: Client) -> None:
    shirt, medium = a_family()
    forms = {"variants-TOTAL_FORMS": "1", "variants-INITIAL_FORMS": "1", "variants-0-id": medium.pk}

    answer = admin_client.post(
        f"{PRODUCTS}{shirt.pk}/change/",
        A_FORM | forms | {"sku": "shirt", "options": "{}", "name": "Warm shirt"},
    )

    assert (answer.status_code, Product.objects.get(sku="shirt").name) == (302, "Warm shirt")
    assert Product.objects.get(sku="shirt-M").parent_id == shirt.pk


def test_variant_like_its_sibling_is_refused_at_its_options(admin_client: Client) -> None:
    shirt, _ = a_family()

    more = {"parent": str(shirt.pk), "options": '{"Fit": "slim", "Size": "M"}'}
    errors = errors_of(admin_client.post(f"{PRODUCTS}add/", A_FORM | more))

    assert errors == {"options": ["shirt-M has the same options. Say what sets this one apart."]}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", ["cap", "shirt", "shirt-M"]),
        ("top", ["cap", "shirt"]),
        ("parents", ["shirt"]),
        ("variants", ["shirt-M"]),
    ],
)
def test_list_can_be_narrowed_to_variants_or_their_products(
    admin_client: Client, kind: str, expected: list[str]
) -> None:
    a_family()
    a_product(sku="cap", name="Cap")

    assert listed(admin_client, family=kind) == expected


def test_list_shows_options_below_the_names_of_variants(admin_client: Client) -> None:
    a_family()
    page = admin_client.get(PRODUCTS)

    names = [" ".join(name.split()) for name in re.findall(r"Shirt(?: M)?<div[^>]*>[^<]*", page.text)]
    assert [re.sub("<[^>]*>", " · ", name) for name in names] == [
        "Shirt · 1 variant",
        "Shirt M · Fit: slim, Size: M",
    ]


def test_list_shows_of_a_product_what_is_left_of_its_variants(admin_client: Client) -> None:
    shirt, _ = a_family()
    a_product(sku="shirt-L", name="Shirt L", parent=shirt, options={"Size": "L"}, stock=40)
    a_product(sku="cap", name="Cap", stock=0)
    page = admin_client.get(PRODUCTS)

    assert cells(page, "in_stock") == ["out of stock 0", "in stock 43", "in stock 40", "low 3"]
    assert "2 variants" in page.text


def test_only_a_product_without_variants_is_asked_whose_variant_it_is(admin_client: Client) -> None:
    shirt, medium = a_family()
    titles = {
        product.sku: [
            one.name for one in admin_client.get(f"{PRODUCTS}{product.pk}/change/").context["adminform"]
        ]
        for product in (shirt, medium)
    }
    assert titles == {
        "shirt": [None, "Price and stock", "Stock ledger", "More"],
        "shirt-M": [None, "Price and stock", "Variant", "Stock ledger", "More"],
    }


def test_only_products_of_their_own_are_offered_as_parents(admin_client: Client) -> None:
    a_family()
    query = {"app_label": "shop", "model_name": "product", "field_name": "parent", "term": "shirt"}

    offered = admin_client.get("/admin/autocomplete/", query).json()["results"]

    assert [one["text"] for one in offered] == ["Shirt (shirt)"]


def test_image_that_is_still_elsewhere_has_a_link(admin_client: Client) -> None:
    product = a_product()
    ProductImage.objects.create(product=product, source_url="https://x.test/a?b=1&c=2")

    page = admin_client.get(f"{PRODUCTS}{product.pk}/change/")

    link = re.search(r'<a class="tally-link" href="https://x.test[^>]*>[^<]*', page.text)
    assert link
    assert html.unescape(link[0]) == (
        '<a class="tally-link" href="https://x.test/a?b=1&c=2" target="_blank" rel="noopener noreferrer">Open'
    )
