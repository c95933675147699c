"""Scheduled reports on real processes: a broker that is down when they are due, two beats, workers killed in
the middle of a report. Each due time is reported once, with one mail for each recipient."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config import embedded
from tests.faults.test_killed_mails import sinking
from tests.stack import Stack, copied_stack

_DUES = 3
# A schedule that nobody has looked at for days, as after an outage of beat; and a tick.
_TICK = f"""
from datetime import timedelta
from django.utils import timezone
from reports.tasks import tick
from tests.reports.schedules import a_schedule
a_schedule(
    "every day at 7:00", since=timezone.now() - timedelta(days={_DUES}), catch_up="all",
    formats=["csv", "html"], cc=["bo@example.com"],
)
print("made", tick())
"""
_RUNS = "SELECT state, count(*) FROM reports_reportrun GROUP BY state"
_AT_WORK = (
    "SELECT count(*) FROM tasks_job WHERE kind = 'reports.make' AND state = 'running' AND attempts >= %s"
)
_BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"


@pytest.fixture
def shop(migrated_database: str, valkey: embedded.Servers, tmp_path: Path) -> Iterator[Stack]:
    """A Tallyman whose beat looks for due reports each second, with a mail server of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with copied_stack(migrated_database, tmp_path) as stack:
        stack.redis_url = stack.environment["REDIS_URL"] = embedded.broker_url(valkey.data_dir)
        stack.environment |= {
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "REPORT_TICK_SECONDS": "1",
            "JOB_LEASE_SECONDS": "2",
            "PAYMENT_SETTLE_SECONDS": "60",  # it reads orders, too
        }
        yield stack


@contextmanager
def held(stack: Stack, table: str) -> Iterator[None]:
    """Nobody else gets at the table meanwhile."""
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def test_reports_come_once_whoever_is_killed_in_the_middle_of_them(
    shop: Stack, valkey: embedded.Servers
) -> None:
    valkey.kill_valkey()
    done = shop.manage("shell", "-v", "0", "-c", _TICK)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, [f"made {_DUES}"]), done.stderr
    assert shop.sql(_RUNS) == [("waiting", _DUES)]  # the rows are safe, the hints are lost

    valkey.start_valkey()
    beats = [shop.launch("beat", "--schedule", str(shop.folder / f"beat-{number}")) for number in range(2)]
    # The first worker is killed while it reads, the second in the transaction that ends the report.
    for attempt, table in enumerate(("shop_order", "reports_reportfile"), 1):
        with held(shop, table):
            worker = shop.launch("worker", f"--hostname=w{attempt}@%h")
            shop.wait_for(
                lambda attempt=attempt, table=table: (
                    shop.sql(_AT_WORK, [attempt]) != [(0,)] and shop.sql(_BLOCKED, [table]) != [(0,)]
                )
            )
            worker.kill()
    beats[0].kill()
    with sinking(shop) as sink:
        shop.launch("worker", "--hostname=w3@%h")
        shop.wait_for(lambda: shop.sql(_RUNS) == [("done", _DUES)])
        shop.wait_for(
            lambda: (
                shop.sql("SELECT count(*) FROM notifications_message WHERE state = 'sent'") == [(2 * _DUES,)]
            )
        )
        assert Counter(sink.came.values()) == {1: 2 * _DUES}

    dues = shop.sql("SELECT count(DISTINCT due_at), count(*), max(attempts) FROM reports_reportrun")
    assert dues == [(_DUES, _DUES, 3)]
    to = shop.sql("SELECT event, recipient, count(*) FROM notifications_message GROUP BY 1, 2")
    assert (len(to), {times for _, _, times in to}) == (2 * _DUES, {1})
    media = Path(shop.environment["TALLYMAN_DATA_DIR"]) / "media"
    kept = {name for (name,) in shop.sql("SELECT file FROM reports_reportfile")}
    assert {str(path.relative_to(media)) for path in media.glob("reports/*/*")} == kept
    assert len(kept) == 2 * _DUES
