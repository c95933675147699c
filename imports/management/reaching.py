"""The options with which commands are told what broken rows and absent products mean for the others."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from imports import policies
from imports.management.arguments import count, text
from imports.models import ImportRun

_Errors, _Mirror = ImportRun.Errors, ImportRun.Mirror


def add_options(parser: ArgumentParser) -> None:
    """What is not given: good rows land, and products that the file lacks stay as they are."""
    parser.add_argument(
        "--errors",
        type=_errors,
        default=_Errors.LAND,
        metavar="land|nothing|N",
        help="import the good rows (default), nothing if any row is broken, or stop when more than N are",
    )
    parser.add_argument(
        "--source",
        type=text,
        metavar="NAME",
        help="which feed the products belong to (default: as for the last file with the same header)",
    )
    mirror = parser.add_mutually_exclusive_group()
    mirror.add_argument(
        "--mirror-category",
        type=text,
        metavar="PATH",
        help="unpublish products that the file lacks, in this category and all below it",
    )
    mirror.add_argument(
        "--mirror-source",
        action="store_true",
        help="unpublish products that the file lacks, of the same --source",
    )


def given(options: dict[str, Any], run: ImportRun) -> policies.Policies:
    """What the options say; the source is the draft's where none is given. Raises MappingError for a category
    that is not there, and where products of a source are to go that was not named now.
    """
    errors = options["errors"]
    limit = errors if isinstance(errors, int) else None
    chosen = policies.Policies(
        errors=errors if limit is None else _Errors.LIMIT,
        error_limit=limit or 0,
        source=_source(options, run),
    )
    if options["mirror_source"]:
        chosen["mirror"] = _Mirror.SOURCE
    if options["mirror_category"] is not None:
        chosen["mirror"] = _Mirror.CATEGORY
        chosen["mirror_category"] = policies.category_named(options["mirror_category"])
    return chosen


def _source(options: dict[str, Any], run: ImportRun) -> str:
    if options["source"] is not None:
        return str(options["source"])
    # Another supplier's file may well have the same header: what is taken out of the shop is named each time.
    proposed = options["mirror_source"] or ImportRun(mode=options["mode"]).removes
    return "" if proposed else run.source


def _errors(chosen: str) -> str | int:
    if chosen in (_Errors.LAND, _Errors.NOTHING):
        return chosen
    if not (chosen.isascii() and chosen.isdigit()):
        raise ArgumentTypeError(f"“{chosen}” is neither land nor nothing nor a number of rows.")
    return count(chosen)
