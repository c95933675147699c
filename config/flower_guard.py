"""Flower's doorman: each of its addresses asks whether the admin's session is that of a member of staff.

Flower's own `--auth_provider` replaces only the login: it keeps a cookie of its own for 30 days, knows no
roles, and leaves `/metrics` and `/healthcheck` open. Here every handler, whichever it is, gets `Guarded` in
front, so what a later release of Flower adds is closed as well. The session is read anew for each request, so
logging out ends it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from flower.api import BaseApiHandler
from flower.api.tasks import TaskResult
from flower.views import BaseHandler
from flower.views.auth import LoginHandler, LogoutHandler
from flower.views.tasks import TasksDataTable
from tornado.web import Finish, HTTPError, RequestHandler, StaticFileHandler

from config import staff_mfa
from tasks.flower_links import job_of, to_site

log = structlog.get_logger(__name__)

READING = ("GET", "HEAD", "OPTIONS")
LOGGED_IN = "logged-in"  # what the admin adds to the address when it leads back here
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Flower's pages have scripts and styles inside.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
# Django's database connections belong to threads, and Flower's own thread must not wait. One is enough: few
# people look, and it has one connection.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member of staff; `may_act` on workers and tasks, or only look."""

    pk: int
    name: str
    may_act: bool


def visitor(session_key: str) -> Visitor | None:
    """Whose session that is, if it opens the admin now. Asks the database; raises DatabaseError."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    request.user = user = get_user(request)
    if not (admin.site.has_permission(request) and staff_mfa.is_enough(request)):
        return None
    may_act: bool = user.has_perm("tasks.operate_workers")
    return Visitor(int(user.pk or 0), user.get_username(), may_act)


def note(who: Visitor, what: str) -> None:
    """Write down in the admin's log who did what here."""
    LogEntry.objects.create(
        user_id=who.pk, object_repr="Flower", action_flag=CHANGE, change_message=f"Flower: {what}"
    )


async def asked[T](question: Callable[..., T], *about: Any) -> T:
    """The answer of Django's thread, on a connection that works."""

    def answer() -> T:
        close_old_connections()
        try:
            return question(*about)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_thread, answer)


