"""Sums of each day, so that a year need not be added up anew from its orders. Nobody edits them, so there are
no permissions to."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


def _money() -> models.DecimalField[object, object]:
    return models.DecimalField(max_digits=20, decimal_places=2)


class Change(models.Model):
    """Something at `at` changed what reports of its day say. Written by triggers, in the transaction of the
    change; taken away by whoever has summed up that day since (`reports.rolling`). A row for each, because
    a row for a day would make all customers who pay wait for each other."""

    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["at"], name="change_at")]  # whether a day's sums still hold

    def __str__(self) -> str:
        return f"{self.at}"


class RolledDay(models.Model):
    """A day that is summed up, as people in `zone` count days, of orders in `currency`."""

    day = models.DateField(primary_key=True)
    zone = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    rolled_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}"


class DailySales(models.Model):
    """A day's sums by what orders have: reports.sums.Sums."""

    day = models.DateField()
    country = models.TextField()
    payment = models.TextField()
    discount = models.TextField()
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3)
    orders = models.IntegerField()
    new = models.IntegerField()
    units = models.BigIntegerField()
    gross = _money()
    discounts = _money()
    delivery = _money()
    refunds = _money()
    tax = _money()
    net = _money()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "daily sales"
        indexes = [models.Index(fields=["day"], name="daily_sales_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.gross}"


class DailyItem(models.Model):
    """A day's sums by what lines have, those of a variant by itself. The delivery's have nulls there, which a
    blank is not: products without a category have that."""

    day = models.DateField()
    category = models.TextField(null=True)  # noqa: DJ001
    product = models.TextField(null=True, db_collation="C")  # noqa: DJ001
    product_name = models.TextField(null=True)  # noqa: DJ001
    sku = models.TextField(null=True, db_collation="C")  # noqa: DJ001
    name = models.TextField(null=True)  # noqa: DJ001
    orders = models.IntegerField()
    new = models.IntegerField()
    units = models.BigIntegerField()
    gross = _money()
    discounts = _money()
    delivery = _money()
    refunds = _money()
    tax = _money()
    net = _money()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["day"], name="daily_item_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.sku}"
