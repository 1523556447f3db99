"""Rate limits: a token bucket per caller, in Redis for all processes together, in this process where there is no Redis.

Belongs here: the two buckets, which give the same answers, and what a caller is told.
Does not belong here: who the caller is (``auth.py``), which routes are limited.

The bucket of this process is for an installation without any Redis, and every answer says so (``X-RateLimit-Store: process``).
A configured Redis that does not answer refuses with 503 instead: a limit that quietly became several limits is none.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from serving.errors import ApiError

_PREFIX = "esports:rate:"
_MOST_BUCKETS = 50_000
_TAKE = """
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(known[1]) or burst, tonumber(known[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local allowed = tokens >= 1 and 1 or 0
tokens = tokens - allowed
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {allowed, string.format('%.17g', tokens)}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, what is left, and when the next one may come."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: int
    store: str

    @property
    def headers(self) -> dict[str, str]:
        """What a caller is told."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Store": self.store,
        }
        return told if self.allowed else {**told, "Retry-After": str(self.retry_after_s)}


class Limiter(Protocol):
    """What counts requests."""

    store: str

    def take(self, identity: str) -> Verdict:
        """Count one request of a caller."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second in the long run, and how many may come at once. ValueError for one that lets nothing pass."""

    per_s: float
    burst: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.per_s) and self.per_s > 0 and self.burst >= 1):
            raise ValueError(f"a rate of {self.per_s} requests per second, {self.burst} at once, lets nothing pass")

    def verdict(self, allowed: bool, tokens: float, store: str) -> Verdict:
        """The verdict that leaves so many tokens."""
        wait_s = 0 if allowed else max(1, math.ceil((1 - tokens) / self.per_s))
        return Verdict(allowed, self.burst, math.floor(tokens), wait_s, store)


class RedisLimiter:
    """Buckets that all processes share; each request is one atomic call. ``clock_ms`` replaces Redis's own clock."""

    store = "redis"

    def __init__(self, client: "redis.Redis", rate: Rate, clock_ms: Callable[[], int] | None = None) -> None:
        self._rate = rate
        self._clock_ms = clock_ms
        self._take = client.register_script(_TAKE)

    def take(self, identity: str) -> Verdict:
        """Count one request of a caller; ApiError 503 while Redis does not answer."""
        now = "" if self._clock_ms is None else self._clock_ms()
        try:
            answer: Any = self._take(keys=[f"{_PREFIX}{identity}"], args=[self._rate.per_s, self._rate.burst, now])
        except redis.RedisError as error:
            message = "Requests cannot be counted now, so none that needs an account passes; try again in a moment."
            raise ApiError(503, "limits_unavailable", message) from error
        return self._rate.verdict(bool(answer[0]), float(answer[1]), self.store)


class ProcessLimiter:
    """Buckets of this process alone."""

    store = "process"

    def __init__(self, rate: Rate, clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000) -> None:
        self._rate = rate
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, identity: str) -> Verdict:
        """Count one request of a caller."""
        burst = float(self._rate.burst)
        with self._lock:
            now = self._clock_ms()
            tokens, at = self._buckets.pop(identity, (burst, now))
            tokens = min(burst, tokens + max(0, now - at) * self._rate.per_s / 1000)
            allowed = tokens >= 1
            tokens -= allowed
            self._buckets[identity] = (tokens, max(now, at))
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return self._rate.verdict(allowed, tokens, self.store)
