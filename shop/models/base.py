"""What every model of the shop shares."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, models
from django.db.models import BigIntegerField, Func, UUIDField
from django.db.models.functions import Now


def new_key() -> UUID:
    """A key from the database's `uuidv7()`, for a row that must have one before it is saved."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuidv7()")
        key: UUID = cursor.fetchone()[0]
    return key


class UUIDv7(Func):
    """PostgreSQL 18's time-ordered UUID: new keys go to the right edge of every index."""

    function = "uuidv7"
    arity = 0
    output_field = UUIDField()


class ContentVersion(Func):
    """The next version of a product's content; no two are alike in the whole catalogue."""

    template = "nextval('shop_content_version')"
    arity = 0
    output_field = BigIntegerField()


class TimestampedModel(models.Model):
    """When a row was made and last changed (UTC)."""

    created_at = models.DateTimeField("created", db_default=Now(), editable=False)
    updated_at = models.DateTimeField("changed", auto_now=True, db_default=Now())

    class Meta:
        abstract = True


# Each category right after the one above it, siblings by name. Compared as one text, “Home & Garden” would
