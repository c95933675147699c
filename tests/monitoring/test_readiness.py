"""`/healthz` and `/readyz`: quick whatever hangs, each check by name, and for what is not well a remedy."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings as running
from django.db import connection, connections
from django.db.models import F
from django.test import Client
from django.utils import timezone

from monitoring.models import Heartbeat
from tasks.models import Job, Queue
from tests.monitoring.conftest import a_heartbeat
from tests.tasks.conftest import KIND, Register, handler, new_job  # noqa: F401

QUEUES = ["default", "imports", "mail", "reports", "search"]
CHECKS = ["database", "clock", "migrations", *(f"queue {name}" for name in QUEUES),
          *(f"worker {name}" for name in QUEUES), "beat", "jobs", "broker", "storage", "disk"]  # fmt: skip
ANCHORS = {
    re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")
    for title in re.findall(r"^#+ (.+)$", (running.BASE_DIR / "docs/operations.md").read_text(), re.MULTILINE)
}


def asked(client: Client, query: str = "") -> tuple[int, dict[str, dict[str, Any]]]:
    """Status of `/readyz`, and each check by name."""
    answer = client.get(f"/readyz{query}")
    return answer.status_code, {one["name"]: one for one in answer.json()["checks"]}


def bad(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The figures of what is not well. Each must have a remedy, and a section of the document."""
    found = [one for one in checks.values() if not one["ok"]]
    for one in found:
        assert one["remedy"]
        assert one["docs"].partition("#")[2] in ANCHORS
    return {one["name"]: one["figure"] for one in found}


