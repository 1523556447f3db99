"""Leases: shares, joining, dying, and that no two holders ever commit."""

import time
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import Redis
from stream_samples import StillClock

from esports_assets.streams.commit import Committer, Output
from esports_assets.streams.connect import connect
from esports_assets.streams.errors import LostLease
from esports_assets.streams.leases import Lease, ShardLeases
from esports_assets.streams.names import SIGNALS

TTL_S = 10.0


def worker(client: Redis, clock: StillClock | None, name: str, shards: int = 16) -> ShardLeases:
    return ShardLeases(client, "g", name, ttl_s=TTL_S, shards=shards, clock_ms=clock)


def settle(workers: list[ShardLeases]) -> list[int]:
    """Heartbeats until nothing moves; how many shards each holds."""
    for _ in range(4):
        for one in workers:
            for shard in one.heartbeat().surplus:
                one.release(one.holdings.held[shard])
    return [len(one.heartbeat().held) for one in workers]


def test_one_worker_holds_everything(client: Redis) -> None:
    alone = worker(client, StillClock(), "a")
    holdings = alone.heartbeat()
    assert set(holdings.held) == holdings.gained == set(range(16))
    assert holdings.surplus == holdings.lost == frozenset()
    assert alone.heartbeat().gained == frozenset()
    assert alone.holdings.held == holdings.held


