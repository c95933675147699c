"""What is added to prices and taken off them: tax rates and discount codes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from shop.models.base import TimestampedModel


class TaxRate(TimestampedModel):
    """The tax on what is sent to a country, or to a region of it; a region's own rate goes first.

    Where there is none, settings.TAX_PERCENT holds. Whether prices include it says
    settings.PRICES_INCLUDE_TAX.
    """

    country = models.CharField(max_length=2, help_text="ISO code in capitals: DE.")
    region = models.CharField(max_length=60, blank=True, help_text="As addresses write it; blank: all of it.")
    percent = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )

    class Meta:
        ordering = ["country", "region"]
        constraints = [
            # The rate of an address.
            models.UniqueConstraint(F("country"), Upper("region"), name="tax_rate_unique"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="tax_rate_country"),
            models.CheckConstraint(condition=Q(percent__range=(0, 100)), name="tax_rate_possible"),
        ]

    def __str__(self) -> str:
        place = f"{self.country}, {self.region}" if self.region else self.country
        return f"{place}: {self.percent.normalize():f} %"


class DiscountCodeQuerySet(models.QuerySet["DiscountCode"]):
    """Filters that chain."""

    def usable(self) -> DiscountCodeQuerySet:
        """Those that another order could have now, by the database's clock, as far as all customers go."""
        begun = Q(starts_at__isnull=True) | Q(starts_at__lte=Now())
        not_over = Q(ends_at__isnull=True) | Q(ends_at__gt=Now())
        left = Q(limit__isnull=True) | Q(used__lt=F("limit"))
        return self.filter(begun, not_over, left, active=True)


class DiscountCode(TimestampedModel):
    """A word that takes a percentage or an amount off the goods of an order, never off its delivery.

    `used` counts the orders that have it; it goes up by a conditional update, so no limit is ever passed, and
    down when such an order is cancelled or expires.
    """

    code = models.CharField(
        max_length=40, unique=True, help_text="In capitals; customers may write it small."
    )
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    minimum = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        default=0,
        db_default=0,
        help_text="Of the goods, before the discount.",
    )
    limit = models.PositiveIntegerField(null=True, blank=True, help_text="Orders in all; blank: no limit.")
    limit_per_customer = models.PositiveIntegerField(
        null=True, blank=True, help_text="Orders by one e-mail address; blank: no limit."
    )
    used = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="The first moment at which it is over.")
    active = models.BooleanField(default=True, db_default=True)

    objects = DiscountCodeQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="discount_code_unique"),  # the one given
            models.CheckConstraint(
                condition=~Q(code="") & Q(code=Upper("code")),
                name="discount_code_in_capitals",
                violation_error_message="Write the code in capitals.",
            ),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100, amount__isnull=True)
                | Q(amount__gt=0, percent__isnull=True),
                name="discount_code_percent_or_amount",
                violation_error_message="Give either a percentage from 0 to 100 or an amount.",
            ),
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(used__lte=F("limit")),
                name="discount_code_within_limit",
                violation_error_message="It was used more often than that already.",
            ),
            models.CheckConstraint(condition=Q(minimum__gte=0), name="discount_code_minimum"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="discount_code_ends_after_start",
                violation_error_message="It ends before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def worth(self, goods: Decimal) -> Decimal:
        """What it takes off goods of so much: whole cents, half up, and never more than they cost."""
        if self.percent is not None:
            return (goods * self.percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return min(self.amount or Decimal(0), goods).quantize(Decimal("0.01"))