class Guarded(RequestHandler):
    """Goes before a handler of Flower's: staff come in, and only operators act."""

    current_user: Visitor | None

    async def prepare(self) -> None:
        """Refuse, or lead to the login, before the handler sees anything."""
        who = self.current_user = await self._who()
        if who is None:
            self._turn_away()
        elif self._acts() and not who.may_act:
            log.warning("refused in Flower", user=who.name, method=self.request.method, path=self._path())
            raise HTTPError(403, "Only members of the group operators may do that; others may look.")
        elif self.get_query_argument(LOGGED_IN, None):
            self.redirect(self._without_mark())
        else:
            if self.request.method not in READING and not isinstance(self, TasksDataTable):
                await asked(note, who, f"{self.request.method} {self._path()}"[:1000])
            await self._prepare_flower()

    async def _who(self) -> Visitor | None:
        key = self.get_cookie(settings.SESSION_COOKIE_NAME)
        if not key:
            return None
        try:
            return await asked(visitor, key)
        except DatabaseError as error:
            log.warning("could not ask whose session that is", error=str(error))
            raise HTTPError(503, "The database does not answer, so nobody can be let in.") from None

    async def _prepare_flower(self) -> None:
        if isinstance(self, BaseApiHandler):
            return  # it would ask for an authentication of Flower's own
        prepared = super().prepare()
        if prepared is not None:
            await prepared

    def _acts(self) -> bool:
        """Whether this does something, or shows what the admin keeps behind a permission: results."""
        if isinstance(self, TasksDataTable):
            return False  # its table is asked for by POST
        return self.request.method not in READING or isinstance(self, TaskResult)

    def _turn_away(self) -> None:
        """Lead to the login those who look at a page; say no to what scripts and monitors ask for."""
        login = reverse("admin:tasks_job_flower")
        address = to_site(self.request.host, f"{login}?{urlencode({'to': self._path(query=True)})}")
        if not self._is_page():
            self._refuse(HTTPStatus.UNAUTHORIZED, f"Log in at {to_site(self.request.host, login)} first.")
        if self.get_query_argument(LOGGED_IN, None):
            self._refuse(
                HTTPStatus.UNAUTHORIZED,
                f"You are logged in to the admin, but your browser does not tell Flower. FLOWER_URL "
                f"({settings.FLOWER_URL}) has to be on the host of SITE_URL ({settings.SITE_URL}), for a "
                "cookie goes to no other, and on https: if that is.",
            )
        self.redirect(address)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{why}\n")
        raise Finish

    def _is_page(self) -> bool:
        asked_for = self.request.headers
        return (
            self.request.method in ("GET", "HEAD")
            and asked_for.get("Sec-Fetch-Mode", "navigate") == "navigate"
            and "text/html" in asked_for.get("Accept", "")
            and "Upgrade" not in asked_for
            and not isinstance(self, BaseApiHandler | StaticFileHandler)
        )

    def _path(self, *, query: bool = False) -> str:
        """What was asked for, below the prefix."""
        prefix = urlsplit(settings.FLOWER_URL).path.rstrip("/")
        path = self.request.uri if query else self.request.path
        return (path or "/").removeprefix(prefix) or "/"

    def _without_mark(self) -> str:
        rest = [
            (name, value.decode(errors="replace"))
            for name, values in self.request.query_arguments.items()
            for value in values
            if name != LOGGED_IN
        ]
        return self.request.path + (f"?{urlencode(rest)}" if rest else "")

    # --- What Flower's handlers do otherwise ---------------------------------------------------------------

    def get_current_user(self) -> None:
        """Nobody, before `prepare` has asked."""

    def set_default_headers(self) -> None:
        """Those of every answer; a page that was kept would be shown after logging out."""
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        if not isinstance(self, StaticFileHandler):
            self.set_header("Cache-Control", "no-store")

    def check_xsrf_cookie(self) -> None:
        """Always: Flower itself does so only with an authentication of its own. The shop on another port is
        another origin, too."""
        site, origin = (self.request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
        if site not in (None, "same-origin") or (origin and urlsplit(origin).netloc != self.request.host):
            raise HTTPError(403, "This has to come from one of Flower's own pages.")
        RequestHandler.check_xsrf_cookie(self)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Flower's page for those who are in; a line for others."""
        if self._current() is not None and status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            super().write_error(status_code, **kwargs)
            return
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        why = error.log_message if isinstance(error, HTTPError) else None
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{why or HTTPStatus(status_code).phrase}\n")

    def _current(self) -> Visitor | None:
        who = getattr(self, "_current_user", None)  # what the property would ask for, this only looks at
        return who if isinstance(who, Visitor) else None

    def render(self, template_name: str, **kwargs: Any) -> Any:
        """Without buttons for those who may only look."""
        who = self._current()
        if "read_only" in kwargs:
            kwargs["read_only"] = who is None or not who.may_act
        self._shown_task = kwargs.get("task")
        return super().render(template_name, **kwargs)

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Below Flower's bar one of ours: the way back, the task's job, and who this is."""
        page = super().render_string(template_name, **kwargs)
        who = self._current()
        return page + self._bar(who).encode() if template_name == "navbar.html" and who else page

    def _bar(self, who: Visitor) -> str:
        host = self.request.host
        job = job_of(getattr(getattr(self, "_shown_task", None), "kwargs", None))
        context = {
            "who": who,
            "admin": to_site(host, reverse("admin:index")),
            "jobs": to_site(host, reverse("admin:tasks_job_changelist")),
            "job": job,
            "job_page": job and to_site(host, reverse("admin:tasks_job_change", args=[job])),
        }
        return render_to_string("flower/bar.html", context)


class ToFlower(BaseHandler):
    """Flower's login: whoever gets here is in."""

    def get(self) -> None:
        self.redirect(self.reverse_url("main"))


class ToAdmin(BaseHandler):
    """Flower's log-out: one logs out in the admin, which does so by a form and not by an address."""

    def get(self) -> None:
        self.redirect(to_site(self.request.host, reverse("admin:index")))


_REPLACED: dict[type[RequestHandler], type[RequestHandler]] = {LoginHandler: ToFlower, LogoutHandler: ToAdmin}


@cache
def guarded(handler: type[RequestHandler]) -> type[RequestHandler]:
    """The handler with the doorman before it."""
    handler = _REPLACED.get(handler, handler)
    return type(f"Guarded{handler.__name__}", (Guarded, handler), {})