@pytest.mark.parametrize("count", [2, 3, 5, 7, 16, 20])
def test_shares_are_fair(client: Redis, count: int) -> None:
    clock = StillClock()
    workers = [worker(client, clock, f"w{n}") for n in range(count)]
    held = settle(workers)
    assert sum(held) == 16
    assert max(held) == -(-16 // count)
    assert max(held) - min(held) <= 1
    assert len({shard for one in workers for shard in one.holdings.held}) == 16


def test_a_joining_worker_gets_its_share_once_it_is_given_back(client: Redis) -> None:
    clock = StillClock()
    a, b = worker(client, clock, "a"), worker(client, clock, "b")
    before = dict(a.heartbeat().held)
    assert b.heartbeat().held == {}
    surplus = a.heartbeat().surplus
    assert surplus == frozenset(range(8, 16))
    assert set(a.holdings.held) == set(range(16))  # still a's, until it has finished and gives them back
    assert a.release(before[8])
    assert a.holdings.surplus == frozenset(range(9, 16))
    assert set(b.heartbeat().held) == {8}
    assert not a.release(before[8])
    for shard in a.holdings.surplus:
        a.release(before[shard])
    assert b.heartbeat().gained == frozenset(range(9, 16))
    assert {shard: a.heartbeat().held[shard] for shard in range(8)} == {shard: before[shard] for shard in range(8)}


def test_a_dead_workers_shards_are_free_after_its_time(client: Redis) -> None:
    clock = StillClock()
    a, b = worker(client, clock, "a"), worker(client, clock, "b")
    assert settle([a, b]) == [8, 8]
    clock.pass_s(9.999)
    assert len(b.heartbeat().held) == 8
    clock.pass_s(0.001)
    assert len(b.heartbeat().held) == 16
    lost = a.heartbeat()
    assert (lost.held, lost.lost) == ({}, frozenset(range(8)))


def test_a_silent_worker_that_nobody_replaced_keeps_its_shards(client: Redis) -> None:
    clock = StillClock()
    a = worker(client, clock, "a")
    before = a.heartbeat().held
    clock.pass_s(1000)
    assert a.heartbeat().held == before


def test_a_worker_that_leaves_gives_everything_back_at_once(client: Redis) -> None:
    clock = StillClock()
    a, b = worker(client, clock, "a"), worker(client, clock, "b")
    assert settle([a, b]) == [8, 8]
    a.leave()
    assert a.holdings.held == {}
    assert len(b.heartbeat().held) == 16


def test_every_taking_has_a_greater_token(client: Redis) -> None:
    clock = StillClock()
    a = worker(client, clock, "a", shards=1)
    tokens = []
    for _ in range(4):
        lease = a.heartbeat().held[0]
        tokens.append(lease.token)
        a.release(lease)
    assert tokens == sorted(set(tokens))
    assert tokens[0] == clock.now * 1000


def test_a_shard_that_was_given_back_and_taken_again_has_one_lease(client: Redis) -> None:
    """The same worker holds it, but what it had in hand under the earlier token is void."""
    clock = StillClock()
    a = worker(client, clock, "a", shards=1)
    old = a.heartbeat().held[0]
    a.release(old)
    new = a.heartbeat().held[0]
    committer = Committer(client, "g", clock_ms=clock)
    with pytest.raises(LostLease):
        committer.commit(old, checkpoint={"m": b"old"})
    committer.commit(new, checkpoint={"m": b"new"})
    assert committer.checkpoint(0) == {"m": b"new"}
    assert not a.release(old)


def test_tokens_grow_across_a_server_that_forgot(client: Redis) -> None:
    clock = StillClock()
    old = worker(client, clock, "a", shards=1).heartbeat().held[0]
    client.flushdb()
    clock.pass_s(0.001)
    assert worker(client, clock, "b", shards=1).heartbeat().held[0].token > old.token


def test_real_time_without_a_clock_of_its_own(client: Redis) -> None:
    a = ShardLeases(client, "g", "a", ttl_s=0.05)
    b = ShardLeases(client, "g", "b", ttl_s=0.05)
    assert len(a.heartbeat().held) == 16
    time.sleep(0.06)
    assert len(b.heartbeat().held) == 16


def test_a_worker_needs_a_name(client: Redis) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        ShardLeases(client, "g", "")


class Workers(RuleBasedStateMachine):
    """Workers that join, pause, wake up, die and commit at any time, with old leases too."""

    client: Redis

    @initialize()
    def begin(self) -> None:
        self.client.flushdb()
        self.clock = StillClock()
        self.workers = {name: worker(self.client, self.clock, name, shards=3) for name in "abc"}
        self.leases: list[Lease] = []
        self.owner: dict[int, Lease] = {}
        self.committed = 0

    @rule(name=st.sampled_from("abc"))
    def heartbeat(self, name: str) -> None:
        for shard, lease in self.workers[name].heartbeat().held.items():
            if self.owner.get(shard) != lease:
                before = self.owner.get(shard)
                assert before is None or lease.token > before.token
                self.owner[shard] = lease
                self.leases.append(lease)

    @rule(seconds=st.sampled_from([0.001, 1.0, 4.0, 9.999, 10.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_s(seconds)

    @rule(name=st.sampled_from("abc"), data=st.data())
    def give_back(self, name: str, data: st.DataObject) -> None:
        held = self.workers[name].holdings.held
        if held:
            lease = data.draw(st.sampled_from(list(held.values())))
            was_current = self.owner.get(lease.shard) == lease
            assert self.workers[name].release(lease) == was_current
            if was_current:
                del self.owner[lease.shard]

    @rule(name=st.sampled_from("abc"))
    def restart(self, name: str) -> None:
        """A process that dies comes back under another name."""
        fresh = f"{name}{len(self.leases)}-{self.clock.now}"
        self.workers[name] = worker(self.client, self.clock, fresh, shards=3)

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        """Any lease that ever was tries; only the latest of its shard may succeed."""
        if not self.leases:
            return
        lease: Lease = data.draw(st.sampled_from(self.leases))
        output = Output(f"{lease.shard}-{lease.token}-{self.committed}", "m", b"{}", (SIGNALS,))
        committer = Committer(self.client, "g", clock_ms=self.clock)
        if self.owner.get(lease.shard) == lease:
            assert committer.commit(lease, outputs=[output]).published == (True,)
            self.committed += 1
        else:
            with pytest.raises(LostLease):
                committer.commit(lease, outputs=[output], checkpoint={"m": b"zombie"})

    @invariant()
    def nothing_of_a_zombie_was_written(self) -> None:
        if hasattr(self, "committed"):
            assert self.client.xlen(SIGNALS) == self.committed
            assert not [key for key in self.client.scan_iter() if b"checkpoint" in key]

    @invariant()
    def nobody_holds_more_than_all(self) -> None:
        if hasattr(self, "owner"):
            assert len({lease.token for lease in self.owner.values()} | set()) <= 3


def test_no_two_holders_of_a_shard_commit(client: Redis, stream_url: str) -> None:
    class Here(Workers):
        pass

    Here.client = connect(stream_url)
    made: Any = Here
    run_state_machine_as_test(made, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
