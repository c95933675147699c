"""Checks of what we stand on: database, clock, migrations, broker, storage and disk."""

from __future__ import annotations

import pkgutil
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection

from monitoring.health import Check, Finding, register

_CLOCK_SECONDS = 5.0  # further apart, and what one writes lies in the other's future
_BROKER_SECONDS = 0.5


def connect() -> None:
    """Register the checks; called once, when Django is ready."""
    register(Check("database", database, "the-database"))
    register(Check("clock", clock, "a-clock-that-jumps"))
    register(Check("migrations", migrations, "pending-migrations"))
    register(Check("broker", broker, "the-broker", asks_database=False))
    register(Check("storage", storage, "storage", asks_database=False))
    register(Check("disk", disk, "full-disk", asks_database=False))


def database() -> Iterator[Finding]:
    """Whether it answers, and takes what is written."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only'), pg_is_in_recovery()")
        [(read_only, is_standby)] = cursor.fetchall()
    milliseconds = (time.monotonic() - began) * 1000
    if is_standby or read_only == "on":
        what = "a standby, which can't be written" if is_standby else "read-only"
        remedy = "Point DATABASE_URL at the primary server, or lift default_transaction_read_only."
        yield Finding("database", False, what, remedy)
    else:
        yield Finding("database", True, f"{milliseconds:.0f} ms")


def clock() -> Iterator[Finding]:
    """How far this machine's clock and the database's are apart."""
    began = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        [(theirs,)] = cursor.fetchall()
    ended = time.time()
    apart = max(0.0, began - theirs, theirs - ended)
    remedy = "Have the clocks of all machines set by NTP."
    yield Finding("clock", apart <= _CLOCK_SECONDS, f"{apart:,.1f} s from the database's", remedy)


def migrations() -> Iterator[Finding]:
    """Whether the database is as this release expects it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    pending = _expected() - applied
    figure = f"{len(pending)} pending" if pending else "none pending"
    yield Finding("migrations", not pending, figure, "Run python manage.py migrate.")


@cache
def _expected() -> frozenset[tuple[str, str]]:
    """App and name of each, by their files: Django's own way to ask imports them all, and keeps them."""
    found = set()
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.migrations") is None:
            continue
        folders = import_module(f"{app.name}.migrations").__path__
        found |= {(app.label, one.name) for one in pkgutil.iter_modules(folders) if one.name[0] not in "_~"}
    return frozenset(found)


def broker() -> Iterator[Finding]:
    """Whether Redis answers. Without it nothing is lost, and nothing begins at once."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import AuthenticationError, RedisError
    from redis.retry import Retry

    began = time.monotonic()
    try:
        with Redis.from_url(
            settings.CELERY_BROKER_URL,
            socket_connect_timeout=_BROKER_SECONDS,
            socket_timeout=_BROKER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            client.ping()
    except AuthenticationError:
        yield Finding("broker", False, "refuses our password", "Mend REDIS_URL.")
    except ValueError:
        yield Finding(
            "broker", False, "has no address that can be used", "Mend REDIS_URL: redis://:…@host:6379/0"
        )
    except (RedisError, OSError):
        yield Finding("broker", False, "does not answer", "See that Redis runs where REDIS_URL points to.")
    else:
        yield Finding("broker", True, f"{(time.monotonic() - began) * 1000:.0f} ms")


def storage() -> Iterator[Finding]:
    """Whether files can be written where imports, reports and invoices keep theirs."""
    if not isinstance(default_storage, FileSystemStorage):
        yield Finding("storage", True, "not a folder of this machine")
        return
    remedy = "See that the folder media below TALLYMAN_DATA_DIR is mounted, and ours to write."
    try:
        folder = Path(default_storage.location)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ok")
            file.flush()
    except OSError as error:
        yield Finding("storage", False, f"can't be written: {error.strerror}", remedy)
    else:
        yield Finding("storage", True, "can be written")


def disk() -> Iterator[Finding]:
    """How much room is left beside those files."""
    try:
        room = shutil.disk_usage(existing(Path(settings.MEDIA_ROOT)))
    except OSError as error:
        yield Finding(
            "disk", False, f"can't be asked: {error.strerror}", "See that the data folder is mounted."
        )
        return
    percent = 100 * room.free / room.total
    figure = f"{room.free / 1024**3:,.1f} GiB free, {percent:.0f} %"
    remedy = "Make room, or shorten IMPORT_RETENTION_DAYS and REPORT_RETENTION_DAYS."
    yield Finding("disk", percent >= settings.ALERT_DISK_FREE_PERCENT, figure, remedy)


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
