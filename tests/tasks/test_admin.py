"""Jobs, task history and schedule in the admin, and trying dead letters again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from imports.models import ExportRun
from tasks import operating
from tasks.models import Job, Queue, Tick
from tasks.queueing import retry

pytestmark = pytest.mark.django_db

JOBS = "/admin/tasks/job/"
QUEUES = "/admin/tasks/queue/"
SURE = {"_form_submitted": "True"}
SCHEDULE = "/admin/django_celery_beat/periodictask/"


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

    assert retry(Job.objects.all()) == [dead]
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
        "None of these is a dead letter, or pauses before its next attempt; nothing was changed."
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


def act(client: Client, action: str, *jobs: Job, **more: str) -> Any:
    selected = {"action": action, "_selected_action": [job.pk for job in jobs], "index": "0"}
    return client.post(JOBS, selected | more)


def logged() -> list[tuple[str, str]]:
    """Object and what was done, of each entry of the admin's log."""
    return sorted(LogEntry.objects.values_list("object_id", "change_message"))


def test_all_like_the_selected_are_tried_again_and_each_says_so_in_its_history(admin_client: Client) -> None:
    same = [a_job("dead", error=f"Line {n}\nDisk full") for n in range(3)]
    other = a_job("dead", error="Other")

    act(admin_client, "retry_alike", same[0])

    assert set(Job.objects.filter(state="queued")) == set(same)
    assert logged() == [(str(job.pk), "Tried again") for job in same]
    assert "Tried again" in admin_client.get(f"{JOBS}{same[1].pk}/history/").text
    assert Job.objects.get(pk=other.pk).state == "dead"


def test_discarding_asks_with_numbers_before_it_does_anything(admin_client: Client) -> None:
    jobs = [a_job("dead"), a_job("queued"), a_job("queued"), a_job("done")]

    asked = act(admin_client, "discard", *jobs)

    assert re.findall(r"<strong>(\d+ [a-z ]+)</strong>", asked.text) == ["1 dead letter", "2 waiting jobs"]
    assert "1 of those selected runs or has ended, and stays as it is." in asked.text
    assert [Job.objects.get(pk=job.pk).state for job in jobs] == [job.state for job in jobs]
    assert logged() == []

    act(admin_client, "discard", *jobs, sure="yes")

    assert [Job.objects.get(pk=job.pk).state for job in jobs] == [*["cancelled"] * 3, "done"]
    assert logged() == [(str(job.pk), "Discarded") for job in jobs[:3]]


def test_jobs_are_put_first_and_back_in_line(admin_client: Client) -> None:
    job = a_job()

    act(admin_client, "put_first", job)
    assert "first in line" in admin_client.get(JOBS).text
    act(admin_client, "put_back_in_line", job)

    assert "first in line" not in admin_client.get(JOBS).text
    assert [what for _, what in logged()] == ["Back in line", "Put first"]


@pytest.mark.parametrize(
    ("page", "state", "after", "noted"),
    [
        ("retry", "dead", "queued", "Tried again"),
        ("retry-alike", "dead", "queued", "Tried again"),
        ("first", "queued", "queued", "Put first"),
        ("discard", "dead", "cancelled", "Discarded"),
        ("discard", "held", "cancelled", "Discarded"),
    ],
)
def test_page_of_a_job_has_its_actions_by_post(
    admin_client: Client, page: str, state: str, after: str, noted: str
) -> None:
    job = a_job(state, error="Disk full")
    address = f"{JOBS}{job.pk}/{page}/"

    assert admin_client.get(address).status_code == 200
    assert (Job.objects.get().state, logged()) == (state, [])
    done = admin_client.post(address, SURE)

    assert done.headers.get("Location") == f"{JOBS}{job.pk}/change/"
    assert (Job.objects.get().state, logged()) == (after, [(str(job.pk), noted)])


