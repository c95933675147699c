"""Job kinds of the tests, and the queues in Valkey as they really are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings
from django.db.models import F

from tasks import registry
from tasks.claiming import Claim
from tasks.models import Job
from tasks.queueing import NewJob, create

KIND = "tests.work"

type Register = Callable[..., None]


@pytest.fixture
def handler() -> Iterator[Register]:
    """Call it with what the jobs of `KIND` shall do; options as for `registry.handles`."""

    def register(work: Callable[[Claim], None], *, queue: str = "default", **options: Any) -> None:
        registry.handles(KIND, queue=queue, **options)(work)

    register(lambda claim: None)
    yield register
    registry._handlers.pop(KIND)
    current_app.tasks.pop(KIND, None)


def new_job(**changes: Any) -> Job:
    """A due job of `KIND`; `changes` are of its row."""
    (job,) = create([NewJob(kind=KIND, subject="test/1", title="Test", payload={"n": 1})])
    if changes:
        Job.objects.filter(pk=job.pk).update(**changes)
    job.refresh_from_db()
    return job


def let_lease_expire(job: Job) -> None:
    """As if its worker had been silent for a lease and a second."""
    past = timedelta(seconds=django_settings.JOB_LEASE_SECONDS + 1)
    Job.objects.filter(pk=job.pk).update(
        lease_until=F("lease_until") - past, run_after=F("run_after") - past, hinted_at=F("hinted_at") - past
    )


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The broker of this run, with empty queues."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
