"""Money: what was to be moved, what the provider said, what moved.

A row is committed before the provider is asked (`started`), with the key that the provider knows the request
by. So whoever finds it later can ask again with the same key, and gets the same charge, not a second one.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shop.models.base import TimestampedModel, UUIDv7
from shop.models.order import Order


class Payment(TimestampedModel):
    """One attempt to be paid for an order. `shop.paying.reserve_payment` begins it, `mark_paid` records it.

    `started`: the provider may be charging at this moment, nobody knows yet. `awaiting`: the customer has to
    act, such as to transfer money; nobody charges. `authorised`: reserved at the provider, not taken.
    `captured`: taken. `stray`: taken although another payment had paid the order; it must be given back.
    """

    class State(models.TextChoices):
        STARTED = "started", "under way"
        AWAITING = "awaiting", "waiting for the customer"
        AUTHORISED = "authorised", "authorised"
        CAPTURED = "captured", "received"
        STRAY = "stray", "received twice"
        FAILED = "failed", "failed"
        VOIDED = "voided", "called off"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")  # an order's payments
    gateway = models.CharField(max_length=40, help_text="Which one has it: invoice, test-card, stripe.")
    idempotency_key = models.CharField(max_length=100, db_collation="C", editable=False)
    provider_reference = models.CharField(max_length=200, blank=True, db_collation="C")
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    currency = models.CharField(max_length=3)
    refund_reserved = models.DecimalField(
        max_digits=18, decimal_places=2, default=0, db_default=0,
        help_text="What refunds took that are under way or done.",
    )  # fmt: skip
    state = models.CharField(max_length=10, choices=State, default=State.STARTED)
    captured_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Times it was tried.")
    error = models.TextField(blank=True, help_text="What the provider said last, for people.")
    details = models.JSONField(default=dict, blank=True, help_text="Of the gateway; no card numbers.")

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="payment_key_unique"),  # asked again
            # An order is charged once: two tabs, two clicks and two processes can't have two of these.
            models.UniqueConstraint(
                fields=["order"],
                name="payment_one_at_a_time",
                condition=Q(state__in=["started", "awaiting", "authorised", "captured"]),
            ),
            # A webhook finds its payment; no charge is recorded twice.
            models.UniqueConstraint(
                fields=["gateway", "provider_reference"],
                name="payment_provider_reference",
                condition=~Q(provider_reference=""),
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_possible"),
            models.CheckConstraint(
                condition=Q(refund_reserved=0)
                | Q(state__in=["captured", "stray"], refund_reserved__gt=0, refund_reserved__lte=F("amount")),
                name="payment_refunds_what_was_taken",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["captured", "stray"], captured_at__isnull=False)
                | ~Q(state__in=["captured", "stray"]) & Q(captured_at__isnull=True),
                name="payment_captured_when",
            ),
        ]
        indexes = [
            # What the reconciler has to ask about: charges that nobody recorded, longest waiting first.
            models.Index(
                fields=["updated_at"],
                name="payment_unsettled",
                condition=Q(state__in=["started", "authorised"]),
            ),
            # Money that came twice and has to be given back; mostly empty.
            models.Index(
                fields=["updated_at"],
                name="payment_stray",
                condition=Q(state="stray", refund_reserved__lt=F("amount")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} by {self.gateway}"


class Refund(TimestampedModel):
    """Money given back from a payment. Begun by reserving its amount on the payment, so that refunds side by
    side never give back more than was taken; recorded by `shop.paying.refund_recorded`.

    `restock` has the pieces that go back into stock with it: {SKU: pieces}.
    """

    class State(models.TextChoices):
        STARTED = "started", "under way"
        DONE = "done", "given back"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")  # a payment's
    idempotency_key = models.CharField(max_length=100, db_collation="C", editable=False)
    provider_reference = models.CharField(max_length=200, blank=True, db_collation="C")
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    restock = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True, help_text="User name of who asked for it.")
    state = models.CharField(max_length=10, choices=State, default=State.STARTED)
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Times it was tried.")
    error = models.TextField(blank=True, help_text="What the provider said last, for people.")

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="refund_key_unique"),  # asked again
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_possible"),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) | ~Q(state="done") & Q(done_at__isnull=True),
                name="refund_done_when",
            ),
        ]
        indexes = [
            # What the reconciler has to ask about, longest waiting first.
            models.Index(fields=["updated_at"], name="refund_unsettled", condition=Q(state="started")),
            # What was given back in a time: reports.
            models.Index(fields=["done_at"], name="refund_done", condition=Q(done_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} back"
