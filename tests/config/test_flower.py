"""Flower, served as it really is: who gets in at which address, who may act, and what is shown of tasks."""

from __future__ import annotations

import asyncio
import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from celery.events.event import Event
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from flower.urls import handlers
from pytest_django.live_server_helper import LiveServer
from tornado.ioloop import IOLoop

from config import flower as our_flower
from config import flower_guard
from config.management.commands.flower import Command
from config.roles import ROLES

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = {"Accept": "text/html,*/*;q=0.8"}
XSRF = {"X-XSRFToken": "abcd"}
TASK = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
# Addresses of Flower's, each with something in place of its variables; all of this release's.
PATHS = [
    re.sub(r"\(\.[*+]\)", "x", pattern).rstrip("/?") or "/"
    for one in handlers
    if (pattern := one.regex.pattern.rstrip("$") if hasattr(one, "regex") else one[0]) != ".*"
] + ["/nowhere", "/favicon.ico"]
PAGES = {path for path in PATHS if not path.startswith(("/api/", "/static/", "/favicon.ico"))}


class Running:
    """Flower in a thread of this process, on a port of its own."""

    def __init__(self, prefix: str = "") -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[prefix], daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def _run(self, prefix: str) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.loop = IOLoop.current()
        django_settings.FLOWER_URL = prefix and f"http://127.0.0.1{prefix}"
        self.app = our_flower.make(address="127.0.0.1", port=0, io_loop=self.loop)
        port = self.app.start_http_server()
        self.root = f"http://127.0.0.1:{port}"
        self.url = django_settings.FLOWER_URL = f"{self.root}{prefix}"
        self.loop.add_callback(self._ready.set)
        self.loop.start()

    def hear(self, *events: dict[str, Any]) -> None:
        """As if a worker had sent these."""
        for event in events:
            self.app.events.on_event(event)
        heard = threading.Event()
        self.loop.add_callback(heard.set)
        assert heard.wait(10)

    def stop(self) -> None:
        flower_guard._thread.submit(connections.close_all).result(10)
        self.loop.add_callback(self.loop.stop)
        self._thread.join(10)


@pytest.fixture
def flower(settings: Any, live_server: LiveServer) -> Iterator[Running]:
    settings.SITE_URL = live_server.url
    running = Running()
    yield running
    running.stop()


def a_person(kind: str) -> User | None:
    """`anonymous`, who is nobody, a `customer`, a `clerk` without a group, or a member of that group."""
    if kind == "anonymous":
        return None
    user = User.objects.create_user(kind, password="secret", is_staff=kind != "customer")
    user.groups.set(Group.objects.filter(name="operators" if kind == "operator" else kind))
    return user


def visiting(user: User | None) -> requests.Session:
    """A browser in which this person is logged in to Django, with Flower's own token against forgery."""
    browser = requests.Session()
    browser.cookies.set("_xsrf", XSRF["X-XSRFToken"])
    if user is not None:
        client = Client()
        client.force_login(user, django_settings.AUTHENTICATION_BACKENDS[0])
        name = django_settings.SESSION_COOKIE_NAME
        browser.cookies.set(name, client.cookies[name].value)
    return browser


def ask(browser: requests.Session, method: str, url: str, **headers: str) -> requests.Response:
    return browser.request(method, url, headers=PAGE | headers, allow_redirects=False, timeout=20)


@pytest.mark.parametrize("kind", ["anonymous", "customer"])
def test_no_address_tells_strangers_anything(flower: Running, kind: str) -> None:
    browser = visiting(a_person(kind))
    told = {}
    for path in PATHS:
        answer = ask(browser, "GET", f"{flower.url}{path}")
        led = "login" if "/admin/tasks/job/flower/?to=" in answer.headers.get("Location", "") else ""
        told[path] = (answer.status_code, led, len(answer.text) < 200)

    expected = {path: (302, "login", True) if path in PAGES else (401, "", True) for path in PATHS}
    assert len(PATHS) > 30
    assert told == expected


