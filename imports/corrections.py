"""What a person says of how a file is written, in place of what would be found."""

from __future__ import annotations

from typing import TypedDict

from imports.detecting import DELIMITERS
from imports.encoding import ENCODINGS

QUOTES = ('"', "'", "")
NO_HEADER = 0


class Corrections(TypedDict, total=False):
    """Absent or None: it is found. One that is given holds, whatever the file looks like."""

    encoding: str | None  # one of ENCODINGS
    delimiter: str | None  # one of DELIMITERS
    quotechar: str | None  # one of QUOTES; "" where quotes have no meaning
    header_line: int | None  # physical line, from 1; NO_HEADER where the table has none


def check(given: Corrections) -> None:
    """Raise ValueError, for people, where something is not offered."""
    offered = {"encoding": ENCODINGS, "delimiter": DELIMITERS, "quotechar": QUOTES}
    for name, choices in offered.items():
        value = given.get(name)
        if value is not None and value not in choices:
            known = ", ".join(f"“{choice}”" for choice in choices)
            raise ValueError(f"The {name} “{value}” is not offered. There are: {known}.")
    line = given.get("header_line")
    if line is not None and line < 0:
        raise ValueError(f"There is no line {line}. Count the lines from 1, or write 0 for no header.")
