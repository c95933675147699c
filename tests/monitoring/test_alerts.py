"""Alerts: one when something is not well for a while, one when it is over, to people and to a webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from monitoring import alerting, backlog, carrying, health
from monitoring.health import Check, Finding
from monitoring.models import Alert, Heartbeat, Watch
from monitoring.tasks import POST
from notifications import kinds
from notifications.models import Message
from tasks.models import Job
from tests.monitoring.conftest import a_heartbeat

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = [Finding("disk", True, "50 %", "Make room.", "full-disk", "disk")]
BAD = [Finding("disk", False, "1 %", "Make room.", "full-disk", "disk")]


def later(seconds: float) -> None:
    """As if so much time had passed since all that is written down."""
    past = timedelta(seconds=seconds)
    Alert.objects.update(began_at=F("began_at") - past, bad_at=F("bad_at") - past)
    Alert.objects.filter(raised_at__isnull=False).update(raised_at=F("raised_at") - past)
    Alert.objects.filter(cleared_at__isnull=False).update(cleared_at=F("cleared_at") - past)


def subjects() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("subject", flat=True))


def after(*steps: tuple[float, list[Finding]]) -> list[str]:
    """Subjects of the mails, after each of these findings was made so many seconds after the one before."""
    for seconds, findings in steps:
        later(seconds)
        alerting.settle(findings)
    return subjects()


def test_what_is_bad_for_a_while_is_told_once_and_so_is_its_end() -> None:
    told = after((0, BAD), (6, BAD), (6, BAD), (600, BAD), (5, GOOD), (40, GOOD), (40, GOOD))

    assert told == ["Not well: Full disk", "Well again: Full disk"]
    alert = Alert.objects.get()
    assert alert.cleared_at is not None
    assert (alert.figure, alert.remedy, alert.title) == ("1 %", "Make room.", "Full disk")


def test_what_passes_at_once_is_not_told() -> None:
    assert after((0, BAD), (3, GOOD), (3, BAD), (3, GOOD)) == []
    assert Alert.objects.count() == 0


def test_what_comes_and_goes_is_told_ever_more_rarely() -> None:
    flapping = [(0.0, BAD), (10.0, BAD), (40.0, GOOD)] * 30  # bad for ten seconds in each fifty

    told = after(*flapping)

    assert told == ["Not well: Full disk", "Well again: Full disk"] + ["Not well: Full disk"]


def test_what_is_missing_while_processes_begin_is_waited_for_longer() -> None:
    a_heartbeat("web")

    assert after((0, BAD), (6, BAD), (40, BAD)) == []
    assert after((15, BAD)) == ["Not well: Full disk"]


def test_mail_has_the_remedy_and_where_it_is_written() -> None:
    after((0, BAD), (6, BAD))

    message = Message.objects.get()
    assert "1 %" in message.text
    assert "What to do: Make room." in message.text
    assert health.docs_url("full-disk") in message.text
    assert (message.kind, message.about) == ("alert", f"alert/{Alert.objects.get().pk}")
    assert kinds.named("alert").can_be_off


def test_findings_of_one_check_are_one_alert() -> None:
    silent = [
        Finding(f"worker {name}", False, "no worker", "Start it.", "no-worker-on-a-queue", "workers")
        for name in ("imports", "mail")
    ]

    assert after((0, silent), (6, silent)) == ["Not well: No worker on a queue"]
    assert Alert.objects.get().figure == "worker imports, worker mail: no worker"


def test_receivers_are_those_of_the_setting_else_the_superusers(settings: Any) -> None:
    User.objects.create_superuser("boss", "boss@example.com")
    after((0, BAD), (6, BAD))
    settings.ALERT_MAIL_TO = ["night@example.com", "day@example.com"]
    after((5, GOOD), (40, GOOD))

    assert list(Message.objects.order_by("pk").values_list("recipient", flat=True)) == [
        "boss@example.com", "night@example.com", "day@example.com",
    ]  # fmt: skip


def test_broken_template_costs_the_looks_of_an_alert_and_not_the_alert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("notifications.alert_mails.told", lambda *_, **__: 1 / 0)

    assert after((0, BAD), (6, BAD)) == ["Not well: Full disk"]
    assert "Make room." in Message.objects.get().text


@pytest.fixture
def one_check(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Finding]], None]:
    """Call it with what the only check there is shall find."""
    monkeypatch.setattr(health, "_checks", {})
    return lambda found: health.register(Check("disk", lambda: found, "full-disk"))


def test_one_of_all_who_look_at_once_does(one_check: Callable[[list[Finding]], None]) -> None:
    one_check(BAD)

    assert [alerting.look() for _ in range(3)] == [True, False, False]
    Watch.objects.update(looked_at=Now() - timedelta(seconds=10))
    assert alerting.look()


def test_clock_that_was_set_back_does_not_stop_the_looking(
    one_check: Callable[[list[Finding]], None],
) -> None:
    one_check(BAD)
    assert alerting.look()
    Watch.objects.update(looked_at=Now() + timedelta(hours=1))

    assert alerting.look()


def test_racing_looks_tell_once() -> None:
    after((0, BAD))
    later(6)
    both = threading.Barrier(4)

    def settle() -> None:
        from django.db import connection

        both.wait()
        alerting.settle(BAD)
        connection.close()

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert subjects() == ["Not well: Full disk"]


def test_every_check_is_made_and_leads_to_a_section(all_well: None, settings: Any) -> None:
    from tests.monitoring.test_readiness import ANCHORS

    settings.ALERT_DISK_FREE_PERCENT = 101
    Heartbeat.objects.all().delete()

    found = health.look()

    assert {one.alert for one in found} == set(health.names())
    assert {one.section for one in found} - ANCHORS == set()
    assert {one.alert for one in found if not one.ok} == {"disk", "workers", "beat"}
    assert all(one.remedy for one in found if not one.ok)


# --- The webhook -----------------------------------------------------------------------------------------


class Receiver(HTTPServer):
    """Keeps what is posted; answers with `statuses`, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/secret-path"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.ALERT_WEBHOOK_URL = server.url
        yield server
        server.shutdown()


