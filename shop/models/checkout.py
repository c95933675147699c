"""What placing an order leaves beside it: its key, its use of a discount code, what it adds to popularity."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from shop.models.order import Order
from shop.models.product import Product
from shop.models.rates import DiscountCode


class DiscountUse(models.Model):
    """An order that has a discount code; `returned_at` once the order was cancelled or expired."""

    code = models.ForeignKey(DiscountCode, on_delete=models.PROTECT, related_name="uses", db_index=False)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="discount_use")
    email = models.EmailField(blank=True, help_text="In small letters: what a limit per customer counts by.")
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # How often somebody used a code.
            models.Index(fields=["code", "email"], name="discount_use_customer"),
        ]


class CheckoutKey(models.Model):
    """An order that a key brought about, and what was answered: the key sent again gets the answer again.

    `body_hash` is the SHA-256 of all that was sent with it; the same key with another body is a conflict.
    """

    key = models.CharField(max_length=100, db_collation="C")
    body_hash = models.CharField(max_length=64)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="checkout_key")
    answer = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="checkout_key_unique"),  # a key sent again
            models.CheckConstraint(condition=~Q(key=""), name="checkout_key_there"),
        ]


class Popularity(models.Model):
    """How many pieces of a product were ever ordered, less what came back; counted in batches.

    A table of its own: sales must not touch the product's row more than its stock does.
    """

    product = models.OneToOneField(
        Product, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="popularity"
    )
    pieces = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "popularity"
        indexes = [models.Index(fields=["-pieces"], name="popularity_pieces")]  # what sells best
