"""No page of the storefront is forgotten: a new address, or a new template, is looked at or named here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_resolver

from tests.browser import (
    test_account_in_browser,
    test_asking_in_browser,
    test_buying_in_browser,
    test_storefront_in_browser,
)

_MODULES = (
    test_account_in_browser,
    test_asking_in_browser,
    test_buying_in_browser,
    test_storefront_in_browser,
)
LOOKED_AT = set[str]().union(*(module.LOOKED_AT for module in _MODULES))
# Addresses at which there is no page of the storefront, and why.
NO_PAGES = {
    "metrics": "figures for programs",
    "mail_webhook": "for mail providers",
    "shop:webhook": "for payment providers",
    "shop:picture": "a picture",
    "invoices:document": "a PDF",
    "shop:account_download": "a file",
    "mfa_download_recovery_codes": "a file",
    "shop:language": "leads back",
    "shop:mail_end_own": "leads back",
    "shop:add": "leads to the cart, or shows the cart's page, or a part of the product's",
    "account_set_password": "leads on: everybody has a password",
    "account_confirm_login_code": "leads on: nobody logs in by code",
}
_BASES = {"storefront/base.html", "storefront/account_base.html"}


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Names of all addresses but the admin's."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLPattern):
            yield f"{before}{one.name}"
        elif one.namespace != "admin":
            yield from addresses(one.url_patterns, f"{one.namespace}:" if one.namespace else before)


def page_templates() -> Iterator[str]:
    """Our templates of whole pages; those of allauth have an address each."""
    for folder in (settings.BASE_DIR / "templates", *settings.BASE_DIR.glob("*/templates")):
        for path in folder.rglob("*.html"):
            name = path.relative_to(folder).as_posix()
            extended = re.search(r'{% extends "([^"]+)" %}', path.read_text())
            is_whole = name == "error.html" or (extended and extended[1] in _BASES)
            if is_whole and Path(name).parts[0] != "allauth" and name not in _BASES:
                yield name


def test_every_address_of_the_storefront_is_looked_at() -> None:
    every = set(addresses())

    assert every - NO_PAGES.keys() - LOOKED_AT == set()
    assert (NO_PAGES.keys() - every, NO_PAGES.keys() & LOOKED_AT) == (set(), set())


def test_every_template_of_a_page_is_looked_at() -> None:
    every = set(page_templates())

    assert every >= {"storefront/cart.html", "404.html", "error.html"}
    assert every ^ {name for name in LOOKED_AT if name.endswith(".html")} == set()
