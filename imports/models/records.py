"""What an import keeps of its file and of its work: chunks, lines set aside, and what it changed."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from imports.models.run import ImportRun


class Chunk(models.Model):
    """A byte range of the file that starts and ends between records; read by one stage job."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.IntegerField()
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    first_line = models.BigIntegerField()
    lines = models.BigIntegerField()
    categories = ArrayField(
        models.TextField(), default=list, help_text="Paths that its rows name, until the import has ended."
    )
    unchanged = models.BinaryField(
        default=b"", help_text="One byte a line, compressed: 1 where the product was just so already."
    )
    versions = models.BinaryField(
        default=b"", help_text="For a preview: SKU → version of its product when it was compared, compressed."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="chunk_once")]


class RejectedRow(models.Model):
    """A broken line: where, what, and how to mend it. Its cells are read again from the file when needed."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejected_rows", db_index=False)
    line = models.BigIntegerField(help_text="Physical line in the file, from 1.")
    sku = models.CharField(
        max_length=100, blank=True, db_default="", db_collation="C", help_text="Where it could be told."
    )
    column = models.CharField(max_length=255, blank=True, help_text="The file's name of the column.")
    value = models.CharField(max_length=200, blank=True, help_text="What stands there, shortened.")
    code = models.CharField(max_length=40)
    message = models.TextField()
    more = models.JSONField(
        default=list, help_text="Further errors of the row: [column, value, code, message]"
    )

    class Meta:
        ordering = ["line"]
        # One outcome a line; also serves the list of a run's rejected rows in line order.
        constraints = [models.UniqueConstraint(fields=["run", "line"], name="rejected_once")]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


class RepairedRow(models.Model):
    """A broken line that was read all the same, or one that is no row and was left out: where and how."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="repaired_rows", db_index=False)
    line = models.BigIntegerField(help_text="Physical line in the file, from 1.")
    code = models.CharField(max_length=40)
    message = models.TextField()

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["run", "line"], name="repaired_once")]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


class SetAsideRow(models.Model):
    """A sound line that was not written: superseded by a later one, or skipped by the mode or because its
    product was changed meanwhile. In an undo: a product that was kept as it is, which has no line."""

    class Outcome(models.TextChoices):
        SUPERSEDED = "superseded", "superseded"
        SKIPPED = "skipped", "skipped"

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="set_aside", db_index=False)
    line = models.BigIntegerField(null=True)
    sku = models.CharField(max_length=100, db_collation="C")
    outcome = models.CharField(max_length=10, choices=Outcome)
    code = models.CharField(max_length=30, blank=True, db_default="", help_text="Names the reason.")
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["line", "sku"]
        constraints = [models.UniqueConstraint(fields=["run", "line"], name="set_aside_once")]


class CreatedProducts(models.Model):
    """The journal, first half: the products that one load job of an import created.

    One row a job and not one a product: a million rows of their own would cost more than a tenth of the load.
    `at` is the transaction's time and so the products' `created_at`, which leads from a product to its row.
    `version` is the one they were created with: those that still have it are as the import made them.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="creations")
    at = models.DateTimeField()
    version = models.BigIntegerField(null=True)
    product_ids = ArrayField(models.UUIDField())


class RowChange(models.Model):
    """The journal, second half: how a product that an import changed looked before and after.

    `before` and `after` hold the columns that changed, with the versions of the content then; of a product
    that was taken out or brought back, all columns and None for the side on which it is not there. Written in
    the transaction of the change itself. A run touches a product at most once.
    """

    pk = models.CompositePrimaryKey("run_id", "product_id")
    # No constraint: checking each of a million rows would cost a third of their insert. Deleting a run
    # through Django deletes its journal.
    run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )
    # Not a foreign key: the journal outlives the product.
    product_id = models.UUIDField()
    line = models.BigIntegerField(help_text="0 for a change that no line of the file made.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    version_before = models.BigIntegerField(null=True)
    version_after = models.BigIntegerField(null=True)


class PlannedChange(models.Model):
    """One product that a preview would change: which fields, from what to what. Goes when the run has ended.

    Products that would be created are not here: the staging table has them.
    """

    pk = models.CompositePrimaryKey("run_id", "sku")
    run = models.ForeignKey(
        ImportRun,
        on_delete=models.CASCADE,
        related_name="planned_changes",
        db_index=False,
        db_constraint=False,
    )
    sku = models.CharField(max_length=100, db_collation="C")
    line = models.BigIntegerField()
    fields = ArrayField(models.CharField(max_length=30))
    before = models.JSONField()
    after = models.JSONField(null=True, help_text="None for a product that would be taken out.")