@pytest.mark.parametrize("kind", ["anonymous", "customer", "clerk"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nobody_but_operators_acts_at_any_address(flower: Running, kind: str, method: str) -> None:
    browser = visiting(a_person(kind))
    refused = 403 if kind == "clerk" else 401
    told = {path: ask(browser, method, f"{flower.url}{path}", **XSRF).status_code for path in PATHS}

    if kind == "clerk":
        told.pop("/tasks/datatable")  # it is read by POST; the next test does
    assert told == dict.fromkeys(told, refused)
    assert LogEntry.objects.count() == 0


# Of the addresses that all staff may look at, what nobody sees but operators: what tasks returned.
RESULTS = {path for path in PATHS if path.startswith("/api/task/result/")}


def test_each_role_looks_everywhere_and_operators_alone_act_and_see_results(flower: Running) -> None:
    told, expected = {}, {}
    one_of_each = ["/api/workers", "/api/worker/shutdown/x", *RESULTS]
    for role in ["clerk", *ROLES]:
        browser = visiting(a_person(role))
        for path in PATHS if role in ("clerk", "operators") else one_of_each:
            for method in ("GET", "POST"):
                answer = ask(browser, method, f"{flower.url}{path}", **XSRF)
                led_away = "/admin/" in answer.headers.get("Location", "") and path != "/logout"
                told[role, method, path] = answer.status_code not in (401, 403) and not led_away
                is_shown = method == "GET" and path not in RESULTS
                expected[role, method, path] = (
                    role == "operators" or is_shown or path == "/tasks/datatable"  # read by POST
                )

    assert len(RESULTS) == 1
    assert [(door, told[door]) for door in told if told[door] != expected[door]] == []


def test_plain_staff_read_pages_and_api(flower: Running) -> None:
    browser = visiting(a_person("clerk"))
    readable = [
        "/",
        "/workers",
        "/tasks",
        "/api/workers",
        "/api/tasks",
        "/api/task/types",
        "/metrics",
        "/healthcheck",
    ]
    table = {"draw": 1, "start": 0, "length": 10, "order[0][column]": 0, "columns[0][data]": "name"}

    told = {path: ask(browser, "GET", f"{flower.url}{path}").status_code for path in readable}
    assert told == dict.fromkeys(readable, 200)
    listed = browser.post(f"{flower.url}/tasks/datatable", table, headers=XSRF, timeout=20)
    assert (listed.status_code, listed.json()["data"]) == (200, [])
    assert ask(browser, "GET", f"{flower.url}/api/task/result/{TASK}").status_code == 403


def test_operators_act_and_it_is_written_down(flower: Running) -> None:
    browser = visiting(a_person("operator"))

    assert ask(browser, "POST", f"{flower.url}/api/worker/shutdown/nobody", **XSRF).status_code == 404
    assert ask(browser, "GET", f"{flower.url}/api/task/result/{TASK}").status_code == 200

    [entry] = LogEntry.objects.values_list("user__username", "object_repr", "change_message")
    assert entry == ("operator", "Flower", "Flower: POST /api/worker/shutdown/nobody")


@pytest.mark.parametrize(
    ("headers", "cookie"),
    [
        ({}, "abcd"),  # no token
        ({"X-XSRFToken": "else"}, "abcd"),
        (XSRF, ""),
        (XSRF | {"Sec-Fetch-Site": "same-site"}, "abcd"),  # the shop, on another port
        (XSRF | {"Sec-Fetch-Site": "cross-site"}, "abcd"),
        (XSRF | {"Origin": "http://evil.example"}, "abcd"),
    ],
)
def test_acting_needs_a_token_and_flowers_own_page(
    flower: Running, headers: dict[str, str], cookie: str
) -> None:
    browser = visiting(a_person("operator"))
    browser.cookies.set("_xsrf", cookie)

    assert ask(browser, "POST", f"{flower.url}/api/worker/shutdown/nobody", **headers).status_code == 403
    assert LogEntry.objects.count() == 0


def test_websocket_is_refused_to_strangers(flower: Running) -> None:
    upgrade = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip

    for path in ("/", "/tasks", "/api/task/events/task-succeeded/"):
        assert ask(visiting(None), "GET", f"{flower.url}{path}", **upgrade).status_code == 401


def test_login_leads_back_to_the_page_and_logging_out_ends_it_at_once(flower: Running) -> None:
    a_person("clerk")
    browser = requests.Session()

    form = browser.get(f"{flower.url}/tasks?name=imports.load", headers=PAGE, timeout=20)
    assert urlsplit(form.url).path == "/admin/login/"
    entered = {
        "username": "clerk",
        "password": "secret",
        "next": parse_qs(urlsplit(form.url).query)["next"][0],
    }
    door = browser.post(
        form.url, entered, headers=PAGE | {"X-CSRFToken": browser.cookies["csrftoken"]}, timeout=20
    )
    [onward] = re.findall(r'http-equiv="refresh" content="0; url=([^"]*)"', door.text)
    there = browser.get(html.unescape(onward), headers=PAGE, timeout=20)
    assert (there.status_code, there.url) == (200, f"{flower.url}/tasks?name=imports.load")
    assert "clerk · may look, not act" in there.text

    assert ask(browser, "GET", f"{flower.url}/login").headers["Location"] == "/"
    admin = ask(browser, "GET", f"{flower.url}/logout").headers["Location"]
    assert browser.get(admin, timeout=20).status_code == 200
    browser.post(f"{admin}logout/", headers={"X-CSRFToken": browser.cookies["csrftoken"]}, timeout=20)
    assert ask(browser, "GET", f"{flower.url}/tasks").status_code == 302
    assert ask(browser, "GET", f"{flower.url}/api/tasks").status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.update(is_active=False),
        lambda user: User.objects.update(is_staff=False),
        lambda user: (user.set_password("other"), user.save()),
        lambda user: setattr(django_settings, "STAFF_MFA_REQUIRED", True),
    ],
    ids=["deactivated", "no staff any more", "another password", "second factor asked for"],
)
def test_session_that_opens_the_admin_no_more_does_not_open_flower(
    flower: Running, settings: Any, change: Callable[[User], Any]
) -> None:
    settings.STAFF_MFA_REQUIRED = False
    user = a_person("operator")
    assert user
    browser = visiting(user)
    assert ask(browser, "GET", f"{flower.url}/").status_code == 200

    change(user)

    assert ask(browser, "GET", f"{flower.url}/").status_code == 302
    assert ask(browser, "GET", f"{flower.url}/api/workers").status_code == 401


