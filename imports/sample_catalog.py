"""Makes a realistic product catalogue as CSV lines, of any length, in flat memory.

    _products(seed) → the clean cells of row 0, 1, 2 …
    rows(count)     → some of them broken, some of them changed, every one as a CSV line

Rows are drawn from one random stream, and what is broken or changed from streams of its own. So the same
arguments give the same bytes, and the clean rows of two files with one seed agree as far as both go.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import permutations
from random import Random

from imports.sample_categories import CATEGORIES
from imports.sample_words import ADJECTIVES, BRANDS, CLOSINGS, LEADS, SERIES, TAILS, Kind

COLUMNS = (
    "sku",
    "name",
    "description",
    "price",
    "stock",
    "category",
    "published",
    "featured",
    "metadata",
)
HEADER = ",".join(COLUMNS) + "\n"
SKU, NAME, DESCRIPTION, PRICE, STOCK, CATEGORY, PUBLISHED, FEATURED, METADATA = range(len(COLUMNS))

TOO_LONG = 5000
"""Characters in the name of a row broken as `name_too_long`."""

_SKU_BITS = 35
_SKU_MASK = (1 << _SKU_BITS) - 1
# Crockford's 32 letters: nothing in a SKU can be mistaken for another letter or digit.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]

MAX_ROWS = 1 << _SKU_BITS
"""There are that many SKUs; a longer file would repeat them."""


def rows(count: int, *, seed: int = 1, errors: float = 0.0, changed: float = 0.0) -> Iterator[str]:
    """Yield `count` data rows as CSV lines that end in a line feed (the header is `HEADER`).

    `errors` and `changed` are percentages of `count`. Exactly round(count × errors / 100) rows are broken
    (`broken_rows` tells which); exactly round(count × changed / 100) others keep their SKU but differ from
    the row of the same seed in price, stock, name or description. One sound row in two hundred takes two
    physical lines, for a line break in its description. Raises ValueError, before the first row, when the
    figures can't be met.
    """
    if not 1 <= count <= MAX_ROWS:
        raise ValueError(f"ROWS is {count}; it must be from 1 to {MAX_ROWS:,}.")
    broken = _share(count, errors, "--errors")
    altered = _share(count, changed, "--changed")
    if broken + altered > count:
        raise ValueError(
            f"--errors {errors:g} and --changed {changed:g} need {broken:,} and {altered:,} different rows, "
            f"but there are only {count:,}: a broken row can't be a changed one too. Lower one of the two."
        )
    return _rows(count, seed, broken, altered)


def broken_rows(count: int, *, seed: int = 1, errors: float) -> dict[int, str]:
    """Which rows (from 0) `rows` breaks when given the same arguments, and how: a key of `BREAKS`."""
    return dict(_broken(count, seed, _share(count, errors, "--errors")))


def _share(count: int, percent: float, option: str) -> int:
    if not 0 <= percent <= 100:
        raise ValueError(f"{option} is {percent:g}; it must be a percentage from 0 to 100.")
    return round(count * percent / 100)


def _random(seed: int, purpose: str) -> Random:
    return Random(f"{seed} {purpose}")  # noqa: S311 - must repeat, and hides nothing


def _rows(count: int, seed: int, broken: int, altered: int) -> Iterator[str]:
    never = count, ""
    breaks = _broken(count, seed, broken)
    # Changes are counted among the sound rows, so that no row can be chosen for both.
    changes = _spread(count - broken, altered, _random(seed, "changed"))
    alterations = _random(seed, "alterations")
    next_broken, kind = next(breaks, never)
    next_changed = next(changes, count)
    products = _products(seed)
    sound = 0
    for index in range(count):
        cells = next(products)
        if index == next_broken:
            cells[DESCRIPTION] = cells[DESCRIPTION].replace("\n", " ")
            yield BREAKS[kind](cells)
            next_broken, kind = next(breaks, never)
            continue
        if sound == next_changed:
            _alter(cells, alterations)
            next_changed = next(changes, count)
        sound += 1
        yield _line(cells)


def _spread(count: int, chosen: int, random: Random) -> Iterator[int]:
    """`chosen` different numbers below `count`, ascending: one from each of as many equal parts."""
    for part in range(chosen):
        start, stop = part * count // chosen, (part + 1) * count // chosen
        yield start + int(random.random() * (stop - start))


def _broken(count: int, seed: int, broken: int) -> Iterator[tuple[int, str]]:
    kinds = tuple(BREAKS)
    for number, index in enumerate(_spread(count, broken, _random(seed, "broken"))):
        yield index, kinds[number % len(kinds)]


def _products(seed: int) -> Iterator[list[str]]:
    """The cells of one product after the other, not yet quoted, without end."""
    random = _random(seed, "products")
    draw = random.random

    def pick[T](items: tuple[T, ...] | list[T]) -> T:
        # A third of the time of Random.choice, and this is most of the work.
        return items[int(draw() * len(items))]

    skus = _skus(seed)
    while True:
        category, noun, kind = pick(CATEGORIES)
        trait, material = pick(kind.traits), pick(kind.materials)
        name = f"{pick(SERIES)} {pick(ADJECTIVES)} {noun}{_suffix(int(draw() * 4), trait, pick(kind.sizes))}"
        yield [
            next(skus),
            name,
            _description(pick, draw(), noun, material, kind),
            f"{_between(kind.price, draw())}.{pick(_CENTS)}",
            str(int(draw() ** 2 * 400)),
            category,
            "true" if draw() < 0.93 else "false",
            "true" if draw() < 0.04 else "false",
            f'{{"brand": "{pick(BRANDS)}", "{kind.trait}": "{trait}", "made_of": "{material}", '
            f'"weight_g": {_between(kind.weight, draw())}, "ean": "2{int(draw() * 10**12):012}"}}',
        ]


_LONG_CLOSINGS = [" ".join(two) for two in permutations(CLOSINGS, 2)]
_CENTS = ("99", "90", "95", "50", "00", "49")


def _suffix(form: int, trait: str, size: str) -> str:
    return (f", {trait}", f" {size}", f", {trait}, {size}", f" ({trait}), {size}")[form]


def _description(pick: Callable[..., str], chance: float, noun: str, material: str, kind: Kind) -> str:
    opening = f"{pick(LEADS)} {_in_sentence(noun)} {pick(TAILS).format(material=material)}"
    separator = "\n" if chance < 0.005 else " "
    closing = pick(_LONG_CLOSINGS if chance > 0.6 else CLOSINGS)
    return f"{opening}{separator}{pick(kind.sentences)} {closing}"


@cache
def _in_sentence(noun: str) -> str:
    """ "USB Hub" → "USB hub"."""
    return " ".join(word if word.isupper() else word.lower() for word in noun.split())


def _between(bounds: tuple[int, int], chance: float) -> int:
    """A whole number from low to high, the small ones more often, as in a shop."""
    low, high = bounds
    return int(low * (high / low) ** chance)


def _skus(seed: int) -> Iterator[str]:
    """SKUs that never repeat and stand in no order.

    Odd factors and shifts can be undone, so no two numbers ever become one.
    """
    number = _random(seed, "skus").getrandbits(_SKU_BITS)
    while True:
        mixed = number * 0x5_9E37_79B1 & _SKU_MASK
        mixed = (mixed ^ mixed >> 18) * 0x2_C1B3_C6DD & _SKU_MASK
        mixed ^= mixed >> 17
        high, low = _PAIRS[mixed >> 20 & 1023], _PAIRS[mixed & 1023]
        yield f"TM-{_LETTERS[mixed >> 30]}{high}{_PAIRS[mixed >> 10 & 1023]}{low}"
        number = number + 1 & _SKU_MASK


def _alter(cells: list[str], random: Random) -> None:
    """Change one cell to a value that it can't have had."""
    column = random.choice((PRICE, STOCK, NAME, DESCRIPTION))
    if column == PRICE:
        euros, cents = cells[PRICE].split(".")
        cells[PRICE] = f"{int(euros) + 1 + int(int(euros) * random.random() / 5)}.{cents}"
    elif column == STOCK:
        cells[STOCK] = str(int(cells[STOCK]) + random.randint(1, 60))
    elif column == NAME:
        cells[NAME] = f"New {cells[NAME]}"
    else:
        cells[DESCRIPTION] = f"Improved: {cells[DESCRIPTION]}"


