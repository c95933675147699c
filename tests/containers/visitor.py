"""A browser as far as the check of the containers needs one: cookies, and forms sent as a person does."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin

_SECONDS = 300


@dataclass
class Page:
    """An answer: where it came from in the end, its status, its text."""

    url: str
    status: int
    text: str


@dataclass
class Form:
    """A form of a page with what its fields hold; only what a browser would send without being asked."""

    attributes: dict[str, str]
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in [*self.fields, *self.buttons]}


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._select = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given)
            self.found.append(self._open)
        if self._open is None:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "input" and name and given.get("type") != "file":
            is_choice = given.get("type") in ("checkbox", "radio")
            if not is_choice or "checked" in given:
                self._open.fields.append((name, given.get("value", "on" if is_choice else "")))
        elif tag == "input" and name:
            self._open.buttons.append((name, ""))
        elif tag == "button" and name:
            self._open.buttons.append((name, value))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._options.append((value, "selected" in given))
        elif tag == "textarea" and name:
            self._open.fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select" and self._open is not None and self._options:
            chosen = [value for value, is_chosen in self._options if is_chosen] or [self._options[0][0]]
            self._open.fields += [(self._select, value) for value in chosen]
            self._select = ""


class Visitor:
    """Somebody with cookies of their own, at `base`."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str, **headers: str) -> Page:
        """The page that this leads to in the end, whatever its status."""
        return self._ask(urllib.request.Request(urljoin(self.base, path), headers=headers))

    def submit(self, page: Page, having: str, *, press: str = "", **values: Any) -> Page:
        """Send the page's form that has a field or button of this name, with these values in it.

        `press` is the value of the button `having`; bytes are sent as a file.
        """
        forms = _Forms()
        forms.feed(page.text)
        found = [form for form in forms.found if having in form.names]
        if not found:
            raise AssertionError(f"{page.url} ({page.status}) has no form with “{having}”: {page.text[:500]}")
        form = found[0]
        fields = [(name, value) for name, value in form.fields if name not in values]
        if press:
            fields.append((having, press))
        files = {name: value for name, value in values.items() if isinstance(value, bytes)}
        fields += [(name, value) for name, value in values.items() if name not in files]
        url = urljoin(page.url, form.attributes.get("action") or page.url)
        body, kind = _multipart(fields, files) if files else (urlencode(fields).encode(), _URLENCODED)
        headers = {"Content-Type": kind, "Referer": page.url}
        return self._ask(urllib.request.Request(url, data=body, headers=headers))

    def _ask(self, request: urllib.request.Request) -> Page:
        request.headers.setdefault("Accept", "text/html")
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return Page(answer.url, answer.status, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            return Page(error.url or request.full_url, error.code, error.read().decode(errors="replace"))


_URLENCODED = "application/x-www-form-urlencoded"


def _multipart(fields: list[tuple[str, str]], files: dict[str, bytes]) -> tuple[bytes, str]:
    mark = secrets.token_hex(16)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    for name, content in files.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="catalogue.csv"\r\n'
        parts += [f"{head}Content-Type: text/csv\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"
