"""One import from file to result."""

from __future__ import annotations

import os
import uuid
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

# The nine outcomes of a line, in the order in which people read them. Their sum is `rows`.
OUTCOMES = (
    "created", "updated", "unchanged", "removed", "merged", "skipped", "superseded", "rejected", "pending",
)  # fmt: skip


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


class ImportRun(models.Model):
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

    class Mode(models.TextChoices):
        UPSERT = "upsert", "Create new products and update existing ones"
        CREATE = "create", "Only create new products"
        UPDATE = "update", "Only update existing products"
        UNPUBLISH = "unpublish", "Unpublish the products that are listed"
        DELETE = "delete", "Delete the products that are listed"

    class Errors(models.TextChoices):
        LAND = "land", "Import the good rows, list the broken ones"
        NOTHING = "nothing", "Import nothing if any row is broken"
        LIMIT = "limit", "Stop when more rows are broken than"

    class Mirror(models.TextChoices):
        OFF = "", "Leave them as they are"
        CATEGORY = "category", "Unpublish those of a category"
        SOURCE = "source", "Unpublish those of the same source"

    class StockAs(models.TextChoices):
        SET = "set", "The stock there is (what was sold since the file came is taken off)"
        ADJUST = "adjust", "Pieces to add, or with a minus to take away"

    class Blank(models.TextChoices):
        KEEP = "keep", "Keep what the catalogue has"
        CLEAR = "clear", "Clear it: no description, category, metadata, parent, options or images, stock 0"

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
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.UPSERT)
    errors = models.CharField(
        max_length=10, choices=Errors, default=Errors.LAND, help_text="What broken rows mean for the others."
    )
    error_limit = models.IntegerField(default=0, help_text="Broken rows that are put up with.")
    mirror = models.CharField(
        max_length=10,
        choices=Mirror,
        default=Mirror.OFF,
        blank=True,
        help_text="What happens to products that the file no longer has.",
    )
    mirror_category = models.ForeignKey(
        "shop.Category", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    source = models.CharField(
        max_length=60, blank=True, help_text="Name of the feed; its products remember it."
    )
    stock_as = models.CharField(
        max_length=6, choices=StockAs, default=StockAs.SET, help_text="What a number of stock means."
    )
    preview = models.BooleanField(
        default=False, help_text="Show all that would change and wait until somebody approves it."
    )
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
    mapping = models.JSONField(default=dict, help_text="Our column → index of the file's column.")
    keep_unknown = models.BooleanField(default=False, help_text="Keep unmapped columns in the metadata.")
    blank = models.CharField(
        max_length=5, choices=Blank, default=Blank.KEEP, help_text="What a blank cell does to its field."
    )
    clear_token = models.CharField(
        max_length=40, default="__clear__", help_text="A cell with just this text clears its field."
    )
    numbers = models.JSONField(
        default=list,
        help_text="How numbers are written in each of the file's columns, as far as a sample tells.",
    )
    options = models.JSONField(
        default=dict, help_text="Our column → how its cells are read: format, currency."
    )
    constants = models.JSONField(
        default=dict, help_text="Our column → what it gets where the file has no such column or a blank cell."
    )
    profile = models.CharField(
        max_length=30, blank=True, help_text="The shop system whose export the file is; blank for none."
    )
    saved_mapping = models.ForeignKey(
        "imports.SavedMapping",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What the draft's choices were taken from, if its header was seen before.",
    )
    repair = models.BooleanField(
        default=True, help_text="Repair broken lines where only one reading fits the columns."
    )
    rejected_file = models.FileField(blank=True, max_length=255)
    error = models.TextField(blank=True)

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
    ranges = models.JSONField(default=list, help_text="Key ranges to be loaded when a preview is approved.")
    variant_ranges = models.JSONField(
        default=list, help_text="Key ranges of variants, to be loaded when all other rows are."
    )
    categories_created = models.IntegerField(default=0)

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

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = "import"
        ordering = ["-pk"]
        permissions = [("approve_risky_import", "Can approve an import whose preview gives strong warnings")]
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
    def adjusts_stock(self) -> bool:
        """Whether its numbers of stock are pieces to add or to take away."""
        return self.stock_as == self.StockAs.ADJUST and bool({"stock"} & {*self.mapping, *self.constants})

    @property
    def removes(self) -> bool:
        """Whether it takes out the products that the file lists, and writes nothing else."""
        return self.mode in (self.Mode.UNPUBLISH, self.Mode.DELETE)

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
