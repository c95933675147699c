"""A polluted file and what must come out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.pollution.tables import Table


@dataclass(frozen=True)
class Polluted:
    """The bytes of a file, the table in it, and which of its lines may be read otherwise.

    `broken` are indexes of `rows`; `lines` the physical lines, from 1, that those (or the header) are on, and
    the only ones that may be rejected. `repairs` are further readings of the broken rows that are right.
    """

    kind: str
    name: str
    data: bytes
    header: list[str]  # as it must come out; [] for a file without a table
    rows: list[list[str]]
    broken: range = range(0)
    lines: range = range(0)
    repairs: Sequence[list[list[str]]] = ()
    broken_header: bool = False


def records(table: Table) -> list[list[str]]:
    """Header (where there is one) and rows."""
    return [*([table.header] if table.header else []), *table.rows]


def encoded(lines: Sequence[str], line_end: str) -> bytes:
    """UTF-8; lone surrogates stand for bytes that are not."""
    return "".join(line + line_end for line in lines).encode("utf-8", "surrogateescape")
