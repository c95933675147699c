"""A card provider in miniature, for demo and tests, with books of its own.

It stands for a company at the other end of a wire: its books are a SQLite file that no transaction of ours
reaches, so they remember what happened when the process that asked was rolled back or killed. All processes
of a machine share them. Each request is known by its key: the same key gets the same answer.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext_noop

REFUSALS = {
    "4000000000009995": gettext_noop("The card has too little money left."),
    "4000000000000069": gettext_noop("The card has expired."),
    "4000000000009979": gettext_noop("The card was reported as stolen."),
}
LOSES_ANSWERS = "4000000000004087"  # takes the money; nobody hears of it
UNREACHABLE = "4000000000005035"  # nothing arrives there
LATE = "4000000000002024"  # takes the money at once and says so later
REFUSES_FIRST_REFUND = "4000000000004095"
_BOOKS = """
CREATE TABLE IF NOT EXISTS charge (
    key TEXT PRIMARY KEY, reference TEXT NOT NULL UNIQUE, card TEXT NOT NULL, amount TEXT NOT NULL,
    currency TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS refund (
    key TEXT PRIMARY KEY, reference TEXT NOT NULL UNIQUE, charge TEXT NOT NULL REFERENCES charge (reference),
    amount TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '');
"""


class Lost(Exception):  # noqa: N818
    """The wire is dead: who asked does not know what was done."""


@dataclass(frozen=True, slots=True)
class Charge:
    """`state`: authorised, captured, refused, or void, for good."""

    key: str
    reference: str
    card: str
    amount: str
    currency: str
    state: str
    message: str


@dataclass(frozen=True, slots=True)
class Return:
    """Money that went back to a card, or not: `done` or `refused`."""

    key: str
    reference: str
    charge: str
    amount: str
    state: str
    message: str


@dataclass(frozen=True, slots=True)
class TrialProvider:
    """The provider with its books at `path`. `late` are the seconds that slow answers take, `patience` those
    that who asks waits for one."""

    path: Path
    late: float = 0.0
    patience: float = 15.0

    def authorise(self, *, key: str, card: str, amount: Decimal, currency: str) -> Charge:
        """Hold the amount on the card."""
        if card == UNREACHABLE:
            raise Lost
        message = REFUSALS.get(card, "" if _is_card(card) else gettext_noop("This is no card number."))
        state = "refused" if message else "authorised"
        with self._books() as books:
            books.execute(
                "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, f"ch_{uuid.uuid4().hex}", card, str(amount), currency, state, message),
            )
        return self._known(key)

    def capture(self, *, key: str) -> Charge:
        """Take what was held; the first answer may be late, or lost."""
        with self._books() as books:
            taken = books.execute(
                "UPDATE charge SET state = 'captured' WHERE key = ? AND state = 'authorised'", (key,)
            )
        charge = self._known(key)
        if taken.rowcount:
            self._answer(charge.card)
        return charge

    def void(self, *, key: str, amount: Decimal, currency: str) -> Charge:
        """Let go what was held, and never take anything for this key, even if it only arrives later."""
        with self._books() as books:
            books.execute(
                "INSERT INTO charge VALUES (?, ?, '', ?, ?, 'void', '') ON CONFLICT (key)"
                " DO UPDATE SET state = 'void' WHERE state = 'authorised'",
                (key, f"ch_{uuid.uuid4().hex}", str(amount), currency),
            )
        return self._known(key)

    def find(self, *, key: str) -> Charge | None:
        """What became of a request; None if none arrived."""
        with self._books() as books:
            row = books.execute("SELECT * FROM charge WHERE key = ?", (key,)).fetchone()
        return Charge(*row) if row else None

    def refund(self, *, key: str, charge: str, amount: Decimal) -> Return:
        """Give back so much of a charge (by its reference); the first answer may be late, or lost."""
        with self._books() as books:
            row = books.execute("SELECT * FROM charge WHERE reference = ?", (charge,)).fetchone()
            if row is None:
                return Return(key, "", charge, str(amount), "refused", "There is no such charge.")
            of = Charge(*row)
            message = _why_not(books, of, amount)
            state = "refused" if message else "done"
            given = books.execute(
                "INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, f"re_{uuid.uuid4().hex}", charge, str(amount), state, message),
            )
            found = books.execute("SELECT * FROM refund WHERE key = ?", (key,)).fetchone()
        if given.rowcount:
            self._answer(of.card)
        return Return(*found)

    def charges(self) -> list[Charge]:
        """All that it was asked for."""
        with self._books() as books:
            return [Charge(*row) for row in books.execute("SELECT * FROM charge ORDER BY rowid")]

    def refunds(self) -> list[Return]:
        """All that it was asked to give back."""
        with self._books() as books:
            return [Return(*row) for row in books.execute("SELECT * FROM refund ORDER BY rowid")]

    def _known(self, key: str) -> Charge:
        charge = self.find(key=key)
        if charge is None:
            raise LookupError(f"Nothing was asked for with the key {key}.")
        return charge

    def _answer(self, card: str) -> None:
        """Be as slow as the card wants. What was done stays done, and asked again there is an answer."""
        if card in (LATE, LOSES_ANSWERS):
            time.sleep(min(self.late, self.patience))
        if card == LOSES_ANSWERS or (card == LATE and self.late > self.patience):
            raise Lost

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """The books, opened for one entry, which is there for all when this ends. Raises Lost if they are in
        use for too long."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        books = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            books.execute("PRAGMA synchronous = NORMAL")
            if not books.execute("SELECT 1 FROM sqlite_master WHERE name = 'refund'").fetchone():
                books.execute("PRAGMA journal_mode = WAL")
                books.executescript(_BOOKS)
            books.execute("BEGIN IMMEDIATE")
            yield books
            books.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise Lost from error
        finally:
            books.close()


def _why_not(books: sqlite3.Connection, charge: Charge, amount: Decimal) -> str:
    """Why so much can't be given back of it, if so."""
    asked = books.execute("SELECT amount, state FROM refund WHERE charge = ?", (charge.reference,)).fetchall()
    given = sum((Decimal(one) for one, state in asked if state == "done"), Decimal(0))
    if charge.state != "captured" or given + amount > Decimal(charge.amount):
        return "Not so much was taken."
    if charge.card == REFUSES_FIRST_REFUND and not asked:
        return "The bank refused it. Try again."
    return ""


def _is_card(number: str) -> bool:
    """Whether its check digit is right (Luhn)."""
    if not (number.isdecimal() and number.isascii() and 12 <= len(number) <= 19):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(sum(divmod(digit, 10)) for digit in doubled) % 10 == 0
