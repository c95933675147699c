"""Looking at the storefront's pages: what a browser complains of, what axe finds, and which pages were seen.

Each module of tests that looks at pages says in `LOOKED_AT` which; `test_every_page.py` knows if one is
missing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, ConsoleMessage, Page, Response

from tests.browser.test_accessibility import ALL_VIEWS, VIEWS, violations
from tests.browser.test_import_in_browser import page_width
from tests.stack import Stack

_PARTS = ("/static/", "/media/")
_STATUS = re.compile("Failed to load resource: the server responded with a status of")
_STATUS_BY_HTMX = re.compile(r"Response Status Error Code \d+ from")


def opened(chromium: Browser, shop: Stack, complaints: list[str], **options: object) -> Page:
    """An empty page of a browser of its own. `complaints` gets errors of the console, and pages whose policy
    allows what stands inside them. That the console tells the status of a page that was refused is none."""
    page = chromium.new_context(base_url=shop.url, **options).new_page()  # type: ignore[arg-type]

    def heard(message: ConsoleMessage) -> None:
        at = message.location.get("url", "")
        tells_status = _STATUS.match(message.text) and not urlsplit(at).path.startswith(_PARTS)
        if message.type == "error" and not (tells_status or _STATUS_BY_HTMX.match(message.text)):
            complaints.append(f"{message.text} {at}")

    def received(response: Response) -> None:
        policy = response.headers.get("content-security-policy", "none")
        is_ours = response.request.resource_type == "document" and response.url.startswith(shop.url)
        if is_ours and ("unsafe" in policy or "script-src 'self'" not in policy):
            complaints.append(f"{response.url}: Content-Security-Policy: {policy}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", received)
    return page


class Looks:
    """What was looked at, and what is wrong with it.

    `pages`: names of addresses, and of templates where the test says which; `found`: one text for each thing.
    A light desktop and a dark phone are looked at, unless `views` says otherwise. Pictures of
    all views are kept where the environment's SCREENSHOTS says.
    """

    def __init__(self, views: list[tuple[int, str]] = VIEWS) -> None:
        self.views = views
        self.pages: set[str] = set()
        self.found: list[str] = []

    def at(self, page: Page, template: str = "", what: str = "") -> None:
        """Look at the page as it is now; `what` tells it from others by the same template."""
        self.pages |= {template, _address(page)} - {""}
        title = " ".join(filter(None, (template or _address(page), what)))
        before = page.viewport_size
        for view in self.views:
            _show(page, view)
            wrong = [*violations(page), *([] if page_width(page) <= view[0] else ["too wide"])]
            self.found += [f"{title}, {view[0]} {view[1]}: {one}" for one in wrong]
        if folder := os.environ.get("SCREENSHOTS"):
            _keep_pictures(page, Path(folder), title)
        if before:
            page.set_viewport_size(before)


def _show(page: Page, view: tuple[int, str]) -> None:
    width, scheme = view
    page.set_viewport_size({"width": width, "height": 900 if width > 400 else 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")


def _keep_pictures(page: Page, folder: Path, title: str) -> None:
    for width, scheme in ALL_VIEWS:
        _show(page, (width, scheme))
        name = re.sub(r"[^\w.-]+", "-", f"{title} {width} {scheme}")
        page.screenshot(path=folder / f"{name}.png", full_page=True, caret="initial")  # it would be a style


def _address(page: Page) -> str:
    """The name of the page's address, or nothing where there is none."""
    try:
        return resolve(urlsplit(page.url).path).view_name
    except Resolver404:
        return ""
