"""Rate limits: a token bucket per caller, in Redis for all processes together, in this process where there is no Redis.

Belongs here: the two buckets, which give the same answers, portions of them, and what a caller is told.
Does not belong here: who the caller is (``auth.py``), which routes are limited.

The bucket of this process is for an installation without any Redis, and every answer says so (``X-RateLimit-Store: process``).
A configured Redis that does not answer refuses with 503 instead: a limit that quietly became several limits is none.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from serving.errors import ApiError

if TYPE_CHECKING:
    import redis

_PREFIX = "esports:rate:"
_MOST_BUCKETS = 50_000
_KEPT_S = 1.0
_SPARE_S = 2.0
_TURNS = 64
_TAKE = """
local rate, burst, now, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(known[1]) or burst, tonumber(known[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local granted = math.min(most, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {granted, string.format('%.17g', tokens)}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of the requests asked for may pass, what is left, and when the next one may come."""

    granted: int
    limit: int
    remaining: int
    retry_after_s: int
    store: str

    @property
    def allowed(self) -> bool:
        """Whether a request may pass."""
        return self.granted > 0

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

    def take(self, identity: str, most: int = 1) -> Verdict:
        """Count a request of a caller, or as many as may pass of ``most``."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second in the long run, and how many may come at once. ValueError for one that lets nothing pass."""

    per_s: float
    burst: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.per_s) and self.per_s > 0 and self.burst >= 1):
            raise ValueError(f"a rate of {self.per_s} requests per second, {self.burst} at once, lets nothing pass")

    def verdict(self, granted: int, tokens: float, store: str) -> Verdict:
        """The verdict that leaves so many tokens."""
        wait_s = 0 if granted else max(1, math.ceil((1 - tokens) / self.per_s))
        return Verdict(granted, self.burst, math.floor(tokens), wait_s, store)


class RedisLimiter:
    """Buckets that all processes share; each request is one atomic call. ``clock_ms`` replaces Redis's own clock.

    ``of`` names what is counted where it is not requests in general.
    """

    store = "redis"

    def __init__(
        self, client: "redis.Redis", rate: Rate, clock_ms: Callable[[], int] | None = None, of: str = ""
    ) -> None:
        self._prefix = f"{_PREFIX}{of}"
        self._rate = rate
        self._clock_ms = clock_ms
        self._take = client.register_script(_TAKE)

    def take(self, identity: str, most: int = 1) -> Verdict:
        """Count a request of a caller, or as many as may pass of ``most``; ApiError 503 while Redis does not answer."""
        from redis import RedisError

        now = "" if self._clock_ms is None else self._clock_ms()
        try:
            answer: Any = self._take(
                keys=[f"{self._prefix}{identity}"], args=[self._rate.per_s, self._rate.burst, now, most]
            )
        except RedisError as error:
            message = "Requests cannot be counted now, so none that needs an account passes; try again in a moment."
            raise ApiError(503, "limits_unavailable", message) from error
        return self._rate.verdict(int(answer[0]), float(answer[1]), self.store)


class ProcessLimiter:
    """Buckets of this process alone."""

    store = "process"

    def __init__(self, rate: Rate, clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000) -> None:
        self._rate = rate
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, identity: str, most: int = 1) -> Verdict:
        """Count a request of a caller, or as many as may pass of ``most``."""
        burst = float(self._rate.burst)
        with self._lock:
            now = self._clock_ms()
            tokens, at = self._buckets.pop(identity, (burst, now))
            tokens = min(burst, tokens + max(0, now - at) * self._rate.per_s / 1000)
            granted = min(most, math.floor(tokens))
            tokens -= granted
            self._buckets[identity] = (tokens, max(now, at))
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return self._rate.verdict(granted, tokens, self.store)


class WithSpare:
    """A limiter for what must go on while Redis is away: this process counts alone then, as ``away`` and every answer say."""

    def __init__(self, first: Limiter, spare: Limiter, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.store = first.store
        self._first = first
        self._spare = spare
        self._clock_s = clock_s
        self._again_at = -math.inf
        self.away: str | None = None

    def take(self, identity: str, most: int = 1) -> Verdict:
        """Count a request of a caller, or as many as may pass of ``most``; the first limiter is asked again after a while."""
        if self.away is None or self._clock_s() >= self._again_at:
            try:
                verdict = self._first.take(identity, most)
            except ApiError:
                self._again_at = self._clock_s() + _SPARE_S
                self.away = "Requests for games are counted by each process alone: Redis does not answer."
            else:
                self.away = None
                return verdict
        return self._spare.take(identity, most)


class Portions:
    """A limiter that is asked for several requests at once, so that most are counted without asking it.

    What was taken and not used within a second is given up: nobody gets more than the rate, somebody may get a little less.
    Of requests that come together once a portion is used up, one takes the next, and the others have theirs out of it.
    """

    def __init__(self, limiter: Limiter, size: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._limiter = limiter
        self._size = size
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Verdict, int, float]] = OrderedDict()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))

    def at_hand(self, identity: str) -> Verdict | None:
        """Count a request of a caller out of what was taken before; never blocks. None where that is used up."""
        with self._lock:
            verdict, left, until = self._kept.get(identity, (None, 0, 0.0))
            if verdict is None or left < 1 or self._clock_s() >= until:
                return None
            self._kept[identity] = (verdict, left - 1, until)
        return replace(verdict, remaining=verdict.remaining + left - 1)

    def take(self, identity: str) -> Verdict:
        """Count a request of a caller and take some more; blocks, and raises what the limiter does."""
        with self._turns[hash(identity) % _TURNS]:
            return self.at_hand(identity) or self._taken(identity)

    def _taken(self, identity: str) -> Verdict:
        verdict = self._limiter.take(identity, self._size)
        if verdict.granted < 2:
            return verdict
        left = verdict.granted - 1
        with self._lock:
            self._kept[identity] = (verdict, left, self._clock_s() + _KEPT_S)
            self._kept.move_to_end(identity)
            if len(self._kept) > _MOST_BUCKETS:
                self._kept.popitem(last=False)
        return replace(verdict, remaining=verdict.remaining + left)
