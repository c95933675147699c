"""The admin's pages of exports, from the list of products to the file, as a browser meets them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from imports import exporting
from imports.models import ExportRun
from shop.models import Product
from tasks.models import Job
from tests.imports.exports import work
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS = "/admin/shop/product/"
ADD = "/admin/imports/exportrun/add/"
LIST = "/admin/imports/exportrun/"


@pytest.fixture
def client(client: Client) -> Client:
    """The browser of a staff member who may see products and export."""
    staff = User.objects.create_user("staff", is_staff=True)
    may = ["view_product", "add_exportrun", "view_exportrun"]
    staff.user_permissions.set(Permission.objects.filter(codename__in=may))
    client.force_login(staff)
    return client


def page_of(run: ExportRun, page: str = "change") -> str:
    return reverse(f"admin:imports_exportrun_{page}", args=[run.pk])


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def text_of(response: Any) -> str:
    page = response.content.decode()
    page = page.partition('id="content"')[2].partition(">")[2] or page
    return " ".join(re.sub(r"<(script|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.S).split())


def skus(client: Client, run: ExportRun) -> list[str]:
    """Those in the file that the page gives."""
    response = client.get(page_of(work(run), "download"))
    assert response["Content-Disposition"] == f'attachment; filename="catalogue-{run.pk}.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return [row["sku"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def hidden(response: Any) -> dict[str, str]:
    """The hidden fields of the form, as the browser would send them."""
    found = re.findall(r'<input type="hidden" name="(list|ids)" value="([^"]*)"', response.content.decode())
    return {name: value.replace("&amp;", "&") for name, value in found}


def through(client: Client, address: str) -> ExportRun:
    """Open the form at the address, and send it as it is."""
    form = client.get(address)
    assert form.status_code == 200
    sent = client.post(ADD, {**hidden(form), "format": "csv", "profile": "tallyman"})
    run = ExportRun.objects.get()
    assert sent["Location"] == page_of(run)
    return run


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("?published__exact=1", ["A", "C"]),
        ("?q=B", ["B"]),
        ("?q=name&published__exact=1&p=2&o=-3", ["C"]),
        ("?stock=out", ["A", "B"]),
    ],
)
def test_the_list_is_exported_as_it_is_filtered(client: Client, query: str, expected: list[str]) -> None:
    a_product(sku="A")
    a_product(sku="B", published=False)
    a_product(sku="C", stock=9, name="Its name")

    assert f'href="{ADD}{query}"'.replace("&", "&amp;") in client.get(PRODUCTS + query).content.decode()
    assert skus(client, through(client, ADD + query)) == expected


def test_the_list_of_a_category_brings_what_is_below_it(client: Client) -> None:
    category = a_category("Home")
    a_product(sku="A", category=a_category("Home > Kitchen"))
    a_product(sku="B")

    assert skus(client, through(client, f"{ADD}?category__id__exact={category.pk}")) == ["A"]


def test_selected_products_are_exported_by_an_action(client: Client) -> None:
    chosen = [a_product(sku="A"), a_product(sku="B")]
    a_product(sku="C")

    sent = client.post(PRODUCTS, {"action": "export", "_selected_action": [one.pk for one in chosen]})

    assert skus(client, through(client, sent["Location"])) == ["A", "B"]


def test_all_pages_of_a_list_are_exported_by_its_query(client: Client) -> None:
    one = a_product(sku="A", published=False)
    data = {"action": "export", "_selected_action": [one.pk], "select_across": "1"}

    sent = client.post(f"{PRODUCTS}?published__exact=0", data)

    assert parse_qs(urlsplit(sent["Location"]).query) == {"published__exact": ["0"]}


def test_the_form_says_how_many_products_there_are(client: Client) -> None:
    for _ in range(3):
        a_product()

    page = text_of(client.get(ADD))

    assert "3 products The whole catalogue, with everything in it." in page
    assert "Export 3 products" in page


@pytest.mark.parametrize("query", ["?ids=x", "?nonsense__name=1", "?category__id__exact=999"])
def test_an_address_that_selects_nothing_leads_back_to_the_list(client: Client, query: str) -> None:
    response = client.get(ADD + query)
    assert (response.status_code, response["Location"]) == (302, PRODUCTS)
    assert len(messages_of(response)) == 1


def test_page_becomes_the_result_and_stops_asking(client: Client) -> None:
    a_product()
    run = exporting.start(chosen={})

    before = client.get(page_of(run))
    assert "Waiting for a worker" in text_of(before)
    assert f'hx-get="{page_of(run, "progress")}"' in before.content.decode()
    assert client.get(page_of(run, "progress")).status_code == 200

    work(run)
    after = client.get(page_of(run, "progress"))
    assert after.status_code == 286
    assert "Completed" in text_of(after)
    assert page_of(run, "download") in after.content.decode()
    assert page_of(run, "progress") not in client.get(page_of(run)).content.decode()


def test_cancelled_export_leaves_no_file(client: Client) -> None:
    a_product()
    run = exporting.start(chosen={})

    response = client.post(page_of(run, "cancel"))

    assert messages_of(response) == [f"Export {run.pk} was cancelled."]
    run.refresh_from_db()
    assert (run.state, bool(run.file), Job.objects.get().state) == ("cancelled", False, "cancelled")
    assert messages_of(client.post(page_of(run, "cancel")))[-1] == f"Export {run.pk} had ended already."
    assert client.get(page_of(run, "cancel")).status_code == 405


def test_a_file_that_is_gone_is_told_of(client: Client) -> None:
    a_product()
    run = work(exporting.start(chosen={}))
    default_storage.delete(str(run.file.name))

    response = client.get(page_of(run, "download"))

    assert (response.status_code, response["Location"]) == (302, page_of(run))
    assert messages_of(response) == [f"Export {run.pk} has no file to download. Export again."]


def test_exports_are_listed_with_who_rows_and_size(client: Client) -> None:
    a_product()
    run = work(exporting.start(chosen={}, owner=User.objects.get(username="staff")))

    page = text_of(client.get(LIST))

    assert f"Export {run.pk}: Tallyman, CSV the whole catalogue" in page
    assert re.search(r"completed 1 \d+ bytes staff .* Download", page.replace("\xa0", " "))


@pytest.mark.parametrize("page", [LIST, ADD])
def test_who_may_not_export_stays_outside(client: Client, page: str) -> None:
    User.objects.get(username="staff").user_permissions.set(
        Permission.objects.filter(codename__in=["view_product"])
    )
    assert client.get(page).status_code == 403
    listed = client.get(PRODUCTS).content.decode()
    assert ("Export…" in listed, "Export selected…" in listed) == (False, False)


def test_more_products_than_a_worksheet_takes_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_product()
    a_product()
    for module in ("imports.exporting", "imports.files", "imports.pages.exporting"):
        monkeypatch.setattr(f"{module}.MOST_ROWS", 1)

    response = client.post(ADD, {"format": "xlsx", "profile": "tallyman"})

    assert response.status_code == 422
    assert "A worksheet holds 1 rows, and there are 2. Export as CSV." in text_of(response)
    assert (ExportRun.objects.count(), Product.objects.count()) == (0, 2)
