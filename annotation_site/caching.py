"""The cache that processes share, in Redis; while that is away each process goes on with a memory of its own."""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)
AWAY_SECONDS = 5.0
"""So long a Redis that did not answer is left alone: nobody's request waits for it more than once."""


class SharedCache(RedisCache):
    """Hints may be forgotten and throttles count anew for a while; no page fails for want of either."""

    _away_until: ClassVar[float] = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        # One retry, at once: after Redis was restarted, each connection that was open fails once.
        quick = {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)}
        super().__init__(server, {**params, "OPTIONS": {**quick, **params.get("OPTIONS", {})}})
        self._own = LocMemCache("while the shared cache is away", {"OPTIONS": {"MAX_ENTRIES": 20_000}})

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._cache.get_client().ping())
        except RedisError:
            return False

    def _ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        if time.monotonic() >= SharedCache._away_until:
            try:
                return getattr(super(), method)(*arguments, **named)
            except RedisError as error:
                SharedCache._away_until = time.monotonic() + AWAY_SECONDS
                logger.warning("The cache at CACHE_URL is away, this process uses its own memory: %s", error)
        return getattr(self._own, method)(*arguments, **named)

    def get(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("get", *arguments, **named)

    def add(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("add", *arguments, **named)

    def set(self, *arguments: Any, **named: Any) -> None:
        self._ask("set", *arguments, **named)

    def touch(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("touch", *arguments, **named)

    def delete(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("delete", *arguments, **named)

    def get_many(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("get_many", *arguments, **named)

    def set_many(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("set_many", *arguments, **named)

    def delete_many(self, *arguments: Any, **named: Any) -> None:
        self._ask("delete_many", *arguments, **named)

    def has_key(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("has_key", *arguments, **named)

    def incr(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("incr", *arguments, **named)

    def clear(self) -> Any:
        return self._ask("clear")
