"""Orders as they were placed, and all that happened to them.

What was agreed is copied, not referred to: a line keeps SKU, name, price and tax when its product changes or
goes. Each amount has a column of its own, and constraints hold what they must add up to.
"""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import BigIntegerField, F, Func, Q
from django.db.models.functions import Lower, Now, Upper
from django.utils.translation import gettext_noop

from shop.models.base import UUIDv7
from shop.models.category import MAX_PATH
from shop.models.product import Product


def new_token() -> str:
    """What an order's link is known by: 32 characters that nobody guesses."""
    return secrets.token_urlsafe(24)


_OVER = ("cancelled", "expired")  # nothing is sent, and whatever was paid goes back


class OrderNumber(Func):
    """The next number; there may be gaps, and no two are alike."""

    template = "nextval('shop_order_number')"
    arity = 0
    output_field = BigIntegerField()


class OrderQuerySet(models.QuerySet["Order"]):
    """Filters that chain."""

    def unpaid(self) -> OrderQuerySet:
        return self.filter(state=Order.State.PENDING)

    def overdue(self) -> OrderQuerySet:
        """Unpaid ones whose time is up by the database's clock."""
        return self.unpaid().filter(expires_at__lte=Now())

    def owed(self) -> OrderQuerySet:
        """Those with money that must be given back: it came when they were over, or it came twice.

        Two small partial indexes have them; an OR of the two would read every order.
        """
        over = Order.objects.filter(state__in=_OVER, paid__gt=F("refunded"))
        twice = Order.objects.filter(
            payments__state="stray", payments__refund_reserved__lt=F("payments__amount")
        )
        return self.filter(pk__in=over.order_by().values("pk").union(twice.order_by().values("pk")))


