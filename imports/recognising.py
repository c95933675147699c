"""Recognise the lines that the catalogue has already, before any of their cells is parsed.

A product remembers a fingerprint of the line that wrote it (`source_hash`), and a trigger forgets it at every
other write. So a line whose SKU has just this fingerprint would change nothing. Importing a file again costs
little more than splitting it into lines, and a daily feed costs what changed in it.

The fingerprint is XXH3 with 64 bits (https://xxhash.com) of the line's text. Its seed says how the line is
read, so the same text under another mapping is another line. The category's name as it was written is mixed
in, because a renamed category changes what the line would do without any write to the product.
"""

from __future__ import annotations

import json
import re
from array import array
from dataclasses import dataclass, field
from typing import Any

import xxhash
from django.db import connection, transaction

from imports import cells, shaping
from imports.dialect import Dialect
from imports.models import ImportRun
from imports.reading import ChunkReader
from shop.models import Product

# Raise it when cells are cleaned differently: lines read by older rules must not be recognised.
_RULES = 3

_SEPARATOR = "\x1f"
_RECOGNISE = """
SELECT array_agg(number) FILTER (WHERE same), array_agg(number) FILTER (WHERE NOT same) {versions} FROM (
    SELECT k.number, coalesce(p.source_hash = (k.hash # {mixed_in}), false) AS same, p.version
    FROM unnest(string_to_array(%s, E'\\x1f'), %s::bigint[]) WITH ORDINALITY AS k(sku, hash, number)
    JOIN shop_product p ON p.sku = k.sku COLLATE "C" {unless}
    {category}
) k
"""
# A preview is bound to what it saw.
_VERSIONS = ", array_agg(version) FILTER (WHERE same), array_agg(version) FILTER (WHERE NOT same)"

# When rows are staged again, what the import created itself counts as not there, as it was the first time.
_NOT_OWN = """
AND NOT EXISTS (SELECT FROM imports_createdproducts r WHERE r.run_id = {} AND r.at = p.created_at)
"""


def not_own(run: ImportRun) -> str:
    """SQL that leaves out the products `p` that the run itself created, or nothing before it loads."""
    return _NOT_OWN.format(int(run.pk)) if run.state == ImportRun.State.LOADING else ""


def source_hash(category: str) -> str:
    """SQL for the fingerprint to be stored with a product: `s` is its staging row, `category` SQL for the
    category's name as the row has it."""
    return f"(s.hash # coalesce(hashtextextended({category}, 0), 0))"


@dataclass(slots=True)
class Recognised:
    """What the catalogue says about a chunk's lines."""

    skus: list[str]  # of every line, as far as it can be told without parsing; else ""
    hashes: array[int]  # fingerprint of every line; none where lines are not recognised
    known: set[str]  # those SKUs that the catalogue has
    is_empty: bool = False  # the catalogue has none at all
    versions: dict[str, int] = field(default_factory=dict)  # of those SKUs, for a preview


def recognise(run: ImportRun, reader: ChunkReader) -> Recognised:
    """Mark in `reader.recognised` the lines that would change nothing."""
    if not _can_recognise(run):
        return Recognised([], array("q"), set(), is_empty=not Product.objects.exists())
    hashes = _hashes(run, reader)
    if not Product.objects.exists():
        return Recognised([], hashes, set(), is_empty=True)
    skus = _skus(reader, Dialect.from_dict(run.dialect), run.mapping["sku"])
    mixes = "category" in run.written
    query = _RECOGNISE.format(
        mixed_in="coalesce(hashtextextended(c.full_name, 0), 0)" if mixes else "0",
        category="LEFT JOIN shop_category c ON c.id = p.category_id" if mixes else "",
        unless=not_own(run),
        versions=_VERSIONS if run.preview else "",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # A hash join would read the whole catalogue for every chunk.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(query, [_SEPARATOR.join(skus), f"{{{','.join(map(str, hashes))}}}"])
        same, others, *versions = cursor.fetchone()
    for number in same or ():
        reader.recognised[number - 1] = 1
    known = {skus[number - 1] for numbers in (same, others) for number in numbers or ()}
    recognised = Recognised(skus, hashes, known)
    for numbers, seen in zip((same, others), versions, strict=False):
        recognised.versions.update(
            zip([skus[number - 1] for number in numbers or ()], seen or (), strict=True)
        )
    return recognised


def _can_recognise(run: ImportRun) -> bool:
    """Not where a line says more than its product's own row shows (images, the parent's SKU), nor where
    several lines make a product, nor where a line that is the same does something each time, nor
    where products are taken out."""
    says_more = run.removes or run.adjusts_stock or run.written & {"parent", "images"}
    return not says_more and shaping.shaper_of(run) is None


def _hashes(run: ImportRun, reader: ChunkReader) -> array[int]:
    how = [
        _RULES,
        run.dialect["delimiter"],
        run.dialect["quotechar"],
        len(run.header),
        sorted(run.mapping.items()),
        run.blank,
        run.clear_token,
        _sorted(run.options),
        _sorted(run.constants),
    ]
    if not run.repair:
        how.append("broken lines are rejected")
    if cells.has_marks(run):
        how.append("cells may be marked")
    if run.keep_unknown:
        how.append(run.header)
    if run.source:  # which the product remembers as well
        how.append({"source": run.source})
    if escape := run.dialect.get("escape"):
        how.append(escape)
    seed, digest = xxhash.xxh3_64_intdigest(json.dumps(how).encode()), xxhash.xxh3_64_digest
    hashes = array("q")
    for lines in reader.encoded_lines():
        hashes.frombytes(b"".join([digest(line, seed) for line in lines]))
    return hashes


def _sorted(chosen: dict[str, Any]) -> str:
    return json.dumps(chosen, sort_keys=True)


def _skus(reader: ChunkReader, dialect: Dialect, column: int) -> list[str]:
    """The text in the SKU's column of each line, where one look tells; wrong guesses cost time, no more."""
    delimiter, quote = dialect.delimiter, dialect.quotechar
    if column == 0:
        skus = [line.partition(delimiter)[0].strip() for line in reader.lines]
    else:
        find = _nth_cell(delimiter, quote, column).match
        skus = [found[1].strip() if (found := find(line)) else "" for line in reader.lines]
    joined = "".join(skus)
    if quote and quote in joined:
        skus = [_unquoted(sku, quote) for sku in skus]
    if not joined.isprintable():  # separators and NULs are among what is not
        skus = [sku if sku.isprintable() else "" for sku in skus]
    return skus


def _nth_cell(delimiter: str, quote: str, column: int) -> re.Pattern[str]:
    comma, mark = re.escape(delimiter), re.escape(quote)
    quoted = f"{mark}[^{mark}]*+(?:{mark * 2}[^{mark}]*+)*+{mark}|" if quote else ""
    return re.compile(f"(?:(?:{quoted}[^{mark}{comma}]*+){comma}){{{column}}}({quoted}[^{mark}{comma}]*+)")


def _unquoted(sku: str, quote: str) -> str:
    if quote not in sku:
        return sku
    inner = sku[1:-1]
    return inner.strip() if sku[0] == sku[-1] == quote and quote not in inner else ""
