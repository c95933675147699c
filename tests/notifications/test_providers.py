"""A provider's API by anymail: what becomes of a mail whatever it answers, and what it tells later."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from notifications import outbox, webhooks
from notifications.messages import Rendered
from notifications.models import Circuit, Message, ProviderEvent, Suppression
from tests.notifications.conftest import attempt, do_round
from tests.shop.factories import a_product
from tests.shop.orders import an_order
from tests.shop.staffing import page_of, staff

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "key-of-the-tests"
HOOK = "/webhooks/mail/"
THEIRS = "<20261123.1@mg.example.com>"


class Api(ThreadingHTTPServer):
    """Mailgun's way of taking mails; `answers` are the next ones, and None hangs up without any."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict[str, list[str]]] = []
        self.connections = 0
        self.answers: list[tuple[int, str] | None] = []


class _Handler(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"  # keeps connections

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.bodies.append(parse_qs(body))
        taken = 200, json.dumps({"id": THEIRS, "message": "Queued. Thank you."})
        answer = self.server.answers.pop(0) if self.server.answers else taken
        if answer is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1].encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api(settings: Any) -> Iterator[Api]:
    """A provider's API that the settings point to."""
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.EMAIL_PROVIDER = "mailgun"
        settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
        settings.ANYMAIL = {
            "MAILGUN_API_KEY": KEY,
            "MAILGUN_API_URL": f"http://127.0.0.1:{server.server_port}/v3",
            "MAILGUN_SENDER_DOMAIN": "mg.example.com",
            "REQUESTS_TIMEOUT": 1,
        }
        settings.JOB_RETRY_BASE_SECONDS = 0
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mail(api: Api) -> Message:
    """A message that waits for its delivery."""
    return write("kim@example.com")[0]


def write(*recipients: str) -> list[Message]:
    content = Rendered("Hello", "text", "<p>text</p>")
    return outbox.write(kind="import_finished", event="x", about="x", recipients=recipients, content=content)


def test_mail_goes_out_with_our_headers_and_the_providers_id_is_kept(api: Api, mail: Message) -> None:
    attempt(mail)

    assert (mail.state, mail.provider_id) == ("sent", THEIRS)
    assert mail.answer == f"Mailgun: queued as {THEIRS}"
    (body,) = api.bodies
    assert (body["to"], body["h:Message-Id"]) == (["kim@example.com"], [mail.message_id])
    assert (body["h:Auto-Submitted"], "h:Date" in body) == (["auto-generated"], False)


@pytest.mark.parametrize(
    ("answer", "state", "doubtful"),
    [
        ((400, '{"message": "to parameter is not a valid address"}'), "failed", 0),
        ((401, "Forbidden"), "queued", 0),
        ((429, '{"message": "Too many"}'), "queued", 0),
        ((503, "Later"), "queued", 0),
        ((500, "Oops"), "uncertain", 1),
        ((200, "no JSON"), "uncertain", 1),
        (None, "uncertain", 1),
    ],
)
def test_answer_of_the_provider_decides_what_becomes_of_it(
    api: Api, mail: Message, answer: tuple[int, str] | None, state: str, doubtful: int
) -> None:
    api.answers = [answer]

    attempt(mail)

    assert (mail.state, mail.doubtful_attempts) == (state, doubtful)
    assert "Mailgun" in mail.error
    if state != "failed":
        attempt(mail)
        assert (mail.state, len(api.bodies)) == ("sent", 2)
        assert {body["h:Message-Id"][0] for body in api.bodies} == {mail.message_id}


def test_provider_that_nobody_answers_for_is_tried_again(api: Api, mail: Message, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_URL": f"http://127.0.0.1:{port}/v3"}

    attempt(mail)

    assert (mail.state, mail.attempts) == ("queued", 0)
    assert "Mailgun can't be reached" in Circuit.objects.get(provider="mailgun").error


def test_mails_of_a_round_go_over_one_connection(api: Api) -> None:
    written = write("kim@example.com", "lee@example.com", "max@example.com")

    do_round()

    assert [body["h:Message-Id"] for body in api.bodies] == [
        [f"<message-{mail.pk}.import_finished@127.0.0.1>"] for mail in written
    ]
    assert api.connections == 1


def test_provider_that_takes_nothing_for_now_is_left_in_peace(api: Api) -> None:
    written = write(*(f"reader-{number}@example.com" for number in range(6)))
    api.answers = [(503, "Later")] * 6

    do_round()
    do_round()

    assert (len(api.bodies), Circuit.objects.get(provider="mailgun").failures) == (3, 3)
    attempts = dict(Message.objects.values_list("pk", "attempts"))
    assert [attempts[mail.pk] for mail in written] == [1, 1, 1, 0, 0, 0]


def event(what: str, number: int = 1, *, token: str = "a", **more: Any) -> dict[str, Any]:
    """An event as Mailgun tells it, with its signature; told again, it may have another token."""
    timestamp = "1795449600"
    signature = hmac.new(KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"token": token, "timestamp": timestamp, "signature": signature},
        "event-data": {
            "event": what,
            "timestamp": 1795449600.0 + number,
            "recipient": "kim@example.com",
            "message": {"headers": {"message-id": THEIRS.strip("<>")}},
            **more,
        },
    }


