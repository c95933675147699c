"""Saved mappings in the admin."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from imports import pipeline
from imports.models import SavedMapping
from shop.models import Category
from tests.imports.running import receive
from tests.imports.shaped_files import fixture

pytestmark = pytest.mark.django_db

LIST = "/admin/imports/savedmapping/"
FILE = "Artikelnr,Titel,EK,VK\nA,<b>Bowl</b>,1.00,2.00\n"


def saved(content: str = FILE, **chosen: Any) -> SavedMapping:
    pipeline.confirm(run=receive(content), **chosen)
    return SavedMapping.objects.latest("pk")


def told(client: Client, mapping: SavedMapping) -> dict[str, str]:
    """What the page of a saved mapping says, by label; the lines of a value come one below the other."""
    page = client.get(f"{LIST}{mapping.pk}/change/").text
    fields = re.findall(r"<label[^>]*>([^<]*)</label>.*?<div class=\"readonly[^>]*>(.*?)</div>\n", page, re.S)
    return {
        label: "\n".join(filter(None, html.unescape(re.sub(r"<[^>]*>", "\n", value)).splitlines()))
        for label, value in fields
    }


def test_saved_mapping_tells_what_was_chosen(admin_client: Client, admin_user: User) -> None:
    mapping = saved(
        mapping={"sku": 0, "name": 1, "price": 2},
        options={"price": {"format": "comma", "currency": "EUR"}},
        constants={"category": "<Home>"},
        source="acme",
        mirror="category",
        mirror_category=Category.objects.create(name="Home"),
        by=admin_user,
    )

    page = told(admin_client, mapping)

    assert [page.pop(name) != "" for name in ("Chosen", "Last used")] == [True, True]
    assert page == {
        "Columns of the file": "artikelnr, titel, ek, vk",
        "Shop": "–",
        "Mapped": "SKU ← artikelnr\nName ← titel\nPrice ← ek",
        "Left out": "Description, Compare-at price, Stock, Category, Published, Featured, Metadata, Parent,"
        " Options, Images",
        "Formats": "Price ← format comma, currency EUR",
        "Values for all rows": "Category ← <Home>",
        "Blank cells": "Keep what the catalogue has",
        "Text that clears a field": "__clear__",
        "Columns that are not ours": "Ignored",
        "Source": "acme",
        "Category of what the file lacks": "Home",
        "By": "admin",
        "Used": "1",
        "Signature": mapping.signature,
    }


def test_mapping_of_a_shops_export_names_the_shop(admin_client: Client) -> None:
    assert told(admin_client, saved(fixture("woocommerce")))["Shop"] == "WooCommerce"


def test_list_has_the_last_used_first_and_finds_by_column(admin_client: Client) -> None:
    first, second = saved(), saved("code;label;price;a;b;c;\nA;B;1;1;1;1;1\n", mapping={"sku": 0})
    SavedMapping.objects.filter(pk=first.pk).update(last_used_at="2020-01-01T00:00Z")

    assert listed(admin_client) == ["code, label, price, a, b, c and 1 more", "artikelnr, titel, ek, vk"]
    assert listed(admin_client, q="titel") == [str(first)]
    assert str(second) == "code, label, price, a, b, c and 1 more"


def listed(client: Client, **query: str) -> list[str]:
    return re.findall(r"field-columns[^>]*>.*?<a[^>]*>([^<]*)</a>", client.get(LIST, query).text, re.S)


def test_deleted_mapping_is_guessed_anew_and_drafts_stay(admin_client: Client) -> None:
    mapping = saved(mapping={"sku": 0, "name": 1, "price": 2})
    draft = receive(FILE)
    assert (draft.saved_mapping, draft.mapping["price"]) == (mapping, 2)

    answer = admin_client.post(f"{LIST}{mapping.pk}/delete/", {"post": "yes"})

    draft.refresh_from_db()
    assert (answer.status_code, SavedMapping.objects.count()) == (302, 0)
    assert (draft.saved_mapping, draft.mapping["price"]) == (None, 2)
    assert receive(FILE).mapping["price"] == 3


def test_saved_mapping_is_neither_added_nor_changed_by_hand(admin_client: Client) -> None:
    mapping = saved()
    values = mapping.values

    answers = [
        admin_client.post(f"{LIST}{path}", {"blank": "clear"}) for path in ("add/", f"{mapping.pk}/change/")
    ]

    mapping.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403, 403]
    assert mapping.values == values


def test_saved_mappings_are_seen_and_deleted_by_whom_the_permissions_let(client: Client) -> None:
    mapping = saved()
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    assert client.get(LIST).status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_savedmapping"))

    assert [client.get(path).status_code for path in (LIST, f"{LIST}{mapping.pk}/delete/")] == [200, 403]
