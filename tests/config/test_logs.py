"""Logs: JSON or words, and in every line the ids of the request, the task and the job."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
import redis
import structlog
from django.conf import settings as running
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from tests.config.test_settings import read
from tests.stack import Stack, migrated_database, stack  # noqa: F401
from tests.tasks.conftest import KIND, Register, broker, handler, new_job  # noqa: F401

_SAY = "import logging; logging.getLogger('shop').warning('Ware für %s', 'Zoë')"
_ROUND = """
import structlog; from notifications import outbox
structlog.contextvars.bind_contextvars(request_id="request-1", secret="not to be taken along")
outbox.ensure_round()
"""


def lines(stack: Stack) -> list[dict[str, Any]]:  # noqa: F811
    """What the worker has logged; its greeting is none."""
    [log] = stack.folder.glob("worker-*.log")
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_ids_go_from_a_request_to_its_task_and_job(stack: Stack) -> None:  # noqa: F811
    stack.start_worker()
    assert stack.manage("shell", "-c", _ROUND).returncode == 0

    stack.wait_for(lambda: any(line["message"] == "job done" for line in lines(stack)))

    [done] = [line for line in lines(stack) if line["message"] == "job done"]
    [(job, task)] = stack.sql("SELECT id, task_id FROM tasks_job")
    assert (done["request_id"], done["task_id"], done["job"]) == ("request-1", task, job)
    assert (done["level"], done["logger"], done["kind"]) == ("info", "tasks.running", "notifications.deliver")
    of_task = [line for line in lines(stack) if line.get("task_id") == task]
    assert {line["request_id"] for line in of_task} == {"request-1"}
    assert "not to be taken along" not in json.dumps(lines(stack))


@pytest.mark.django_db(transaction=True)
def test_message_takes_the_ids_along_and_nothing_else(
    broker: redis.Redis,  # noqa: F811
    handler: Register,  # noqa: F811
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r", task_id="t", ip="192.0.2.1", job=5):
        new_job()

    message = json.loads(broker.lrange("default", 0, 0)[0])  # type: ignore[index]
    assert message["headers"]["__django_structlog__"] == {"request_id": "r", "parent_task_id": "t"}


def said_by(*, on_terminal: bool = False, **environment: str) -> str:
    """What a command logs, with its stderr on a terminal or not."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", _SAY]
    mine, its = pty.openpty() if on_terminal else os.pipe()
    with os.fdopen(mine, "rb", closefd=True) as reader:
        subprocess.run(
            command, cwd=running.BASE_DIR, env={**os.environ, **environment}, stderr=its, check=True
        )
        os.close(its)
        return os.read(reader.fileno(), 4096).decode()


@pytest.mark.parametrize(
    ("on_terminal", "environment", "is_json"),
    [(False, {}, True), (True, {}, False), (True, {"LOG_FORMAT": "json"}, True),
     (False, {"LOG_FORMAT": "console"}, False)],
)  # fmt: skip
def test_lines_are_json_unless_people_read_them(
    on_terminal: bool, environment: dict[str, str], is_json: bool
) -> None:
    said = said_by(on_terminal=on_terminal, **environment)

    assert ("Ware für Zoë" in said, said.startswith("{")) == (True, is_json)
    if is_json:
        line = json.loads(said)
        assert (line["message"], line["level"], line["logger"]) == ("Ware für Zoë", "warning", "shop")


def test_failure_is_one_line_of_json_with_its_traceback() -> None:
    code = "import structlog\ntry: 1 / 0\nexcept Exception: structlog.get_logger('x').exception('broke', n=1)"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=running.BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip

    line = json.loads(done.stderr)
    assert (line["message"], line["n"], line["exception"].splitlines()[-1]) == (
        "broke", 1, "ZeroDivisionError: division by zero",
    )  # fmt: skip


def test_unknown_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be auto, json, console, not `xml`"):
        read(monkeypatch, LOG_FORMAT="xml")


def test_sentry_without_its_package_is_said_and_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN is set, and the package sentry-sdk"):
        read(monkeypatch, SENTRY_DSN="https://key@sentry.example/1")


def test_nobody_pays_for_what_structlog_would_load_besides() -> None:
    code = "import sys, config.logs; print('rich' in sys.modules); import rich; print(rich.__name__)"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=running.BASE_DIR, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "rich"]


@pytest.mark.django_db
def test_each_answer_says_how_long_it_took_and_by_which_name_logs_have_it(client: Client) -> None:
    answer = client.get("/healthz")

    took = answer.headers["X-Response-Time"]
    assert (took.endswith("ms"), 0 < float(took[:-2]) < 1000) == (True, True)
    assert len(answer.headers["X-Request-ID"]) == 36
    assert client.get("/healthz").headers["X-Request-ID"] != answer.headers["X-Request-ID"]


@pytest.mark.django_db
def test_slow_answer_is_a_warning_without_what_is_secret_in_its_address(
    client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SLOW_REQUEST_SECONDS = 0

    client.get(reverse("shop:order", args=["let-me-in" * 3 + "-----"]) + "?email=kim@example.com")

    [told] = [record.getMessage() for record in caplog.records if "slow request" in record.getMessage()]
    assert "'route': 'shop:order', 'status': 404" in told
    assert ("let-me-in" in told, "kim@" in told) == (False, False)
