"""`/metrics`: who may see it, what it says, and that rules and dashboard name what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.conf import settings as running
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from imports.models import ImportRun
from notifications.models import Message
from tasks import claiming
from tests.monitoring.conftest import a_heartbeat
from tests.stack import Stack, migrated_database, stack  # noqa: F401
from tests.tasks.conftest import KIND, Register, handler, new_job  # noqa: F401

TOKEN = {"authorization": "Bearer let-prometheus-in"}
DEPLOY = running.BASE_DIR / "deploy"

type Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """Each sample's value, by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client: Client) -> Samples:
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    return samples(answer.text)


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"tallyman_{name}", tuple(sorted(labels.items()))))


@pytest.fixture
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"


@pytest.mark.parametrize(
    ("who", "headers", "status"),
    [
        ("", {}, 403),
        ("", {"authorization": "Bearer something-else"}, 403),
        ("", {"authorization": "Bearer "}, 403),
        ("customer", {}, 403),
        ("staff", {}, 403),
        ("operators", {}, 200),
        ("", TOKEN, 200),
    ],
)
def test_only_operators_and_prometheus_see_the_figures(
    client: Client, all_well: None, token: None, who: str, headers: dict[str, str], status: int
) -> None:
    if who:
        user = User.objects.create_user("kim", is_staff=who != "customer")
        user.groups.set(Group.objects.filter(name=who))
        client.force_login(user, running.AUTHENTICATION_BACKENDS[0])

    assert client.get("/metrics", headers=headers).status_code == status


def test_without_a_token_nobody_has_it(client: Client, all_well: None) -> None:
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403


def test_switched_off_there_are_none(client: Client, all_well: None, token: None, settings: Any) -> None:
    settings.METRICS_ENABLED = False

    assert client.get("/metrics", headers=TOKEN).status_code == 404


def test_jobs_are_counted_by_queue_and_by_how_they_ended(
    client: Client,
    all_well: None,
    token: None,
    handler: Register,  # noqa: F811
) -> None:
    new_job(run_after=F("created_at") - timedelta(seconds=100))
    new_job(run_after=F("created_at") + timedelta(seconds=100), attempts=1, error="It failed.")
    claiming.claim(job_id=new_job(queue="mail").pk)
    now = timezone.now()
    for seconds in (2, 4):
        new_job(state="done", started_at=now - timedelta(seconds=seconds), finished_at=now)
    new_job(state="dead", started_at=now, finished_at=now)
    new_job(kind="of.old")

    found = scraped(client)

    assert of(found, "queue_jobs_waiting", queue="default") == 3
    assert of(found, "queue_jobs_due", queue="default") == 2
    assert 100 <= (of(found, "queue_oldest_due_seconds", queue="default") or 0) < 110
    assert (of(found, "queue_jobs_running", queue="mail"), of(found, "queue_jobs_due", queue="search")) == (
        1,
        0,
    )
    assert (of(found, "jobs_dead"), of(found, "jobs_failing"), of(found, "jobs_impossible")) == (1, 1, 1)
    assert of(found, "jobs_ended_10m", kind=KIND, outcome="done") == 2
    assert of(found, "job_seconds_mean_10m", kind=KIND, outcome="done") == pytest.approx(3)
    assert of(found, "job_seconds_max_10m", kind=KIND, outcome="done") == pytest.approx(4)


def test_processes_and_checks_have_figures(client: Client, all_well: None, token: None) -> None:
    a_heartbeat("worker", queues=["mail"])
    a_heartbeat("worker", queues=["mail"], ago=60)

    found = scraped(client)

    assert (of(found, "workers", queue="mail"), of(found, "workers", queue="imports")) == (2, 1)
    assert (of(found, "beat_tick_age_seconds") or 0) < 5
    assert of(found, "heartbeat_age_seconds", role="worker", process="worker@3") == pytest.approx(60, abs=5)
    assert (of(found, "check_ok", check="database"), of(found, "database_up")) == (1, 1)
    assert of(found, "alert_open", check="disk") == 0
    assert (of(found, "disk_free_bytes") or 0) > 0


