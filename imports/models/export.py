"""One export from the choice to the file."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class ExportRun(models.Model):
    """An export: `waiting → running → completed`, or `failed` or `cancelled` from the first two.

    One job does it. The file becomes the run's in the transaction that completes the job.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a worker"
        RUNNING = "running", "writing the file"
        COMPLETED = "completed", "completed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    ENDED = (State.COMPLETED, State.FAILED, State.CANCELLED)

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel workbook (.xlsx)"

    class Profile(models.TextChoices):
        TALLYMAN = "tallyman", "Tallyman"
        SHOPIFY = "shopify", "Shopify"
        WOOCOMMERCE = "woocommerce", "WooCommerce"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    format = models.CharField(max_length=4, choices=Format, default=Format.CSV)
    profile = models.CharField(max_length=30, choices=Profile, default=Profile.TALLYMAN)
    filter = models.JSONField(
        default=dict, blank=True, help_text="Which products: ids, list, category, published; none for all."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    key = models.UUIDField(default=uuid.uuid4, editable=False, help_text="Name of its folder.")
    products = models.BigIntegerField(default=0, help_text="Products to be written, variants among them.")
    done = models.BigIntegerField(default=0, help_text="Products written so far.")
    rows = models.BigIntegerField(default=0, help_text="Rows of the file below its header.")
    file = models.FileField(blank=True, max_length=255)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "export"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="export_ended_has_time",
                condition=Q(state__in=["completed", "failed", "cancelled"], finished_at__isnull=False)
                | Q(state__in=["waiting", "running"], finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="export_completed_had_file", condition=~Q(state="completed") | Q(size__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}"

    @property
    def subject(self) -> str:
        """Its name in the job table."""
        return f"export/{self.pk}"

    @property
    def folder(self) -> str:
        """Where in the storage its file is, and what attempts that were killed have left."""
        return f"exports/{self.key.hex}"

    @property
    def filename(self) -> str:
        """What the file is called for the person who downloads it."""
        kind = "" if self.profile == self.Profile.TALLYMAN else f"{self.profile}-"
        return f"catalogue-{kind}{self.pk}.{self.format}"

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        if self.state == self.State.COMPLETED:
            return 100
        return min(99, 100 * self.done // self.products) if self.products else 0

    @property
    def seconds(self) -> float:
        """From the request to the end, or until now."""
        return ((self.finished_at or timezone.now()) - self.created_at).total_seconds()
