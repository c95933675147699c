"""What was sold, or came back, since an import's file came: its numbers of stock can't know of that."""

from __future__ import annotations

from django.db import connection

from imports.models import ImportRun

# Of a movement `m`; %(received)s is when the file was received.
SINCE = "m.kind IN ('sale', 'return') AND m.at >= %(received)s"


def is_any(run: ImportRun) -> bool:
    """Whether anything was: mostly there was nothing, and an index says so at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM shop_stockmovement m WHERE {SINCE})", {"received": run.created_at}
        )
        return bool(cursor.fetchone()[0])
