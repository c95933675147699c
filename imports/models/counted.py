"""What is counted of an import: its lines by outcome, and how far the work is."""

from __future__ import annotations

from django.db import models

# The nine outcomes of a line, in the order in which people read them. Their sum is `rows`.
OUTCOMES = (
    "created", "updated", "unchanged", "removed", "merged", "skipped", "superseded", "rejected", "pending",
)  # fmt: skip


class Counted(models.Model):
    """The counters of a run. They change only in the transaction of the effect that they count."""

    lines = models.BigIntegerField(default=0, help_text="Data lines of the file, counted by the planner.")
    blank_lines = models.BigIntegerField(default=0)
    continuation_lines = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    merged = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    superseded = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    repaired = models.BigIntegerField(
        default=0,
        help_text="Lines that were repaired, or left out as a comment or the header again; no outcome.",
    )

    unlisted = models.BigIntegerField(
        default=0, help_text="Products that the file no longer has and that were unpublished; no outcome."
    )
    stock_kept = models.BigIntegerField(
        default=0, help_text="Rows whose stock had sales since the file came taken off; no outcome."
    )

    chunks_total = models.IntegerField(default=0)
    chunks_done = models.IntegerField(default=0)
    rows_staged = models.BigIntegerField(default=0, help_text="Valid rows in the staging table.")
    lines_staged = models.BigIntegerField(default=0, help_text="Lines read so far, for the progress bar.")
    ranges_total = models.IntegerField(default=0)
    ranges_compared = models.IntegerField(default=0, help_text="For the preview.")
    ranges_done = models.IntegerField(default=0)
    categories_created = models.IntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def outcomes(self) -> dict[str, int]:
        """The nine outcomes by name."""
        return {outcome: getattr(self, outcome) for outcome in OUTCOMES}

    @property
    def landed(self) -> int:
        """Rows that are in the catalogue as the file has them."""
        return self.created + self.updated + self.unchanged + self.removed + self.merged

    @property
    def changed(self) -> int:
        """Products that are otherwise than they were before."""
        return self.created + self.updated + self.removed + self.unlisted

    @property
    def success_rate(self) -> float:
        """Share of rows that were not rejected, 0 to 1; 1 for a file without rows."""
        return 1.0 if not self.rows else (self.rows - self.rejected) / self.rows
