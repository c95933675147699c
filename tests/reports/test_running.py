"""A worker makes a report: its files, its mails, what goes wrong, and that all of it happens once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from notifications import attachments, composing, holding
from notifications.models import Message, Suppression
from reports import rendering, scheduling
from reports.models import ReportRun, ReportSchedule
from reports.tasks import purge_files
from tasks.models import Job
from tests.reports.schedules import a_schedule, work
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("olga", "olga@example.com")


def due(**values: Any) -> ReportRun:
    """The run of a schedule of today's sales that has just fallen due."""
    values = {"period": "today", "cc": ["bo@example.com"], "bcc": ["eve@example.com"], **values}
    a_schedule("* * * * *", since=timezone.now() - timedelta(minutes=1), **values)
    scheduling.tick(timezone.now())
    return ReportRun.objects.exclude(due_at=None).latest("pk")


def sell() -> None:
    product = a_product(stock=10, price="12.50")
    a_paid_order({product.sku: 2})


def stored(run: ReportRun) -> list[str]:
    if not default_storage.exists(run.folder):
        return []
    return sorted(f"{run.folder}/{name}" for name in default_storage.listdir(run.folder)[1])


def test_report_has_its_files_and_a_mail_with_them_for_each_recipient() -> None:
    sell()
    run = due(formats=["csv", "html"])

    job = work(run)
    work(run)  # a doubled hint finds nothing to do

    assert (job.state, run.state, run.attempts) == ("done", "done", 1)
    files = list(run.files.all())
    assert [(file.format, file.cid) for file in files] == [("csv", ""), ("html", ""), ("png", "chart-1")]
    assert stored(run) == sorted(file.file.name for file in files)
    assert b"25.00" in files[0].read()
    mails = list(Message.objects.filter(kind="report_ready").order_by("pk"))
    assert [mail.recipient for mail in mails] == ["ada@example.com", "bo@example.com", "eve@example.com"]
    assert {mail.event for mail in mails} == {f"report/{run.pk}/ready"}
    assert [file.content for file in attachments.of(mails[0])] == [file.read() for file in files]
    assert "to ada@example.com and bo@example.com." in mails[0].text
    assert "eve@" not in mails[0].text
    assert "25.00" in mails[0].text
    Message.objects.update(headers={"From": "shop@example.com"})
    mails[0].refresh_from_db()
    (picture,) = [part for part in composing.compose(mails[0]).message().walk() if part["Content-ID"]]
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<chart-1>", "inline")
    assert 'src="cid:chart-1"' in mails[0].html
    assert 'src="data:image/png;base64,' in attachments.shown(mails[0])


def test_report_of_nothing_is_left_out_where_nobody_wants_it() -> None:
    run = due(skip_if_empty=True)

    job = work(run)

    assert (job.state, run.state, run.files.count(), Message.objects.count()) == ("done", "empty", 0, 0)


def test_files_too_large_for_a_mail_are_led_to(settings: Any) -> None:
    settings.REPORT_ATTACH_BYTES = 10
    run = due()

    work(run)

    mail = Message.objects.earliest("pk")
    assert [file for file in attachments.of(mail) if not file.cid] == []
    assert "Too large to be attached: " in mail.text
    assert f"/admin/reports/reportrun/{run.pk}/change/" in mail.text


def test_attempt_that_breaks_off_leaves_nothing_and_the_next_mails_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = due(formats=["csv", "json"])
    real, broken = rendering.render, ["json"]

    def render(answer: Any, format: Any, out: Any) -> None:
        if format in broken:
            raise OSError("disk is full")
        real(answer, rendering.Format.CSV, out)

    monkeypatch.setattr(rendering, "render", render)
    job = work(run)
    assert (job.state, run.state, Message.objects.count(), len(stored(run))) == ("queued", "running", 0, 1)

    broken.clear()
    work(run)

    assert (run.state, run.attempts, Message.objects.count()) == ("done", 2, 3)
    assert stored(run) == sorted(run.files.values_list("file", flat=True))


def test_worker_that_lost_its_job_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = due()
    real = rendering.render

    def slow(answer: Any, format: Any, out: Any) -> None:
        real(answer, format, out)
        Job.objects.of(run.subject).update(state="queued", lease_token=None, lease_until=None)  # taken over

    monkeypatch.setattr(rendering, "render", slow)
    work(run)
    assert (run.state, stored(run), Message.objects.count()) == ("running", [], 0)

    monkeypatch.setattr(rendering, "render", real)
    work(run)
    assert (run.state, Message.objects.count()) == ("done", 3)


def test_report_that_cannot_be_made_is_told_to_its_owner_and_pauses_after_so_many(owner: User) -> None:
    schedule = due(report="weather", pause_after=2, owner=owner).schedule
    assert schedule is not None
    run = ReportRun.objects.latest("pk")
    work(run)
    again = scheduling.run_now(schedule, now=timezone.now())
    work(again)

    assert (run.state, run.error) == (
        "failed",
        "There is no report “weather”. There are: sales.",
    ) or run.error
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.failures) == (False, 2)
    assert schedule.paused_why.startswith(
        "It failed 2 times in a row, the last time with: There is no report"
    )
    told = Message.objects.order_by("pk").values_list("kind", "recipient", "about")
    assert list(told) == [
        ("report_failed", "olga@example.com", run.subject),
        ("schedule_paused", "olga@example.com", again.subject),
    ]


