"""The options with which a command chooses what the columns of a file mean and how its cells are read."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from imports import choices, columns, profiles
from imports.management.arguments import text
from imports.models import ImportRun


def add_options(parser: ArgumentParser) -> None:
    """What is not given is guessed, or as it was chosen before."""
    _add_columns(parser)
    _add_cells(parser)


def _add_columns(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OUR=THEIRS",
        help="our column = the file's name or number, price=#4 (none: leave it out)."
        f" Ours: {', '.join(columns.BY_NAME)}",
    )
    parser.add_argument(
        "--set",
        action="append",
        type=text,
        default=[],
        metavar="OUR=VALUE",
        help="what our column gets where the file has no such column or a blank cell"
        " (category=Home > Kitchen), or how its cells are read (price.format=comma, price.currency=EUR)",
    )
    parser.add_argument(
        "--profile",
        choices=("none", *profiles.BY_NAME),
        help="the shop that wrote the file; recognised by its header where this is not given",
    )
    parser.add_argument(
        "--keep-unknown", action="store_true", default=None, help="keep other columns in the metadata"
    )


def _add_cells(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--blank",
        choices=ImportRun.Blank.values,
        help="what a blank cell does: keep the field (default) or clear it where that is possible",
    )
    parser.add_argument(
        "--clear-token",
        type=text,
        metavar="TEXT",
        help="a cell with just this text clears its field (default: __clear__)",
    )
    parser.add_argument(
        "--stock",
        choices=ImportRun.StockAs.values,
        dest="stock_as",
        help="what a number of stock means: the stock there is (set), or pieces to add and, with a minus,"
        " to take away (adjust)",
    )
    parser.add_argument(
        "--forget-mapping",
        action="store_true",
        help="ignore what was chosen for a file with the same header before",
    )
    parser.add_argument("--no-repair", action="store_true", help="reject broken lines that could be repaired")


def given(run: ImportRun, options: dict[str, Any]) -> dict[str, Any]:
    """What `pipeline.confirm` takes: the draft's own guess, changed by the options. Raises MappingError."""
    mapping = run.mapping
    for pair in options["map"]:
        mapping = _mapped(run, mapping, pair)
    constants, settings = _settings(options["set"])
    return {
        "mapping": mapping,
        "constants": run.constants | constants,
        "options": run.options
        | {name: run.options.get(name, {}) | chosen for name, chosen in settings.items()},
        "repair": not options["no_repair"],
        **{name: options[name] for name in ("keep_unknown", "blank", "clear_token", "stock_as")},
    }


def _mapped(run: ImportRun, mapping: dict[str, int], pair: str) -> dict[str, int]:
    """Apply one OUR=THEIRS; THEIRS is a column's name as in the file, ignoring case, spaces and hyphens, or
    its number, such as #4."""
    ours, equals, theirs = pair.partition("=")
    ours, theirs = ours.strip(), theirs.strip()
    if not equals:
        raise choices.MappingError(f"“{pair}” is not of the form our=theirs, such as sku=Code.")
    rest = {name: at for name, at in mapping.items() if name != ours}
    if not theirs:
        return rest
    index = _index(run, theirs)
    return {name: at for name, at in rest.items() if at != index} | {ours: index}


def _index(run: ImportRun, theirs: str) -> int:
    wanted = columns.normalise(theirs)
    for index, name in enumerate(run.header):
        if columns.normalise(name) == wanted and not theirs.startswith("#"):
            return index
    if theirs[:1] == "#" and theirs[1:].isdecimal() and 0 < int(theirs[1:]) <= len(run.header):
        return int(theirs[1:]) - 1
    raise choices.MappingError(
        f"{run.filename} has no column “{theirs}”. It has: {choices.named(run.header)}."
        " Columns can also be given by their number, such as #4."
    )


def _settings(pairs: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The constants and the options of columns among OUR=VALUE and OUR.OPTION=VALUE."""
    constants: dict[str, str] = {}
    options: dict[str, dict[str, str]] = {}
    for pair in pairs:
        ours, equals, value = pair.partition("=")
        if not equals:
            raise choices.MappingError(f"“{pair}” is not of the form our=value, such as category=Kitchen.")
        name, dot, option = ours.strip().partition(".")
        if dot:
            options.setdefault(name, {})[option] = value.strip()
        else:
            constants[name] = value
    return constants, options
