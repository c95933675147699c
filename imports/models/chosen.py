"""What people choose for an import."""

from __future__ import annotations

from django.db import models


class Chosen(models.Model):
    """The choices of a run; `imports.choices` and `imports.policies` check them."""

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
    mapping = models.JSONField(default=dict, help_text="Our column → index of the file's column.")
    keep_unknown = models.BooleanField(default=False, help_text="Keep unmapped columns in the metadata.")
    blank = models.CharField(
        max_length=5, choices=Blank, default=Blank.KEEP, help_text="What a blank cell does to its field."
    )
    clear_token = models.CharField(
        max_length=40, default="__clear__", help_text="A cell with just this text clears its field."
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
    repair = models.BooleanField(
        default=True, help_text="Repair broken lines where only one reading fits the columns."
    )

    class Meta:
        abstract = True

    @property
    def adjusts_stock(self) -> bool:
        """Whether its numbers of stock are pieces to add or to take away."""
        return self.stock_as == self.StockAs.ADJUST and bool({"stock"} & {*self.mapping, *self.constants})

    @property
    def removes(self) -> bool:
        """Whether it takes out the products that the file lists, and writes nothing else."""
        return self.mode in (self.Mode.UNPUBLISH, self.Mode.DELETE)
