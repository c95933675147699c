"""What people type into the search field, as a condition on search documents.

Words are compared by their stem and without accents, the last one by its beginning; all of them must occur.
Where that finds next to nothing, names that look alike are added: that is for typos.

What is found is ranked, which means that each document is read. Where very many have the words, only the
newest of those that have them in their names are, or, where these are few, the newest of all as well
(`Bounds`); the rest follows, newest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import (
    SearchQuery,
    SearchRank,
    SearchVectorExact,
    TrigramWordSimilarity,
)
from django.db import connection
from django.db.models import F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Cast

from shop.indexing import PUNCTUATION
from shop.models import SearchDocument
from shop.models.search import NamedWords

MAX_LENGTH = 200  # characters of a search that are looked at
MANY = 1000  # documents that are ranked of the newest; 40 pages
_MAX_WORDS = 12
FEW = 3  # hits; with fewer, look for typos
_ALIKE = 0.34  # how alike a word of the name must be: two letters changed places, one is missing
_SHORT = 4
_CONFIG = "shop_search"
_APART = str.maketrans(dict.fromkeys(PUNCTUATION + "\0", " "))
_ALL, _NONE = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which documents with the words are ranked, where very many have them: those with keys from `named` on
    that have all words in their names and SKUs, and those from `anywhere` on. Keys are time-ordered."""

    named: UUID
    anywhere: UUID


def words_of(text: str) -> str:
    """The words as they are compared: without punctuation, in small letters.

    >>> words_of("USB-C  Hub (4 ports)!")
    'usb c hub 4 ports'
    """
    return " ".join(text[:MAX_LENGTH].translate(_APART).lower().split()[:_MAX_WORDS])


def needs_typos(words: str) -> bool:
    """Whether next to nothing has these words as they are written, and something may look like them."""
    if not any(_may_be_alike(word) for word in words.split(" ")):
        return False
    # Counting up to the few alone, PostgreSQL would read the table from its beginning, and often all of it.
    return SearchDocument.objects.filter(words=_query(words))[:MANY].count() < FEW


def bounds(documents: QuerySet[Any], words: str) -> Bounds | int:
    """Which of these documents to rank, or, where that is all with the words, how many these are.

    One query, and a second one where they are many.
    """
    newest = documents.order_by("-pk").values_list("pk", flat=True)
    anywhere = list(newest.filter(words=_query(words))[: MANY + 1])
    if len(anywhere) <= MANY:
        return len(anywhere)
    named = list(newest.filter(_is_named(words))[MANY - 1 : MANY + 1])
    return Bounds(named[0], _NONE) if len(named) > 1 else Bounds(_ALL, anywhere[-2])


def found(words: str, *, alike: bool) -> QuerySet[Any]:
    """The documents with these words, with their `rank`; with those that are `alike` in name, which needs
    `tolerant()` before, in the same transaction."""
    if not alike:
        return _ranked(Q(words=_query(words)), words)
    each = words.split(" ")
    # In one condition, and not one for each: alone, the `TM` that all SKUs begin with would be found in all.
    as_written = " ".join(word for word in each if not _may_be_alike(word))
    matches, likeness = Q(words=_query(as_written)) if as_written else Q(), _rank(words)
    for word in filter(_may_be_alike, each):
        plain: Any = Func(Func(Value(word), function="unaccent"), function="lower")
        matches &= Q(words=_query(word)) | Q(name__trigram_word_similar=plain)
        likeness = likeness + TrigramWordSimilarity(plain, "name")
    return SearchDocument.objects.filter(matches).annotate(rank=Cast(likeness, FloatField()))


def ranked_within(words: str, bounds: Bounds) -> QuerySet[Any]:
    """The documents with these words that are ranked, with their `rank`, which is above 0."""
    return _ranked(_within(words, bounds), words)


def rest(words: str, bounds: Bounds) -> QuerySet[Any]:
    """The other documents with these words, with a `rank` of 0."""
    others = SearchDocument.objects.filter(Q(words=_query(words)), ~_within(words, bounds))
    return others.annotate(rank=Value(0.0, FloatField()))


def tolerant() -> None:
    """Let names be alike from here to the end of the transaction as `found` means it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(_ALIKE)])


def _within(words: str, bounds: Bounds) -> Any:
    named = _is_named(words) & Q(pk__gte=bounds.named)
    return named if bounds.anywhere == _NONE else named | Q(words=_query(words), pk__gte=bounds.anywhere)


def _ranked(those: Any, words: str) -> QuerySet[Any]:
    return SearchDocument.objects.filter(those).annotate(rank=Cast(_rank(words), FloatField()))


def _rank(words: str) -> Any:
    return SearchRank(F("words"), _query(words))  # as a double: in a cursor it must be equal to itself


def _may_be_alike(word: str) -> bool:
    """Anything is like a short word; a number or a SKU is meant as it is written."""
    return len(word) >= _SHORT and not any(letter.isdigit() for letter in word)


def _is_named(words: str) -> Any:
    """All of the words are in the name or the SKUs."""
    return Q(SearchVectorExact(NamedWords(F("words")), _query(words)))


def _query(words: str) -> Any:
    *whole, last = words.split(" ")
    beginning = SearchQuery(f"'{last}':*", config=_CONFIG, search_type="raw")
    return SearchQuery(" ".join(whole), config=_CONFIG) & beginning if whole else beginning
