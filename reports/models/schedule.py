"""Reports that come by themselves, and every making of a report: asked for by a schedule or by a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reports.cadence import Cadence, in_words
from reports.period_rules import PeriodRule
from reports.questions import Comparison, Grouping, Question

_GROUPINGS = [
    (one.value, one.value.replace("_", " ") if one.value else "nothing: every line") for one in Grouping
]
_COMPARISONS = [("", "nothing"), ("previous", "as many days before"), ("year", "the year before")]


def _addresses() -> ArrayField:
    return ArrayField(models.CharField(max_length=254), default=list, blank=True)


class Addressed(models.Model):
    """Whom the mail with a report goes to, each with a mail of their own. Who is in `to` and `cc` is told to
    all of them, who is in `bcc` to nobody."""

    to = _addresses()
    cc = _addresses()
    bcc = _addresses()

    class Meta:
        abstract = True

    @property
    def recipients(self) -> list[str]:
        """All addresses, each once."""
        return list(dict.fromkeys([*self.to, *self.cc, *self.bcc]))


class ReportSchedule(Addressed):
    """A report that is due again and again. `scheduling.tick` looks at those whose `next_at` has come; beat
    has no entry for one.

    `looked_at` is how far that was done: what fell due by then has its run, or was left out and says so.
    """

    class CatchUp(models.TextChoices):
        ONCE = "once", "one report, for the last time missed"
        ALL = "all", "a report for each time missed"
        SKIP = "skip", "none; go on with the next time"

    name = models.CharField(max_length=120)
    report = models.CharField(max_length=40, default="sales")
    period = models.CharField("days", max_length=20, choices=PeriodRule, default=PeriodRule.YESTERDAY)
    group_by = models.CharField("by", max_length=20, choices=_GROUPINGS, blank=True, default="day")
    compare = models.CharField("compared with", max_length=10, choices=_COMPARISONS, blank=True, default="")
    filters = models.JSONField(default=dict, blank=True, help_text="As a question has them.")
    crontab = models.ForeignKey(
        "django_celery_beat.CrontabSchedule", on_delete=models.PROTECT, related_name="+",
        help_text="When it is due, and by which clock.",
    )  # fmt: skip
    formats = ArrayField(models.CharField(max_length=10), default=list, help_text="Files that go with it.")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    skip_if_empty = models.BooleanField("no mail when there is nothing to report", default=False)
    catch_up = models.CharField(
        "after an outage", max_length=5, choices=CatchUp, default=CatchUp.ONCE,
        help_text="What to do about times at which the shop was down.",
    )  # fmt: skip
    pause_after = models.PositiveSmallIntegerField(
        "pause after", default=5, help_text="Failures in a row; its owner is told. 0: never."
    )
    failures = models.PositiveSmallIntegerField("failures in a row", default=0, editable=False)
    enabled = models.BooleanField(default=True, editable=False)
    paused_why = models.TextField(blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Hears of failures.",
    )  # fmt: skip
    looked_at = models.DateTimeField(editable=False)
    next_at = models.DateTimeField("next", null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "scheduled report"
        permissions = [("run_report", "Can run reports, and pause and resume their schedules")]
        indexes = [
            models.Index(fields=["next_at"], name="report_schedule_next", condition=Q(enabled=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cadence(self) -> Cadence:
        """When it is due."""
        return Cadence.of(self.crontab)

    @property
    def when(self) -> str:
        """`Mondays at 7:00, Europe/Berlin`."""
        return f"{in_words(self.cadence.cron)}, {self.cadence.zone.key}"

    def due_after(self, moment: datetime) -> Iterator[datetime]:
        """Its due times later than `moment`, rising, in UTC."""
        return self.cadence.after(moment)

    def question(self, due: datetime) -> Question:
        """What it asks when it is due then; the days are those that its own clock shows."""
        zone = self.cadence.zone
        return Question(
            report=self.report,
            period=PeriodRule(self.period).period(due.astimezone(zone).date(), zone),
            group_by=Grouping(self.group_by),
            compare=Comparison(self.compare),
            filters=self.filters,
            language=self.language,
        )


class ReportRun(Addressed):
    """A report that is made once: `waiting → running → done`, or `failed`, or `empty` where nobody wants a
    report of nothing. `left_out` are due times that passed while the shop was down and that nobody wants any
    more.

    One job makes it. Its files become the run's, and its mails are written, in the transaction that
    completes the job. Without `due_at` a person asked for it, perhaps by a schedule's *Run now*. What it
    asks and whom it is for is copied when it is made, so it does not follow later changes of its schedule.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a worker"
        RUNNING = "running", "being made"
        DONE = "done", "done"
        EMPTY = "empty", "nothing to report"
        LEFT_OUT = "left_out", "left out"
        FAILED = "failed", "failed"

    OPEN = (State.WAITING, State.RUNNING)

    schedule = models.ForeignKey(
        ReportSchedule, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    due_at = models.DateTimeField("due", null=True, blank=True)
    title = models.CharField(max_length=120)
    question = models.JSONField()
    formats = ArrayField(models.CharField(max_length=10), default=list)
    skip_if_empty = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    note = models.TextField(blank=True, help_text="Why it was left out.")
    error = models.TextField(blank=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False, help_text="Name of its folder.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(
        "mailed", null=True, blank=True, help_text="When its mails were written."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = "report made"
        verbose_name_plural = "reports made"
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="report_run_once_per_due_time"),
            models.CheckConstraint(
                name="report_run_ended_has_time",
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "empty", "left_out", "failed"], finished_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["schedule", "-id"], name="report_run_history"),
            models.Index(fields=["finished_at"], name="report_run_finished"),  # purging reads the oldest
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"

    @property
    def subject(self) -> str:
        """Its name in the job table and of its mails."""
        return f"report/{self.pk}"

    @property
    def folder(self) -> str:
        """Where in the storage its files are, and what attempts that were killed have left."""
        return f"reports/{self.key.hex}"

    @property
    def asked(self) -> Question:
        """What it asks."""
        return Question.from_json(self.question)

    @property
    def has_ended(self) -> bool:
        return self.state not in self.OPEN


class ReportFile(models.Model):
    """A report in one format, until it is purged. `cid` names a picture inside the mail."""

    run = models.ForeignKey(ReportRun, on_delete=models.CASCADE, related_name="files")
    format = models.CharField(max_length=10)
    name = models.CharField(max_length=120, help_text="What it is called for whoever gets it.")
    mimetype = models.CharField(max_length=100)
    cid = models.CharField(max_length=60, blank=True)
    file = models.FileField(max_length=255)
    size = models.BigIntegerField(help_text="Bytes.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="report_file_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def open(self) -> Any:
        """The file as a stream; raises OSError where it is gone."""
        return self.file.open("rb")

    def read(self) -> bytes:
        """What is in the file; raises OSError where it is gone."""
        with self.open() as stream:
            content: bytes = stream.read()
        return content
