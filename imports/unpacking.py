"""What arrives, as plain CSV that the reader can cut by bytes: unpacked, and UTF-16 turned into UTF-8.

Everything streams; what grows beyond the limits is refused on the way, before it fills disk or memory.
"""

import codecs
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, BinaryIO
from xml.etree.ElementTree import ParseError

from imports.dialect import RefusedFile, is_utf16
from imports.workbooks import sheet_as_csv

_BLOCK = 262_144
_HEAD = 65_536
_MAX_RATIO = 200  # tables shrink to a tenth or so; what shrinks this much was made to fill the disk
_RATIO_FROM = 16_777_216  # bytes; below, any ratio is harmless
_MAX_WORKBOOK = 268_435_456  # bytes unpacked; a workbook is read in memory, a CSV file is not
# What zipfile raises for archives that do not hold what they say; offsets may point before the file, too.
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, OSError, ValueError, OverflowError, RuntimeError,
)  # fmt: skip
_SPOILT = (
    "The {kind} file is damaged or was not uploaded whole. Make it again, or upload the CSV file itself."
)


class Unpacked:
    """A binary file, read from its start, whose blocks come as plain CSV."""

    def __init__(self, stream: BinaryIO, *, limit: int) -> None:
        """`limit` is the most bytes that may come out of an archive. Reading raises RefusedFile."""
        head = stream.read(_HEAD)
        self.is_changed = True
        if head.startswith(b"\x1f\x8b"):
            self._blocks = _as_utf8(_gunzipped(chain([head], _blocks_of(stream)), limit))
        elif head.startswith(b"PK\x03\x04"):
            self._blocks = _unzipped(head, stream, limit)
        elif is_utf16(head):
            self._blocks = _as_utf8(chain([head], _blocks_of(stream)))
        else:
            self.is_changed = False
            self._blocks = chain([head], iter(lambda: stream.read(1_048_576), b""))

    def read(self, size: int = -1) -> bytes:
        """The next block, of any size; nothing at the end."""
        return next((block for block in self._blocks if block), b"")


@contextmanager
def plain_file(stream: BinaryIO, *, limit: int) -> Iterator[BinaryIO]:
    """A seekable file of plain CSV for a seekable file of anything. Raises RefusedFile."""
    unpacked = Unpacked(stream, limit=limit)
    if not unpacked.is_changed:
        yield stream
        return
    with TemporaryFile() as plain:
        while block := unpacked.read():
            plain.write(block)
            if plain.tell() > limit:
                raise _too_much(limit)
        yield plain


def _blocks_of(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(_BLOCK), b"")


def _too_much(limit: int) -> RefusedFile:
    return RefusedFile("too_large", f"The unpacked file is larger than {limit:,} bytes, the limit. Split it.")


def _gunzipped(packed: Iterator[bytes], limit: int) -> Iterator[bytes]:
    unpacker, taken, given = zlib.decompressobj(wbits=31), 0, 0
    try:
        for block in packed:
            taken += len(block)
            while block:
                if unpacker.eof:  # members may follow each other
                    if not block.strip(b"\0"):
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                data = unpacker.decompress(block, _BLOCK)
                given += len(data)
                _check(taken, given, limit)
                yield data
                block = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error:
        raise RefusedFile("gzip", _SPOILT.format(kind="gzip")) from None
    if not unpacker.eof:
        raise RefusedFile("gzip", _SPOILT.format(kind="gzip"))


def _check(taken: int, given: int, limit: int) -> None:
    if given > limit:
        raise _too_much(limit)
    if given > _RATIO_FROM and given > _MAX_RATIO * taken:
        raise RefusedFile(
            "bomb",
            f"The file unpacks to more than {_MAX_RATIO} times its size, as no table does. Upload the CSV.",
        )


def _unzipped(head: bytes, stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """The only file of an archive, or the first sheet of a workbook; both need the whole archive at hand."""
    with TemporaryFile() as packed:
        for block in chain([head], _blocks_of(stream)):
            packed.write(block)
            if packed.tell() > limit:
                raise _too_much(limit)
        try:
            with zipfile.ZipFile(packed) as archive:
                if any(name.startswith("xl/") for name in archive.namelist()):
                    _check_workbook(archive)
                    yield from _sheet(packed, archive)
                    return
                member = _only_member(archive)
                with archive.open(member) as inside:
                    yield from _as_utf8(_checked(inside, member.compress_size, limit))
        except _DAMAGES:
            raise RefusedFile("zip", _SPOILT.format(kind="ZIP")) from None


def _checked(inside: IO[bytes], taken: int, limit: int) -> Iterator[bytes]:
    given = 0
    for block in _blocks_of(inside):
        given += len(block)
        _check(taken, given, limit)
        yield block


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [
        info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]
    if len(files) != 1:
        raise RefusedFile(
            "zip",
            f"The ZIP archive holds {len(files)} files, not one. Unpack it and upload the CSV file alone.",
        )
    (only,) = files
    if only.filename.startswith(("/", "\\")) or ".." in only.filename.replace("\\", "/").split("/"):
        name = only.filename[:100]
        message = f"The ZIP archive names its file “{name}”, outside itself. Upload the CSV file alone."
        raise RefusedFile("zip", message)
    if only.flag_bits & 1:
        raise RefusedFile("zip", "The ZIP archive has a password. Unpack it and upload the CSV file inside.")
    return only


def _check_workbook(archive: zipfile.ZipFile) -> None:
    """Sizes are those that the archive declares; unpacking stops there, whatever more it holds."""
    size = sum(info.file_size for info in archive.infolist())
    if size > _MAX_WORKBOOK:
        raise RefusedFile("xlsx", "The workbook is too large. Save its sheet as CSV UTF-8 and upload it.")
    _check(sum(info.compress_size for info in archive.infolist()), size, _MAX_WORKBOOK)


def _sheet(packed: IO[bytes], archive: zipfile.ZipFile) -> Iterator[bytes]:
    from python_calamine import CalamineError  # only workbooks need it
    from python_calamine import ZipError as CalamineZipError

    try:
        yield from sheet_as_csv(packed, archive)
    except (CalamineError, CalamineZipError, ParseError, KeyError):
        raise RefusedFile("xlsx", _SPOILT.format(kind="Excel")) from None


def _as_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8 if it is UTF-16; what is no character becomes a byte that the reader rejects."""
    head = next(blocks, b"")
    if not is_utf16(head):
        yield head
        yield from blocks
        return
    order = "le" if head.startswith(b"\xff\xfe") or (head[:1] != b"\xfe" and head[1:2] == b"\0") else "be"
    decoder = codecs.getincrementaldecoder(f"utf-16-{order}")("tallyman-unreadable")
    first = decoder.decode(head).removeprefix("\ufeff")
    for text in chain([first], map(decoder.decode, blocks)):
        yield text.encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")


def _unreadable(error: UnicodeError) -> tuple[str, int]:
    end = error.end if isinstance(error, UnicodeDecodeError) else 0
    return "\udcff", end


codecs.register_error("tallyman-unreadable", _unreadable)
