"""What people choose for an import, checked before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast

from imports import cells, columns, profiles
from imports.models import ImportRun

_LONGEST_TOKEN = 40  # characters
_NAMED = 20  # columns of a wide file, before a message about them is too long to read


class MappingError(ValueError):
    """The mapping can't be used; the text names the column and the fix."""


def named(header: Sequence[str]) -> str:
    """The file's columns as a message lists them."""
    names = ", ".join(f"“{name}”" for name in header[:_NAMED])
    return names + (f" and {len(header) - _NAMED:,} more" if len(header) > _NAMED else "")


class Choices(TypedDict, total=False):
    """What may be chosen of how a file is read; the fields of a run with the same names say what each means.
    What is None, or not there, is as the draft has it."""

    mapping: dict[str, int] | None
    keep_unknown: bool | None
    blank: str | None
    clear_token: str | None
    options: Mapping[str, Mapping[str, str]] | None
    constants: Mapping[str, str] | None
    repair: bool | None
    stock_as: str | None


def of(run: ImportRun) -> Choices:
    """The choices as the run has them."""
    return cast("Choices", {name: getattr(run, name) for name in Choices.__annotations__})


def checked(run: ImportRun, **chosen: Unpack[Choices]) -> dict[str, Any]:
    """Return the fields of the draft as these choices make them. Raises MappingError."""
    fields: dict[str, Any] = {**of(run), **{name: one for name, one in chosen.items() if one is not None}}
    fields["mapping"] = checked_mapping(run, fields["mapping"])
    fields["clear_token"] = checked_token(fields["clear_token"])
    fields["options"] = checked_options(run, fields["options"], fields["mapping"])
    fields["stock_as"] = checked_stock_as(run, fields["stock_as"])
    adjusts = fields["stock_as"] == ImportRun.StockAs.ADJUST
    fields["constants"] = checked_constants(fields["constants"], adjusts=adjusts)
    return fields


def checked_mapping(run: ImportRun, mapping: dict[str, int]) -> dict[str, int]:
    """Return `mapping` if it can be used; raises MappingError naming the column and the fix."""
    for name, index in mapping.items():
        if name not in columns.BY_NAME:
            raise MappingError(f"There is no column “{name}”. Ours are: {', '.join(columns.BY_NAME)}.")
        if not 0 <= index < len(run.header):
            raise MappingError(f"The file has {len(run.header)} columns; there is no number {index + 1}.")
    if len(set(mapping.values())) < len(mapping):
        raise MappingError("Two of our columns are mapped to the same column of the file. Unmap one.")
    profile = profiles.BY_NAME.get(run.profile)
    if "sku" not in mapping and not (profile and profile.structure):  # which would make them
        raise MappingError(
            f"No column of {run.filename} was recognised as the SKU. Say which one it is"
            f" (for example --map sku=Code). The file has: {named(run.header)}."
        )
    return mapping


def checked_options(
    run: ImportRun, chosen: Mapping[str, Mapping[str, str]], mapping: Mapping[str, int]
) -> dict[str, dict[str, str]]:
    """Return how the cells of each mapped column are read: as chosen, else as found in the sample.

    Raises MappingError for an option or a value that is not offered.
    """
    for name, options in chosen.items():
        for option, value in options.items():
            _check_option(name, option, value)
    used = {
        name: {**columns.found_options(name, run.numbers, at), **chosen.get(name, {})}
        for name, at in mapping.items()
    }
    return {name: options for name, options in used.items() if options}


def _check_option(name: str, option: str, value: str) -> None:
    offered = columns.BY_NAME[name].options if name in columns.BY_NAME else {}
    if option not in offered:
        known = [f"{column.name}.{one}" for column in columns.COLUMNS for one in column.options]
        raise MappingError(f"There is no option “{name}.{option}”. There are: {', '.join(known)}.")
    if value not in offered[option]:
        raise MappingError(f"“{value}” is no {name}.{option}. It can be: {', '.join(offered[option])}.")


def checked_stock_as(run: ImportRun, stock_as: str) -> str:
    """Return what a number of stock means; raises MappingError."""
    if stock_as not in ImportRun.StockAs:
        raise MappingError(
            f"“{stock_as}” is nothing that numbers of stock can mean. Choose one of:"
            f" {', '.join(ImportRun.StockAs.values)}."
        )
    if stock_as == ImportRun.StockAs.ADJUST and run.is_shaped:
        raise MappingError(
            "A shop's export says what stock there is, so its numbers can't be pieces to add. Set the stock,"
            " or say that the file is no shop's export."
        )
    return stock_as


def checked_constants(constants: Mapping[str, str], *, adjusts: bool = False) -> dict[str, str]:
    """Return our column → its text for all rows; raises MappingError for what no cell could say."""
    for name, text in constants.items():
        if name not in columns.BY_NAME or name == "sku":
            able = [ours for ours in columns.BY_NAME if ours != "sku"]
            raise MappingError(f"“{name}” can't be set for all rows. These can: {', '.join(able)}.")
        if not text.strip():
            raise MappingError(f"There is no value for {name} to be set to. Write one, or leave it out.")
        try:
            cells.clean_constant(name, text.strip(), adjusts=adjusts)
        except columns.CellError as error:
            raise MappingError(f"{name} can't be set to that. {error}") from None
    return {name: text.strip() for name, text in constants.items()}


def checked_token(token: str) -> str:
    """Return the text that clears a cell; raises MappingError."""
    token = token.strip()
    if not token or len(token) > _LONGEST_TOKEN:
        raise MappingError(
            f"The text that clears a cell has 1 to {_LONGEST_TOKEN} characters, __clear__ is usual."
        )
    return token
