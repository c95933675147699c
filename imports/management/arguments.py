"""Types of arguments that several commands take; what does not fit is refused in a line."""

from __future__ import annotations

from argparse import ArgumentTypeError

_MOST = 1_000_000_000  # of what is counted; PostgreSQL can take no LIMIT of any size


def text(value: str) -> str:
    """A text that can be stored: a terminal can hand over bytes that are none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        shown = value.encode(errors="backslashreplace").decode()
        raise ArgumentTypeError(f"“{shown}” is no text in UTF-8. Type it again, or paste it.") from None
    return value


def count(value: str) -> int:
    """0 or more of something."""
    if not (value.isascii() and value.isdigit()) or int(value[:99]) > _MOST:
        raise ArgumentTypeError(f"“{value}” is not a number that can be shown. Write 0 to {_MOST:,}.")
    return int(value)


def positive(value: str) -> int:
    """1 or more of something."""
    if (number := count(value)) < 1:
        raise ArgumentTypeError("Write 1 or more.")
    return number
