"""Mails with reports, and about those that failed, from what reports announce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.urls import reverse

from notifications import messages, outbox
from notifications.messages import Rendered
from reports.as_mail import Mail
from reports.models import ReportFile, ReportRun, ReportSchedule
from reports.results import Answer
from reports.signals import report_failed, report_ready, schedule_paused
from reports.writing import Writer

log = structlog.get_logger(__name__)


def connect() -> None:
    """Listen to reports; called once, when Django is ready."""
    report_ready.connect(_ready, dispatch_uid="notifications.report_ready")
    report_failed.connect(_failed, dispatch_uid="notifications.report_failed")
    schedule_paused.connect(_paused, dispatch_uid="notifications.schedule_paused")


def _ready(*, run: ReportRun, answer: Answer, mail: Mail, **_: Any) -> None:
    """A mail of their own for each recipient, so what becomes of it is known of each."""
    if not run.recipients:
        return
    files = list(run.files.all())
    outbox.write(
        kind="report_ready",
        event=f"{run.subject}/ready",
        about=run.subject,
        recipients=run.recipients,
        content=_safely(run, answer, mail, files),
        attachment=run.subject if files else "",
    )


def _safely(run: ReportRun, answer: Answer, mail: Mail, files: list[ReportFile]) -> Rendered:
    try:
        return ready(run, answer, mail, files)
    except DatabaseError:  # the transaction is lost, and the job begins it again
        raise
    except Exception:  # whatever is wrong with a template, a report must not fail for its mail
        log.exception("the mail of a report could not be rendered, sending a plain one", run=run.pk)
        text = f"{run.title}\n\n{mail.text}\n{_address(run)}\n"
        return Rendered(messages.one_line(run.title), text, "")


def ready(run: ReportRun, answer: Answer, mail: Mail, files: Sequence[ReportFile]) -> Rendered:
    """The report itself, in short; its files go with it where they are not too large."""
    writer = Writer.of(answer)
    return messages.render(
        "report_ready",
        {
            "name": run.title,
            "title": answer.title,
            "period": writer.period(answer.question.period),
            "html": mail.html,
            "text": mail.text.strip(),
            "files": [file for file in files if not file.cid],
            "attached": fits(files),
            "run_url": _address(run),
            "schedule_when": run.schedule.when if run.schedule else "",
            "sent_to": [*run.to, *run.cc],
        },
        language=run.asked.language,
    )


def fits(files: Sequence[ReportFile]) -> bool:
    """Whether mail servers will take them all, as attachments of one mail."""
    return sum(file.size for file in files if not file.cid) <= settings.REPORT_ATTACH_BYTES


def _failed(*, run: ReportRun, **_: Any) -> None:
    outbox.write(
        kind="report_failed",
        event=f"{run.subject}/failed",
        about=run.subject,
        recipients=_owners(run.owner or (run.schedule.owner if run.schedule else None)),
        content=failed(run),
    )


def failed(run: ReportRun, *, language: str = "") -> Rendered:
    """Tell whom it belongs to why there is no report."""
    period = run.asked.period
    context = {
        "name": run.title, "number": str(run.pk), "period": f"{period.first} – {period.last}",
        "error": run.error, "schedule_when": run.schedule.when if run.schedule else "", "url": _address(run),
    }  # fmt: skip
    return messages.render("report_failed", context, language=language)


def _paused(*, schedule: ReportSchedule, run: ReportRun, **_: Any) -> None:
    outbox.write(
        kind="schedule_paused",
        event=f"{run.subject}/paused",
        about=run.subject,
        recipients=_owners(schedule.owner),
        content=paused(schedule),
    )


def paused(schedule: ReportSchedule, *, language: str = "") -> Rendered:
    """Tell whom it belongs to that it comes no more, and why."""
    address = settings.SITE_URL + reverse("admin:reports_reportschedule_change", args=[schedule.pk])
    context = {
        "name": schedule.name, "error": schedule.paused_why, "schedule_when": schedule.when, "url": address,
    }  # fmt: skip
    return messages.render("schedule_paused", context, language=language)


def _owners(owner: Any) -> list[str]:
    """Whose it is; else the superusers, or the shop's own address."""
    if owner is not None and owner.is_active and owner.email:
        return [owner.email]
    superusers = get_user_model().objects.filter(is_active=True, is_superuser=True).exclude(email="")
    return sorted(superusers.values_list("email", flat=True)) or [settings.SHOP_EMAIL]


def _address(run: ReportRun) -> str:
    return settings.SITE_URL + reverse("admin:reports_reportrun_change", args=[run.pk])
