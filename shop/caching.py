"""What pages have in common is kept in Redis for a while; a dead Redis slows the shop, it does not stop it.

Nothing is ever deleted: each key has the catalogue's version, which PostgreSQL keeps (`CatalogueVersion`)
and which rises in the transaction of every change. Who reads the version before the data can't keep old data
under a new version.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import structlog
from django.core.cache import caches
from django.db import connection
from django.utils.translation import get_language

log = structlog.get_logger(__name__)

KEPT_SECONDS = 300  # how long something may be found; stock is never kept
_REST_SECONDS = (
    10.0  # after a failure Redis is left alone, so that its time-out is not waited for at every page
)
_resting_until = 0.0


def forget() -> None:
    """Let the catalogue have another version when the surrounding transaction commits: nothing kept so far is
    found after that."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO shop_catalogueversion AS v (id, number) VALUES (1, nextval('shop_content_version'))
            ON CONFLICT (id) DO UPDATE SET number = excluded.number
            """
        )


def version() -> int:
    """The catalogue's version; 0 before the first change. One query: read it once a page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM shop_catalogueversion WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def remembered[T](what: str, *parts: object, version: int, make: Callable[[], T]) -> T:
    """What `make` returned for `what` and these `parts` at this version of the catalogue, or returns now."""
    key = _key(what, *parts, version=version)
    found: T | None = _attempt(lambda: caches["pages"].get(key))
    if found is None:
        found = make()
        _attempt(lambda: caches["pages"].set(key, found, KEPT_SECONDS))
    return found


def _key(what: str, *parts: object, version: int) -> str:
    """The one place that makes keys of the shop's pages. Each language has keys of its own: whatever `make`
    says to the reader, nobody reads it in another's."""
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    return f"shop:{version}:{get_language()}:{what}:{digest}"


def _attempt[T](operation: Callable[[], T]) -> T | None:
    """Do it unless Redis just failed; None when it fails. Whatever is wrong there, the page goes on."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return None
    try:
        return operation()
    except Exception as error:
        _resting_until = time.monotonic() + _REST_SECONDS
        log.warning("the cache does not answer, pages are made anew", error=str(error), seconds=_REST_SECONDS)
        return None
