"""The stock ledger: why a product's stock is what it is."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from shop.models.product import Product


class StockMovement(models.Model):
    """One change of a product's stock. The ledger is append-only: a trigger refuses anything else.

    At every instant `product.stock = product.opening_stock + sum(quantity)`. A trigger on products writes the
    movement of every change of stock, whoever makes it; who is about to make one says what it is
    (`shop.stock.announced`). Movements outlive their product.
    """

    class Kind(models.TextChoices):
        SALE = "sale", "sale"
        RETURN = "return", "return"
        IMPORT = "import", "import"
        UNDO = "undo", "undo of an import"
        CORRECTION = "correction", "correction"

    # No constraint: movements outlive their product, and checking each would slow imports down.
    product = models.ForeignKey(
        Product,
        on_delete=models.DO_NOTHING,
        related_name="stock_movements",
        db_constraint=False,
        db_index=False,
    )
    quantity = models.IntegerField(help_text="Pieces; negative where they left.")
    balance = models.IntegerField(help_text="The product's stock afterwards.")
    kind = models.CharField(max_length=12, choices=Kind)
    reference = models.CharField(max_length=100, blank=True, help_text="What it belongs to: import/12.")
    note = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True, help_text="User name of who did it; blank for nobody.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="stock_movement_moves"),
        ]
        indexes = [
            # A product's ledger, newest first.
            models.Index(fields=["product", "id"], name="stock_movement_product"),
            # Imports ask whether anything was sold since their file came, mostly to hear that nothing was.
            models.Index(fields=["at"], name="stock_movement_sold", condition=Q(kind__in=["sale", "return"])),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+,} {self.get_kind_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refused: movements are written by the database, with the change of stock itself."""
        raise TypeError("Change the product's stock; the database writes the movement.")

    @property
    def taken(self) -> int:
        """Pieces that left; negative where they came."""
        return -self.quantity
