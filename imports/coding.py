"""Writing styles that the csv module does not know, brought into the one that it does.

A delimiter of several characters and quotes escaped by a backslash are replaced by single stand-ins before a
line is parsed, and put back in its cells. The stand-ins are surrogates that no decoded text can hold, so what
comes back is always what was there.
"""

import re
from collections.abc import Sequence

_DELIMITER, _ESCAPED_DELIMITER, _ESCAPED_QUOTE, _ESCAPED_ESCAPE = "\ud800", "\ud801", "\ud802", "\ud803"


class Coding:
    """How the lines of one dialect are coded; most are not, and then everything comes back as it is."""

    def __init__(self, *, delimiter: str, quotechar: str, escape: str) -> None:
        """`escape` is the character that takes the meaning from a quote or delimiter behind it, or ""."""
        self.delimiter = delimiter if len(delimiter) == 1 else _DELIMITER  # in coded lines
        self.is_plain = len(delimiter) == 1 and not escape
        self._written = delimiter
        self._stand_ins = {escape * 2: _ESCAPED_ESCAPE, escape + delimiter: _ESCAPED_DELIMITER}
        if quotechar:
            self._stand_ins[escape + quotechar] = _ESCAPED_QUOTE
        choices = "|".join(map(re.escape, self._stand_ins))
        self._escaped = re.compile(choices) if escape else None
        self._back = {ord(stand_in): text[len(escape) :] for text, stand_in in self._stand_ins.items()}
        self._back[ord(_DELIMITER)] = delimiter

    def encode(self, text: str) -> str:
        """Code one or many whole lines."""
        if self._escaped:
            text = self._escaped.sub(lambda found: self._stand_ins[found[0]], text)
        return text if len(self._written) == 1 else text.replace(self._written, _DELIMITER)

    def decode(self, cell: str) -> str:
        """A coded cell as it is meant."""
        return cell if self.is_plain or cell.isascii() else cell.translate(self._back)

    def decode_rows(self, rows: Sequence[list[str]]) -> list[list[str]]:
        """All cells of parsed rows as they are meant."""
        return list(rows) if self.is_plain else [list(map(self.decode, row)) for row in rows]