def test_success_forgets_failures() -> None:
    run = due()
    ReportSchedule.objects.update(failures=4)

    work(run)

    assert ReportSchedule.objects.get().failures == 0


def test_recipient_that_bounced_gets_no_mail_and_the_schedules_page_names_it(
    client: Client, owner: User
) -> None:
    holding.hold_back(
        "bo@example.com", why=Suppression.Why.BOUNCE, scope=Suppression.Scope.ALL, note="550 gone"
    )
    run = due()
    work(run)
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")

    pages = [
        client.get(f"/admin/reports/reportschedule/{run.schedule_id}/change/").text,
        client.get(f"/admin/reports/reportrun/{run.pk}/change/").text,
    ]

    states = dict(Message.objects.values_list("recipient", "state"))
    assert states == {
        "ada@example.com": "queued",
        "bo@example.com": "suppressed",
        "eve@example.com": "queued",
    }
    assert ["No mail with reports goes to bo@example.com" in page for page in pages] == [True, True]


def test_old_files_are_purged_and_the_history_stays(settings: Any) -> None:
    run, young = due(), due()
    work(run)
    work(young)
    ReportRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=91))

    assert (purge_files(), purge_files()) == (1, 0)

    assert (stored(run), run.files.count(), bool(stored(young))) == ([], 0, True)
    assert ReportRun.objects.filter(state="done").count() == 2


def test_report_asked_for_by_hand_is_mailed_to_who_asked(owner: User) -> None:
    question = due().asked
    run = scheduling.ask(question, title="Sales", formats=["csv"], owner=owner, to=[owner.email])

    work(run)

    (mail,) = Message.objects.filter(about=run.subject)
    assert (mail.recipient, "you asked for it" in mail.text) == ("olga@example.com", True)


def test_staff_make_a_schedule_see_it_run_and_take_its_file(client: Client, owner: User) -> None:
    sell()
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    page = "/admin/reports/reportschedule/"
    form = {
        "name": "Sales of the day", "report": "sales", "period": "today", "group_by": "day",
        "compare": "previous", "language": "en", "catch_up": "once", "pause_after": "5",
        "when": "0 7 31 2 *", "zone": "Europe/Berln", "formats": ["csv"], "to": "ada@example.com, bo@",
        "cc": "", "bcc": "",
    }  # fmt: skip
    refused = client.post(f"{page}add/", form).text
    assert "“bo@” is not a mail address" in refused
    assert "Did you mean Europe/Berlin?" in refused
    assert "never comes: none of its months has such a day" in refused
    never = client.get(f"{page}next/", {"when": "0 7 31 2 *", "zone": "UTC"}).text
    assert "never comes: none of its months has such a day" in never
    times = client.get(f"{page}next/", {"when": "mondays at 7", "zone": "Europe/Berlin"}).text
    assert len(re.findall(r"<li>.*Mon \d+ \w+ \d+, 07:00.*</li>", times.replace("<li>", "\n<li>"))) == 5

    sound = {**form, "when": "Mondays at 7:00", "zone": "Europe/Berlin", "to": "ada@example.com"}
    assert client.post(f"{page}add/", sound).status_code == 302
    schedule = ReportSchedule.objects.get()
    assert (schedule.when, schedule.owner, schedule.to) == (
        "Mondays at 7:00, Europe/Berlin",
        owner,
        ["ada@example.com"],
    )
    assert "25.00" in client.get(f"{page}{schedule.pk}/preview/").text
    mails = Message.objects.filter(kind="report_ready")
    assert (ReportRun.objects.count(), mails.count()) == (0, 0)

    client.post(page, {"action": "run_now", "_selected_action": [schedule.pk]})
    run = ReportRun.objects.get()
    assert "hx-get" in client.get(f"/admin/reports/reportrun/{run.pk}/progress/").text
    work(run)
    done = client.get(f"/admin/reports/reportrun/{run.pk}/progress/").text
    assert "hx-get" not in done
    (link,) = re.findall(r'href="([^"]*/file/\d+/)"', done)
    assert b"25.00" in b"".join(client.get(link))  # type: ignore[call-overload]
    assert link in client.get(f"{page}{schedule.pk}/change/").text

    reader = User.objects.create_user("rita", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_report"))
    theirs = Client()
    theirs.force_login(reader, "django.contrib.auth.backends.ModelBackend")
    seen = theirs.get(f"{page}{schedule.pk}/change/").text
    assert ("Mondays at 7:00, Europe/Berlin" in seen, link in seen, "Run now" in seen) == (True, True, False)

    for action, enabled in (("pause", False), ("resume", True)):
        client.post(page, {"action": action, "_selected_action": [schedule.pk]})
        assert ReportSchedule.objects.get().enabled == enabled
