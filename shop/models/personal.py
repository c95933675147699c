"""The log of what was done with customers' personal data."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class DataRequest(models.Model):
    """That somebody's data was handed out or erased, and by whom. Says itself nothing about the customer:
    `subject` can only be compared with an address that one knows."""

    class Kind(models.TextChoices):
        EXPORT = "export", "exported"
        ERASE = "erase", "erased"

    kind = models.CharField("what was done", max_length=6, choices=Kind)
    subject = models.CharField(max_length=64, help_text="Keyed hash of the e-mail address.")
    by = models.CharField(max_length=150, blank=True, help_text="User name of staff; blank: the customer.")
    figures = models.JSONField(default=dict, help_text="How much of what.")
    at = models.DateTimeField("when", db_default=Now())

    class Meta:
        verbose_name = "personal data request"
        ordering = ["-pk"]
        permissions = [
            ("export_personal_data", "Can hand out a customer's personal data"),
            ("erase_personal_data", "Can erase a customer's personal data"),
        ]
        indexes = [models.Index(fields=["subject"], name="data_request_subject")]  # what was done for one

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
