"""What all of our columns have in common; `columns` has them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class CellError(ValueError):
    """A cell that can't be used: `code` for machines, the text for people, with the fix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Column:
    """One of our columns. `db_type` is its type in the staging table, `equal` the SQL that tells whether
    the catalogue has the cleaned cell already (over `k`, the texts of the row, `p`, the product, and `c`, its
    category), `cleared` the cleaned cell that empties the field, None where a product can't do without."""

    name: ClassVar[str]
    label: ClassVar[str]
    db_type: ClassVar[str]
    equal: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    needed_to_create: ClassVar[bool] = False
    cleared: ClassVar[str | None] = None
    example: ClassVar[str] = ""
    # What may be chosen for an import: option → its values and what they mean to people.
    options: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        """`chosen` has values of `options`."""
        self.chosen = chosen or {}

    def clean(self, text: str) -> str:
        """Return the cell as COPY text; raises CellError. `text` is stripped and not empty."""
        raise NotImplementedError

    def exact(self, text: str) -> str:
        """Return a text that is to be taken as it is, as COPY text; raises CellError for one that the field
        can't hold. It may be empty, and have any white space."""
        return self.clean(text)

    def clean_all(self, texts: list[str]) -> list[str] | None:
        """Clean many cells at once, or None when one of them wants a closer look by `clean`.

        Only for speed: where it answers, it answers what `clean` would for each.
        """
        return None


def fitting(text: str, longest: int, what: str) -> str:
    """The text, if it fits into so many characters; raises CellError."""
    if len(text) > longest:
        message = f"The {what} has {len(text):,} characters; shorten it to {longest} or fewer."
        raise CellError("too_long", message)
    return text


def short(text: str, limit: int = 40) -> str:
    """The text as a message shows it."""
    return text if len(text) <= limit else f"{text[:limit]}…"
