"""No caller gets more than its rate, however many processes count; both kinds of bucket say the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.errors import ApiError
from serving.ratelimit import Limiter, ProcessLimiter, Rate, RedisLimiter


@dataclass
class Clock:
    """Milliseconds that a test sets."""

    ms: int = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(redis_url.replace("/0", "/5"))
    found.flushdb()
    yield found
    found.flushdb()
    found.close()


@pytest.fixture(params=["redis", "process"])
def limiter(request: pytest.FixtureRequest, client: "redis.Redis") -> tuple[Limiter, Clock]:
    clock, rate = Clock(), Rate(2.0, 3)
    found: Limiter = RedisLimiter(client, rate, clock) if request.param == "redis" else ProcessLimiter(rate, clock)
    return found, clock


def test_a_burst_passes_and_then_the_rate(limiter: tuple[Limiter, Clock]) -> None:
    bucket, clock = limiter
    assert [(v.allowed, v.remaining) for v in (bucket.take("a") for _ in range(4))] == [
        *((True, 2), (True, 1), (True, 0)),
        (False, 0),
    ]
    assert bucket.take("b").allowed
    clock.ms += 499
    refused = bucket.take("a")
    assert (refused.allowed, refused.retry_after_s, refused.headers["Retry-After"]) == (False, 1, "1")
    clock.ms += 1
    assert bucket.take("a").allowed
    clock.ms += 60_000
    assert bucket.take("a").remaining == 2


def test_headers_say_who_counts(limiter: tuple[Limiter, Clock]) -> None:
    bucket, _ = limiter
    assert bucket.take("a").headers == {
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "2",
        "X-RateLimit-Store": bucket.store,
    }


def test_a_slow_rate_says_how_long_to_wait() -> None:
    clock = Clock()
    bucket = ProcessLimiter(Rate(0.1, 1), clock)
    bucket.take("a")
    assert bucket.take("a").retry_after_s == 10
    clock.ms += 4500
    assert bucket.take("a").retry_after_s == 6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.integers(-500, 3000), max_size=25),
    st.floats(0.1, 50),
    st.integers(1, 8),
)
def test_both_buckets_agree_and_no_window_holds_more_than_the_rate(
    client: "redis.Redis", steps: list[int], per_s: float, burst: int
) -> None:
    client.flushdb()
    clock, rate = Clock(), Rate(per_s, burst)
    shared, own = RedisLimiter(client, rate, clock), ProcessLimiter(rate, clock)
    passed: list[int] = []
    for step in steps:
        clock.ms += step
        one, other = shared.take("a"), own.take("a")
        assert (one.allowed, one.remaining, one.retry_after_s) == (other.allowed, other.remaining, other.retry_after_s)
        if one.allowed:
            passed.append(max([clock.ms, *passed]))
    for i, first in enumerate(passed):
        for j in range(i, len(passed)):
            assert j - i + 1 <= burst + per_s * (passed[j] - first) / 1000 + 1e-6


def test_processes_share_one_bucket_and_it_goes_by_itself(redis_url: str, client: "redis.Redis") -> None:
    def spend(_: int) -> int:
        own = redis.Redis.from_url(redis_url.replace("/0", "/5"))
        passed = sum(RedisLimiter(own, Rate(0.001, 50)).take("a").allowed for _ in range(40))
        own.close()
        return passed

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(spend, range(4))) == 50
    RedisLimiter(client, Rate(1000.0, 1)).take("quick")
    assert 0 < client.pttl("esports:rate:quick") <= 1001


def test_a_redis_that_is_away_refuses_instead_of_counting_alone() -> None:
    away = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    with pytest.raises(ApiError) as refused:
        RedisLimiter(away, Rate(1.0, 1)).take("a")
    assert (refused.value.status, refused.value.code) == (503, "limits_unavailable")


@pytest.mark.parametrize(("per_s", "burst"), [(0.0, 1), (float("nan"), 1), (float("inf"), 1), (1.0, 0)])
def test_a_rate_that_lets_nothing_pass_is_refused(per_s: float, burst: int) -> None:
    with pytest.raises(ValueError, match="lets nothing pass"):
        Rate(per_s, burst)
