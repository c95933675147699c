"""Which of the encodings that shop exports come in a file is written in, told from all its bytes."""

import codecs
import re

UTF8, CP1252, LATIN1 = "utf-8", "cp1252", "latin-1"
ENCODINGS = (UTF8, CP1252, LATIN1)

_MULTI_BYTE = re.compile("[^\0-\x7f\udc80-\udcff]")  # decoded, and not an escaped stray byte
_UNDEFINED_IN_CP1252 = re.compile(b"[\x81\x8d\x8f\x90\x9d]")


class EncodingEvidence:
    """Feed a file block by block, then ask for `encoding`. Blocks may end in the middle of a character.

    One valid multi-byte sequence makes the file UTF-8 (its bad lines are then rejected one by one). Without
    any, a byte that is not UTF-8 makes it cp1252, or Latin-1 where a byte means nothing in cp1252.
    """

    def __init__(self) -> None:
        self.has_multi_byte = self.has_invalid = self._undefined = False
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Take the next block; costs next to nothing for ASCII and once the answer is certain."""
        if self.has_multi_byte or (not self._rest and block.isascii()):
            return
        data = self._rest + block
        try:
            text, used = codecs.utf_8_decode(data, "strict", False)
            self.has_multi_byte = len(text) < used
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "surrogateescape", False)
            self.has_invalid, self.has_multi_byte = True, bool(_MULTI_BYTE.search(text))
        self._undefined = self._undefined or bool(_UNDEFINED_IN_CP1252.search(data))
        self._rest = data[used:]

    @property
    def encoding(self) -> str:
        """The encoding by all that was fed; a character cut off at the end does not count against UTF-8."""
        if self.has_multi_byte or not self.has_invalid:
            return UTF8
        return LATIN1 if self._undefined else CP1252

    def finish(self) -> str:
        """The encoding when nothing follows: a character cut off at the end is an invalid one."""
        self.has_invalid = self.has_invalid or bool(self._rest)
        return self.encoding
