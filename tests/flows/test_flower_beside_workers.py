"""Flower as the Procfile starts it, beside a real worker: what it shows, and what a worker refuses."""

from __future__ import annotations

import base64
import json
import pickle
import uuid
from pathlib import Path
from typing import Any

import redis
import requests

from imports import sample_catalog
from tests.stack import Stack, migrated_database, stack  # noqa: F401

_OPERATOR = """
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
user = User.objects.create_user("operator", is_staff=True)
user.groups.set(Group.objects.filter(name="operators"))
client = Client()
client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
print(client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


class Mark:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def as_pickle(body: Any) -> str:
    """A message for `tasks.sweep` as Celery would send it, had it been told to pickle."""
    key = uuid.uuid4().hex
    headers = {"lang": "py", "task": "tasks.sweep", "id": key, "root_id": None, "parent_id": None}
    properties = {
        "correlation_id": key, "delivery_mode": 2, "priority": 0, "body_encoding": "base64",
        "delivery_tag": uuid.uuid4().hex, "delivery_info": {"exchange": "default", "routing_key": "default"},
    }  # fmt: skip
    return json.dumps({
        "body": base64.b64encode(pickle.dumps(([body], {}, {}))).decode(), "headers": headers,
        "content-encoding": "binary", "content-type": "application/x-python-serialize",
        "properties": properties,
    })  # fmt: skip


def test_pickle_is_refused_the_worker_lives_and_flower_names_what_it_does(
    stack: Stack,  # noqa: F811
    tmp_path: Path,
) -> None:
    worker, flower = stack.launch("worker"), stack.launch("flower")
    key = stack.manage("shell", "--no-imports", "-c", _OPERATOR).stdout.strip()
    for process in (worker, flower):
        process.wait_ready(60)
    pid, mark = worker.pid, tmp_path / "executed"
    with redis.Redis.from_url(stack.redis_url) as broker:
        broker.lpush("default", as_pickle(Mark(mark)))
        stack.wait_for(lambda: not broker.llen("default"))

    made = tmp_path / "made.csv"
    made.write_text(sample_catalog.HEADER + "".join(sample_catalog.rows(500, seed=4)))
    stack.launch("beat")
    assert stack.manage("import_catalog", str(made), "--json").returncode == 0

    assert (mark.exists(), worker.pid) == (False, pid)
    assert "Refusing to deserialize" in worker.program.log.read_text()  # type: ignore[union-attr]

    def tasks() -> dict[str, str]:
        """Subject and state of each task that Flower knows."""
        answer = requests.get(
            f"http://127.0.0.1:{stack.flower_port}/api/tasks", cookies={"sessionid": key}, timeout=20
        )
        assert answer.status_code == 200
        return {task["kwargs"]: task["state"] for task in answer.json().values()}

    jobs = {
        f"{title} · job {pk}": "SUCCESS"
        for pk, title in stack.sql(
            "SELECT id, title FROM tasks_job WHERE kind IN ('imports.stage', 'imports.load')"
        )
    }
    assert len(jobs) == 2
    stack.wait_for(lambda: jobs.items() <= tasks().items())
    assert stack.sql("SELECT count(*) FROM tasks_tick WHERE failures = 0")[0][0] > 0
