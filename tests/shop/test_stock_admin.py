"""Staff and stock: a correction never undoes a sale, and the ledger can be read and checked."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from shop import stock
from shop.models import Product, StockMovement
from tests.imports.running import import_rows, row
from tests.shop.factories import a_product
from tests.shop.test_admin import PRODUCTS, errors_of, messages_of
from tests.shop.test_stock import ledger

pytestmark = pytest.mark.django_db
SALE = StockMovement.Kind.SALE


def page_of(product: Product) -> str:
    return f"{PRODUCTS}{product.pk}/change/"


def form_of(client: Client, product: Product) -> dict[str, str]:
    """What a browser would send of the product's page as it is now."""
    page = client.get(page_of(product))
    form = page.context["adminform"].form
    shown = re.search(r'name="initial-stock" value="(\d+)"', page.content.decode())
    assert shown is not None
    fields = {name: str(form.initial.get(name) or "") for name in form.fields}
    return fields | {
        "initial-stock": shown[1], "metadata": "{}", "options": "{}", "published": "on",
        "images-TOTAL_FORMS": "0", "images-INITIAL_FORMS": "0",
        "variants-TOTAL_FORMS": "0", "variants-INITIAL_FORMS": "0",
    }  # fmt: skip


def saved(client: Client, product: Product, form: dict[str, str]) -> Any:
    answer = client.post(page_of(product), form)
    product.refresh_from_db()
    return answer


def test_corrected_stock_is_entered_with_its_user(admin_client: Client) -> None:
    product = a_product(stock=10)

    saved(admin_client, product, form_of(admin_client, product) | {"stock": "7"})

    assert (product.stock, ledger(product)) == (7, [(-3, 7, "correction")])
    assert product.stock_movements.get().by == "admin"


def test_sale_while_the_page_was_open_stays_sold_and_is_told(admin_client: Client) -> None:
    product = a_product(sku="A", stock=10)
    form = form_of(admin_client, product)
    stock.move({"A": -4}, kind=SALE)

    answer = saved(admin_client, product, form | {"stock": "12"})

    assert ledger(product) == [(-4, 6, "sale"), (2, 8, "correction")]
    assert "While the page was open, 4 of A left: the stock is 8." in messages_of(answer)


def test_stock_that_nobody_touched_stays_as_it_became(admin_client: Client) -> None:
    product = a_product(sku="A", stock=10)
    form = form_of(admin_client, product)
    stock.move({"A": 5}, kind=StockMovement.Kind.RETURN)

    answer = saved(admin_client, product, form | {"name": "Other"})

    assert (product.name, product.stock, ledger(product)) == ("Other", 15, [(5, 15, "return")])
    assert "While the page was open, 5 of A came in: the stock is 15." in messages_of(answer)


def test_correction_below_zero_is_refused_and_says_why(admin_client: Client) -> None:
    product = a_product(sku="A", stock=10)
    form = form_of(admin_client, product)
    stock.move({"A": -4}, kind=SALE)

    answer = saved(admin_client, product, form | {"stock": "2"})

    assert errors_of(answer) == {
        "stock": [
            "While this page was open, the stock went from 10 to 6, so 8 can't be taken away. Open the page"
            " again, and write what is there now."
        ]
    }
    assert 'name="initial-stock" value="10"' in answer.content.decode()
    assert ledger(product) == [(-4, 6, "sale")]


def test_negative_stock_is_refused(admin_client: Client) -> None:
    product = a_product(stock=10)

    answer = saved(admin_client, product, form_of(admin_client, product) | {"stock": "-1"})

    assert errors_of(answer) == {"stock": ["The stock can't be negative."]}


def test_new_product_has_no_ledger_to_show(admin_client: Client) -> None:
    assert "Opening stock" not in admin_client.get(f"{PRODUCTS}add/").content.decode()


def panel(client: Client, product: Product) -> list[str]:
    """The rows of the panel, as text."""
    table = client.get(page_of(product)).content.decode().partition('class="tally-ledger"')[2]
    rows = re.findall(r"<tr.*?</tr>", table.partition("</table>")[0], flags=re.S)
    return [" ".join(re.sub(r"<time.*?</time>|<[^>]+>", " ", one, flags=re.S).split()) for one in rows[1:]]


def test_ledger_shows_what_moved_by_whom_and_for_which_import(admin_client: Client) -> None:
    import_rows([row("A", stock="10")])
    run = import_rows([row("A", stock="1500")])
    stock.move({"A": -2}, kind=SALE, reference="order/5", by="kim", note="By phone")
    product = Product.objects.get()

    assert panel(admin_client, product) == [
        "−2 1,498 Sale, order 5 By phone kim",
        f"+1,490 1,500 Import {run.pk} –",
        "10 Opening stock",
    ]
    assert f'href="/admin/imports/importrun/{run.pk}/change/">Import {run.pk}' in (
        admin_client.get(page_of(product)).content.decode()
    )


def test_ledger_shows_the_last_twenty_and_says_that_there_are_more(admin_client: Client) -> None:
    product = a_product(sku="A", stock=100)
    for _ in range(21):
        stock.move({"A": -1}, kind=SALE)

    rows = panel(admin_client, product)

    assert (len(rows), rows[0], rows[19]) == (22, "−1 79 Sale –", "−1 98 Sale –")
    assert rows[20] == "These are the last 20 movements; there are older ones."


def test_check_finds_every_stock_right() -> None:
    a_product(sku="A", stock=3)
    a_product(sku="B", stock=0)
    stock.move({"A": -2}, kind=SALE)
    out = StringIO()

    call_command("check_stock", stdout=out)

    assert out.getvalue() == "Every product's stock is what its ledger comes to.\n"


def test_check_lists_stock_that_nothing_accounts_for() -> None:
    a_product(sku="A", stock=3)
    a_product(sku="B", stock=3)
    stock.move({"A": -2}, kind=SALE)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        cursor.execute("UPDATE shop_product SET stock = 1500 WHERE sku = 'A'")
        cursor.execute("SET LOCAL session_replication_role = 'origin'")
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("check_stock", stdout=out, stderr=err)

    assert (ended.value.code, out.getvalue()) == (1, "A: the stock is 1,500, its ledger comes to 1.\n")
    assert err.getvalue() == "1 product differs from the ledger.\n"
