"""Reading the faulty region of a line: what it can be as no cell, as one, and as two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from imports.column_types import ColumnType, Habits
from imports.sides import Region, Sound

_OTHER_DELIMITERS = ",;\t|"
_LONGEST = 2_000  # characters of two cells that have grown together
_BETWEEN_LETTERS = "(?<=[A-Za-z]){q}(?=[a-z])"

type Cells = tuple[list[str], str]


class Rereader:
    """Gives the cells that a region could be, each with a code for what is wrong with it."""

    def __init__(
        self, sound: Sound, decode: Callable[[str], str], habits: Habits, *, is_own: bool = True
    ) -> None:
        """`is_own` says that `sound` has the file's own delimiter, which texts hold as `habits` say."""
        self._sound, self._decode, self._habits, self._is_own = sound, decode, habits, is_own
        self._delimiter, self._quote = sound.delimiter, sound.quote
        self._others = {*_OTHER_DELIMITERS} - {sound.delimiter}
        self._between_letters = re.compile(_BETWEEN_LETTERS.format(q=re.escape(sound.quote) or "(?!)"))

    def no_cell(self, region: Region) -> Iterator[Cells]:
        """A delimiter too many left a blank cell that no column wants."""
        if not region.text.strip():
            yield [], "extra_cell"

    def one_cell(self, region: Region) -> Iterator[Cells]:
        """One column's cell with a delimiter or a quote out of place."""
        (column,) = region.columns
        for text, code in self._readings(region.text, column):
            if column.fits(cell := self._decode(text)):
                yield [cell], code

    def _readings(self, text: str, column: ColumnType) -> Iterator[tuple[str, str]]:
        inner = text.strip()
        if not self._quote or self._quote not in inner:
            if self._is_one(inner, column):
                yield text, "unquoted_delimiter"
            return
        if column.is_typed:
            yield inner.replace(self._quote, ""), "stray_quote"
        yield from self._of_text(inner, column)

    def _is_one(self, text: str, column: ColumnType) -> bool:
        """Is this text with delimiters in it surely one cell of the column, and not several cells?

        A space behind each tells, where no cell begins with one. Else the column must be known to hold
        delimiters, and none of the parts may be a cell that another column could have, or come twice.
        """
        parts = text.split(self._delimiter)
        if len(parts) < 2 or not all(part.strip() and self._sound.cell(part) is not None for part in parts):
            return False
        if not self._is_own:
            return True
        if not self._habits.has_spaces and all(part[0] == " " for part in parts[1:]):
            return True
        cells = list(map(self._decode, parts))
        return column.joins and len(set(cells)) == len(cells) and not any(map(self._habits.is_typed, cells))

    def _of_text(self, inner: str, column: ColumnType) -> Iterator[tuple[str, str]]:
        """A text whose quotes are not all in their places."""
        quote = self._quote
        if self._sound.is_quoted(inner):
            yield inner[1:-1].replace(quote * 2, quote), "spaces"
            return
        begins, ends = inner.startswith(quote), inner.endswith(quote) and len(inner) > 1
        if not begins and not ends and self._delimiter in inner:
            if self._sound.has_meaning(inner) and self._is_one(inner, column):
                yield inner, "unquoted_delimiter"
            return
        body = inner[begins : len(inner) - ends]
        text = self._meant(body.replace(quote * 2, "\0"))
        if text is not None:
            yield (
                text.replace("\0", quote),
                "inner_quotes" if begins and ends and quote in text else "stray_quote",
            )

    def _meant(self, body: str) -> str | None:
        """The text without a quote that can't be part of it; None where that is doubtful."""
        quote = self._quote
        if self._sound.has_meaning(body):
            return body
        if body.count(quote) > 1:
            return None
        if body[0] == quote or (body[-1] == quote and not body[-2].isdigit()):
            return body.strip(quote)
        bare, dropped = self._between_letters.subn("", body)
        return bare if dropped else None

    def two_cells(self, region: Region) -> Iterator[Cells]:
        """Two columns' cells that have grown together, or have another delimiter between them."""
        text = region.text
        first, second = region.columns
        if self._quote and self._quote in text:
            splits = self._at_quotes(text)
        elif self._delimiter in text or len(text) > _LONGEST or self._is_last_one(region):
            return
        elif not first.is_typed and not second.is_typed:
            splits = iter([(text[:1], text[1:]), (text[:2], text[2:])])  # anywhere: never certain
        else:
            others = [pair for pair in self._at_other_delimiters(text) if self._fit(region, pair)]
            splits = iter(others) if others else self._anywhere(region)
        for pair in splits:
            if self._fit(region, pair):
                yield list(map(self._decode, pair)), "missing_delimiter"

    def _anywhere(self, region: Region) -> Iterator[tuple[str, str]]:
        """Between any two characters, unless it could as well be one cell whose neighbour was left out."""
        text, columns = region.text, region.columns
        cell = self._decode(text)
        if region.at in self._habits.blurred or any(one.is_typed and one.fits(cell) for one in columns):
            return
        has_text = not all(column.is_typed for column in columns)
        for at in range(1, len(text)):
            left, right = text[:at], text[at:]
            if not (left.strip() and right.strip()):
                continue
            if has_text and (left[-1] == " " or right[0] == " "):
                continue  # a text may well end with " 5"
            yield left, right

    def _is_last_one(self, region: Region) -> bool:
        """Is it the last cell of a line without the blank text that should follow?"""
        first, second = region.columns
        return (
            region.ends_line
            and second.blank
            and not second.is_typed
            and first.fits(self._decode(region.text))
        )

    def _fit(self, region: Region, pair: tuple[str, str]) -> bool:
        return all(column.fits(self._decode(cell)) for column, cell in zip(region.columns, pair, strict=True))

    def _at_other_delimiters(self, text: str) -> Iterator[tuple[str, str]]:
        for at, char in enumerate(text):
            if char in self._others:
                yield text[:at], text[at + 1 :]

    def _at_quotes(self, text: str) -> Iterator[tuple[str, str]]:
        """Before an opening quote or behind a closing one, where both parts are sound then."""
        for found in re.finditer(re.escape(self._quote), text):
            for at in (found.start(), found.end()):
                left, right = text[:at], text[at:]
                if left[-1:] in self._others:
                    left = left[:-1]
                elif right[:1] in self._others:
                    right = right[1:]
                elif not left.strip() or not right.strip():
                    continue
                first, second = self._whole(left), self._whole(right)
                if first is not None and second is not None:
                    yield first, second

    def _whole(self, part: str) -> str | None:
        """A part that is one cell in quotes, or one without any."""
        if self._quote in part or self._delimiter in part:
            part = part.strip()
            return self._sound.cell(part) if self._sound.is_quoted(part) else None
        return part
