"""Leases: which worker works on which shard, with fencing tokens.

A worker calls ``heartbeat`` several times per ``ttl_s``. One script then renews what it holds, takes free shards up to its fair
share, and names what it holds beyond that: ``surplus``, which it finishes and gives back with ``release``. Shares differ by at
most one shard: of S shards and n workers everyone gets S // n, and the first S % n by name one more, so nobody holds more
than the ceiling. A worker that stays silent for ``ttl_s`` counts as dead and its shards are free.

Every taking gets a token greater than all before; what commits compares it (``commit.py``). A holder whose time ran out but
whom nobody replaced may still commit: nobody else could have. Tokens begin at the server's time in microseconds, so that they
also grow across a server that lost the last second of its log.

Belongs here: taking, renewing, giving back.
Does not belong here: what is done under a lease.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from esports_assets.streams.log import Clock
from esports_assets.streams.names import SHARDS, lease_key, workers_key
from esports_assets.streams.scripts import lua

TTL_S = 10.0

_HEARTBEAT = lua(
    *("check", "now"),
    body="""
for i = 1, #KEYS do
  local wrong = check(KEYS[i], i == 1 and 'zset' or 'hash')
  if wrong then return wrong end
end
local me, ttl, now = ARGV[1], tonumber(ARGV[2]), now_ms(ARGV[3])
local until_ms = string.format('%.0f', now + ttl)
redis.call('ZADD', KEYS[1], until_ms, me)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local workers = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(workers)
local shards, share = #KEYS - 1, 0
for i = 1, #workers do
  if workers[i] == me then
    share = math.floor(shards / #workers) + (i <= shards % #workers and 1 or 0)
  end
end
local held, free = {}, {}
for i = 2, #KEYS do
  local lease = redis.call('HMGET', KEYS[i], 'holder', 'token', 'until')
  if lease[1] == me then
    redis.call('HSET', KEYS[i], 'until', until_ms)
    held[#held + 1] = {i - 2, lease[2]}
  elseif not lease[1] or lease[1] == '' or tonumber(lease[3]) <= now then
    free[#free + 1] = {i, lease[2]}
  end
end
for i = 1, math.min(#free, share - #held) do
  local key, before = free[i][1], tonumber(free[i][2] or 0)
  local token = string.format('%.0f', math.max(before + 1, now * 1000))
  redis.call('HSET', KEYS[key], 'holder', me, 'token', token, 'until', until_ms)
  held[#held + 1] = {key - 2, token}
end
return {held, share}
""",
)

_RELEASE = lua(
    "fence",
    body="""
if not holds(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', '', 'until', '0')
return 1
""",
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to commit for a shard, as long as ``token`` is the current one."""

    group: str
    shard: int
    holder: str
    token: int

    @property
    def key(self) -> str:
        """Where the current holder and token stand."""
        return lease_key(self.group, self.shard)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a worker holds after a heartbeat, and what changed since its last one.

    ``surplus`` are shards beyond the fair share: to be finished and released. ``lost`` were held before and are not now, or
    under another token: whatever is in hand for them is void.
    """

    held: Mapping[int, Lease] = field(default_factory=dict)
    surplus: frozenset[int] = frozenset()
    gained: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()


class ShardLeases:
    """One worker's side of the leases of a group. ``worker`` must be a name that no other process ever has."""

    def __init__(
        self,
        client: Redis,
        group: str,
        worker: str,
        *,
        ttl_s: float = TTL_S,
        shards: int = SHARDS,
        clock_ms: Clock | None = None,
    ) -> None:
        if not worker:
            raise ValueError("a worker needs a name: an empty holder means nobody")
        self.client, self.group, self.worker = client, group, worker
        self.ttl_ms = max(1, round(ttl_s * 1000))
        self.holdings = Holdings()
        self._keys = [workers_key(group), *(lease_key(group, shard) for shard in range(shards))]
        self._clock = clock_ms
        self._heartbeat = client.register_script(_HEARTBEAT)
        self._release = client.register_script(_RELEASE)

    def heartbeat(self) -> Holdings:
        """Renew, take up to the fair share, and learn what to give back."""
        now: Any = "" if self._clock is None else self._clock()
        told, share = self._heartbeat(self._keys, [self.worker, self.ttl_ms, now])
        held = {int(shard): Lease(self.group, int(shard), self.worker, int(token)) for shard, token in told}
        before = self.holdings.held
        self.holdings = Holdings(
            held,
            frozenset(sorted(held)[int(share) :]),
            frozenset(shard for shard, lease in held.items() if before.get(shard) != lease),
            frozenset(shard for shard, lease in before.items() if held.get(shard) != lease),
        )
        return self.holdings

    def release(self, lease: Lease) -> bool:
        """Give a shard back; whether it was still held. Its token never commits again."""
        released = bool(self._release([lease.key], [lease.holder, lease.token]))
        held = {shard: known for shard, known in self.holdings.held.items() if known != lease}
        self.holdings = Holdings(held, self.holdings.surplus & held.keys())
        return released

    def leave(self) -> None:
        """Give everything back and count no longer: the others take over at their next heartbeat."""
        self.client.zrem(self._keys[0], self.worker)
        for lease in tuple(self.holdings.held.values()):
            self.release(lease)