@pytest.mark.parametrize(
    ("state", "page"),
    [("running", "retry"), ("done", "retry"), ("queued", "retry-alike"), ("done", "discard")],
)
def test_page_of_a_job_offers_no_action_that_would_do_nothing(
    admin_client: Client, state: str, page: str
) -> None:
    job = a_job(state)

    assert admin_client.post(f"{JOBS}{job.pk}/{page}/", SURE).status_code == 403
    assert f"/{page}/" not in admin_client.get(f"{JOBS}{job.pk}/change/").text


@pytest.mark.parametrize("page", ["retry", "retry-alike", "first", "discard"])
def test_action_of_a_page_is_refused_to_who_may_only_look(client: Client, page: str) -> None:
    who_may(client, "view_job")
    job = a_job("queued" if page == "first" else "dead")

    assert client.get(f"{JOBS}{job.pk}/change/").status_code == 200
    assert client.post(f"{JOBS}{job.pk}/{page}/", SURE).status_code == 403
    assert client.get(JOBS).text.count('name="action"') == 0


def who_may(client: Client, *codenames: str) -> User:
    """A member of staff with these permissions, logged in."""
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk, settings.AUTHENTICATION_BACKENDS[0])
    return clerk


def test_job_leads_to_what_it_works_for_and_says_whose_that_is(admin_client: Client, client: Client) -> None:
    anna = User.objects.create_user("anna")
    run = ExportRun.objects.create(owner=anna)
    a_job(subject=run.subject)
    a_job(subject="search")
    link = f'<a class="tally-link" href="/admin/imports/exportrun/{run.pk}/change/">Export {run.pk}</a>'

    page = admin_client.get(JOBS).text
    assert (page.count(link), page.count("anna")) == (1, 1)

    who_may(client, "view_job")
    assert (client.get(JOBS).text.count(link), f"Export {run.pk}" in client.get(JOBS).text) == (0, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"queue": "nowhere"}, "No worker serves a queue called “nowhere”"),
        ({"kind": "tests.unknown"}, "No worker of this release knows jobs of the kind “tests.unknown”"),
        ({"attempts": 10}, "It has no attempts left, so no worker takes it"),
        ({"run_after": timezone.now() - timedelta(hours=1)}, "It is due, and no worker has taken it yet"),
        ({"state": "running", "lease_until": timezone.now() - timedelta(seconds=5)}, "has fallen silent"),
        ({"queue": "mail"}, "The queue mail is paused."),
    ],
)
def test_list_and_page_say_what_holds_a_job_up(
    admin_client: Client, fields: dict[str, Any], said: str
) -> None:
    operating.pause(["mail"], by="boss")
    fine = a_job(kind="imports.load", subject="fine")
    job = a_job(**{"kind": "imports.load", "state": "queued"} | fields)

    page = admin_client.get(JOBS).text

    assert (page.count("tally-trouble"), said in page) == (1, True)
    assert said in admin_client.get(f"{JOBS}{job.pk}/change/").text
    assert "tally-trouble" not in admin_client.get(f"{JOBS}{fine.pk}/change/").text


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("failing", "failing"),
        ("overdue", "overdue"),
        ("silent", "silent"),
        ("stranded", "kind used"),
    ],
)
def test_filter_finds_what_wants_a_look(admin_client: Client, choice: str, found: str) -> None:
    hour = timedelta(hours=1)
    known = {"kind": "imports.load"}
    a_job(title="Job failing", error="x", attempts=1, run_after=timezone.now() + hour, **known)
    a_job(title="Job overdue", run_after=timezone.now() - hour, **known)
    a_job("running", title="Job silent", lease_until=timezone.now() - hour, **known)
    a_job(title="Job kind")
    a_job(title="Job used", attempts=10, **known)
    a_job("done", title="Job done")

    assert listed(admin_client, trouble=choice) == [f"Job {name}" for name in found.split()]


def test_job_leads_to_its_task_in_flower_by_the_name_that_the_visitor_uses(admin_client: Client) -> None:
    job = a_job("running", task_id="abc-1")

    for host in ("localhost:8000", "127.0.0.1"):
        page = admin_client.get(f"{JOBS}{job.pk}/change/", headers={"Host": host}).text
        [link] = re.findall(r'href="([^"]*/task/[^"]*)"', page)
        assert link == f"http://{host.partition(':')[0]}:{settings.FLOWER_PORT}/task/abc-1"


