"""Broken rows, absent products and what is taken out, on the pages and in the mail."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from imports.models import ImportRun
from notifications import messages
from shop.models import Category
from tests.imports.running import import_rows, receive, row
from tests.imports.test_pages import client, page_of, staff, text_of  # noqa: F401

pytestmark = pytest.mark.django_db

FORM = {"action": "import", "map-sku": "0", "mode": "upsert", "errors": "land", "mirror": ""}


def start(client: Client, run: ImportRun, **form: str) -> Any:  # noqa: F811
    answer = client.post(page_of(run), FORM | form)
    run.refresh_from_db()
    return answer


def test_chosen_policies_start_the_import(client: Client) -> None:  # noqa: F811
    category = Category.objects.create(name="Home")
    run = receive("sku,name\nA,Pot\n")

    start(
        client,
        run,
        errors="limit",
        error_limit="7",
        mirror="category",
        mirror_category="HOME",
        source=" acme ",
    )

    assert (run.state, run.errors, run.error_limit, run.source) == ("planning", "limit", 7, "acme")
    assert (run.mirror, run.mirror_category) == ("category", category)
    said = text_of(client.get(page_of(run)))
    assert "It stops when more than 7 rows are broken. Its products belong to the source “acme”." in said
    assert "Products in “Home” that the file lacks are unpublished." in said


def test_what_is_hidden_where_products_are_taken_out_counts_for_nothing(client: Client) -> None:  # noqa: F811
    run = receive("sku,name\nA,Pot\n")

    start(client, run, mode="unpublish", mirror="source", source="acme")

    assert (run.state, run.mode, run.mirror, run.source) == ("planning", "unpublish", "", "")


def test_source_and_category_of_the_last_file_are_filled_in_and_nothing_is_switched_on(
    client: Client,  # noqa: F811
) -> None:
    Category.objects.create(name="Home")
    first, second = receive("sku,name\nA,Pot\n"), receive("sku,name\nB,Pot\n", recall=False)
    assert "Filled in as for the last file" not in text_of(client.get(page_of(second)))
    start(client, first, mirror="category", mirror_category="home", source="acme")

    page = client.get(page_of(receive("sku,name\nB,Pot\n"))).text

    assert re.findall(r'name="(mirror_category|source)" value="([^"]*)"', page) == [
        ("mirror_category", "Home"), ("source", "acme"),
    ]  # fmt: skip
    assert re.findall(r'name="mirror"[^>]*value="([^"]*)" checked', page) == [""]
    assert "Filled in as for the last file with this header." in page


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"mirror": "category", "mirror_category": "Attic"}, "There is no category “Attic”."),
        ({"mirror": "category"}, "Say in which category"),
        ({"mirror": "source"}, "Name the source"),
        ({"errors": "limit", "error_limit": "few"}, "Say after how many broken rows to stop"),
        ({"errors": "other"}, "Choose what to do with broken rows"),
    ],
)
def test_policies_that_do_not_fit_are_explained_and_stay_in_the_form(
    client: Client,  # noqa: F811
    form: dict[str, str],
    message: str,
) -> None:
    run = receive("sku,name\nA,Pot\n")

    answer = start(client, run, source="acme" if "mirror" not in form else "", **form)

    assert (answer.status_code, run.state) == (422, "draft")
    assert message in html.unescape(text_of(answer))
    assert answer.context["run"].mirror == form.get("mirror", "")


def test_result_and_mail_say_what_a_mirror_took_out(client: Client) -> None:  # noqa: F811
    import_rows([row(sku) for sku in "ABC"], source="acme")

    run = import_rows([row("A")], mirror="source", source="acme")

    said = "2 products were unpublished, because the file lacks them."
    assert said in text_of(client.get(page_of(run)))
    mail = messages.import_finished(run)
    assert (mail.text.count(said), mail.html.count(said), run.summary()["unlisted"]) == (1, 1, 2)


def test_result_and_mail_say_why_a_mirror_took_nothing_out(client: Client) -> None:  # noqa: F811
    import_rows([row("A"), row("B")], source="acme")

    run = import_rows("sku,name,price\nA,A,1\n,x,2\n", mirror="source", source="acme")

    said = "1 row could not be read, so it is not known what the file lacks"
    assert said in text_of(client.get(page_of(run)))
    assert messages.import_finished(run).text.count(said) == 1


def test_mirror_that_finds_nothing_says_so(client: Client) -> None:  # noqa: F811
    run = import_rows([row("A")], mirror="source", source="acme")

    assert "The file lacks no published product, so none was unpublished." in text_of(
        client.get(page_of(run))
    )


def test_usual_import_says_nothing_of_mirrors(client: Client) -> None:  # noqa: F811
    text = client.get(page_of(import_rows([row("A")]))).content.decode()

    assert ('id="terms"' in text, 'id="mirrored"' in text) == (False, False)
