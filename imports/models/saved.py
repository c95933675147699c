"""What people chose for files of one header, for the next file that has it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

_NAMED = 6  # columns: a line of a list has room for so many


class SavedMapping(models.Model):
    """The choices of the last import that was confirmed with this header; `remembering` has the rules."""

    signature = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the normalised header.")
    header = models.JSONField(help_text="The normalised header.")
    values = models.JSONField(help_text="Field of the import → what was chosen.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    used = models.IntegerField(default=0, help_text="Imports that were confirmed with these choices.")
    mapped_at = models.DateTimeField(db_default=Now(), help_text="When these choices were first confirmed.")
    last_used_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        names = [name or "(blank)" for name in self.header]
        more = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