def test_imports_and_mails_have_figures(client: Client, all_well: None, token: None) -> None:
    for pending, state in enumerate(("completed", "loading")):
        ImportRun.objects.create(
            filename="a.csv", size=1, sha256=state, state=state, rows=4 + pending, lines=4 + pending,
            created=3, rejected=1, pending=pending, finished_at=None if pending else timezone.now(),
        )  # fmt: skip
    due = timezone.now() - timedelta(seconds=50)
    Message.objects.create(kind="x", event="1", about="x", recipient="x", due_at=due)
    Message.objects.create(kind="x", event="2", about="x", recipient="x", state="failed", due_at=None)

    found = scraped(client)

    assert of(found, "import_rows_total", outcome="created") == 6
    assert of(found, "import_rows_total", outcome="pending") is None
    assert of(found, "imports", state="loading") == 1
    assert (of(found, "mails_waiting"), of(found, "mails_newest", state="failed")) == (1, 1)
    assert 50 <= (of(found, "mails_oldest_due_seconds") or 0) < 60


def test_requests_are_counted_by_route_and_not_by_address(
    client: Client, all_well: None, token: None
) -> None:
    before = scraped(client)
    for path in ("/nowhere/secret-1", "/nowhere/secret-2", "/healthz"):
        client.get(path)
    client.generic("BREW", "/healthz")

    answer = client.get("/metrics", headers=TOKEN)

    found = samples(answer.text)
    assert "secret" not in answer.text

    def more(**labels: str) -> float:
        name = "http_requests_total"
        return (of(found, name, **labels) or 0) - (of(before, name, **labels) or 0)

    assert more(method="GET", route="unmatched", status="404") == 2
    assert more(method="GET", route="unmatched", status="200") == 1
    assert more(method="other", route="unmatched", status="200") == 1
    assert more(method="GET", route="metrics", status="200") == 1


def exported(text: str) -> set[str]:
    """Names that a query may use: of a histogram the names of its samples."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE):
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def test_rules_and_dashboard_name_figures_that_there_are(client: Client, all_well: None, token: None) -> None:
    client.get("/healthz")
    names = exported(client.get("/metrics", headers=TOKEN).text)
    board = json.loads((DEPLOY / "grafana/tallyman.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = (DEPLOY / "prometheus/alerts.yml").read_text()

    used = set(re.findall(r"\btallyman_\w+", " ".join(queries) + rules))

    assert (used - names, len(board["panels"]) > 15, len(used) > 20) == (set(), True, True)
    # What nobody looks at is not worth asking for; of a histogram it takes one.
    histogram = {f"tallyman_http_request_seconds_{part}" for part in ("sum", "count")}
    assert {name for name in names - used - histogram if not name.endswith("_created")} == {
        "tallyman_queue_jobs_waiting"
    }
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_rules_lead_to_sections_of_the_document() -> None:
    document = (running.BASE_DIR / "docs/operations.md").read_text()
    titles = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    sections = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    rules = (DEPLOY / "prometheus/alerts.yml").read_text()

    named = re.findall(r"docs/operations\.md#(\S+)", rules)

    assert len(named) == len(re.findall(r"- alert:", rules))
    assert set(named) <= sections


def test_counts_of_all_processes_of_the_server_are_added_up(stack: Stack) -> None:  # noqa: F811
    stack.environment |= {"WEB_CONCURRENCY": "2", "METRICS_TOKEN": "let-prometheus-in"}
    url = stack.start_web()
    asked = Request(f"{url}/metrics", headers={"Authorization": TOKEN["authorization"]})

    def counted() -> float:
        with urlopen(asked, timeout=10) as answer:
            found = samples(answer.read().decode())
        return of(found, "http_requests_total", method="GET", route="shop:home", status="200") or 0

    for number in range(1, 13):
        with urlopen(url, timeout=20) as answer:
            assert answer.status == 200
        assert counted() == number


def test_worker_does_not_load_what_metrics_need() -> None:
    code = (
        "import django, sys; django.setup(); from config.celery import app;"
        " app.loader.import_default_modules(); from monitoring import metrics;"
        " print('prometheus_client' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=running.BASE_DIR, capture_output=True, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}, check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["False"]
