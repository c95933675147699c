"""The words of `words.toml`: names of columns, yes and no, pieces and currencies, in several languages."""

from __future__ import annotations

import tomllib
from pathlib import Path

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _all(by_language: dict[str, list[str]]) -> tuple[str, ...]:
    return tuple(word for words in by_language.values() for word in words)


# Names of each of our columns beside its own, those that win first.
HEADERS = {name: _all(languages) for name, languages in _DATA["headers"].items()}
YES, NO, PIECES = _all(_DATA["yes"]), _all(_DATA["no"]), _all(_DATA["pieces"])
# Code → its signs and names; the currencies that a sign, name or code (case-folded) may stand for.
CURRENCIES = {code: tuple(signs) for code, signs in _DATA["currencies"].items()}
CURRENCIES_OF: dict[str, list[str]] = {}
for _code, _signs in CURRENCIES.items():
    for _sign in (_code.casefold(), *_signs):
        CURRENCIES_OF.setdefault(_sign, []).append(_code)