def do_posts() -> list[str]:
    """Have a worker do the jobs that post; returns their states."""
    for job in Job.objects.filter(kind=POST, state="queued").order_by("pk"):
        Job.objects.filter(pk=job.pk).update(run_after=Now())
        current_app.tasks[POST].apply(kwargs={"job_id": job.pk})
    return list(Job.objects.filter(kind=POST).order_by("pk").values_list("state", flat=True))


def test_both_ends_are_posted_with_what_is_wrong_and_where_to_read_on(receiver: Receiver) -> None:
    after((0, BAD), (6, BAD), (5, GOOD), (40, GOOD))

    assert do_posts() == ["done", "done"]
    raised, cleared = receiver.posted
    assert [one["state"] for one in receiver.posted] == ["raised", "cleared"]
    assert (raised["check"], raised["figure"], raised["remedy"]) == ("disk", "1 %", "Make room.")
    assert raised["docs"] == health.docs_url("full-disk")
    assert raised["docs"] in raised["text"]
    assert (raised["cleared_at"], cleared["cleared_at"] is None, cleared["id"]) == (None, False, raised["id"])


def test_post_is_tried_again_and_tells_nobody_the_address(receiver: Receiver) -> None:
    receiver.statuses = [503]
    after((0, BAD), (6, BAD))

    assert do_posts() == ["queued"]
    error = Job.objects.get(kind=POST).error
    assert (error, "secret-path" in error) == ("The webhook answered 503. Mend ALERT_WEBHOOK_URL.", False)
    assert do_posts() == ["done"]
    assert len(receiver.posted) == 2


@pytest.mark.parametrize("status", [404, 302])
def test_address_that_is_wrong_is_given_up(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    after((0, BAD), (6, BAD))

    do_posts()

    job = Job.objects.get(kind=POST)
    assert (job.state, str(status) in job.error) == ("dead" if status == 404 else "queued", True)


def test_webhook_that_is_away_is_tried_again(receiver: Receiver, settings: Any) -> None:
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:1/secret-path"
    after((0, BAD), (6, BAD))

    assert do_posts() == ["queued"]
    assert "does not answer: ConnectionRefusedError" in Job.objects.get(kind=POST).error


def test_alert_is_carried_at_once_where_no_worker_is_there_to_do_it(receiver: Receiver) -> None:
    after((0, BAD), (6, BAD))
    a_heartbeat("worker", queues=backlog.queues(), ago=13)

    assert carrying.lend_a_hand()

    with carrying._at_it:  # it has ended
        assert Job.objects.get(kind=POST).state == "done"


def test_alert_is_carried_where_no_worker_does_it(receiver: Receiver) -> None:
    after((0, BAD), (6, BAD))
    a_heartbeat("worker", queues=backlog.queues())
    assert not carrying.lend_a_hand()  # a worker may yet begin
    Job.objects.update(run_after=F("run_after") - timedelta(seconds=13))

    assert carrying.lend_a_hand()

    with carrying._at_it:  # it has ended
        assert Job.objects.get(kind=POST).state == "done"
    assert len(receiver.posted) == 1
    assert not carrying.lend_a_hand()


def test_jobs_are_left_to_workers_where_there_is_no_alert() -> None:
    from notifications import outbox

    outbox.ensure_round()
    Job.objects.update(run_after=F("run_after") - timedelta(seconds=60))

    assert not carrying.lend_a_hand()


# --- The admin -------------------------------------------------------------------------------------------


def test_list_has_what_was_raised_with_its_remedy(admin_client: Client) -> None:
    after((0, BAD), (6, BAD))

    page = admin_client.get("/admin/monitoring/alert/?state=open").text

    assert "Full disk" in page
    assert "Make room." in page
    assert health.docs_url("full-disk") in page


def test_document_is_a_page_with_the_sections_that_alerts_lead_to(admin_client: Client) -> None:
    from tests.monitoring.test_readiness import ANCHORS

    page = admin_client.get(health.HANDBOOK).text

    assert reverse("admin:monitoring_handbook") == health.HANDBOOK
    assert {anchor for anchor in ANCHORS if f'id="{anchor}"' not in page} == set()
    assert "screenshots/" not in page  # which lie beside the document, and not below this address
