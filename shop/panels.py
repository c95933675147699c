"""What a product's page shows below its form: parts that the shop and later apps add.

The shop imports none of the apps that know more about a product, so these register here when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from shop.models import Product


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page: its heading, and the template that fills it with this context."""

    title: str
    template: str
    context: Mapping[str, Any]

    def rendered(self, request: HttpRequest) -> SafeString:
        return render_to_string(self.template, {**self.context}, request=request)


type Make = Callable[[HttpRequest, Product], Panel | None]

_makers: list[Make] = []


def register(make: Make) -> Make:
    """Have `make` called for every product that is shown; it returns None where it has nothing to say, or
    nothing for this person. Panels stand in the order in which they were registered."""
    _makers.append(make)
    return make


def panels_of(request: HttpRequest, product: Product) -> list[tuple[str, SafeString]]:
    """Heading and HTML of each panel of the product."""
    panels = [panel for make in _makers if (panel := make(request, product))]
    return [(panel.title, panel.rendered(request)) for panel in panels]
