"""What locust's customers do (`bench.load` runs it): look round, search, fill a cart, check out by test card.

Every answer that is not what a customer needs to go on counts as an error.
"""

import random
import re
from typing import Any
from urllib.parse import urljoin

from locust import HttpUser, between, task

from shop.visiting import Form, forms_of

_PRODUCT = re.compile(r'href="(/p/[^"?]+/)"')
_CATEGORY = re.compile(r'href="(/c/[^"?]+/)"')
_WORDS = ("kettle", "lamp", "garden hose", "travel", "oak table", "steel", "chair", "blue")
_WHO = {
    "email": "kim@example.com",
    "name": "Kim Doe",
    "line1": "Main Street 1",
    "postcode": "3000",
    "city": "Bern",
    "country": "CH",
    "payment": "test-card",
    "card_number": "4242 4242 4242 4242",
}


class _Stopped(Exception):  # noqa: N818 - counted as an error already
    """The customer can't go on."""


class Customer(HttpUser):
    """Comes, buys one or two products, and comes again as somebody else."""

    wait_time = between(0.1, 0.3)

    @task
    def shop(self) -> None:
        self.client.cookies.clear()
        try:
            self._buy(self._browse())
        except _Stopped:
            return

    def _browse(self) -> list[str]:
        """Look round; returns the addresses of what will be bought."""
        home = self._open("/", "home")
        page = self._open(random.choice(_CATEGORY.findall(home)), "category")
        found = self._open(f"/?q={random.choice(_WORDS)}", "search")
        products = set(_PRODUCT.findall(page) + _PRODUCT.findall(found))
        return random.sample(sorted(products), min(len(products), random.choice((1, 2))))

    def _buy(self, products: list[str]) -> None:
        put = 0
        for address in products:
            page = self._open(address, "product")
            if form := _form_with(page, "product"):  # else it has just been sold out
                self._send(form, address, "add to cart", {})
                put += 1
        if not put:
            return
        page = self._open("/checkout/", "checkout")
        page = self._send(self._checkout(page), "/checkout/", "checkout: totals", _WHO | {"update": "1"})
        self._order(self._checkout(page))

    def _checkout(self, page: str) -> Form:
        form = _form_with(page, "key")
        if form is None:
            raise _Stopped
        return form

    def _order(self, form: Form) -> None:
        with self._posted(form, "/checkout/", "order", _WHO) as answer:
            if (
                "/orders/" not in answer.url
                and "sold out" not in answer.text
                and "left, and" not in answer.text
            ):
                answer.failure(f"{answer.status_code} at {answer.url} instead of an order")

    def _open(self, address: str, name: str) -> str:
        with self.client.get(address, name=name, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code} at {answer.url}")
                raise _Stopped
            return str(answer.text)

    def _send(self, form: Form, address: str, name: str, values: dict[str, str]) -> str:
        with self._posted(form, address, name, values) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code} at {answer.url}")
                raise _Stopped
            return str(answer.text)

    def _posted(self, form: Form, address: str, name: str, values: dict[str, str]) -> Any:
        there = urljoin(f"{self.host}{address}", form.action)
        return self.client.post(there, data=form.fields | values, name=name, catch_response=True)


def _form_with(page: str, name: str) -> Form | None:
    return next((form for form in forms_of(page) if name in form.fields), None)
