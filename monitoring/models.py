"""Who is there to do the work, and what is not well."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """A process that takes part, and when it was last heard of (heartbeats.py). By the database's clock.

    Of one that has ended the row stays for an hour, silent.
    """

    class Role(models.TextChoices):
        WORKER = "worker", "worker"
        BEAT = "beat", "beat"
        WEB = "web", "web"

    name = models.CharField(max_length=200, primary_key=True, help_text="Such as worker@host.")
    role = models.CharField(max_length=10, choices=Role)
    queues = ArrayField(models.CharField(max_length=100), default=list, help_text="Which it serves.")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    worked_at = models.DateTimeField(null=True, help_text="Of beat: when it last sent something.")

    class Meta:
        default_permissions = ()  # shown as figures only

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """Something was not well for a while: `began` → `raised` (and told) → `cleared` (and told).

    One that is well again before it was raised leaves nothing. At most one of a check is open at a time, so
    whoever looks, and however many, each end of it is told once.
    """

    check_name = models.CharField("check", max_length=60, help_text="Which check found it: workers, disk.")
    figure = models.TextField(help_text="What it found the last time.")
    remedy = models.TextField(blank=True)
    section = models.CharField(max_length=60, blank=True, help_text="Of docs/operations.md.")
    began_at = models.DateTimeField("began", db_default=Now())
    bad_at = models.DateTimeField("last found", db_default=Now())
    raised_at = models.DateTimeField("raised", null=True, blank=True)
    cleared_at = models.DateTimeField("cleared", null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["check_name"], condition=Q(cleared_at__isnull=True), name="alert_open_once"
            ),
            models.CheckConstraint(
                name="alert_cleared_after_raised",
                condition=Q(cleared_at__isnull=True) | Q(raised_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["check_name", "-raised_at"], name="alert_of_check")]

    def __str__(self) -> str:
        return f"{self.check_name}: {self.figure}"

    @property
    def title(self) -> str:
        """What it is called, as the section of its remedy is: No worker on a queue."""
        return (self.section or self.check_name).replace("-", " ").capitalize()


class Watch(models.Model):
    """One row: when somebody last looked after the alerts. Whoever moves its time on is the one who looks."""

    looked_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.looked_at)
