"""The encoding of text that is not UTF-8, told from how its characters would stand in words.

Most such files are Western European, which charset-normalizer often takes for Central European; so it is only
asked about text that makes no sense in Windows-1252.
"""

import codecs
import re
import unicodedata
from collections import Counter

# Those that are asked about, most common first. In all of them bytes below 128 that end lines, delimit or
# quote mean just that, so that files can be cut at line ends without decoding them.
CANDIDATES = (
    "cp1250", "cp1251", "cp1253", "cp1254", "iso-8859-2", "koi8-r", "mac-roman", "cp850",
    "cp932", "gb18030", "cp950", "cp949", "euc-jp",
)  # fmt: skip
_NAMES = {codecs.lookup(name).name: name for name in CANDIDATES}
_WORD = re.compile(r"[^\W\d_]*[^\0-\x7f]+(?:[^\W\d_]|[^\0-\x7f])*")
_LONERS = "¦¬±¶¤ˇ˛˘˙÷‡†"  # signs that never touch a letter
_JOINERS = "’‘´·ªº°²³\u00a0\u00ad"  # signs that do stand in or right behind words
_ACCENTED_RUN = re.compile("[\u00c0-\u024f]{3}")
_PARTS = 3
_SMALL = re.compile("[a-z]")
_FIRST_NOT_LATIN = "\u0370"
_TOLERATED = 0.15  # of the words; a few odd ones are typing errors
# Letters that no Western language has side by side, and that Central Europe and Turkey have instead of them.
_TELLTALES = tuple(
    re.compile(pattern, re.DOTALL | re.IGNORECASE)
    for pattern in (
        "^(?=.*ø)(?=.*[èìù])(?=.*[ýáíé])",  # ř, č or ě or ů
        "^(?=.*õ)(?=.*[öüû])(?=.*[áéíóú])(?!.*ã)",  # ő
        "^(?=.*[þð])(?=.*[çü])",  # ş, ğ
        "^(?=.*ã)(?=.*[þºî])(?!.*[õç])",  # ă, ţ, ş
    )
)
_CZECH = re.compile("[řěů]", re.IGNORECASE)


def guess(text: bytes) -> str:
    """The encoding of lines of which each holds bytes above 127; cp1252 if there is no telling."""
    if _is_western(text):
        return "iso-8859-15" if _has_euro_of_latin9(text) else _western(text)
    name = min(
        [*_suggestions(text), "cp1252"], key=lambda name: _oddities(text, name)
    )  # of equals, the first
    if name == "cp1252":
        return _western(text)
    return _central_european(text) if name in ("cp1250", "iso-8859-2") else name


def _suggestions(text: bytes) -> list[str]:
    """What charset-normalizer takes for possible, the likeliest first.

    It rules out what one bad line does not fit, so it is asked about parts of the lines as well.
    """
    from charset_normalizer import from_bytes  # takes a while to load, and few files need it

    lines, votes = text.split(b"\n"), Counter[str]()
    for part in (lines, *(lines[start::_PARTS] for start in range(_PARTS))):
        matches = from_bytes(b"\n".join(part), cp_isolation=[*CANDIDATES]) if any(part) else ()
        for rank, match in enumerate(matches, start=1):
            votes[codecs.lookup(match.encoding).name] += 60 // rank
    return [_NAMES[codec] for codec, _ in votes.most_common() if codec in _NAMES]


def _western(text: bytes) -> str:
    """Windows-1252, or Latin-1 where a byte means nothing in it."""
    return "latin-1" if re.search(b"[\x81\x8d\x8f\x90\x9d]", text) else "cp1252"


def _is_western(text: bytes) -> bool:
    words = _WORD.findall(text.decode("cp1252", "replace"))
    if sum(map(_is_odd, words)) > max(1, _TOLERATED * len(words)):
        return False
    joined = "".join(words)
    return not any(telltale.search(joined) for telltale in _TELLTALES)


def _has_euro_of_latin9(text: bytes) -> bool:
    """Nobody writes ¤; in ISO-8859-15 its byte is the euro. That has no signs where Windows has its own."""
    return b"\xa4" in text and not re.search(b"[\x80-\x9f]", text)


def _central_european(text: bytes) -> str:
    """The two agree in most letters; where one has a letter, the other has a sign or another letter."""
    if re.search(b"[\x80-\x9f]", text):
        return "cp1250"
    windows, latin2 = _oddities(text, "cp1250"), _oddities(text, "iso-8859-2")
    if windows == latin2 and _CZECH.search(text.decode("cp1250", "replace")):
        return "iso-8859-2" if re.search(b"[\xb9\xbe]", text) else "cp1250"  # š ž, or the Polish ą, Slovak ľ
    return "iso-8859-2" if latin2 < windows else "cp1250"


def _oddities(text: bytes, encoding: str) -> int:
    return sum(map(_is_odd, _WORD.findall(text.decode(encoding, "replace"))))


def _is_odd(word: str) -> bool:
    """Is this no word that anybody would write: signs between letters, capitals behind small ones?"""
    if _ACCENTED_RUN.search(word):
        return True
    for before, char, after in zip(" " + word, word, word[1:] + " ", strict=False):
        if char.isascii():
            continue
        if char == "\ufffd" or unicodedata.category(char) == "Cc":
            return True
        touched = before.isalpha() + after.isalpha()
        if not char.isalpha() and char not in _JOINERS and touched > (char not in _LONERS):
            return True
        if char.isupper() and before.islower():
            return True
        if char >= _FIRST_NOT_LATIN and char.isalpha() and _SMALL.search(before + after):
            return True
    return False
