"""What somebody is about to buy."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from shop.models.base import TimestampedModel, UUIDv7
from shop.models.product import Product

MAX_QUANTITY = 9_999  # pieces of one product in one cart; more is a mistake, or a talk with the shop


class Cart(TimestampedModel):
    """The cart of a customer, or of a session that has its `key`; at login the one is merged into the other.

    Placing an order empties it; `updated_at` is when it was last used (UTC).
    """

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    key = models.CharField(max_length=43, null=True, blank=True, db_collation="C")  # noqa: DJ001 - unique
    customer = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="cart"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="cart_key_unique"),  # the cart of a session
            models.CheckConstraint(
                condition=Q(key__isnull=True, customer__isnull=False)
                | Q(key__isnull=False, customer__isnull=True),
                name="cart_has_one_owner",
            ),
        ]
        indexes = [
            # Carts of sessions that nobody came back to are removed, oldest first.
            models.Index(fields=["updated_at"], name="cart_forgotten", condition=Q(customer__isnull=True)),
        ]


class CartLine(models.Model):
    """So many pieces of a product, and what the customer was told about it: its SKU, name and price.

    A product may be deleted while it lies in carts, so nothing but the line's own words tell what it was.
    """

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines", db_index=False)
    # No constraint: a cart keeps nobody from deleting a product, and imports delete without asking Django.
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    quantity = models.PositiveIntegerField()
    sku = models.CharField("SKU", max_length=100, db_collation="C")
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=12, decimal_places=2, help_text="As the customer last saw it.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "product"], name="cart_line_unique"),  # a cart's lines
            models.CheckConstraint(
                condition=Q(quantity__range=(1, MAX_QUANTITY)), name="cart_line_quantity_possible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:,} × {self.name}"
