"""Jobs, task history and schedule in the admin, and trying dead letters again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from tasks.models import Job
from tasks.queueing import retry

pytestmark = pytest.mark.django_db

JOBS = "/admin/tasks/job/"


def a_job(state: str = "queued", **fields: Any) -> Job:
    now = timezone.now()
    needed: dict[str, Any] = {
        "kind": "tests.work",
        "title": "Some work",
        "queue": "default",
        "run_after": now,
        "created_at": now,
    }
    if state == "running":
        needed |= {"lease_token": uuid4(), "lease_until": now + timedelta(seconds=30), "attempts": 1}
    if state in ("done", "dead", "cancelled"):
        needed |= {"finished_at": now}
    return Job.objects.create(**{**needed, "state": state, **fields})


def listed(client: Client, **query: str) -> list[str]:
    page = client.get(JOBS, query)
    assert page.status_code == 200
    return sorted(re.findall(r"(Job \w+)<div", page.text))


def test_retry_queues_dead_letters_with_all_their_attempts_again() -> None:
    dead = a_job("dead", attempts=10, error="disk full", started_at=timezone.now(), progress_current=5)
    others = [a_job(state) for state in ("queued", "running", "done", "cancelled")]

    assert retry(Job.objects.all()) == 1
    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.finished_at, dead.started_at) == ("queued", 0, None, None)
    assert (dead.progress_current, dead.error) == (0, "disk full")
    assert Job.objects.due().filter(pk=dead.pk).exists()
    assert [Job.objects.get(pk=job.pk).state for job in others] == [job.state for job in others]


def test_retry_sends_one_hint_a_job_after_the_commit(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[str, int, str]] = []
    monkeypatch.setattr(
        current_app,
        "send_task",
        lambda kind, *, kwargs, queue, **_: sent.append((kind, kwargs["job_id"], queue)),
    )
    dead = [a_job("dead", queue="mail"), a_job("dead")]
    with django_capture_on_commit_callbacks(execute=True):
        retry(Job.objects.all())
        assert sent == []

    assert sent == [("tests.work", dead[0].pk, "mail"), ("tests.work", dead[1].pk, "default")]


def test_retry_action_says_how_many_and_leaves_the_rest(admin_client: Client) -> None:
    jobs = [a_job("dead"), a_job("dead"), a_job("done")]
    selected = {"action": "retry", "_selected_action": [job.pk for job in jobs], "index": "0"}
    first, again = admin_client.post(JOBS, selected), admin_client.post(JOBS, selected)

    assert [str(message) for message in get_messages(first.wsgi_request)] == [
        "2 jobs are waiting for a worker again."
    ]
    assert str(list(get_messages(again.wsgi_request))[-1]) == (
        "None of these is a dead letter; nothing was changed."
    )
    assert sorted(Job.objects.values_list("state", flat=True)) == ["done", "queued", "queued"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state__exact": "dead"}, ["Job Beta"]),
        ({"queue": "mail"}, ["Job Beta"]),
        ({"kind": "tests.work"}, ["Job Alpha"]),
        ({"q": "BETA job"}, ["Job Beta"]),
        ({"q": "import/1"}, ["Job Alpha"]),
        ({}, ["Job Alpha", "Job Beta"]),
    ],
)
def test_job_filters_narrow_the_list(admin_client: Client, query: dict[str, str], found: list[str]) -> None:
    a_job("running", title="Job Alpha", subject="import/12")
    a_job("dead", title="Job Beta", subject="report/1", kind="tests.other", queue="mail")

    assert listed(admin_client, **query) == found


def test_job_list_shows_state_progress_attempts_and_the_end_of_the_error(admin_client: Client) -> None:
    a_job(
        "dead",
        progress_current=1500,
        progress_total=2000,
        attempts=10,
        error="Traceback\n  File x\nDiskFull: no <space>",
    )
    page = admin_client.get(JOBS).text

    assert re.findall(r'title="([^"]*)"><progress max="100" value="(\d+)">', page) == [
        ("1,500 of 2,000", "75")
    ]
    assert re.findall(r"attempt (\d+ of \d+)", page) == ["10 of 10"]
    assert re.findall(r"<span title=\"DiskFull[^>]*>([^<]*)<", page) == ["DiskFull: no &lt;space&gt;"]
    assert re.findall(r"bg-red-100[^>]*>\s*(dead letter)\s*<", page) == ["dead letter"]


def test_job_page_shows_payload_and_the_whole_error(admin_client: Client) -> None:
    job = a_job("dead", error="Traceback\nDiskFull", payload={"offset": 4_000_000})
    page = admin_client.get(f"{JOBS}{job.pk}/change/").text

    assert re.findall(r'tally-log">([^<]*)<', page) == ["Traceback\nDiskFull"]
    assert "4000000" in page
    assert 'name="_save"' not in page


def test_running_job_shows_its_worker_and_whether_the_lease_holds(admin_client: Client) -> None:
    a_job("running", worker="celery@one")
    a_job("running", worker="celery@two", lease_until=timezone.now() - timedelta(seconds=5))
    cells = re.findall(r"(celery@\w+)<div[^>]*>(lease [a-z ]+) <time", admin_client.get(JOBS).text)

    assert sorted(cells) == [("celery@one", "lease ends"), ("celery@two", "lease ran out")]


def test_jobs_can_not_be_added_changed_or_deleted_by_hand(admin_client: Client) -> None:
    job = a_job()
    pages = [f"{JOBS}add/", f"{JOBS}{job.pk}/delete/"]

    assert [admin_client.post(page, {"post": "yes"}).status_code for page in pages] == [403, 403]
    assert admin_client.post(f"{JOBS}{job.pk}/change/", {"title": "Other"}).status_code == 403


def test_staff_who_may_only_look_see_no_retry(client: Client, django_user_model: Any) -> None:
    from django.contrib.auth.models import Permission

    clerk = django_user_model.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(clerk)
    job = a_job("dead")
    client.post(JOBS, {"action": "retry", "_selected_action": [job.pk], "index": "0"})

    assert Job.objects.get().state == "dead"


def test_job_list_needs_few_queries_whatever_its_length(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        a_job(("queued", "running", "done", "dead", "cancelled")[number % 5])

    with django_assert_max_num_queries(12):
        assert admin_client.get(JOBS).text.count("attempt ") == 50


def test_task_history_shows_how_tasks_ended(admin_client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(50):
        TaskResult.objects.create(
            task_id=str(uuid4()),
            task_name="tasks.sweep",
            status="FAILURE" if number == 0 else "SUCCESS",
            date_started=timezone.now() - timedelta(seconds=2),
        )
    with django_assert_max_num_queries(12):
        page = admin_client.get("/admin/django_celery_results/taskresult/").text

    assert len(re.findall(r"bg-green-100[^>]*>\s*success\s*<", page)) == 49
    assert len(re.findall(r"bg-red-100[^>]*>\s*failure\s*<", page)) == 1
    assert re.findall(r'field-seconds[^>]*">(\d)\.', page) == ["2"] * 50


def test_schedule_is_listed_read_only(admin_client: Client) -> None:
    interval = IntervalSchedule.objects.create(every=15, period="seconds")
    entry = PeriodicTask.objects.create(name="sweep", task="tasks.sweep", interval=interval)
    page = "/admin/django_celery_beat/periodictask/"

    assert re.findall(r'field-every[^>]*">([^<]*)<', admin_client.get(page).text) == ["every 15 seconds"]
    assert admin_client.get(f"{page}{entry.pk}/change/").status_code == 200
    assert admin_client.post(f"{page}{entry.pk}/change/", {"name": "other"}).status_code == 403