def test_task_history_leads_to_the_job(admin_client: Client) -> None:
    result = TaskResult.objects.create(task_id="1", task_name="x", task_kwargs='"Import 1: rows · job 34"')

    page = admin_client.get(f"/admin/django_celery_results/taskresult/{result.pk}/change/").text
    assert '<a class="tally-link" href="/admin/tasks/job/34/change/">job 34</a>' in page


def test_queues_are_listed_with_their_figures_and_paused_and_resumed(admin_client: Client) -> None:
    a_job()
    a_job("dead")
    a_job("running", queue="mail")
    page = admin_client.get(QUEUES).text
    assert re.findall(r'href="(/admin/tasks/job/\?[^"]*)">(\d+)<', page) == [
        ("/admin/tasks/job/?queue=default&amp;state__exact=queued", "1"),
        ("/admin/tasks/job/?queue=default&amp;state__exact=dead", "1"),
        ("/admin/tasks/job/?queue=mail&amp;state__exact=running", "1"),
    ]

    for action in ("pause", "pause", "resume"):
        admin_client.post(QUEUES, {"action": action, "_selected_action": ["mail", "imports"], "index": "0"})
        paused = set(Queue.objects.exclude(paused_at=None).values_list("name", "paused_by"))
        assert paused == ({("mail", "admin"), ("imports", "admin")} if action == "pause" else set())

    assert logged() == [
        ("imports", "Paused"), ("imports", "Resumed"), ("mail", "Paused"), ("mail", "Resumed"),
    ]  # fmt: skip


def test_queues_are_not_paused_by_who_may_only_look(client: Client) -> None:
    who_may(client, "view_queue")
    client.post(QUEUES, {"action": "pause", "_selected_action": ["mail"], "index": "0"})

    assert (client.get(QUEUES).status_code, Queue.objects.exclude(paused_at=None).count()) == (200, 0)


def an_entry(**fields: Any) -> PeriodicTask:
    interval, _ = IntervalSchedule.objects.get_or_create(every=15, period="seconds")
    return PeriodicTask.objects.create(
        **{"name": "sweep", "task": "tasks.sweep", "interval": interval} | fields
    )


def test_schedule_shows_when_entries_run_next_and_how_they_ended(admin_client: Client) -> None:
    now = timezone.now()
    an_entry(name="fine", last_run_at=now)
    an_entry(name="late", last_run_at=now - timedelta(hours=1))
    an_entry(name="off", enabled=False)
    Tick.objects.create(name="fine", ended_at=now, succeeded_at=now, said="buried 0, sent 3")
    Tick.objects.create(name="late", ended_at=now, failures=3, said="OSError: no luck")
    page = admin_client.get(SCHEDULE).text

    cells = {
        name: [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(
            r'class="[^"]*field-(?:next|outcome)[^"]*"[^>]*>(.*?)</td>', row, re.DOTALL)]
        for name, row in re.findall(r">(fine|late|off)<div(.*?)</tr>", page, re.DOTALL)
    }  # fmt: skip
    assert re.fullmatch(r"1[45] seconds from now", cells["fine"][0])
    assert cells["fine"][1] == "done now buried 0, sent 3"
    assert cells["late"] == [
        "late: does beat run? due 59 minutes ago",
        "failed, 3 times in a row now OSError: no luck",
    ]
    assert cells["off"] == ["switched off", "not yet seen"]


def test_schedule_is_listed_read_only(admin_client: Client) -> None:
    entry = an_entry()

    assert re.findall(r'field-every[^>]*">([^<]*)<', admin_client.get(SCHEDULE).text) == ["every 15 seconds"]
    assert admin_client.get(f"{SCHEDULE}{entry.pk}/change/").status_code == 200
    assert admin_client.post(f"{SCHEDULE}{entry.pk}/change/", {"name": "other"}).status_code == 403
