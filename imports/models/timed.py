"""When what happened to an import, and who let it happen."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Timed(models.Model):
    """The times of a run, and its pauses."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    previewed_at = models.DateTimeField(null=True, blank=True, help_text="When the preview was there.")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    queued_at = models.DateTimeField(null=True, blank=True, help_text="Decides who writes first.")
    paused_at = models.DateTimeField(null=True, blank=True, help_text="Set while it is paused.")
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    paused_seconds = models.FloatField(default=0, help_text="How long it was paused before, in all.")
    purged_at = models.DateTimeField(null=True, blank=True, help_text="When its details were given up.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When staging began.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def seconds(self) -> float | None:
        """From the confirmed file to the end, in seconds; None while it has not begun.

        The time that a preview waited for its approval, or that it was paused, is nobody's work and not
        counted.
        """
        if self.confirmed_at is None:
            return None
        now = self.finished_at or self.paused_at or timezone.now()
        if self.previewed_at is None:
            return (now - self.confirmed_at).total_seconds() - self.paused_seconds
        before = (self.previewed_at - self.confirmed_at).total_seconds() - self.paused_seconds
        return before + ((now - self.approved_at).total_seconds() if self.approved_at else 0.0)

    def lift_pause(self) -> None:
        """Have it paused no longer, and count how long it was; saves nothing."""
        if self.paused_at is not None:
            self.paused_seconds += max(0.0, (timezone.now() - self.paused_at).total_seconds())
            self.paused_at = self.paused_by = None
