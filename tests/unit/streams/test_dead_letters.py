"""Dead letters and their way back."""

import pytest
from redis import Redis
from stream_samples import StillClock, data_of, envelope

from esports_assets.streams.deadletter import DeadLetters
from esports_assets.streams.errors import RetryError
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, DEAD, shard_of, shard_stream

MATCH = "test:m:1"
STREAM = shard_stream(shard_of(MATCH))


def buried(client: Redis, *numbers: int, stream: str = STREAM) -> list[str]:
    """Dead letters of events that had entered; their ids."""
    EventLog(client).append([envelope(n) for n in numbers])
    group = ConsumerGroup(client, stream, "g", "a", clock_ms=StillClock())
    group.ensure()
    group.bury([(entry, f"reason {n}") for n, entry in zip(numbers, group.read(), strict=True)])
    return [letter.id for letter in DeadLetters(client).letters()]


def datas(client: Redis, stream: str) -> list[bytes]:
    return [fields[b"data"] for _, fields in client.xrange(stream)]


def test_letters_are_listed_in_pages(client: Redis) -> None:
    ids = buried(client, *range(5))
    dead = DeadLetters(client)
    assert dead.count() == 5
    assert [letter.id for letter in dead.letters(2)] == ids[:2]
    assert [letter.reason for letter in dead.letters(2, after=ids[1])] == ["reason 2", "reason 3"]
    assert [letter.id for letter in dead.all()] == ids
    letter = dead.show(ids[4])
    assert (letter.about, letter.data, letter.stream, letter.deliveries) == (f"{MATCH} KILL", data_of(4), STREAM, 1)
    assert letter.at.timestamp() == StillClock().now / 1000


def test_foreign_entries_are_listed_too(client: Redis) -> None:
    client.xadd(DEAD, {"reason": "somebody's", "deliveries": "many", "at": "noon"}, id="1700000000123-0")
    (letter,) = DeadLetters(client).letters()
    assert (letter.reason, letter.deliveries, letter.data, letter.about) == ("somebody's", 0, b"", "")
    assert letter.at.timestamp() == 1_700_000_000.123


def test_what_had_entered_is_delivered_again_and_not_appended(client: Redis) -> None:
    (letter,) = buried(client, 0)
    done = DeadLetters(client).retry(letter, EventLog(client))
    assert (done.verdict, done.stream) == ("redelivered", STREAM)
    assert datas(client, CANONICAL) == [data_of(0)]
    assert datas(client, STREAM) == [data_of(0), data_of(0)]
    group = ConsumerGroup(client, STREAM, "g", "a")
    assert [(entry.id, entry.data, entry.deliveries) for entry in group.read()] == [(done.entry_id, data_of(0), 1)]
    assert client.xlen(DEAD) == 0
    with pytest.raises(RetryError, match="there is no dead letter"):
        DeadLetters(client).retry(letter, EventLog(client))


def test_it_goes_back_to_the_stream_where_it_was_read(client: Redis) -> None:
    (letter,) = buried(client, 0, stream=CANONICAL)
    assert DeadLetters(client).retry(letter, EventLog(client)).stream == CANONICAL
    assert len(datas(client, CANONICAL)) == 2
    assert len(datas(client, STREAM)) == 1


def test_what_had_not_entered_is_appended_once(client: Redis) -> None:
    for _ in range(2):
        client.xadd(DEAD, {"data": data_of(7), "reason": "x", "stream": "elsewhere"})
    dead, log = DeadLetters(client), EventLog(client)
    first, second = (dead.retry(letter.id, log) for letter in dead.letters())
    assert (first.verdict, first.stream) == ("appended", CANONICAL)
    assert (second.verdict, second.stream) == ("redelivered", STREAM)
    assert datas(client, CANONICAL) == [data_of(7)]
    assert log.append([envelope(7)])[0].duplicate


def test_malformed_letters_stay_until_they_are_mended(client: Redis) -> None:
    letter = client.xadd(DEAD, {"data": b"{nonsense", "reason": "malformed"}).decode()
    dead, log = DeadLetters(client), EventLog(client)
    with pytest.raises(RetryError, match=f"dead letter {letter} cannot go back: not JSON"):
        dead.retry(letter, log)
    with pytest.raises(RetryError, match="cannot go back"):
        dead.retry(letter, log, b"[]")
    assert dead.count() == 1
    assert dead.retry(letter, log, data_of(1)).verdict == "appended"
    assert (datas(client, STREAM), dead.count()) == ([data_of(1)], 0)


def test_dropping(client: Redis) -> None:
    first, second = buried(client, 0, 1)
    dead = DeadLetters(client)
    assert dead.drop(first)
    assert [letter.id for letter in dead.letters()] == [second]
    with pytest.raises(RetryError, match="was retried or dropped"):
        dead.drop(first)
    with pytest.raises(RetryError, match="is not the id of a dead letter"):
        dead.show("what")
