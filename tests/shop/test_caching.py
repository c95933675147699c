"""What pages keep, when they forget it, and that they do without."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client

from shop import caching, indexing
from shop.models import Product
from tests.imports.running import import_rows, row
from tests.shop.factories import a_product
from tests.shop.shopping import index, index_all, names, opened
from tests.shop.test_search import FORM

pytestmark = pytest.mark.django_db


def test_pages_are_kept(client: Client) -> None:
    product = a_product(name="Before", slug="p")
    index_all()
    assert (names(client), "Before" in opened(client, "/p/p/")) == (["Before"], True)
    Product.objects.filter(pk=product.pk).update(name="By hand")  # which tells nobody

    assert (names(client), "Before" in opened(client, "/p/p/")) == (["Before"], True)


def test_import_forgets_pages_at_once(client: Client) -> None:
    a_product(sku="A", name="Before", slug="a")
    index_all()
    opened(client), opened(client, "/p/a/")

    import_rows([row("A", name="After")])

    assert (names(client), "After" in opened(client, "/p/a/")) == (["After"], True)


def test_save_forgets_pages_at_once(client: Client, admin_client: Client) -> None:
    product = a_product(name="Before", sku="P", slug="p")
    index_all()
    opened(client), opened(client, "/p/p/")

    admin_client.post(f"/admin/shop/product/{product.pk}/change/", {**FORM, "name": "After"})

    assert (names(client), "After" in opened(client, "/p/p/")) == (["After"], True)


def test_index_forgets_lists(client: Client) -> None:
    a_product(name="A", price=Decimal(5))
    index_all()
    Product.objects.update(price=3)
    indexing.catalogue_changed()
    assert names(client, highest="4") == []  # and is kept so, under the version that the change made

    index()

    assert names(client, highest="4") == ["A"]


def test_version_rises_with_the_transaction_only() -> None:
    caching.forget()
    before = caching.version()
    with transaction.atomic():
        caching.forget()
        transaction.set_rollback(True)

    assert caching.version() == before


@pytest.fixture
def hanging_redis(settings: Any) -> Iterator[None]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        location = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = settings.CACHES | {"pages": {**settings.CACHES["pages"], "LOCATION": location}}
        yield


def test_dead_redis_slows_pages_and_stops_none(
    client: Client, hanging_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    a_product(name="A", slug="a")
    index_all()
    with pytest.raises(Exception, match="Timeout"):
        caches["pages"].get("x")

    began = time.monotonic()
    for _ in range(5):
        assert (names(client), "A" in opened(client, "/p/a/")) == (["A"], True)

    assert time.monotonic() - began < 3
    assert sum("the cache does not answer" in record.getMessage() for record in caplog.records) == 1
