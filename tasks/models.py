"""The one table of durable work, and what holds it up. A Celery message only says: look at job X."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class JobQuerySet(models.QuerySet["Job"]):
    """Filters that chain."""

    def due(self) -> JobQuerySet:
        """Queued jobs whose time has come, by the database's clock (workers' clocks may differ)."""
        return self.filter(state=Job.State.QUEUED, run_after__lte=Now())

    def expired(self) -> JobQuerySet:
        """Running jobs whose worker has been silent for longer than its lease."""
        return self.filter(state=Job.State.RUNNING, lease_until__lte=Now())

    def leased(self) -> JobQuerySet:
        """Running jobs whose worker lives, as far as anybody knows."""
        return self.filter(state=Job.State.RUNNING, lease_until__gt=Now())

    def takeable(self) -> JobQuerySet:
        """What a worker could claim now: due, or running under an expired lease, and in no paused queue."""
        paused = Queue.objects.filter(paused_at__isnull=False).values("name")
        return (self.due() | self.expired()).exclude(queue__in=paused)

    def of(self, subject: str) -> JobQuerySet:
        """Jobs that work for one thing, such as `import/12`."""
        return self.filter(subject=subject)

    def dead(self) -> JobQuerySet:
        """Those that were given up."""
        return self.filter(state=Job.State.DEAD)

    def unfinished(self) -> JobQuerySet:
        """Jobs that still have something to do."""
        return self.filter(state__in=Job.UNFINISHED)


class Job(models.Model):
    """One unit of durable work, done once: claim → do → record, the last two in one transaction.

    `queued → running → done | dead | cancelled`; a failed attempt goes back to `queued` with a later
    `run_after`. A `held` job waits until whoever held it lets it go on. `attempts` is counted before the
    work, so a job that kills its worker runs out of them. Whoever writes an effect does so `WHERE
    lease_token = mine`; the token changes with each claim.

    Use a Job for anything whose loss would matter; a plain Celery task only for ticks that come again.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        HELD = "held", "on hold"
        RUNNING = "running", "running"
        DONE = "done", "done"
        DEAD = "dead", "dead letter"
        CANCELLED = "cancelled", "cancelled"

    UNFINISHED = (State.QUEUED, State.HELD, State.RUNNING)

    kind = models.CharField(max_length=60, help_text="Name of its handler and Celery task.")
    subject = models.CharField(max_length=100, blank=True, help_text="What it works for, such as import/12.")
    title = models.CharField(max_length=200, help_text="What a person reads: Import 12: lines 20,001–40,000.")
    queue = models.CharField(max_length=20)
    payload = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    priority = models.SmallIntegerField(default=0, help_text="Above 0, it goes before others of its queue.")

    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=10)
    run_after = models.DateTimeField(help_text="Not before this time.")
    hinted_at = models.DateTimeField(null=True, blank=True, help_text="When a message was last sent for it.")

    lease_token = models.UUIDField(null=True, blank=True, help_text="Fencing token of the current claim.")
    lease_until = models.DateTimeField(null=True, blank=True)
    backend_pid = models.IntegerField(null=True, blank=True, help_text="PostgreSQL backend of the claim.")
    backend_start = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    task_id = models.CharField(max_length=191, blank=True, help_text="Celery's id of the latest attempt.")

    progress_current = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("operate_workers", "Can act on workers and tasks in Flower")]
        indexes = [
            # The sweeper asks every few seconds for what is due; finished jobs must not cost it anything.
            models.Index(fields=["run_after"], name="job_due", condition=Q(state="queued")),
            models.Index(fields=["lease_until"], name="job_leased", condition=Q(state="running")),
            # The page of an import lists its jobs; cancelling finds the waiting ones.
            models.Index(fields=["subject"], name="job_subject"),
            # The admin's first page counts what was given up; there is hardly ever any.
            models.Index(fields=["id"], name="job_dead", condition=Q(state="dead")),
            # Purging reads the oldest finished ones.
            models.Index(fields=["finished_at"], name="job_finished", condition=Q(finished_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="job_running_has_lease",
                condition=Q(
                    state="running", lease_token__isnull=False, lease_until__isnull=False, attempts__gt=0
                )
                | (~Q(state="running") & Q(lease_token__isnull=True, lease_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_finished_has_time",
                condition=Q(state__in=["done", "dead", "cancelled"], finished_at__isnull=False)
                | Q(state__in=["queued", "held", "running"], finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int | None:
        """Progress from 0 to 100, or None while the total is unknown."""
        if not self.progress_total:
            return None
        return min(100, self.progress_current * 100 // self.progress_total)

    @property
    def has_attempts_left(self) -> bool:
        return self.attempts < self.max_attempts


class Queue(models.Model):
    """A line that jobs wait in; `migrate` makes a row for each of the settings' queues.

    While it is paused no job of it is begun or taken over: the statement that claims looks here. What is at
    work ends. A queue without a row is not paused.
    """

    name = models.CharField(primary_key=True, max_length=20)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tick(models.Model):
    """How the latest run of one of beat's entries ended; `failures` is how often in a row it failed."""

    name = models.CharField(primary_key=True, max_length=200, help_text="Of the entry in the schedule.")
    ended_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    said = models.TextField(blank=True, help_text="What it returned, or why it failed.")

    class Meta:
        default_permissions = ()  # the schedule shows it

    def __str__(self) -> str:
        return self.name
