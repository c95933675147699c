"""Checks by name, and what they find: for `/readyz`, metrics and alerts alike.

    register(Check("disk", look))        look() gives Findings: a name, well or not, a figure, a remedy

What is found is read by anybody who asks `/readyz`: no addresses, no passwords, no personal data.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)

# Not asked of Django: in a worker that would load every page.
HANDBOOK = "/admin/monitoring/alert/handbook/"
DEADLINE = 0.8  # seconds: whoever asks waits for a second
_KEPT = 1.0  # seconds: however many ask, each check is made once in so long
_HANGING = 30.0  # seconds: then one that hangs is left behind, for its connection may be gone without a word


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `figure` for people, and if it is not well, `remedy` and the section of
    docs/operations.md that has more. `alert` names the alert that it belongs to."""

    name: str
    ok: bool
    figure: str
    remedy: str = ""
    section: str = ""
    alert: str = ""

    @property
    def docs(self) -> str:
        """Where its remedy is written, absolute; blank where there is nothing to mend."""
        return docs_url(self.section) if self.section and not self.ok else ""


@dataclass(frozen=True, slots=True)
class Check:
    """`look` may raise DatabaseError where it `asks_database`; the thread that calls it has a connection of
    its own. `is_for_readiness`: `/readyz` makes it, too, and is not ready without."""

    name: str
    look: Callable[[], Iterable[Finding]]
    section: str
    asks_database: bool = True
    is_for_readiness: bool = True


_checks: dict[str, Check] = {}


def register(check: Check) -> None:
    """Have it made; a second one of the name takes the first one's place."""
    _checks[check.name] = check


def names() -> list[str]:
    """Of all checks."""
    return list(_checks)


def docs_url(section: str) -> str:
    """The address of a section of docs/operations.md, as the admin shows it."""
    return f"{settings.SITE_URL}{HANDBOOK}#{section}"


def look() -> list[Finding]:
    """All findings, made here and now, however long it takes. Raises DatabaseError."""
    return [finding for check in _checks.values() for finding in _of(check)]


def _of(check: Check) -> list[Finding]:
    return [
        Finding(
            one.name, one.ok, one.figure, one.remedy, one.section or check.section, one.alert or check.name
        )
        for one in check.look()
    ]


@dataclass(slots=True)
class _Round:
    """Checks made one after the other in a thread that is not waited for longer than others wait for us."""

    checks: list[Check]
    began: float = field(default_factory=time.monotonic)
    found: dict[str, list[Finding]] = field(default_factory=dict)
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name="checks", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asked = any(check.asks_database for check in self.checks)
        try:
            if asked:
                self._limit()
            for check in self.checks:
                self.found[check.name] = self._made(check)
        except DatabaseError as error:
            for check in self.checks:
                self.found.setdefault(check.name, [_failed(check, error)])
        finally:
            if asked:
                connection.close()

    def _limit(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{DEADLINE * 1000:.0f}ms"])

    def _made(self, check: Check) -> list[Finding]:
        try:
            return _of(check)
        except DatabaseError as error:
            return [_failed(check, error)]
        except Exception as error:  # one that breaks must not hide what the others see
            log.exception("a check failed", check=check.name)
            return [_failed(check, error)]

    @property
    def is_hanging(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def findings(self, only: Collection[str]) -> list[Finding]:
        """Of all checks, or of those named; of one that is not done, that it is late."""
        asked = [check for check in self.checks if not only or check.name in only]
        return [one for check in asked for one in self.found.get(check.name, [self._late(check)])]

    def _late(self, check: Check) -> Finding:
        seconds = time.monotonic() - self.began
        told = "The server it asks hangs, or is overloaded."
        return Finding(check.name, False, f"no answer for {seconds:.1f} s", told, check.section, check.name)


def _failed(check: Check, error: Exception) -> Finding:
    figure, remedy = _words(error)
    return Finding(check.name, False, figure, remedy, check.section, check.name)


# What PostgreSQL's error codes mean to those who run it.
_SQLSTATES = {
    "25006": ("the database can't be written: it is read-only", "Point DATABASE_URL at the primary server."),
    "53100": ("the database's disk is full", "Make room on it; nothing that was committed is lost."),
    "53300": (
        "the database has no connection left",
        "Raise max_connections, or lower WEB_THREADS and WORKER_CONCURRENCY.",
    ),
    "57014": ("the database takes too long", "See what it is busy with: pg_stat_activity."),
    "28P01": ("the database refuses our password", "Mend DATABASE_URL."),
    "28000": ("the database refuses our login", "Mend DATABASE_URL, or its pg_hba.conf."),
    "3D000": ("the database does not exist", "Create it, or mend DATABASE_URL."),
    "42P01": ("the database lacks a table", "Run python manage.py migrate."),
    "42703": ("the database lacks a column", "Run python manage.py migrate."),
}


def _words(error: Exception) -> tuple[str, str]:
    """What is wrong and what mends it, without the error's own words: those name hosts and users."""
    if not isinstance(error, DatabaseError):
        return "the check itself failed", "The log has the reason."
    code = getattr(error.__cause__, "sqlstate", None) or _code_of_refusal(str(error))
    unknown = ("the database does not answer", "See that PostgreSQL runs where DATABASE_URL points to.")
    return _SQLSTATES.get(code, unknown if not code else (f"the database fails ({code})", "See its log."))


def _code_of_refusal(text: str) -> str:
    """While a connection is made, libpq has the server's words and no code."""
    if "authentication failed" in text:
        return "28P01"
    if re.search(r'database ".*" does not exist', text):
        return "3D000"
    return "53300" if "too many clients" in text or "connection slots" in text else ""


class _Kept:
    """The latest rounds of this process, shared by all who ask."""

    lock = threading.Lock()
    rounds: tuple[_Round, ...] = ()


def findings(only: Collection[str] = ()) -> list[Finding]:
    """What the checks for readiness find, all of them or those named, within `DEADLINE` seconds whatever
    hangs. Those whose server does not answer say so."""
    with _Kept.lock:
        rounds = _Kept.rounds
        now = time.monotonic()
        patience = _HANGING if any(one.is_hanging for one in rounds) else _KEPT
        if not rounds or now - rounds[0].began > patience:
            rounds = _Kept.rounds = _rounds()
            for one in rounds:
                one.start()
    end = rounds[0].began + DEADLINE
    for one in rounds:
        if one.thread is not None:
            one.thread.join(max(0.0, end - time.monotonic()))
    return [finding for one in rounds for finding in one.findings(only)]


def _rounds() -> tuple[_Round, ...]:
    """Those that ask the database one after the other; each of the others by itself."""
    wanted = [check for check in _checks.values() if check.is_for_readiness]
    of_database = [check for check in wanted if check.asks_database]
    return (_Round(of_database), *(_Round([check]) for check in wanted if not check.asks_database))
