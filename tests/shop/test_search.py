"""What is found, in which order, and that the search table follows the catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from imports import undoing
from shop import browsing, caching, indexing, search
from shop.browsing import Sort, Wanted
from shop.models import Category, Product, SearchDocument
from tasks.models import Job
from tests.imports.running import import_rows, row, work
from tests.shop.factories import a_category, a_product
from tests.shop.shopping import index, index_all, names, names_on, next_page, opened

pytestmark = pytest.mark.django_db

FORM = {
    "sku": "P", "slug": "p", "price": "5", "stock": "1", "metadata": "{}", "options": "{}", "published": "on",
    "images-TOTAL_FORMS": "0", "images-INITIAL_FORMS": "0",
    "variants-TOTAL_FORMS": "0", "variants-INITIAL_FORMS": "0",
}  # fmt: skip


def documents() -> list[str]:
    return list(SearchDocument.objects.order_by("sort_name").values_list("sort_name", flat=True))


def test_words_in_the_name_rank_above_words_in_the_description(client: Client) -> None:
    a_product(name="Board", description="Goes with every knife, and with a bread knife above all.")
    a_product(name="Bread knife")
    a_product(name="Bread bin", category=a_category("Kitchen > Knife blocks"))
    a_product(name="Towel")
    index_all()

    assert names(client, q="knife") == ["Bread knife", "Bread bin", "Board"]


@pytest.mark.parametrize(
    ("searched", "found"),
    [
        ("bread KNIVES", []),  # the stem of a plural that changes its letters is another one
        ("lamp", ["Café lamps, brûlée"]),  # its stem
        ("cafe brulee", ["Café lamps, brûlée"]),  # without accents
        ("CAFÉ", ["Café lamps, brûlée"]),
        ("laм", []),  # a letter that only looks alike
        ("lam", ["Café lamps, brûlée"]),  # the last word may be its beginning
        ("КРУЖКА", ["Кружка синяя"]),
        ("usb c", ["USB-C hub"]),
        ("hub-usb", ["USB-C hub"]),
        ("AB-12/3", ["Kettle"]),  # the SKU, with its punctuation
        ("ab 12 3", ["Kettle"]),
        ("steel", ["Kettle"]),  # in the description, which is HTML
        ("strong", []),  # … of which a tag is no word
        ("'; DROP TABLE shop_product; --", []),
        ("& | ! :* <-> \\ '", None),  # no word at all: as if nothing was searched for
        ("\0kettle\0", ["Kettle"]),
        ("the", []),
    ],
)
def test_words_are_found(client: Client, searched: str, found: list[str] | None) -> None:
    a_product(name="Café lamps, brûlée")
    a_product(name="Кружка синяя")
    a_product(name="USB-C hub")
    a_product(name="Kettle", sku="AB-12/3", description="<p>Of <strong>steel</strong></p>")
    index_all()

    listed = names(client, q=searched)

    assert len(listed) == 4 if found is None else listed == found


@pytest.mark.parametrize("searched", ["kithcen", "kitchne knife", "kichen knfe", "Kitchn"])
def test_typos_find_names_that_are_alike(client: Client, searched: str) -> None:
    a_product(name="Kitchen knife")
    a_product(name="Garden hose")
    index_all()

    page = client.get("/", {"q": searched}).text

    assert names(client, q=searched) == ["Kitchen knife"]
    assert "so names like it are listed too" in page


def test_words_with_digits_are_meant_as_they_are_written(client: Client) -> None:
    a_product(name="Mixer K4711")
    index_all()

    assert names(client, q="K4712") == []


def test_what_is_written_right_ranks_above_what_is_alike(client: Client) -> None:
    a_product(name="Lamb skin")
    a_product(name="Lamp")
    index_all()

    assert names(client, q="lamp")[0] == "Lamp"


def test_product_is_found_by_its_variants(client: Client) -> None:
    shirt = a_product(name="Shirt", price=Decimal(99), stock=0)
    a_product(parent=shirt, sku="SH-RED", options={"Colour": "crimson"}, price=Decimal(20), stock=4)
    a_product(parent=shirt, sku="SH-BLUE", options={"Colour": "azure"}, price=Decimal(30), published=False)
    index_all()

    found = [names(client, q=words) for words in ("crimson", "sh red", "azure")]
    document = SearchDocument.objects.get()

    assert found == [["Shirt"], ["Shirt"], []]
    assert (document.price, document.highest_price, document.available) == (20, 20, True)


@pytest.mark.parametrize("change", ["added", "changed", "deleted", "unpublished", "sold out"])
def test_document_is_stale_when_a_variant_is(change: str) -> None:
    shirt = a_product(name="Shirt")
    variants = [a_product(parent=shirt, sku=f"V{n}", stock=1, options={"Size": str(n)}) for n in range(2)]
    index_all()
    before = SearchDocument.objects.get()
    those = Product.objects.filter(pk=variants[1].pk)
    if change == "added":
        a_product(parent=shirt, options={"Size": "3"})
    elif change == "deleted":
        those.delete()
    elif change == "sold out":
        Product.objects.variants().update(stock=0)
    else:
        those.update(**({"published": False} if change == "unpublished" else {"price": 1}))

    index_all()

    after = SearchDocument.objects.get()
    assert (after.variants_version, after.available) != (before.variants_version, before.available)


def test_import_and_its_undo_are_found() -> None:
    a_product(sku="A", name="Old name")
    index_all()

    run = import_rows([row("A", name="New name"), row("B", name="Another")])
    index()
    after_import = documents()
    work(undoing.begin(run))
    index()

    assert (after_import, documents()) == (["another", "new name"], ["old name"])


def test_import_that_writes_nothing_asks_for_nothing() -> None:
    import_rows([row("A")])
    before = Job.objects.filter(kind=indexing.KIND).count()

    import_rows([row("A")])

    assert Job.objects.filter(kind=indexing.KIND).count() == before == 1


def test_edit_in_the_admin_is_found(admin_client: Client) -> None:
    product = a_product(name="Before", sku="P", slug="p")
    index_all()

    saved = admin_client.post(f"/admin/shop/product/{product.pk}/change/", {**FORM, "name": "After"})
    index()

    assert (saved.status_code, documents()) == (302, ["after"])


def test_deleting_and_unpublishing_in_the_admin_take_out(admin_client: Client) -> None:
    gone, hidden, _ = a_product(name="Gone"), a_product(name="Hidden"), a_product(name="Stays")
    index_all()

    admin_client.post(f"/admin/shop/product/{gone.pk}/delete/", {"post": "yes"})
    action = {"action": "unpublish", "_selected_action": [str(hidden.pk)], "index": "0"}
    admin_client.post("/admin/shop/product/", action)
    index()

    assert documents() == ["stays"]


def test_variant_deleted_in_the_admin_leaves_its_products_document(admin_client: Client) -> None:
    shirt = a_product(name="Shirt", price=Decimal(5))
    variant = a_product(parent=shirt, price=Decimal(3), options={"Size": "S"})
    index_all()

    admin_client.post(f"/admin/shop/product/{variant.pk}/delete/", {"post": "yes"})
    index()

    assert SearchDocument.objects.get().price == 5


def test_renamed_category_is_found_by_its_new_name(admin_client: Client, client: Client) -> None:
    a_product(name="Knife", category=a_category("Home > Kitchen"))
    index_all()
    home = Category.objects.get(path="home")

    admin_client.post(
        f"/admin/shop/category/{home.pk}/change/", {"name": "Household", "slug": "household", "parent": ""}
    )
    index()

    assert (names(client, q="household"), names(client, "/c/household/kitchen/")) == (["Knife"], ["Knife"])


def test_tick_finds_what_nobody_told_of() -> None:
    a_product(name="A")
    index_all()
    Product.objects.update(name="B")  # by hand, past all that would tell
    unfinished = Job.objects.filter(kind=indexing.KIND).unfinished()

    indexing.look_through()
    indexing.look_through()
    assert unfinished.count() == 1
    index()

    assert (documents(), unfinished.count()) == (["b"], 0)


def test_large_catalogue_is_indexed_by_several_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_RANGE", 3)
    monkeypatch.setattr(indexing, "_ENOUGH", 4)
    for number in range(20):
        a_product(name=f"P{number:02}", published=number != 7)

    index_all()
    jobs = Job.objects.filter(kind=indexing.KIND).count()

    assert (len(documents()), jobs) == (19, 4)


def test_categories_know_how_many_are_listed() -> None:
    kitchen = a_category("Home > Kitchen")
    for number in range(3):
        a_product(category=kitchen, published=number != 2)
    index_all()
    counted = Category.objects.get(pk=kitchen.pk).listed
    Product.objects.update(category=None)
    index_all()

    assert (counted, Category.objects.get(pk=kitchen.pk).listed) == (2, 0)


def lamps(number: int) -> None:
    """So many products, in turns with a word in the name, in the category, and in the description."""
    category = a_category("Light > Lamps")
    for at in range(number):
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("Lamp", {}),
            ("Shade", {"category": category}),
            ("Bulb", {"description": "For a lamp"}),
        ]
        name, more = kinds[at % 3]
        a_product(name=f"{name} {at}", **more)
    index_all()


@pytest.mark.parametrize(
    ("many", "found"),
    [
        (9, "Lamp 6, Lamp 3, Lamp 0, Shade 7, Shade 4, Shade 1, Bulb 8, Bulb 5, Bulb 2"),
        # More have it in the name: the newest of them, and the rest as it comes.
        (2, "Lamp 6, Lamp 3, Bulb 8, Shade 7, Bulb 5, Shade 4, Bulb 2, Shade 1, Lamp 0"),
        # Three have it in the name, and two more are among the newest four.
        (4, "Lamp 6, Lamp 3, Lamp 0, Shade 7, Bulb 8, Bulb 5, Shade 4, Bulb 2, Shade 1"),
    ],
)
def test_of_very_many_the_newest_with_the_word_in_the_name_come_first(
    client: Client, monkeypatch: pytest.MonkeyPatch, many: int, found: str
) -> None:
    lamps(9)
    monkeypatch.setattr(search, "MANY", many)

    assert ", ".join(names(client, q="lamp")) == found


@pytest.mark.parametrize("many", [1, 2, 5, 9, 40])
@pytest.mark.parametrize("query", [{}, {"in_stock": "on"}, {"sort": "price"}, {"q": "lamp sh"}])
def test_pages_of_very_many_show_each_once_while_others_come_in(
    client: Client, monkeypatch: pytest.MonkeyPatch, many: int, query: dict[str, str]
) -> None:
    query = {"q": "lamp"} | query
    lamps(18)
    whole = sorted(names(client, **query))
    monkeypatch.setattr(search, "MANY", many)
    monkeypatch.setattr(browsing, "PAGE", 4)
    caching.forget()

    page = opened(client, **query)
    found = names_on(page)
    while following := next_page(page):
        if len(found) <= 12:
            a_product(name=f"New lamp sh {len(found)}")
            index_all()
        page = opened(client, following)
        found += names_on(page)

    assert sorted(name for name in found if not name.startswith("New")) == whole
    assert len(found) == len(set(found))


def test_search_for_a_sku_reads_little_after_an_import() -> None:
    for number in range(40):
        a_product(name=f"Cup {number}", sku=f"TM-{number:06}")
    index_all()

    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('search_words'::regclass)")
        assert cursor.fetchone() == (0,)
    with CaptureQueriesContext(connection) as asked:
        listing = browsing.listing(Wanted(words="tm 000007", sort=Sort.RELEVANCE))

    assert [card.name for card in listing.cards] == ["Cup 7"]
    assert [query["sql"] for query in asked if "word_similarity" in query["sql"]] == []
