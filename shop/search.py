"""What people type into the search field, as a condition on search documents.

Words are compared by their stem and without accents, the last one by its beginning; all of them must occur.
Where that finds next to nothing, names that look alike are added: that is for typos.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db import connection
from django.db.models import F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Cast

from shop.indexing import PUNCTUATION
from shop.models import SearchDocument

MAX_LENGTH = 200  # characters of a search that are looked at
_MAX_WORDS = 12
_FEW = 3  # hits; with fewer, look for typos
_ALIKE = 0.34  # how alike a word of the name must be: two letters changed places, one is missing
_SHORT = 4
_CONFIG = "shop_search"
_APART = str.maketrans(dict.fromkeys(PUNCTUATION + "\0", " "))


def words_of(text: str) -> str:
    """The words as they are compared: without punctuation, in small letters.

    >>> words_of("USB-C  Hub (4 ports)!")
    'usb c hub 4 ports'
    """
    return " ".join(text[:MAX_LENGTH].translate(_APART).lower().split()[:_MAX_WORDS])


def needs_typos(words: str) -> bool:
    """Whether next to nothing has these words as they are written."""
    return SearchDocument.objects.filter(words=_query(words))[:_FEW].count() < _FEW


def found(words: str, *, alike: bool) -> QuerySet[Any]:
    """The documents with these words, with their `rank`; with those that are `alike` in name, which needs
    `tolerant()` before, in the same transaction."""
    query = _query(words)
    rank: Any = SearchRank(F("words"), query)  # as a double: in a cursor it must be equal to itself
    if not alike:
        return SearchDocument.objects.filter(words=query).annotate(rank=Cast(rank, FloatField()))
    matches, likeness = Q(), rank
    for word in words.split(" "):
        as_written = Q(words=_query(word))
        # Anything is like a short word; a number or a SKU is meant as it is written.
        if len(word) < _SHORT or any(letter.isdigit() for letter in word):
            matches &= as_written
            continue
        plain: Any = Func(Func(Value(word), function="unaccent"), function="lower")
        matches &= as_written | Q(name__trigram_word_similar=plain)
        likeness = likeness + TrigramWordSimilarity(plain, "name")
    return SearchDocument.objects.filter(matches).annotate(rank=Cast(likeness, FloatField()))


def tolerant() -> None:
    """Let names be alike from here to the end of the transaction as `found` means it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(_ALIKE)])


def _query(words: str) -> Any:
    *whole, last = words.split(" ")
    beginning = SearchQuery(f"'{last}':*", config=_CONFIG, search_type="raw")
    return SearchQuery(" ".join(whole), config=_CONFIG) & beginning if whole else beginning
