"""What the rows of a file note for each other, in a table of the import's own.

It is made before the file is staged, is no UNLOGGED one because it can't be made again while rows are
staged, and goes with the staging tables when the import has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import connection, transaction

from imports import pipeline
from imports.models import ImportRun
from imports.referring import Find, Found


def table_of(run: ImportRun) -> str:
    """The table's name."""
    return f"{run.staging_table}_references"


def collect(run: ImportRun, notes: Iterable[tuple[str, str]]) -> None:
    """Make the table anew and fill it with (key, value). Raises RunEnded when the run is not being planned
    any more: then no table is left."""
    table = table_of(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f'CREATE TABLE {table} (key text COLLATE "C", value text)')
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for note in notes:
                copy.write_row(note)
        cursor.execute(f"CREATE INDEX ON {table} USING hash (key)")
        cursor.execute(f"ANALYZE {table}")
        # Only now, because nobody could cancel the import while the file is read. What is committed after
        # this is seen by the job that clears up after a cancelled import.
        pipeline.hold(run.pk, ImportRun.State.PLANNING)


def finder(run: ImportRun) -> Find:
    """What looks keys up in the table."""

    def find(keys: Collection[str]) -> Found:
        found: dict[str, list[str]] = {}
        if keys:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT key, value FROM {table_of(run)} WHERE key = ANY(%s) ORDER BY key, value",
                    [list(keys)],
                )
                for key, value in cursor:
                    found.setdefault(key, []).append(value)
        return found

    return find
