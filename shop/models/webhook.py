"""Which of the providers' webhooks have had their effect."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from shop.models.payment import Payment


class WebhookEvent(models.Model):
    """An event that a provider told of, stored by the transaction of its effect: it has one only once."""

    gateway = models.CharField(max_length=40)
    event_id = models.CharField(max_length=200, db_collation="C")
    type = models.CharField(max_length=200, help_text="As the provider calls it.")
    # Never looked up by it; blank where the event is about none of our payments.
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="webhook_events", db_index=False
    )
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "event_id"], name="webhook_event_unique"
            ),  # sent again
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.gateway}"
