"""A customer at the other end of HTTP: opens pages, fills in their forms, sends them, as a browser would
without JavaScript. The demo, the load run and the tests of races shop with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: where it goes, and what its fields hold as the page has them."""

    action: str
    method: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, redirects followed; `text` is HTML."""

    status: int
    url: str
    text: str
    forms: list[Form] = field(default_factory=list)

    def form_with(self, name: str) -> Form:
        """The first form that has a field of this name; raises LookupError."""
        for form in self.forms:
            if name in form.fields:
                return form
        raise LookupError(f"{self.url} has no form with a field “{name}”.")


class Visitor:
    """One browser with its cookies; not to be shared by threads. `base` is the shop's address."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def open(self, address: str) -> Page:
        """Raises OSError when nobody answers; an error page is an answer."""
        return self._answer(Request(urljoin(self._base, address)))  # noqa: S310 - the shop's own

    def send(self, page: Page, form: Form, **values: str) -> Page:
        """Send the form with these fields otherwise than they were."""
        body = urlencode(form.fields | values)
        address = urljoin(page.url, form.action)
        if form.method == "get":
            return self.open(f"{address}?{body}")
        headers = {"Referer": page.url}
        return self._answer(Request(address, data=body.encode(), headers=headers))  # noqa: S310 - as above

    def put_into_cart(self, address: str, *, quantity: int = 1) -> Page:
        """Open the product at that address and put pieces of it into the cart; returns the cart's page.

        Raises LookupError when its page does not offer that.
        """
        page = self.open(address)
        return self.send(page, page.form_with("product"), quantity=str(quantity))

    def fill_in_checkout(self, **said: str) -> tuple[Page, Form]:
        """The checkout with what a customer says and the total of that; `send` these to order.

        Raises LookupError when there is nothing to order.
        """
        page = self.open("/checkout/")
        page = self.send(page, page.form_with("key"), **said, update="1")
        form = page.form_with("key")
        return page, Form(form.action, form.method, form.fields | said)

    def _answer(self, request: Request) -> Page:
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return _page(answer.status, answer.url, answer.read())
        except HTTPError as error:
            with error:
                return _page(error.code, error.url, error.read())


def forms_of(text: str) -> list[Form]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(text)
    return parser.forms


def _page(status: int, url: str, body: bytes) -> Page:
    text = body.decode(errors="replace")
    return Page(status, url, text, forms_of(text))


class _Forms(HTMLParser):
    """Reads the forms of a page with what their fields would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action", ""), has.get("method", "get").lower(), {}))
            self._open = True
        elif self._open and "disabled" not in has:
            self._field(tag, has)

    def _field(self, tag: str, has: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, has.get("name", "")
        if tag == "option" and self._select and ("selected" in has or self._select not in fields):
            fields[self._select] = has.get("value", "")
        elif not name:
            return
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            fields[name] = ""
        elif tag == "input" and _is_sent(has):
            fields[name] = has.get("value", "on" if has.get("type") == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""


def _is_sent(has: dict[str, str]) -> bool:
    kind = has.get("type", "text")
    return kind not in ("submit", "button", "file", "reset") and (
        kind not in ("radio", "checkbox") or "checked" in has
    )
