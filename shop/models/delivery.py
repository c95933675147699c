"""How orders get to customers: what may be chosen, and what was sent."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from shop.models.base import TimestampedModel
from shop.models.order import Order, OrderLine


class DeliveryMethod(TimestampedModel):
    """A way of delivery and its fee, as prices are: with tax where they include it. Orders keep a copy."""

    code = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=120)
    fee = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    free_from = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True,
        help_text="Goods worth so much, after the discount, travel free.",
    )  # fmt: skip
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="ISO codes; empty: everywhere."
    )
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True, db_default=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="delivery_method_code_unique"),  # the one chosen
            models.CheckConstraint(condition=Q(fee__gte=0), name="delivery_method_fee"),
            models.CheckConstraint(
                condition=Q(free_from__isnull=True) | Q(free_from__gte=0), name="delivery_method_free_from"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def fee_for(self, goods: Decimal) -> Decimal:
        """The fee when the goods come to so much after the discount."""
        return Decimal("0.00") if self.free_from is not None and goods >= self.free_from else self.fee

    def goes_to(self, country: str) -> bool:
        """Whether it goes to that country (ISO code)."""
        return not self.countries or country.upper() in self.countries


class Shipment(models.Model):
    """A parcel of an order; there may be several. What is in it was counted on the order's lines."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Of the order's shipments: 1, 2, …")
    carrier = models.CharField(max_length=60, blank=True)
    tracking_code = models.CharField(max_length=100, blank=True)
    tracking_url = models.URLField(max_length=500, blank=True)
    key = models.CharField(  # noqa: DJ001 - unique where there is one
        max_length=100, null=True, blank=True, db_collation="C",
        help_text="Sent twice with the same key, it is the same shipment.",
    )  # fmt: skip
    shipped_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["order", "number"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="shipment_number_unique"),  # of an order
            models.UniqueConstraint(fields=["key"], name="shipment_key_unique"),  # sent again
            models.CheckConstraint(condition=Q(number__gte=1), name="shipment_number_possible"),
        ]

    def __str__(self) -> str:
        return f"Shipment {self.number}"


class ShipmentLine(models.Model):
    """So many pieces of an order's line in one shipment."""

    shipment = models.ForeignKey(Shipment, on_delete=models.PROTECT, related_name="lines", db_index=False)
    # Never looked up by its line: `OrderLine.shipped` has the sum.
    line = models.ForeignKey(
        OrderLine, on_delete=models.PROTECT, related_name="shipment_lines", db_index=False
    )
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "line"], name="shipment_line_unique"
            ),  # of a shipment
            models.CheckConstraint(condition=Q(quantity__gte=1), name="shipment_line_quantity_possible"),
        ]