def test_browser_that_sends_no_cookie_is_told_why_and_not_led_in_circles(flower: Running) -> None:
    answer = ask(visiting(None), "GET", f"{flower.url}/tasks?logged-in=1")

    assert (answer.status_code, "has to be on the host of SITE_URL" in answer.text) == (401, True)


def test_dead_database_lets_nobody_in_and_says_so(flower: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = visiting(a_person("operator"))
    at = connections["default"].settings_dict
    flower_guard._thread.submit(connections.close_all).result(10)
    monkeypatch.setitem(at, "PORT", "1")
    answer = ask(browser, "GET", f"{flower.url}/tasks")
    monkeypatch.undo()

    assert (answer.status_code, answer.text) == (
        503,
        "The database does not answer, so nobody can be let in.\n",
    )
    assert ask(browser, "GET", f"{flower.url}/tasks").status_code == 200


def test_pages_are_not_kept_nor_framed(flower: Running) -> None:
    headers = ask(visiting(a_person("clerk")), "GET", f"{flower.url}/tasks").headers

    assert (headers["Cache-Control"], headers["X-Frame-Options"]) == ("no-store", "DENY")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


def test_flower_works_below_a_path(settings: Any, live_server: LiveServer) -> None:
    settings.SITE_URL = live_server.url
    running = Running(prefix="/tools/flower")
    try:
        browser = visiting(a_person("clerk"))
        root = running.root
        page = browser.get(f"{root}/tools/flower", headers=PAGE, timeout=20)
        assert (page.status_code, page.url) == (200, f"{root}/tools/flower/")
        own = [path for path in re.findall(r'(?:href|src)="([^"]*)"', page.text) if path.startswith("/")]
        assert own
        assert {path: browser.get(f"{root}{path}", timeout=20).status_code for path in own} == dict.fromkeys(
            own, 200
        )
        stranger = ask(visiting(None), "GET", f"{root}/tools/flower/tasks")
        assert parse_qs(urlsplit(stranger.headers["Location"]).query)["to"] == ["/tasks"]
        assert ask(visiting(None), "GET", f"{root}/tasks").status_code in (302, 401)
        assert ask(browser, "GET", f"{root}/tasks").status_code == 404
    finally:
        running.stop()


def a_task(type_: str, **fields: Any) -> dict[str, Any]:
    """An event about TASK."""
    sent = Event(type_, uuid=TASK, hostname="celery@one", clock=1, pid=1, **fields)
    return sent | {"local_received": time.time(), "utcoffset": 0}


def test_task_is_named_by_its_subject_shows_progress_and_leads_to_its_job(flower: Running) -> None:
    subject = "Import 12: lines 20,001–40,000 · job 34"
    flower.hear(
        a_task("task-received", name="imports.load", args="", kwargs=subject), a_task("task-started"),
        a_task("task-progress", current=1_000, total=4_000, percent=25),
    )  # fmt: skip
    browser = visiting(a_person("operator"))

    page = ask(browser, "GET", f"{flower.url}/task/{TASK}").text
    told = ask(browser, "GET", f"{flower.url}/api/task/info/{TASK}").json()

    assert re.findall(r'href="([^"]*/job/\d[^"]*)"', page)[0].endswith("/admin/tasks/job/34/change/")
    assert ('id="task-terminate"' in page, told["state"], told["result"]) == (
        True,
        "STARTED",
        "25 %: 1,000 of 4,000",
    )
    assert (told["name"], told["kwargs"]) == ("imports.load", subject)
    clerk = ask(visiting(a_person("clerk")), "GET", f"{flower.url}/task/{TASK}").text
    assert ('id="task-terminate"' in clerk, "Job 34" in clerk) == (False, True)
    assert '<th data-column="kwargs"' in ask(browser, "GET", f"{flower.url}/tasks").text


def test_tick_says_what_it_does_where_it_has_no_arguments(flower: Running) -> None:
    flower.hear(a_task("task-received", name="tasks.purge", args="()", kwargs="{}"))
    browser = visiting(a_person("clerk"))

    told = ask(browser, "GET", f"{flower.url}/api/task/info/{TASK}").json()
    assert (told["args"], told["kwargs"]) == ("", "Delete old finished jobs.")


def test_mail_addresses_in_errors_are_not_shown(flower: Running) -> None:
    flower.hear(
        a_task("task-received", name="x", args="('kim@home.example',)", kwargs="{}"),
        a_task("task-failed", exception="Refused('<kim@home.example>')", traceback="… kim@home.example …"),
    )
    browser = visiting(a_person("operator"))

    paths = f"task/{TASK}", f"api/task/info/{TASK}", "api/tasks"
    shown = [ask(browser, "GET", f"{flower.url}/{path}").text for path in paths]
    assert ["kim@home" in page for page in shown] == [False] * 3
    assert "Refused" in shown[0]


def test_command_serves_loopback_unless_told_otherwise() -> None:
    parser = Command().create_parser("manage.py", "flower")

    assert parser.parse_args([]).address == "127.0.0.1"
