"""The options with which commands are told how a file is written."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from imports.corrections import NO_HEADER, Corrections
from imports.detecting import DELIMITERS
from imports.encoding import ENCODINGS

_DELIMITERS = {"tab": "\t", "space": " ", "comma-space": ", "}  # those that are hard to type or to see
_QUOTES = {'"': '"', "'": "'", "none": ""}
_NAMES = {delimiter: name for name, delimiter in _DELIMITERS.items()}


def add_options(parser: ArgumentParser) -> None:
    """What is not given is found in each file."""
    group = parser.add_argument_group("how the file is written, where that was not found rightly")
    group.add_argument("--encoding", choices=tuple(ENCODINGS))
    group.add_argument(
        "--delimiter", type=_delimiter, choices=DELIMITERS, metavar="DELIMITER",
        help=f"one of {' '.join(_NAMES.get(delimiter, delimiter) for delimiter in DELIMITERS)}",
    )  # fmt: skip
    group.add_argument("--quotechar", type=_quote, metavar="QUOTE", help="one of \" ' none")
    group.add_argument(
        "--header-line",
        type=_line,
        metavar="N",
        help="the line with the column names, from 1; none: no header",
    )


def given(options: dict[str, Any]) -> Corrections:
    """What the options say."""
    return Corrections(
        encoding=options["encoding"],
        delimiter=options["delimiter"],
        quotechar=options["quotechar"],
        header_line=options["header_line"],
    )


def _delimiter(text: str) -> str:
    return _DELIMITERS.get(text, text)


def _quote(text: str) -> str:
    if text not in _QUOTES:
        raise ArgumentTypeError(f"“{text}” is no quote character that is offered. Write \", ' or none.")
    return _QUOTES[text]


def _line(text: str) -> int:
    if text == "none":
        return NO_HEADER
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"“{text}” is no line number. Write 1 or more, or none.")
    return int(text)
