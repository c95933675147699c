"""One import from file to result."""

from __future__ import annotations

import os
import uuid
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from imports.models.chosen import Chosen
from imports.models.counted import OUTCOMES, Counted
from imports.models.timed import Timed


def upload_path(run: ImportRun, filename: str) -> str:
    """Where an uploaded file is stored: a folder of its own, so that names never clash."""
    stem = "".join(c if c.isalnum() or c in ".-_" else "_" for c in os.path.basename(filename))
    stem = stem.encode()[-150:].decode(errors="ignore")  # file systems count bytes
    return f"imports/{uuid.uuid4().hex}/{stem or 'catalog.csv'}"


# A preview is staged and compared beside whatever writes to the catalogue.
_AT_WORK = Q(state__in=["loading", "finishing"]) | Q(state__in=["staging", "checking"], preview=False)


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Filters that chain."""

    def active(self) -> ImportRunQuerySet:
        """Runs that write to the catalogue or are about to: one at a time (a constraint says so)."""
        return self.filter(_AT_WORK)

    def waiting(self) -> ImportRunQuerySet:
        return self.filter(state=ImportRun.State.WAITING).order_by("queued_at", "pk")

    def in_line(self) -> ImportRunQuerySet:
        """Those of the waiting that may be let in, in their order; who is paused lets the others by."""
        return self.waiting().filter(paused_at=None)

    def being_read(self) -> ImportRunQuerySet:
        """Runs that will stand in line when their file is read, where they were confirmed."""
        return self.filter(state=ImportRun.State.PLANNING, preview=False, paused_at=None)


class ImportRun(Chosen, Counted, Timed):
    """An import: `draft → planning → waiting → staging → checking → loading → finishing → completed`.

    One with a preview is staged and compared first and then waits for its approval: `draft → planning →
    staging → checking → previewed → waiting → loading → finishing → completed`. The undo of an import is
    a run as well, without a file: `waiting → loading → finishing → completed`.

    From any state before its end it may become `cancelled` or `failed`. Counters change only in the
    transaction of the effect they count; `rows` is the sum of the nine outcomes at every instant, and
    `lines`, counted by the planner on its own, is `rows` plus blank lines plus the further lines of
    records that span several.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "to be confirmed"
        PLANNING = "planning", "reading the file"
        WAITING = "waiting", "waiting for another import"
        STAGING = "staging", "checking rows"
        CHECKING = "checking", "comparing with the catalogue"
        PREVIEWED = "previewed", "to be approved"
        LOADING = "loading", "writing to the catalogue"
        FINISHING = "finishing", "finishing"
        COMPLETED = "completed", "completed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    ENDED = (State.COMPLETED, State.FAILED, State.CANCELLED)

    class Kind(models.TextChoices):
        IMPORT = "import", "import"
        UNDO = "undo", "undo"

    kind = models.CharField(max_length=6, choices=Kind, default=Kind.IMPORT)
    undoes = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="undone_by",
        db_index=False,
        help_text="The run that this one takes back.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    forecast = models.JSONField(default=dict, help_text="What the preview counted, by outcome and field.")
    warnings = models.JSONField(
        default=list,
        help_text="Of what the preview found: code, message, figure, limit, second of each.",
    )
    file = models.FileField(upload_to=upload_path, max_length=255, blank=True)
    filename = models.CharField(max_length=255, help_text="As its owner named it.")
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    dialect = models.JSONField(default=dict)
    header = models.JSONField(default=list, help_text="The file's column names, in order.")
    numbers = models.JSONField(
        default=list,
        help_text="How numbers are written in each of the file's columns, as far as a sample tells.",
    )
    saved_mapping = models.ForeignKey(
        "imports.SavedMapping",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What the draft's choices were taken from, if its header was seen before.",
    )
    rejected_file = models.FileField(blank=True, max_length=255)
    error = models.TextField(blank=True)

    ranges = models.JSONField(default=list, help_text="Key ranges to be loaded when a preview is approved.")
    variant_ranges = models.JSONField(
        default=list, help_text="Key ranges of variants, to be loaded when all other rows are."
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = "import"
        ordering = ["-pk"]
        permissions = [
            ("approve_risky_import", "Can approve an import whose preview gives strong warnings"),
            ("undo_import", "Can take imports back"),
        ]
        indexes = [
            # The same file again gets a notice with a link to the first import.
            models.Index(fields=["sha256"], name="import_sha256"),
        ]
        constraints = [
            models.CheckConstraint(
                name="import_outcomes_sum_to_rows",
                condition=Q(
                    rows=F("created")
                    + F("updated")
                    + F("unchanged")
                    + F("removed")
                    + F("merged")
                    + F("skipped")
                    + F("superseded")
                    + F("rejected")
                    + F("pending")
                ),
            ),
            models.CheckConstraint(
                name="import_rows_reconcile_with_lines",
                condition=Q(lines=F("rows") + F("blank_lines") + F("continuation_lines")),
            ),
            models.CheckConstraint(
                name="import_counters_not_negative",
                condition=Q(*[(f"{outcome}__gte", 0) for outcome in OUTCOMES]),
            ),
            models.CheckConstraint(
                name="import_completed_leaves_nothing_pending",
                condition=~Q(state="completed") | Q(pending=0),
            ),
            models.CheckConstraint(
                name="import_undo_names_what_it_undoes",
                condition=Q(kind="import", undoes=None) | Q(kind="undo", undoes__isnull=False),
            ),
            models.CheckConstraint(
                name="import_ended_has_time",
                condition=Q(state__in=["completed", "failed", "cancelled"], finished_at__isnull=False)
                | (~Q(state__in=["completed", "failed", "cancelled"]) & Q(finished_at__isnull=True)),
            ),
            # One import at a time writes to the catalogue.
            models.UniqueConstraint(
                models.Value(1),
                name="import_one_active",
                condition=_AT_WORK,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.filename}"

    def opened(self) -> BinaryIO:
        """The file's bytes, seekable; use it in a `with` block."""
        return cast(BinaryIO, self.file.open("rb"))

    @property
    def subject(self) -> str:
        """Its name in the job table."""
        return f"import/{self.pk}"

    @property
    def staging_table(self) -> str:
        """An UNLOGGED table of its own: dropped at the end, so nothing is left to vacuum."""
        return f"imports_staging_{int(self.pk)}"

    @property
    def left_out(self) -> list[str]:
        """What of the file is no part of its table and so no row, in words."""
        places = {"preamble": "before the table", "table": "of another table", "footer": "below the table"}
        filling = f" {self.dialect.get('delimiter', '')}"  # spreadsheets write as many as the table has
        return [
            f"{_lines(one['line'], one['lines'])} {places[one['kind']]} (“{one['text'].strip(filling)}”)"
            for one in self.dialect.get("asides", ())
        ]

    @property
    def stock_said(self) -> str:
        """What is to be known of the stock that it writes, in words; "" where there is nothing."""
        if self.adjusts_stock:
            return "Numbers of stock are pieces to add, or with a minus to take away."
        if not self.stock_kept:
            return ""
        one = self.stock_kept == 1
        return (
            f"{self.stock_kept:,} product{' was' if one else 's were'} sold while this import ran:"
            f" {'its' if one else 'their'} stock is the file’s, less what was sold."
        )

    @property
    def written(self) -> set[str]:
        """Our columns that it writes; where it takes products out, the one by which it finds them."""
        if self.removes:
            return {"sku"}
        from imports import shaping

        shaper = shaping.shaper_of(self)
        return {*self.mapping, *self.constants, *(shaper.columns if shaper else ())}

    @property
    def is_shaped(self) -> bool:
        """Whether its rows are made of the records of a shop's file, and not each row one record."""
        from imports import shaping

        return shaping.shaper_of(self) is not None

    @property
    def counts(self) -> str:
        """SQL that tells whether a row `s` of its staging table counts as a line's outcome."""
        return "s.counts" if self.is_shaped else "true"

    def header_of(self, name: str) -> str:
        """What the file calls one of our columns; our own name where it has no such column."""
        at = self.mapping.get(name)
        return name if at is None else str(self.header[at])

    @property
    def name(self) -> str:
        """What people call it: `Import 12`, `Undo 13`."""
        return f"{self.get_kind_display().capitalize()} {self.pk}"

    @property
    def unit(self) -> str:
        """What its counters count: `rows`, or `products` where it takes another run back."""
        return "products" if self.kind == self.Kind.UNDO else "rows"

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED

    @property
    def is_discarded(self) -> bool:
        """Whether it was a preview that nobody approved, so that nothing was ever written."""
        return bool(self.preview and self.approved_at is None and self.state == self.State.CANCELLED)

    @property
    def is_active(self) -> bool:
        if self.state in (self.State.STAGING, self.State.CHECKING):
            return not self.preview
        return self.state in (self.State.LOADING, self.State.FINISHING)

    def summary(self) -> dict[str, Any]:
        """The result as `import_catalog --json` prints it; what is no outcome only where there is any."""
        seconds = self.seconds or 0.0
        beside = {"stock_kept": self.stock_kept, "unlisted": self.unlisted}
        return {
            "id": self.pk,
            "status": self.state,
            "rows": self.rows,
            **self.outcomes,
            **{name: count for name, count in beside.items() if count},
            "seconds": round(seconds, 3),
            "rows_per_second": round((self.rows - self.pending) / seconds) if seconds else 0,
        }


def _lines(first: int, count: int) -> str:
    return f"line {first:,}" if count == 1 else f"lines {first:,}–{first + count - 1:,}"
