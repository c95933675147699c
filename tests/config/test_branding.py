"""The sidebar and the start page: who sees which entries, and which one is lit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory

from config.branding import UNFOLD, navigation

pytestmark = pytest.mark.django_db


def entries(user: Any, path: str = "/admin/") -> list[dict[str, Any]]:
    request = RequestFactory(headers={"Host": "127.0.0.1"}).get(path)
    request.user = user
    return [item for group in navigation(request) for item in group["items"]]


def test_navigation_of_an_admin_has_every_entry_and_each_page_opens(
    admin_user: Any, admin_client: Client
) -> None:
    items = entries(admin_user)

    assert [item["title"] for item in items] == [
        *("Products", "Categories", "Imports", "Import a file", "Saved mappings", "Exports"),
        *("Orders", "Invoices", "Discount codes", "Delivery", "Tax rates"),
        *("Reports", "Scheduled reports", "Reports made"),
        *("Outbox", "Kinds of mail", "Held back", "Mails asked for"),
        *("Jobs", "Queues", "Task history", "Alerts", "Schedule", "Flower"),
        *("Users", "Groups", "Personal data"),
    ]
    pages = {item["title"]: item["link"] for item in items}
    assert pages.pop("Flower") == f"{settings.FLOWER_URL}/"
    assert {title: admin_client.get(page).status_code for title, page in pages.items()} == dict.fromkeys(
        pages, 200
    )


def test_navigation_hides_what_a_person_may_not_open(django_user_model: Any) -> None:
    clerk = django_user_model.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_product"))

    assert [item["title"] for item in entries(clerk)] == ["Products", "Flower"]


@pytest.mark.parametrize(
    ("path", "lit"),
    [
        ("/admin/imports/importrun/", ["Imports"]),
        ("/admin/imports/importrun/add/", ["Import a file"]),
        ("/admin/shop/product/add/", ["Products"]),
        ("/admin/reports/reportrun/ask/", ["Reports"]),
        ("/admin/", []),
    ],
)
def test_navigation_lights_one_entry_at_most(admin_user: Any, path: str, lit: list[str]) -> None:
    assert [item["title"] for item in entries(admin_user, path) if item["active"]] == lit


def test_start_page_offers_the_same_entries_as_the_sidebar(admin_client: Client, admin_user: Any) -> None:
    page = admin_client.get("/admin/").text
    titles = re.findall(r'<strong class="font-semibold">([^<]*)</strong>', page)

    assert titles == [item["title"] for item in entries(admin_user)]


def test_login_without_a_destination_leads_to_the_start_page(client: Client, django_user_model: Any) -> None:
    django_user_model.objects.create_user("boss", password="secret", is_staff=True)
    response = client.post("/admin/login/", {"username": "boss", "password": "secret"})

    assert response.headers["Location"] == "/admin/"


def test_every_colour_of_the_settings_is_a_token() -> None:
    tokens = finders.find("tallyman/tokens.css")
    assert isinstance(tokens, str)
    with open(tokens) as file:
        defined = set(re.findall(r"^ *(--tally-[\w-]+):", file.read(), re.MULTILINE))
    used = {value for scale in UNFOLD["COLORS"].values() for value in scale.values()}

    assert {value.removeprefix("var(").removesuffix(")") for value in used} <= defined
