"""The options with which commands are told what broken rows and absent products mean for the others."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from imports import policies
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
    parser.add_argument("--source", default="", metavar="NAME", help="which feed the products belong to")
    mirror = parser.add_mutually_exclusive_group()
    mirror.add_argument(
        "--mirror-category",
        metavar="PATH",
        help="unpublish products that the file lacks, in this category and all below it",
    )
    mirror.add_argument(
        "--mirror-source",
        action="store_true",
        help="unpublish products that the file lacks, of the same --source",
    )


def given(options: dict[str, Any]) -> policies.Policies:
    """What the options say; raises MappingError for a category that is not there."""
    errors = options["errors"]
    limit = errors if isinstance(errors, int) else None
    chosen = policies.Policies(
        errors=errors if limit is None else _Errors.LIMIT, error_limit=limit or 0, source=options["source"]
    )
    if options["mirror_source"]:
        chosen["mirror"] = _Mirror.SOURCE
    if options["mirror_category"] is not None:
        chosen["mirror"] = _Mirror.CATEGORY
        chosen["mirror_category"] = policies.category_named(options["mirror_category"])
    return chosen


def _errors(text: str) -> str | int:
    if text in (_Errors.LAND, _Errors.NOTHING):
        return text
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"“{text}” is neither land nor nothing nor a number of rows.")
    return int(text)
