"""Which of the encodings that shop exports come in a file is written in, told from all its bytes."""

import codecs
import re
from collections.abc import Iterator

from imports.guessing import guess

UTF8, CP1252, LATIN1 = "utf-8", "cp1252", "latin-1"
# As Python calls them, and as people do. UTF-16 is turned into UTF-8 on arrival.
ENCODINGS = {
    UTF8: "UTF-8",
    CP1252: "Windows-1252 (Western Europe)",
    LATIN1: "Latin-1",
    "iso-8859-15": "Latin-9 (Western Europe, with €)",
    "cp1250": "Windows-1250 (Central Europe)",
    "iso-8859-2": "Latin-2 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "mac-roman": "Mac Roman (old Macs)",
    "cp850": "DOS 850 (Western Europe)",
    "cp932": "Shift-JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GBK (Simplified Chinese)",
    "cp950": "Big5 (Traditional Chinese)",
    "cp949": "EUC-KR (Korean)",
}
_WESTERN = (CP1252, LATIN1, "iso-8859-15")
_KEPT = 65_536  # bytes of lines with other characters than ASCII; enough to tell
_PIECE = 400_000  # bytes of lines split together, or a few more
_LONG = 6  # bytes above 127
_ASCII = bytes(range(128))

_MULTI_BYTE = re.compile("[^\0-\x7f\udc80-\udcff]")  # decoded, and not an escaped stray byte


def short_name(encoding: str) -> str:
    """What people call it, without the languages."""
    return ENCODINGS[encoding].partition(" (")[0]


class EncodingEvidence:
    """Feed a file block by block, then ask for `encoding`. Blocks may end in the middle of a character.

    Text with valid multi-byte sequences is UTF-8 (its bad lines are then rejected one by one), unless they
    are so few among other bytes that they are chance. Where all else is ASCII, it is UTF-8 as well.
    """

    def __init__(self) -> None:
        self._has_multi_byte = self._has_invalid = False
        self._rest, self._kept = b"", bytearray()

    def feed(self, block: bytes) -> None:
        """Take the next block; costs next to nothing for ASCII and once enough is known."""
        is_full = len(self._kept) >= _KEPT
        if (self._has_multi_byte and is_full) or (not self._rest and block.isascii()):
            return
        if not is_full:
            foreign = [line for line in block.splitlines() if not line.isascii()]
            self._kept += b"\n".join(foreign)[:_KEPT] + b"\n"
        data = self._rest + block
        try:
            text, used = codecs.utf_8_decode(data, "strict", False)
            self._has_multi_byte |= len(text) < used
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "surrogateescape", False)
            self._has_invalid = True
            self._has_multi_byte |= bool(_MULTI_BYTE.search(text))
        self._rest = data[used:]

    @property
    def encoding(self) -> str:
        """The encoding by all that was fed; a character cut off at the end does not count against UTF-8."""
        if not self._has_invalid:
            return UTF8
        lines = self._kept.split(b"\n")
        bad = [bytes(line) for line in lines if line and not _is_utf8(line)]
        guessed = guess(b"\n".join(bad))
        return UTF8 if self._has_multi_byte and not _is_chance(guessed, lines) else guessed

    def finish(self) -> str:
        """The encoding when nothing follows: a character cut off at the end is an invalid one."""
        self._has_invalid = self._has_invalid or bool(self._rest)
        return self.encoding


def _is_chance(guessed: str, lines: list[bytearray]) -> bool:
    """Are the valid sequences among these lines such as the guessed encoding has by chance?

    Else somebody joined two files: then the lines that are not UTF-8 are the bad ones. Western texts have no
    valid sequences by chance; the others have few lines of them, and hardly ever long ones.
    """
    valid = [len(line.translate(None, _ASCII)) for line in lines if line and _is_utf8(line)]
    long = sum(count > _LONG for count in valid)
    return guessed not in _WESTERN and len(valid) * 3 < len(lines) and long * 20 < len(lines)


def _is_utf8(line: bytes | bytearray) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def split_lines(data: bytes, end: bytes) -> Iterator[list[bytes]]:
    """The lines between the ends, piece by piece: all at once would be in memory twice."""
    start = 0
    while start < len(data):
        stop = data.find(end, start + _PIECE)
        if stop < 0:
            yield data[start:].removesuffix(end).split(end)
            return
        yield data[start:stop].split(end)
        start = stop + len(end)


def decoded(data: bytes, encoding: str) -> tuple[str, bool]:
    """Text of the bytes, and whether it holds NULs or (as lone surrogates) undecodable bytes."""
    try:
        return data.decode(encoding), b"\0" in data
    except UnicodeDecodeError:
        return data.decode(encoding, "surrogateescape"), True