def _quoted(cell: str) -> str:
    if "," in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _line(cells: list[str]) -> str:
    return ",".join([_quoted(cell) for cell in cells]) + "\n"


def _with(column: int, value: str) -> Callable[[list[str]], str]:
    return lambda cells: _line([*cells[:column], value, *cells[column + 1 :]])


def _too_long(cells: list[str]) -> str:
    name = (cells[NAME] + " ") * (TOO_LONG // len(cells[NAME]))
    return _with(NAME, name[: TOO_LONG - 1] + ".")(cells)


def _single_quoted(cells: list[str]) -> str:
    return _with(METADATA, cells[METADATA].replace('"', "'"))(cells)


def _stray_quote(cells: list[str]) -> str:
    """No later cell has a quote, so that a careless reader swallows the next rows, and a careful one none."""
    front, rest = cells[:PRICE], cells[PRICE:METADATA]
    return _line(front).rstrip("\n") + ',"' + ",".join(rest) + ",\n"


BREAKS: dict[str, Callable[[list[str]], str]] = {
    "price_text": _with(PRICE, "abc"),
    "price_negative": _with(PRICE, "-1"),
    "stock_fraction": _with(STOCK, "3.7"),
    "stock_negative": _with(STOCK, "-2"),
    "name_missing": _with(NAME, ""),
    "sku_missing": _with(SKU, ""),
    "metadata_not_json": _single_quoted,
    "name_too_long": _too_long,
    "too_few_cells": lambda cells: _line(cells[:CATEGORY]),
    "too_many_cells": lambda cells: _line([*cells, "ask supplier"]),
    "stray_quote": _stray_quote,
}
"""How a row can be broken: from the clean cells to a line that is wrong by itself and harms no other."""
