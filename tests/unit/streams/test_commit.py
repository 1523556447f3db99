"""Commits: all or nothing, once, and only for who holds the shard; and a worker that dies anywhere."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis, ResponseError
from stream_samples import StillClock, envelope, matches_on

from esports_assets.streams.commit import Committed, Committer, Output
from esports_assets.streams.deadletter import DeadLetters
from esports_assets.streams.errors import LostLease
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import Lease, ShardLeases
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import (
    DEAD,
    MOTION,
    SIGNALS,
    checkpoint_key,
    lease_key,
    shard_of,
    shard_stream,
    signals_key,
)

MATCH = "test:m:1"
SHARD = shard_of(MATCH)
STREAM = shard_stream(SHARD)


@pytest.fixture
def lease(client: Redis) -> Lease:
    return ShardLeases(client, "g", "w").heartbeat().held[SHARD]


def reader(client: Redis) -> ConsumerGroup:
    group = ConsumerGroup(client, STREAM, "g", "w")
    group.ensure()
    return group


def contents(client: Redis, stream: str) -> list[bytes]:
    return [fields[b"data"] for _, fields in client.xrange(stream)]


def test_everything_of_a_batch_is_written_together(client: Redis, lease: Lease) -> None:
    EventLog(client).append([envelope(n) for n in range(4)])
    entries = reader(client).read()
    client.hset(checkpoint_key("g", SHARD), "old", "state")
    done = Committer(client, "g").commit(
        lease,
        entries[:3],
        outputs=[Output("s1", MATCH, b"{1}"), Output("s2", MATCH, b"{2}", (SIGNALS,)), Output("s1", MATCH, b"{3}")],
        checkpoint={MATCH: b"\x00\xff state", "other": b""},
        evict=["old", "never was"],
        dead=[(entries[3], "cannot be")],
    )
    assert done == Committed((True, True, False), 3)
    assert contents(client, MOTION) == [b"{1}"]
    assert contents(client, SIGNALS) == [b"{1}", b"{2}"]
    assert Committer(client, "g").checkpoint(SHARD) == {MATCH: b"\x00\xff state", "other": b""}
    assert client.xpending(STREAM, "g")["pending"] == 0
    (letter,) = DeadLetters(client).letters()
    assert (letter.reason, letter.entry_id, letter.stream, letter.group) == ("cannot be", entries[3].id, STREAM, "g")
    assert 0 < client.pttl(signals_key(MATCH)) <= 24 * 3_600_000


def test_a_commit_that_is_repeated_changes_nothing(client: Redis, lease: Lease) -> None:
    EventLog(client).append([envelope(0), envelope(1)])
    entries = reader(client).read()
    committer = Committer(client, "g")

    def commit() -> Committed:
        outputs = [Output("s1", MATCH, b"{1}")]
        return committer.commit(lease, entries[:1], outputs=outputs, checkpoint={"m": b"1"}, dead=[(entries[1], "no")])

    assert commit() == Committed((True,), 1)
    before = (client.xrange(MOTION), client.xrange(SIGNALS), client.xrange(DEAD))
    assert commit() == Committed((False,), 0)
    assert (client.xrange(MOTION), client.xrange(SIGNALS), client.xrange(DEAD)) == before


def test_the_same_id_in_two_matches_is_two_signals(client: Redis, lease: Lease) -> None:
    outputs = [Output("s", "a", b"1"), Output("s", "b", b"2")]
    assert Committer(client, "g").commit(lease, outputs=outputs).published == (True, True)


def test_who_lost_the_lease_writes_nothing(client: Redis, lease: Lease) -> None:
    EventLog(client).append([envelope(0)])
    entries = reader(client).read()
    client.hset(lease.key, mapping={"holder": "somebody", "token": lease.token + 1})
    before = {key: client.dump(key) for key in client.scan_iter()}
    with pytest.raises(LostLease, match=f"shard {SHARD} is no longer held by w with token {lease.token}"):
        Committer(client, "g").commit(
            lease, entries, outputs=[Output("s", MATCH, b"1")], checkpoint={"m": b"1"}, dead=[(entries[0], "no")]
        )
    assert {key: client.dump(key) for key in client.scan_iter()} == before


@pytest.mark.parametrize("key", [MOTION, signals_key(MATCH), checkpoint_key("g", SHARD), DEAD])
def test_a_key_of_another_kind_stops_everything(client: Redis, lease: Lease, key: str) -> None:
    EventLog(client).append([envelope(0)])
    entries = reader(client).read()
    client.set(key, "somebody else's")
    before = {key: client.dump(key) for key in client.scan_iter()}
    with pytest.raises(ResponseError, match="nothing was written"):
        Committer(client, "g").commit(
            lease, entries, outputs=[Output("s", MATCH, b"1")], checkpoint={"m": b"1"}, dead=[(entries[0], "no")]
        )
    assert {key: client.dump(key) for key in client.scan_iter()} == before


def test_outputs_have_the_retention_too(client: Redis, lease: Lease) -> None:
    clock = StillClock()
    client.xadd(SIGNALS, {"data": b"old"}, id=f"{clock.now - 3_700_000}-0")
    client.xadd(SIGNALS, {"data": b"young"}, id=f"{clock.now - 3_500_000}-0")
    committer = Committer(client, "g", retention_h=1, clock_ms=clock)
    committer.commit(lease, outputs=[Output("s", MATCH, b"new", (SIGNALS,))])
    assert contents(client, SIGNALS) == [b"young", b"new"]


def test_an_empty_commit_still_needs_the_lease(client: Redis, lease: Lease) -> None:
    assert Committer(client, "g").commit(lease) == Committed((), 0)
    client.delete(lease_key("g", SHARD))
    with pytest.raises(LostLease):
        Committer(client, "g").commit(lease)


class Died(BaseException):
    """A process that is gone: nothing of its memory is used again."""


class Life:
    """One life of a worker that counts kills per match and signals every third; it dies where it is told to."""

    def __init__(self, client: Redis, clock: StillClock, name: str, dice: random.Random, risk: float) -> None:
        self.dice, self.risk, self.client, self.clock = dice, risk, client, clock
        self.leases = ShardLeases(client, "g", name, ttl_s=1, shards=16, clock_ms=clock)
        self.group = ConsumerGroup(client, STREAM, "g", name, max_deliveries=1000)
        self.group.ensure()
        self.committer = Committer(client, "g", clock_ms=clock)

    def may_die(self) -> None:
        if self.dice.random() < self.risk:
            raise Died

    def run(self) -> None:
        lease = self.leases.heartbeat().held.get(SHARD)
        assert lease is not None
        self.may_die()
        counts = {name: int(value) for name, value in self.committer.checkpoint(SHARD).items()}
        while True:
            size = self.dice.randint(1, 7)
            taken = self.group.reclaim(min_idle_ms=0, count=size).entries or tuple(self.group.read(size))
            self.may_die()
            if not taken:
                return
            outputs = []
            for delivery in self.group.deliveries(taken, lease):
                match = delivery.envelope.event.match_id
                counts[match] = counts.get(match, 0) + 1
                if counts[match] % 3 == 0:
                    outputs.append(Output(f"{match}#{counts[match]}", match, f"{match}#{counts[match]}".encode()))
            self.may_die()
            state = {match: str(count).encode() for match, count in counts.items()}
            self.committer.commit(lease, taken, outputs=outputs, checkpoint=state)
            self.may_die()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30), risk=st.sampled_from([0.0, 0.1, 0.25, 0.4]))
def test_a_worker_that_dies_anywhere_leaves_what_one_that_never_died_leaves(
    client: Redis, seed: int, risk: float
) -> None:
    client.flushdb()
    clock, dice = StillClock(), random.Random(seed)
    matches = matches_on(SHARD, 3)
    log = EventLog(client, clock_ms=clock)
    sent = [envelope(n // 3, matches[n % 3]) for n in range(60)]
    for start in range(0, 60, 10):
        log.append(sent[start : start + 10])
        log.append(sent[max(0, start - 4) : start + 3])  # delivered again
    client.xadd(STREAM, {"data": b"garbage"})
    for life in range(5000):
        clock.pass_s(2)  # the last life's lease is over
        try:
            Life(client, clock, f"w{life}", dice, risk).run()
            break
        except Died:
            continue
    else:
        pytest.fail("the worker did not get to the end")
    expected = sorted(f"{match}#{count}".encode() for match in matches for count in range(3, 21, 3))
    assert sorted(contents(client, SIGNALS)) == sorted(contents(client, MOTION)) == expected
    assert Committer(client, "g").checkpoint(SHARD) == dict.fromkeys(matches, b"20")
    assert client.xpending(STREAM, "g")["pending"] == 0
    assert [letter.data for letter in DeadLetters(client).letters()] == [b"garbage"]
