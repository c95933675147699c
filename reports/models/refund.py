"""What of each refund fell on what."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shop.models import OrderLine, Refund


class RefundPart(models.Model):
    """A line's part of a refund, or the delivery's (`line` is null); the parts add up to the refund.

    Written with the refund (`reports.sharing`), for what falls on a line depends on what fell on it before.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="+", db_index=False)
    line = models.ForeignKey(OrderLine, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.DecimalField(max_digits=18, decimal_places=2, help_text="With tax.")
    tax = models.DecimalField(max_digits=18, decimal_places=2, help_text="In it.")

    class Meta:
        default_permissions = ()  # nobody edits them
        constraints = [
            models.UniqueConstraint(  # a refund's parts
                fields=["refund", "line"], name="refund_part_unique", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, tax__gte=0), name="refund_part_possible"),
        ]

    def __str__(self) -> str:
        return f"{self.amount}"
