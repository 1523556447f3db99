"""The commit: a batch's signals, window state and acknowledgements, all or nothing, and only for who holds the shard.

Belongs here: one script per commit. A signal is published once: its id is kept per match as long as the retention, so a
commit that is repeated after a lost answer changes nothing.
Does not belong here: what a signal says, rows in PostgreSQL (idempotent upserts before the commit).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from esports_assets.streams.entries import Entry
from esports_assets.streams.errors import LostLease
from esports_assets.streams.leases import Lease
from esports_assets.streams.log import RETENTION_H, Clock
from esports_assets.streams.names import DEAD, MOTION, SIGNALS, checkpoint_key, shard_stream, signals_key
from esports_assets.streams.scripts import lua

_COMMIT = lua(
    *("check", "now", "ids", "state", "top", "trim", "bury", "fence"),
    body="""
local group, now, retention = ARGV[3], now_ms(ARGV[4]), tonumber(ARGV[5])
local outputs, sets, signals = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local states, evicted, acks = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
for i = 1, #KEYS do
  local wrong = check(KEYS[i], (i == 1 or i == 3) and 'hash' or (i <= 4 + outputs and 'stream' or 'set'))
  if wrong then return wrong end
end
if not holds(KEYS[1], ARGV[1], ARGV[2]) then return {'lost'} end
local streams = {}
for i = 1, outputs do streams[i] = KEYS[4 + i] end
local ms, seq = top(streams, now)
local at, published = 12, {}
for i = 1, signals do
  local seen, id, data, copies = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  published[i] = redis.call('SADD', seen, id)
  if published[i] == 1 then
    local to = {}
    for k = 1, copies do to[k] = KEYS[tonumber(ARGV[at + 3 + k])] end
    seq = seq + 1
    enter(to, ms, seq, data)
  end
  at = at + 4 + copies
end
for i = 1, states do
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = 1, evicted do
  redis.call('HDEL', KEYS[3], ARGV[at])
  at = at + 1
end
local acked, last = 0, at + acks - 1
while at <= last do
  local upto = math.min(at + 999, last)
  acked = acked + redis.call('XACK', KEYS[2], group, unpack(ARGV, at, upto))
  at = upto + 1
end
while at < #ARGV do
  if redis.call('XACK', KEYS[2], group, ARGV[at]) == 1 then
    bury(KEYS[4], KEYS[2], ARGV[at], ARGV[at + 1], ARGV[at + 2], group, ARGV[at + 3], now)
  end
  at = at + 4
end
for i = 5, #KEYS do
  if i <= 4 + outputs then trim(KEYS[i], now - retention, 2 * signals + 100)
  else redis.call('PEXPIRE', KEYS[i], string.format('%.0f', retention)) end
end
return {'ok', published, acked}
""",
)


@dataclass(frozen=True, slots=True)
class Output:
    """A signal on its way out: its deterministic id, its match, its JSON, and the streams that it goes to."""

    signal_id: str
    match_id: str
    data: bytes
    streams: tuple[str, ...] = (MOTION, SIGNALS)


@dataclass(frozen=True, slots=True)
class Committed:
    """Which signals were new, in the order given, and how many entries were taken off the pending list."""

    published: tuple[bool, ...]
    acked: int


class Committer:
    """Commits for the shards of a group."""

    def __init__(
        self, client: Redis, group: str, *, retention_h: float = RETENTION_H, clock_ms: Clock | None = None
    ) -> None:
        self.client, self.group = client, group
        self.retention_ms = max(1, round(retention_h * 3_600_000))
        self._clock = clock_ms
        self._script = client.register_script(_COMMIT)

    def commit(
        self,
        lease: Lease,
        entries: Sequence[Entry] = (),
        *,
        outputs: Sequence[Output] = (),
        checkpoint: Mapping[str, bytes] | None = None,
        evict: Collection[str] = (),
        dead: Sequence[tuple[Entry, str]] = (),
    ) -> Committed:
        """Publish, keep state (field to value, one field per match), forget the state of ``evict``, acknowledge ``entries``, bury.

        Raises LostLease where the lease's token is not the current one; then nothing was written.
        """
        streams = {name: number for number, name in enumerate(dict.fromkeys(s for o in outputs for s in o.streams), 5)}
        matches = dict.fromkeys(output.match_id for output in outputs)
        sets = {match: number for number, match in enumerate(matches, 5 + len(streams))}
        state = checkpoint or {}
        keys = [lease.key, shard_stream(lease.shard), checkpoint_key(self.group, lease.shard), DEAD]
        keys += [*streams, *map(signals_key, sets)]
        now = "" if self._clock is None else self._clock()
        counts = (len(streams), len(sets), len(outputs), len(state), len(evict), len(entries))
        args: list[Any] = [lease.holder, lease.token, self.group, now, self.retention_ms, *counts]
        for output in outputs:
            to = [streams[name] for name in output.streams]
            args += (sets[output.match_id], output.signal_id, output.data, len(to), *to)
        for name, value in state.items():
            args += (name, value)
        args += [*evict, *(entry.id for entry in entries)]
        for entry, reason in dead:
            args += (entry.id, entry.kept, reason, entry.deliveries)
        verdict, *told = self._script(keys, args)
        if verdict == b"lost":
            raise LostLease(lease.shard, lease.holder, lease.token)
        return Committed(tuple(map(bool, told[0])), told[1])

    def checkpoint(self, shard: int) -> dict[str, bytes]:
        """The kept states of a shard, by their field."""
        kept = cast(dict[bytes, bytes], self.client.hgetall(checkpoint_key(self.group, shard)))
        return {name.decode(): value for name, value in kept.items()}
