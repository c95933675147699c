"""Mails with reports, and about those that failed, from what reports announce; in the report's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from notifications import messages, outbox, report_words
from notifications.messages import Rendered
from reports.as_mail import Mail
from reports.models import ReportFile, ReportRun, ReportSchedule
from reports.results import Answer
from reports.signals import report_failed, report_ready, schedule_paused
from reports.writing import Writer, period_text
from shop.languages import apart, locale

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
        content=_safely("report_ready", run.asked.language, partial(ready, run, answer, mail, files))
        or _plain(run.title, mail.text, _address(run)),
        attachment=run.subject if files else "",
    )


def _safely(kind: str, language: str, rendered: Callable[[str], Rendered]) -> Rendered | None:
    """The mail in its language, or in the shop's where a template of it is broken; None where that one is,
    too: nothing may fail for its mail."""
    for wanted in dict.fromkeys([language, settings.LANGUAGE_CODE]):
        try:
            return rendered(wanted)
        except DatabaseError:  # the transaction is lost, and the job begins it again
            raise
        except Exception:
            log.exception("the mail of a report could not be rendered", kind=kind, language=wanted)
    return None


def _plain(name: str, told: str, address: str) -> Rendered:
    """A mail from code alone."""
    return Rendered(messages.one_line(name), f"{name}\n\n{told}\n\n{address}\n", "")


def ready(run: ReportRun, answer: Answer, mail: Mail, files: Sequence[ReportFile], language: str) -> Rendered:
    """The report itself, in short; its files go with it where they are not too large."""
    with translation.override(language):
        context = {
            "name": run.title if run.schedule else _("The report that you asked for"),
            "title": str(answer.title),
            "called": report_words.name(run),
            "period": Writer.of(answer).period(answer.question.period),
            "html": mail.html,
            "text": mail.text.strip(),
            "files": report_words.listed([_file(file) for file in files if not file.cid]),
            "attached": fits(files),
            "run_url": _address(run),
            "schedule_when": report_words.when(run.schedule) if run.schedule else "",
            "sent_to": report_words.listed([apart(address) for address in [*run.to, *run.cc]]),
        }
    return messages.render("report_ready", context, language=language)


def _file(file: ReportFile) -> str:
    """Its name and size: `sales.xlsx (117.2 kB)`."""
    return f"{apart(file.name)} ({report_words.size(file.size)})"


def fits(files: Sequence[ReportFile]) -> bool:
    """Whether mail servers will take them all, as attachments of one mail."""
    return sum(file.size for file in files if not file.cid) <= settings.REPORT_ATTACH_BYTES


def _failed(*, run: ReportRun, **_: Any) -> None:
    outbox.write(
        kind="report_failed",
        event=f"{run.subject}/failed",
        about=run.subject,
        recipients=_owners(run.owner or (run.schedule.owner if run.schedule else None)),
        content=_safely("report_failed", run.asked.language, partial(failed, run))
        or _plain(run.title, run.error, _address(run)),
    )


def failed(run: ReportRun, language: str) -> Rendered:
    """Tell whom it belongs to why there is no report."""
    with translation.override(language):
        context = {
            "name": report_words.name(run),
            "number": str(run.pk),
            "period": period_text(run.asked.period, locale()),
            "error": run.error,
            "schedule_when": report_words.when(run.schedule) if run.schedule else "",
            "url": _address(run),
        }
    return messages.render("report_failed", context, language=language)


def _paused(*, schedule: ReportSchedule, run: ReportRun, **_: Any) -> None:
    outbox.write(
        kind="schedule_paused",
        event=f"{run.subject}/paused",
        about=run.subject,
        recipients=_owners(schedule.owner),
        content=_safely("schedule_paused", schedule.language, partial(paused, schedule, run))
        or _plain(schedule.name, schedule.paused_why, _schedule_address(schedule)),
    )


def paused(schedule: ReportSchedule, run: ReportRun, language: str) -> Rendered:
    """Tell whom it belongs to that it comes no more, and why: with what its last `run` failed."""
    with translation.override(language):
        context = {
            "name": schedule.name,
            "stopped": report_words.stopped(schedule.failures),
            "error": run.error,
            "schedule_when": report_words.when(schedule),
            "url": _schedule_address(schedule),
        }
    return messages.render("schedule_paused", context, language=language)


def _owners(owner: Any) -> list[str]:
    """Whose it is; else the superusers, or the shop's own address."""
    if owner is not None and owner.is_active and owner.email:
        return [owner.email]
    superusers = get_user_model().objects.filter(is_active=True, is_superuser=True).exclude(email="")
    return sorted(superusers.values_list("email", flat=True)) or [settings.SHOP_EMAIL]


def _schedule_address(schedule: ReportSchedule) -> str:
    return settings.SITE_URL + reverse("admin:reports_reportschedule_change", args=[schedule.pk])


def _address(run: ReportRun) -> str:
    return settings.SITE_URL + reverse("admin:reports_reportrun_change", args=[run.pk])
