"""Empty the database after each test that commits, and leave alone what Django would only make anew.

Django truncates all tables and makes content types, permissions and groups again, which takes longer than
most tests. Here rows are deleted where there are any. If there are many, or if a test has touched what is
made after migrations, all is done as Django does it.
"""

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

_MANY = 500  # rows of one table; deleted, they would still fill its file and change how it is read

type Contents = dict[str, tuple[int, int]]  # by table: rows, and the newest transaction that wrote one


class _Emptier:
    def __init__(self) -> None:
        self._kept: Contents | None = None  # None: not known yet

    def learn(self) -> None:
        """Remember what there is now, right after Django has emptied the database."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('is_superuser') = 'on'")
            self._kept = _contents() if cursor.fetchone() == (True,) else None

    def empty(self) -> bool:
        """Delete all that came since; False if that is not the way, and all is still there."""
        if self._kept is None:
            return False
        found = _contents()
        tables = found.keys() - self._kept.keys()
        changed = any(found.get(table) != seen for table, seen in self._kept.items())
        if changed or any(found[table][0] > _MANY for table in tables):
            return False
        if tables:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
                cursor.execute(";".join(f'DELETE FROM "{table}"' for table in tables))
        return True


def _contents() -> Contents:
    """All tables that hold rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    counts = [f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM \"{name}\"" for name in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts))
        return {table: (rows, newest) for table, rows, newest in cursor.fetchall() if rows}


def patch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this do what Django does after tests that commit."""
    emptier, thoroughly = _Emptier(), TransactionTestCase._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        if not emptier.empty():
            thoroughly(case)
            emptier.learn()

    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