def test_process_lives_without_database_and_under_any_name(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.0.0.7:8000"})

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_all_is_well_and_each_check_says_its_figure(client: Client, all_well: None) -> None:
    status, checks = asked(client)

    assert (status, bad(checks)) == (200, {})
    assert sorted(checks) == sorted(CHECKS)
    assert all(one["figure"] for one in checks.values())
    assert re.fullmatch(r"1 worker, heard of \d s ago", checks["worker imports"]["figure"])
    assert checks["queue imports"]["figure"] == "0 due; 0 running"


def gone(role: str) -> None:
    Heartbeat.objects.filter(role=role).update(seen_at=F("seen_at") - timedelta(seconds=20))


def without_a_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'tasks' AND name = '0003_dead_jobs'")


def serving_less() -> None:
    Heartbeat.objects.filter(role="worker").update(queues=["imports", "mail", "reports", "search"])


def beating_without_work() -> None:
    Heartbeat.objects.filter(role="beat").update(worked_at=F("worked_at") - timedelta(minutes=2))


def an_old_job(**changes: Any) -> None:
    now = F("created_at")
    new_job(**{"run_after": now - timedelta(minutes=16), **changes})


BAD: dict[str, tuple[Callable[[], object], dict[str, str]]] = {
    "a migration is pending": (without_a_migration, {"migrations": "1 pending"}),
    "all workers are silent": (lambda: gone("worker"), {f"worker {name}": "no worker" for name in QUEUES}),
    "no worker serves a queue": (serving_less, {"worker default": "no worker"}),
    "beat is silent": (lambda: gone("beat"), {"beat": r"last tick 2\d s ago, last sent something \d s ago"}),
    "beat has never been": (
        lambda: Heartbeat.objects.filter(role="beat").delete(),
        {"beat": "not heard of within the last hour"},
    ),
    "beat ticks and sends nothing": (
        beating_without_work, {"beat": r"last tick \d s ago, last sent something 12\d s ago"},
    ),
    "a job waits too long": (
        an_old_job, {"queue default": r"1 due, the oldest for 96\d s; 0 running"},
    ),
    "a job is of an unknown kind": (
        lambda: new_job(kind="of.old"), {"jobs": "1 of a kind that this release does not know"},
    ),
    "a job is in an unknown queue": (
        lambda: new_job(queue="imprts"), {"jobs": "1 in a queue that does not exist"},
    ),
    "a job has used its attempts up": (
        lambda: new_job(attempts=10), {"jobs": "1 without an attempt left"},
    ),
    "the database's clock was set back": (
        lambda: new_job(created_at=F("created_at") + timedelta(hours=1)), {"jobs": "1 from the future"},
    ),
}  # fmt: skip


@pytest.fixture
def migrations_as_they_were(transactional_db: None) -> Iterator[None]:
    """The tests' database is emptied after each, but not of this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name, applied FROM django_migrations")
        rows = cursor.fetchall()
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")
        cursor.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", rows)


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_well_is_named_with_its_figure_and_remedy(
    client: Client,
    all_well: None,
    migrations_as_they_were: None,
    handler: Register,  # noqa: F811
    what: str,
) -> None:
    make, expected = BAD[what]
    make()

    status, checks = asked(client)

    found = bad(checks)
    assert (status, found.keys()) == (503, expected.keys())
    assert {name: figure for name, figure in found.items() if not re.fullmatch(expected[name], figure)} == {}


def test_job_of_a_paused_queue_does_not_count_as_one_that_waits(
    client: Client,
    all_well: None,
    handler: Register,  # noqa: F811
) -> None:
    an_old_job()
    Queue.objects.update_or_create(name="default", defaults={"paused_at": timezone.now()})

    status, checks = asked(client)

    assert (status, bad(checks)) == (200, {})


def test_only_what_is_asked_for_is_answered(client: Client, all_well: None) -> None:
    gone("worker")

    assert asked(client, "?check=database&check=migrations")[0] == 200
    assert list(asked(client, "?check=database")[1]) == ["database"]
    wrong = client.get("/readyz?check=databse")
    assert (wrong.status_code, wrong.json()["unknown"]) == (400, ["databse"])


def test_folder_that_cannot_be_written_is_named(
    client: Client, all_well: None, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"

    status, checks = asked(client)

    assert (status, bad(checks)) == (503, {"storage": "can't be written: Not a directory"})


def test_full_disk_is_named(client: Client, all_well: None, settings: Any) -> None:
    settings.ALERT_DISK_FREE_PERCENT = 101

    status, checks = asked(client)

    assert (status, list(bad(checks))) == (503, ["disk"])


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of one that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_broker_that_hangs_is_named_within_a_second(
    client: Client, all_well: None, silent_server: int, settings: Any
) -> None:
    settings.CELERY_BROKER_URL = f"redis://:hush-hush@127.0.0.1:{silent_server}/0"
    began = time.monotonic()

    status, checks = asked(client)

    assert time.monotonic() - began < 1
    assert (status, bad(checks)) == (503, {"broker": "does not answer"})


@pytest.mark.parametrize(
    ("url", "figure"),
    [
        ("redis://127.0.0.1:1/0", "does not answer"),
        ("127.0.0.1:6379", "has no address that can be used"),
        (None, "refuses our password"),
    ],
)
def test_wrong_address_of_the_broker_is_named(
    client: Client, all_well: None, settings: Any, url: str | None, figure: str
) -> None:
    settings.CELERY_BROKER_URL = url or re.sub(":[^:@]+@", ":hush-hush@", settings.CELERY_BROKER_URL)

    answer = client.get("/readyz?check=broker")

    assert [one["figure"] for one in answer.json()["checks"]] == [figure]
    assert (answer.status_code, "hush" in answer.text) == (503, False)


def test_database_that_does_not_answer_is_named_within_a_second(
    client: Client, all_well: None, silent_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "PORT", silent_server)
    began = time.monotonic()

    status, checks = asked(client)

    assert time.monotonic() - began < 1
    found = bad(checks)
    assert (status, set(found)) == (
        503,
        {"database", "clock", "migrations", "queues", "workers", "beat", "jobs"},
    )
    assert re.fullmatch(r"no answer for 0\.\d s", found["database"])
    # Whoever asks next waits no longer, and no further connection is tried.
    asked(client)
    assert time.monotonic() - began < 1.5


def test_statement_that_waits_for_a_lock_is_named_within_a_second(client: Client, all_well: None) -> None:
    at = connection.settings_dict
    began = time.monotonic()
    with psycopg.connect(
        host=at["HOST"], port=at["PORT"], user=at["USER"], password=at["PASSWORD"], dbname=at["NAME"]
    ) as other:
        other.execute("LOCK TABLE django_migrations")
        began = time.monotonic()

        status, checks = asked(client)

    assert (status, time.monotonic() - began < 1) == (503, True)
    assert checks["database"]["ok"]
    assert checks["migrations"]["figure"] in ("the database takes too long", "no answer for 0.8 s")


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"PORT": 1}, "the database does not answer"),
        ({"PASSWORD": "hush-hush"}, "the database refuses our password"),
        ({"NAME": "nowhere"}, "the database does not exist"),
        ({"OPTIONS": {"options": "-c default_transaction_read_only=on"}}, "read-only"),
    ],
)
def test_database_that_cannot_be_used_is_named_without_its_secrets(
    client: Client, all_well: None, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], figure: str
) -> None:
    for name, value in change.items():
        monkeypatch.setitem(connections.settings["default"], name, value)

    answer = client.get("/readyz")

    checks = {one["name"]: one for one in answer.json()["checks"]}
    assert (answer.status_code, checks["database"]["figure"]) == (503, figure)
    assert bad(checks)
    at = running.DATABASES["default"]
    assert [word for word in ("hush", at["PASSWORD"], "Traceback") if word in answer.text] == []


def test_answers_are_shared_by_all_who_ask_within_a_second(client: Client, all_well: None) -> None:
    assert asked(client)[0] == 200
    gone("worker")

    assert asked(client)[0] == 200


def test_second_beat_hides_no_silence_of_the_first(client: Client, all_well: None) -> None:
    gone("beat")
    a_heartbeat("beat")

    assert asked(client)[1]["beat"]["ok"]
    assert Job.objects.count() == 0