BOUNCE = {
    "severity": "permanent",
    "reason": "bounce",
    "delivery-status": {"message": "550 5.1.1 No such user", "description": ""},
}


def tell(told: dict[str, Any]) -> int:
    answer = Client().post(HOOK, json.dumps(told), content_type="application/json")
    return int(answer.status_code)


@pytest.fixture
def sent(mail: Message) -> Message:
    """A message that the provider has taken."""
    attempt(mail)
    return mail


def test_hard_bounce_is_shown_and_holds_back_what_comes_later(sent: Message) -> None:
    assert tell(event("failed", **BOUNCE)) == 200

    sent.refresh_from_db()
    assert (sent.state, sent.fate) == ("sent", "bounced")
    row = Suppression.objects.get()
    assert (row.address, row.why, row.scope, row.note) == (
        "kim@example.com",
        "bounce",
        "all",
        "550 5.1.1 No such user",
    )
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    assert Message.objects.get(about=order.subject).state == "suppressed"


def test_hard_bounce_shows_on_the_page_of_the_order(api: Api) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    attempt(Message.objects.get(about=order.subject))

    tell(event("failed", **BOUNCE))

    page = staff("view_order", "view_message").get(page_of(order)).text
    assert "came back" in page
    assert "550 5.1.1 No such user" in page
    assert "No mail goes to kim@example.com since" in page


def test_complaint_holds_back_what_nobody_needs(sent: Message) -> None:
    tell(event("complained"))

    sent.refresh_from_db()
    assert (sent.fate, Suppression.objects.get().scope) == ("complained", "optional")


@pytest.mark.parametrize(
    "told",
    [
        event("failed", severity="temporary", reason="generic"),
        event("failed", severity="permanent", reason="old"),
        event("opened"),
        event("delivered"),
    ],
    ids=["delayed", "came back for another reason", "opened", "delivered"],
)
def test_other_news_hold_back_nothing(sent: Message, told: dict[str, Any]) -> None:
    assert (tell(told), Suppression.objects.count()) == (200, 0)


def test_events_may_come_twice_and_in_any_order(sent: Message) -> None:
    answers = [
        tell(one)
        for token in "ab"
        for one in (
            event("complained", 3, token=token),
            event("failed", 2, token=token, **BOUNCE),
            event("delivered", 1, token=token),
        )
    ]

    sent.refresh_from_db()
    assert answers == [200] * 6
    assert (sent.fate, ProviderEvent.objects.count()) == ("complained", 3)
    assert sorted(Suppression.objects.values_list("why", flat=True)) == ["bounce", "complaint"]


def test_event_about_a_message_that_is_not_ours_has_no_effect(sent: Message) -> None:
    Message.objects.filter(pk=sent.pk).update(provider_id="<other@mg.example.com>")

    assert (tell(event("failed", **BOUNCE)), Suppression.objects.count()) == (200, 0)


def test_forged_events_are_refused(sent: Message, settings: Any) -> None:
    other, unsigned = event("failed", **BOUNCE), event("failed", **BOUNCE)
    other["signature"]["signature"] = "0" * 64
    del unsigned["signature"]

    assert [tell(other), tell(unsigned)] == [400, 400]
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": "name:word"}
    assert tell(event("failed", **BOUNCE)) == 400  # signed, but the address lacks the secret
    assert (ProviderEvent.objects.count(), Suppression.objects.count()) == (0, 0)


def test_provider_that_signs_nothing_is_not_believed_without_a_secret(sent: Message, settings: Any) -> None:
    settings.EMAIL_PROVIDER, settings.ANYMAIL = "postmark", {"POSTMARK_SERVER_TOKEN": KEY}
    bounce = {"RecordType": "Bounce", "ID": 1, "Type": "HardBounce", "Email": "kim@example.com",
              "MessageID": THEIRS, "BouncedAt": "2026-11-23T12:00:00Z", "Details": "550 No"}  # fmt: skip
    client = Client()

    assert tell(bounce) == 503
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": "name:word"}
    assert tell(bounce) == 400
    header = {"Authorization": "Basic bmFtZTp3b3Jk"}
    answer = client.post(HOOK, json.dumps(bounce), content_type="application/json", headers=header)
    assert (answer.status_code, Suppression.objects.get().why) == (200, "bounce")


def test_webhook_of_no_provider_and_of_too_much_is_refused(sent: Message, settings: Any) -> None:
    long = event("delivered", more="x" * webhooks.MAX_BYTES)

    assert tell(long) == 413
    settings.EMAIL_PROVIDER = ""
    assert tell(event("delivered")) == 404
