"""What may still change is told at once, at most once, and goes with the retention."""

import pytest
from redis import Redis, ResponseError
from stream_samples import StillClock

from esports_assets.streams.announce import Announcer
from esports_assets.streams.names import PROVISIONAL, announced_key


def told(client: Redis) -> list[bytes]:
    return [fields[b"data"] for _, fields in client.xrange(PROVISIONAL)]


def test_each_is_told_once_in_order(client: Redis) -> None:
    announcer = Announcer(client)
    assert announcer.announce([("a", "m1", b"1"), ("b", "m2", b"2"), ("a", "m1", b"1")]) == 2
    assert announcer.announce([("a", "m1", b"changed"), ("c", "m1", b"3")]) == 1
    assert told(client) == [b"1", b"2", b"3"]
    assert announcer.announce([]) == 0


def test_the_same_id_in_another_match_is_another_statement(client: Redis) -> None:
    assert Announcer(client).announce([("a", "m1", b"1"), ("a", "m2", b"2")]) == 2


def test_old_ones_go_with_the_retention(client: Redis) -> None:
    clock = StillClock(10_000_000_000)
    announcer = Announcer(client, retention_h=1.0, clock_ms=clock)
    announcer.announce([("a", "m1", b"1")])
    clock.now += 3_700_000
    announcer.announce([("b", "m2", b"2")])
    assert told(client) == [b"2"]
    assert 0 < client.pttl(announced_key("m2")) <= 3_600_000


def test_a_key_of_another_kind_is_told_and_nothing_is_written(client: Redis) -> None:
    client.set(announced_key("m1"), "x")
    with pytest.raises(ResponseError, match="not a set"):
        Announcer(client).announce([("a", "m1", b"1")])
    assert told(client) == []
