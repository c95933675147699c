"""Consent to one mail: what somebody asked to be written to about, and in which words they did."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from shop.models.cart import Cart
from shop.models.product import Product


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Filters that chain."""

    def standing(self) -> SubscriptionQuerySet:
        """Those that nobody has taken back and no mail has used up, confirmed or not."""
        return self.filter(used_at=None, ended_at=None)

    def of_address(self, email: str) -> SubscriptionQuerySet:
        """Those of the address, in whatever letters it was written."""
        return self.alias(address=Lower("email")).filter(address=email.lower())


class Subscription(models.Model):
    """That somebody wants one mail: when a product can be had again, or about a cart that they leave.

    `asked → confirmed → used`, each with its time (UTC); it may be `ended` at any of them. Without
    confirmation, nothing but the question whether it is theirs goes to an address. `shop.subscriptions` is
    what changes one.
    """

    class Kind(models.TextChoices):
        STOCK = "stock", "back in stock"
        CART = "cart", "cart left behind"

    class State(models.TextChoices):
        ASKED = "asked", "to be confirmed"
        CONFIRMED = "confirmed", "waiting"
        USED = "used", "used up"
        ENDED = "ended", "ended"

    class Reason(models.TextChoices):
        WITHDRAWN = "withdrawn", "taken back"
        ORDERED = "ordered", "ordered"
        EMPTY = "empty", "nothing left to buy"

    kind = models.CharField(max_length=5, choices=Kind)
    email = models.EmailField("e-mail")
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    language = models.CharField(max_length=10)
    # No constraint: it keeps nobody from deleting a product, and imports delete without asking Django.
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    cart = models.ForeignKey(
        Cart, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="None: gone."
    )  # fmt: skip
    wording = models.TextField(help_text="What they agreed to, as they read it.")
    asked_at = models.DateTimeField("asked", db_default=Now())
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)
    used_at = models.DateTimeField("used", null=True, blank=True, help_text="Their mail was written.")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    reason = models.CharField("why it ended", max_length=9, choices=Reason, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = "mail asked for"
        verbose_name_plural = "mails asked for"
        ordering = ["-pk"]
        constraints = [
            # One of an address for a product; also what finds those that wait for one.
            models.UniqueConstraint(
                "product", Lower("email"), name="subscription_stock_once",
                condition=Q(kind="stock", used_at=None, ended_at=None),
            ),
            # One mail about a cart, until that is ordered.
            models.UniqueConstraint(
                fields=["cart"], name="subscription_cart_once",
                condition=Q(cart__isnull=False, ended_at=None),
            ),
            models.CheckConstraint(
                condition=Q(kind="stock", product__isnull=False, cart=None) | Q(kind="cart", product=None),
                name="subscription_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(confirmed_at__isnull=False),
                name="subscription_used_was_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, reason="") | Q(ended_at__isnull=False) & ~Q(reason=""),
                name="subscription_ended_has_reason",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(Lower("email"), name="subscription_email"),  # all of an address
            models.Index(fields=["asked_at"], name="subscription_asked"),  # old ones are removed
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.email}"

    @property
    def subject(self) -> str:
        """How mails name it: `subscription/12`."""
        return f"subscription/{self.pk}"

    @property
    def known_product(self) -> Product | None:
        """What they wait for; none for a cart, and for a product that was deleted."""
        return Product.objects.filter(pk=self.product_id).first() if self.product_id else None

    @property
    def state(self) -> State:
        """How far it got."""
        if self.ended_at:
            return self.State.ENDED
        if self.used_at:
            return self.State.USED
        return self.State.CONFIRMED if self.confirmed_at else self.State.ASKED
