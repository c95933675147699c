"""Invoices and credit notes as they were issued, and the counters that number them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from shop.models import Order, Refund


class Kind(models.TextChoices):
    """The two sequences of numbers."""

    INVOICE = "invoice", "invoice"
    CREDIT_NOTE = "credit_note", "credit note"


class Counter(models.Model):
    """The last number of a sequence. Its row stays locked from the moment a number is taken until the
    transaction ends, so a number is used or was never taken: there are no gaps."""

    kind = models.CharField(primary_key=True, max_length=12, choices=Kind)
    last = models.BigIntegerField(default=0, db_default=0)
    since = models.DateTimeField(
        null=True, blank=True, help_text="Orders paid before have no invoice; blank: all have one."
    )


class Document(models.Model):
    """An invoice or a credit note. It never changes, by a trigger: `content` says all that is printed, and
    only `file`, where its PDF is, comes later and may come anew. It is issued in the transaction of what it
    is about (`invoices.issuing`), and its PDF is made from it by a job."""

    kind = models.CharField(max_length=12, choices=Kind)
    number = models.BigIntegerField(help_text="In the sequence of its kind.")
    name = models.CharField("number", max_length=40, help_text="As printed: INV-00001.")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="documents")  # an order's
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections",
        help_text="The invoice that a credit note is for.",
    )  # fmt: skip
    refund = models.OneToOneField(
        Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="credit_note",
        help_text="The money that a credit note is about; none where the order ended unpaid.",
    )  # fmt: skip
    issued_at = models.DateTimeField("issued", db_default=Now())
    language = models.CharField(max_length=10)
    currency = models.CharField(max_length=3)
    net = models.DecimalField(max_digits=18, decimal_places=2)
    tax = models.DecimalField(max_digits=18, decimal_places=2)
    total = models.DecimalField(max_digits=18, decimal_places=2)
    content = models.JSONField(help_text="All that it says, as it was then; amounts as text.")
    key = models.UUIDField(default=uuid.uuid4, editable=False, help_text="Name of its PDF's folder.")
    file = models.FileField("PDF", blank=True, max_length=255)

    class Meta:
        verbose_name_plural = "invoices and credit notes"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="document_number_unique"),  # by its link
            models.UniqueConstraint(
                fields=["order"], name="document_one_invoice", condition=Q(kind="invoice")
            ),
            # An order ends unpaid once.
            models.UniqueConstraint(
                fields=["corrects"], name="document_one_cancellation", condition=Q(refund__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", corrects__isnull=True, refund__isnull=True)
                | Q(kind="credit_note", corrects__isnull=False),
                name="document_corrects_an_invoice",
            ),
            models.CheckConstraint(condition=Q(total=F("net") + F("tax")), name="document_adds_up"),
            models.CheckConstraint(
                condition=Q(number__gte=1, total__gt=0, net__gte=0, tax__gte=0), name="document_possible"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """Its name in the job table."""
        return f"document/{self.pk}"

    @property
    def folder(self) -> str:
        """Where in the storage its PDF is, and what attempts that were killed have left."""
        return f"invoices/{self.key.hex}"

    @property
    def filename(self) -> str:
        """What the PDF is called for the person who gets it."""
        return f"{self.name}.pdf"
