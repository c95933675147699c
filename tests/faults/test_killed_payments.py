"""Payments on real processes: killed between the charge and its record; webhooks doubled, reordered, forged.

The provider's books are not ours: what it charged stays charged, whoever is killed.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import unescape
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from shop.gateways import trial_card
from shop.gateways.trial_provider import LATE, TrialProvider
from tests.shop.buying import WHO, hidden
from tests.stack import BASE_DIR, Stack, copied_stack

_SECRET = "of a test"
_CUSTOMERS = 4
_GOODS = """
INSERT INTO shop_product
    (sku, slug, name, description, price, stock, metadata, options, published, updated_at)
VALUES ('KNIFE', 'knife', 'Knife', '', 10, 100, '{}', '{}', true, now())
RETURNING id
"""
_DELIVERY = """
INSERT INTO shop_deliverymethod (code, name, fee, countries, position, created_at, updated_at)
VALUES ('post', 'Post', 0, '{}', 0, now(), now())
"""


@pytest.fixture
def shop(migrated_database: str, tmp_path: Path, settings: Any) -> Iterator[Stack]:
    """A Tallyman that sells knives; its provider's answers to slow cards take longer than this test."""
    settings.TEST_CARD_WEBHOOK_SECRET = _SECRET
    with copied_stack(migrated_database, tmp_path) as stack:
        stack.environment |= {
            "TEST_CARD_WEBHOOK_SECRET": _SECRET,
            "TEST_CARD_LATE_SECONDS": "600",
            "PAYMENT_TIMEOUT_SECONDS": "600",
        }
        stack.sql(_DELIVERY)
        yield stack


class Customer:
    """A browser with a knife in its cart."""

    def __init__(self, url: str, knife: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        page = self.get("/p/knife/")
        self.post("/cart/add/", {**hidden(page), "product": knife, "quantity": "1"})
        form = {**WHO, **hidden(self.get("/checkout/"))}
        self.form = {**form, **hidden(self.post("/checkout/", {**form, "update": "1"}))}

    def get(self, path: str) -> str:
        """The page at this path."""
        with self._opener.open(self.url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """The page that sending a form leads to."""
        with self._opener.open(self.url + path, urlencode(fields).encode(), timeout=60) as answer:
            return str(answer.read().decode())

    def order(self, card: str) -> str:
        """Press “Place the order”; returns the first heading of what comes, or nothing if nobody answers."""
        with suppress(OSError, HTTPException):
            page = self.post("/checkout/", {**self.form, "card_number": card})
            return unescape(page.partition("<h1>")[2].partition("</h1>")[0])
        return ""


def books(shop: Stack) -> TrialProvider:
    """What the provider knows of this shop."""
    return TrialProvider(Path(shop.environment["TALLYMAN_DATA_DIR"]) / "test-card.sqlite3")


def charged(shop: Stack) -> list[str]:
    return [f"{charge.state} {charge.amount}" for charge in books(shop).charges()]


def orders(shop: Stack) -> list[tuple[str, str]]:
    """State and payment's state of each order."""
    query = (
        "SELECT o.state, p.state FROM shop_order o LEFT JOIN shop_payment p ON p.order_id = o.id"
        " ORDER BY o.number"
    )
    return [(str(order), str(payment)) for order, payment in shop.sql(query)]


def assert_all_adds_up(shop: Stack) -> None:
    done = shop.manage("reconcile", "--skip-checks")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_process_killed_after_the_charge_charges_once(shop: Stack) -> None:
    [(knife,)] = shop.sql(_GOODS)
    web = shop.start("web")
    customers = [Customer(shop.url, str(knife)) for _ in range(_CUSTOMERS)]
    with ThreadPoolExecutor(_CUSTOMERS) as threads:
        seen = threads.map(lambda customer: customer.order(LATE), customers)
        shop.wait_for(lambda: charged(shop) == ["captured 10.80"] * _CUSTOMERS)
        web.kill()
    assert (list(seen), orders(shop)) == ([""] * _CUSTOMERS, [("pending", "authorised")] * _CUSTOMERS)

    worker = shop.start("worker")
    shop.launch("beat")
    shop.wait_for(lambda: orders(shop) == [("paid", "captured")] * _CUSTOMERS)
    shop.start_web()
    again = [customer.order(LATE) for customer in customers]  # they press the button once more

    assert again == ["Thank you, your order is paid"] * _CUSTOMERS
    assert (charged(shop), len(orders(shop))) == (["captured 10.80"] * _CUSTOMERS, _CUSTOMERS)
    worker.stop()
    _killed_while_giving_back(shop)
    shop.start("worker")
    shop.wait_for(lambda: orders(shop)[0] == ("refunded", "captured"))
    assert [f"{back.state} {back.amount}" for back in books(shop).refunds()] == ["done 10.80"]
    assert shop.sql("SELECT stock FROM shop_product") == [(100 - _CUSTOMERS + 1,)]
    assert_all_adds_up(shop)


def _killed_while_giving_back(shop: Stack) -> None:
    """SIGKILL a process that gives the first order's money back, after the provider has moved it."""
    code = (
        "from shop import charging; from shop.models import Payment;"
        "p = Payment.objects.order_by('order__number')[0];"
        "charging.refund(payment=p, amount=p.amount, key='back', restock={'KNIFE': 1})"
    )
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    process = subprocess.Popen(command, cwd=BASE_DIR, env=shop.environment, stdin=subprocess.DEVNULL)
    try:
        shop.wait_for(lambda: books(shop).refunds())
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert shop.sql("SELECT state FROM shop_refund") == [("started",)]


def test_webhooks_doubled_reordered_forged_and_stale(shop: Stack) -> None:
    [(knife,)] = shop.sql(_GOODS)
    shop.start_web()
    customer = Customer(shop.url, str(knife))
    assert customer.order("4000 0000 0000 5035") == "We are waiting for the bank's answer"
    [(key,)] = shop.sql("SELECT idempotency_key FROM shop_payment")
    paid = _event("1", "charge.captured", key=key, reference="ch_1")
    back = _event("2", "refund.done", key=key, refund_reference="re_1", amount="0.80")
    now = int(time.time())

    forged = [_told(shop, paid, "t=1,v1=00"), _told(shop, paid + b" ", trial_card.signature(paid, at=now))]
    stale = _told(shop, paid, trial_card.signature(paid, at=now - 400))
    assert (forged, stale, orders(shop)) == ([400, 400], 400, [("pending", "started")])
    assert shop.sql("SELECT count(*) FROM shop_webhookevent") == [(0,)]

    with ThreadPoolExecutor(8) as threads:  # the refund first, then all that came and more, side by side
        first = _told(shop, back, trial_card.signature(back, at=now))
        rest = [paid, back] * 10
        told = list(threads.map(lambda event: _told(shop, event, trial_card.signature(event, at=now)), rest))

    assert (first, set(told), orders(shop)) == (200, {200}, [("paid", "captured")])
    assert shop.sql("SELECT paid, refunded FROM shop_order") == shop.sql("SELECT 10.80, 0.80")
    assert shop.sql("SELECT count(*) FROM shop_webhookevent") == [(2,)]
    assert_all_adds_up(shop)


def _event(number: str, kind: str, **said: str) -> bytes:
    return json.dumps({"id": number, "type": kind, **said}).encode()


def _told(shop: Stack, event: bytes, signature: str) -> int:
    """Send a webhook; returns the status of the answer."""
    headers = {trial_card.HEADER: signature, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{shop.url}/webhooks/test-card/", event, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
