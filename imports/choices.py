"""What people choose for an import, checked before it starts."""

from __future__ import annotations

from collections.abc import Mapping

from imports import cells, columns, profiles
from imports.models import ImportRun

_LONGEST_TOKEN = 40  # characters


class MappingError(ValueError):
    """The mapping can't be used; the text names the column and the fix."""


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
        found = ", ".join(f"“{name}”" for name in run.header[:12])
        raise MappingError(
            f"No column of {run.filename} was recognised as the SKU. Say which one it is"
            f" (for example --map sku=Code). The file has: {found}."
        )
    return mapping


def checked_options(run: ImportRun, chosen: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return how the cells of each mapped column are read: as chosen, else as found in the sample.

    Raises MappingError for an option or a value that is not offered.
    """
    for name, options in chosen.items():
        for option, value in options.items():
            _check_option(name, option, value)
    used = {
        name: {**columns.found_options(name, run.numbers, at), **chosen.get(name, {})}
        for name, at in run.mapping.items()
    }
    return {name: options for name, options in used.items() if options}


def _check_option(name: str, option: str, value: str) -> None:
    offered = columns.BY_NAME[name].options if name in columns.BY_NAME else {}
    if option not in offered:
        known = [f"{column.name}.{one}" for column in columns.COLUMNS for one in column.options]
        raise MappingError(f"There is no option “{name}.{option}”. There are: {', '.join(known)}.")
    if value not in offered[option]:
        raise MappingError(f"“{value}” is no {name}.{option}. It can be: {', '.join(offered[option])}.")


def checked_constants(constants: Mapping[str, str]) -> dict[str, str]:
    """Return our column → its text for all rows; raises MappingError for what no cell could say."""
    for name, text in constants.items():
        if name not in columns.BY_NAME or name == "sku":
            able = [ours for ours in columns.BY_NAME if ours != "sku"]
            raise MappingError(f"“{name}” can't be set for all rows. These can: {', '.join(able)}.")
        if not text.strip():
            raise MappingError(f"There is no value for {name} to be set to. Write one, or leave it out.")
        try:
            cells.clean_constant(name, text.strip())
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
