"""A cache that answers whatever becomes of Redis: then each process remembers by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

_REST_SECONDS = 10.0  # after a failure Redis is left alone: its time-out is not waited for at every login


class RedisElseMemory(BaseCache):
    """Redis, and while it does not answer the memory of this process.

    For counting: limits of attempts hold on, for each process by itself. Not for what must be one truth.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(location, params)
        self._memory = LocMemCache(f"instead of {location}", {**params, "OPTIONS": {}})

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda cache: cache.add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda cache: cache.touch(key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._ask(lambda cache: cache.delete(key, version))

    def clear(self) -> None:
        self._ask(lambda cache: cache.clear())

    def _ask[T](self, operation: Callable[[BaseCache], T]) -> T:
        """Redis' answer, or the memory's."""
        if time.monotonic() >= _rest.until:
            try:
                return operation(self._redis)
            except (RedisError, OSError) as error:
                _rest.until = time.monotonic() + _REST_SECONDS
                log.warning("the cache does not answer, this process counts by itself", error=str(error))
        return operation(self._memory)


class _Rest:
    """Until when Redis is left alone; each thread has a cache object, and all share this."""

    until = 0.0


_rest = _Rest()
