"""What the pages of a product and of an order show besides their own: parts that the shop and later apps add.

The shop imports none of the apps that know more about them, so these register here when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from shop.models import Order, Product


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page: its heading, and the template that fills it with this context."""

    title: str
    template: str
    context: Mapping[str, Any]

    def rendered(self, request: HttpRequest) -> SafeString:
        return render_to_string(self.template, {**self.context}, request=request)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file about an order that its customer may have: what it is called, and its address."""

    name: str
    url: str


type Make[T: (Product, Order)] = Callable[[HttpRequest, T], Panel | None]

_of_products: list[Make[Product]] = []
_of_orders: list[Make[Order]] = []
_papers: list[Callable[[Order], list[Paper]]] = []


def register(make: Make[Product]) -> Make[Product]:
    """Have `make` called for every product that is shown; it returns None where it has nothing to say, or
    nothing for this person. Panels stand in the order in which they were registered."""
    _of_products.append(make)
    return make


def register_for_orders(make: Make[Order]) -> Make[Order]:
    """The same for every order that is shown."""
    _of_orders.append(make)
    return make


def register_papers(make: Callable[[Order], list[Paper]]) -> None:
    """Have `make` called for every order whose own page a customer opens."""
    _papers.append(make)


def papers_of(order: Order) -> list[Paper]:
    """The files that the customer may have of the order."""
    return [paper for make in _papers for paper in make(order)]


def panels_of(request: HttpRequest, product: Product) -> list[tuple[str, SafeString]]:
    """Heading and HTML of each panel of the product."""
    return _rendered(request, [make(request, product) for make in _of_products])


def panels_of_order(request: HttpRequest, order: Order) -> list[tuple[str, SafeString]]:
    """Heading and HTML of each panel of the order."""
    return _rendered(request, [make(request, order) for make in _of_orders])


def _rendered(request: HttpRequest, panels: list[Panel | None]) -> list[tuple[str, SafeString]]:
    return [(panel.title, panel.rendered(request)) for panel in panels if panel]