class Order(models.Model):
    """An order and how far it got. `shop.ordering` is what changes one; docs/orders.md has the states.

    All amounts are in `currency`. `paid` and `refunded` are sums of what really moved, whatever the state, so
    money that came too late is seen.
    """

    class State(models.TextChoices):
        # Staff read them as they are; the shop's pages translate them.
        PENDING = "pending", gettext_noop("waiting for payment")
        PAID = "paid", gettext_noop("paid")
        FULFILLED = "fulfilled", gettext_noop("shipped")
        DELIVERED = "delivered", gettext_noop("delivered")
        CANCELLED = "cancelled", gettext_noop("cancelled")
        EXPIRED = "expired", gettext_noop("expired")
        REFUNDED = "refunded", gettext_noop("refunded")

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    number = models.BigIntegerField(db_default=OrderNumber(), unique=True, editable=False)
    token = models.CharField(max_length=32, default=new_token, editable=False, db_collation="C")
    # Without index: (customer, placed_at) below serves it.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="orders",
        db_index=False,
    )
    email = models.EmailField("e-mail", blank=True)
    language = models.CharField(max_length=10)
    currency = models.CharField(max_length=3)
    prices_include_tax = models.BooleanField()
    shipping_address = models.JSONField(default=dict)
    billing_address = models.JSONField(default=dict)
    delivery_code = models.CharField(max_length=40)
    delivery_name = models.CharField(max_length=120)
    discount_code = models.CharField(max_length=40, blank=True)

    subtotal = models.DecimalField(max_digits=18, decimal_places=2, help_text="Prices times quantities.")
    discount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    delivery = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    delivery_tax = models.DecimalField(
        max_digits=18, decimal_places=2, default=0, help_text="The part of the tax that is on the delivery."
    )
    net = models.DecimalField(max_digits=18, decimal_places=2, help_text="Without tax.")
    tax = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    total = models.DecimalField(max_digits=18, decimal_places=2)
    paid = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    refunded = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)

    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    placed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="Unpaid by then, it expires.")
    paid_at = models.DateTimeField(null=True, blank=True)
    is_first = models.BooleanField(
        default=False, db_default=False, help_text="No earlier one of this address was paid when it was."
    )
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="Cancelled, expired or refunded in full."
    )
    cancel_reason = models.CharField(  # not in the events, which nobody can blank
        max_length=200, blank=True, default="", db_default="", help_text="Why it was called off."
    )
    erased_at = models.DateTimeField(null=True, blank=True, help_text="Its personal data was erased.")

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        permissions = [
            ("fulfil_order", "Can ship orders and mark them delivered"),
            ("cancel_order", "Can cancel orders"),
            ("refund_order", "Can give money back"),
        ]
        # UniqueConstraint instead of unique=True for texts: the latter adds a second, LIKE index for each.
        constraints = [
            models.UniqueConstraint(fields=["token"], name="order_token_unique"),  # an order's page
            models.CheckConstraint(condition=Q(total=F("net") + F("tax")), name="order_net_and_tax_add_up"),
            models.CheckConstraint(
                condition=Q(prices_include_tax=True, total=F("subtotal") - F("discount") + F("delivery"))
                | Q(prices_include_tax=False, net=F("subtotal") - F("discount") + F("delivery")),
                name="order_amounts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal__gte=0, discount__gte=0, discount__lte=F("subtotal"), delivery__gte=0,
                    delivery_tax__gte=0, delivery_tax__lte=F("tax"), net__gte=0,
                ),
                name="order_amounts_possible",
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("paid")), name="order_refunds_what_was_paid"
            ),
            models.CheckConstraint(
                condition=Q(
                    state="pending", paid_at__isnull=True, fulfilled_at__isnull=True,
                    delivered_at__isnull=True, ended_at__isnull=True,
                )
                | Q(state__in=["paid", "fulfilled"], paid_at__isnull=False, delivered_at__isnull=True)
                & Q(ended_at__isnull=True, paid__gte=F("total"))
                | Q(state="delivered", paid_at__isnull=False, fulfilled_at__isnull=False)
                & Q(delivered_at__isnull=False, ended_at__isnull=True, paid__gte=F("total"))
                | Q(state="refunded", paid_at__isnull=False, ended_at__isnull=False)
                & Q(refunded__gte=F("total"))
                | Q(state__in=["cancelled", "expired"], ended_at__isnull=False, fulfilled_at__isnull=True)
                & Q(paid_at__isnull=True),
                name="order_state_possible",
            ),
            models.CheckConstraint(
                condition=Q(state="fulfilled", fulfilled_at__isnull=False)
                | Q(state="paid", fulfilled_at__isnull=True)
                | ~Q(state__in=["paid", "fulfilled"]),
                name="order_fulfilled_when_shipped",
            ),
            models.CheckConstraint(
                condition=~Q(email="") | Q(erased_at__isnull=False), name="order_has_somebody"
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="order_currency"),
        ]  # fmt: skip
        indexes = [
            # The newest orders: the admin's list, today's orders.
            models.Index(fields=["-placed_at", "-id"], name="order_placed"),
            # What was sold in a time: reports.
            models.Index(fields=["paid_at"], name="order_paid", condition=Q(paid_at__isnull=False)),
            # A customer's history, newest first.
            models.Index(
                fields=["customer", "-placed_at"], name="order_customer", condition=Q(customer__isnull=False)
            ),
            # Orders of guests that belong to whoever proves that the address is theirs.
            models.Index(
                Lower("email"), name="order_guest", condition=Q(customer__isnull=True) & ~Q(email="")
            ),
            # What has to expire; as small as the number of unpaid orders.
            models.Index(fields=["expires_at"], name="order_unpaid", condition=Q(state="pending")),
            # The admin's list of a state, newest first, and the dashboard's counts. What waits to be sent is
            # few among millions: by `order_placed` alone, a page of it would read them all.
            models.Index(fields=["state", "-placed_at", "-id"], name="order_state"),
            # Staff look for a customer by the beginning of the address, as Django writes that.
            models.Index(OpClass(Upper("email"), "text_pattern_ops"), name="order_email"),
            # Over, and yet paid: what has to be given back; mostly empty.
            models.Index(
                fields=["id"],
                name="order_paid_in_vain",
                condition=Q(state__in=_OVER, paid__gt=F("refunded")),
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.number}"

    @property
    def subject(self) -> str:
        """How the stock ledger names it: `order/10001`."""
        return f"order/{self.number}"

    @property
    def bill_to(self) -> dict[str, str]:
        """The address that the invoice goes to, where that is not the one that the goods go to."""
        billing: dict[str, str] = self.billing_address
        return billing if billing.get("name") and billing != self.shipping_address else {}

    @property
    def kept(self) -> Decimal:
        """Money that came and was not given back."""
        return self.paid - self.refunded


class OrderLine(models.Model):
    """A product as it was ordered. `shipped` and `restocked` count pieces that left, and that came back.

    `product` is null once the product is deleted; imports and undos don't delete one that was ordered.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", db_index=False)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="order_lines", db_index=False
    )
    sku = models.CharField("SKU", max_length=100, db_collation="C")
    name = models.CharField(max_length=255)
    options = models.JSONField(default=dict, blank=True)
    # Where it stood then, for reports: products and categories change, move and go.
    category = models.CharField(
        max_length=MAX_PATH, blank=True, default="", db_default="", help_text="Home > Kitchen > Knives"
    )
    parent_sku = models.CharField(
        max_length=100, blank=True, default="", db_default="", db_collation="C",
        help_text="Of a variant's product.",
    )  # fmt: skip
    parent_name = models.CharField(max_length=255, blank=True, default="", db_default="")
    price = models.DecimalField(max_digits=12, decimal_places=2, help_text="Of one piece.")
    quantity = models.PositiveIntegerField()
    subtotal = models.DecimalField(max_digits=18, decimal_places=2, help_text="Price times quantity.")
    discount = models.DecimalField(
        max_digits=18, decimal_places=2, default=0, help_text="This line's share of the order's discount."
    )
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3)
    net = models.DecimalField(max_digits=18, decimal_places=2, help_text="Without tax.")
    tax = models.DecimalField(max_digits=18, decimal_places=2)
    total = models.DecimalField(max_digits=18, decimal_places=2)
    shipped = models.PositiveIntegerField(default=0, db_default=0)
    restocked = models.PositiveIntegerField(default=0, db_default=0)
    counted = models.IntegerField(
        default=0, db_default=0, editable=False, help_text="Pieces that the product's popularity knows of."
    )

    class Meta:
        ordering = ["order", "sku"]
        constraints = [
            models.UniqueConstraint(fields=["order", "sku"], name="order_line_unique"),  # an order's lines
            models.CheckConstraint(condition=Q(quantity__gte=1, price__gte=0), name="order_line_possible"),
            models.CheckConstraint(
                condition=Q(subtotal=F("price") * F("quantity"), total=F("net") + F("tax"))
                & (Q(net=F("subtotal") - F("discount")) | Q(total=F("subtotal") - F("discount"))),
                name="order_line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("subtotal"), tax__gte=0, net__gte=0),
                name="order_line_amounts_possible",
            ),
            models.CheckConstraint(
                condition=Q(tax_percent__range=(0, 100)), name="order_line_tax_percent_possible"
            ),
            models.CheckConstraint(
                condition=Q(shipped__lte=F("quantity"), restocked__lte=F("quantity")),
                name="order_line_moves_what_was_ordered",
            ),
        ]
        indexes = [
            # Whether a product was ever ordered: imports and undos ask before they delete one.
            models.Index(fields=["product"], name="order_line_product", condition=Q(product__isnull=False)),
            # Lines whose pieces are not in their product's popularity yet; mostly empty.
            models.Index(
                fields=["id"],
                name="order_line_uncounted",
                condition=~Q(counted=F("quantity") - F("restocked")),
            ),
            # Staff look for the orders of a SKU; its product may be gone, or have another one by now.
            models.Index(fields=["sku"], name="order_line_sku"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:,} × {self.name}"

    @property
    def outstanding(self) -> int:
        """Pieces that still have to be sent."""
        return max(0, self.quantity - self.shipped - self.restocked)


class OrderEvent(models.Model):
    """Something that happened to an order, and the state it had then. Append-only, by a trigger.

    `details` has no personal data, so that a customer's can be erased.
    """

    class Kind(models.TextChoices):
        PLACED = "placed", "placed"
        PAID = "paid", "paid"
        PAID_LATE = "paid_late", "paid when it was over"
        SHIPPED = "shipped", "shipped"
        TRACKING = "tracking", "tracking changed"
        DELIVERED = "delivered", "delivered"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"
        REFUNDED = "refunded", "refunded"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=Order.State, help_text="Of the order, afterwards.")
    details = models.JSONField(default=dict, blank=True)
    by = models.CharField(max_length=150, blank=True, help_text="User name of who did it; blank for nobody.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            # These happen once to an order, whatever races.
            models.UniqueConstraint(
                fields=["order", "kind"],
                name="order_event_once",
                condition=Q(kind__in=["placed", "paid", "delivered", "cancelled", "expired"]),
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="order_event_order")]  # an order's history

    def __str__(self) -> str:
        return str(self.get_kind_display())
