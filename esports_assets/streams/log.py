"""The log: every event once, in ``events:canonical`` and in the shard of its match.

Belongs here: appending in one atomic call with ids that enter once, retention, reading after an id, gaps and lag.
Does not belong here: who works on a shard and how far (``groups.py``, ``leases.py``, ``commit.py``).

An event has the same entry id in both streams. Of every stream with more than one key the keys must live on one server: this is
written for a single Valkey or Redis, not for a cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from esports_assets.streams.entries import Entry, entry_of
from esports_assets.streams.envelope import Envelope, encode
from esports_assets.streams.errors import GapError, LogLost, millis
from esports_assets.streams.names import CANONICAL, ids_key, shard_of, shard_stream
from esports_assets.streams.scripts import lua

RETENTION_H = 24.0
"""Hours that entries stay; what is older lives in the lake."""
LARGEST_BATCH = 1_000
"""More events in one call would keep the server busy for longer than its other users should wait."""

Clock = Callable[[], int]
"""Milliseconds since 1970. None anywhere means the server's own clock, the only one that all processes share."""

_APPEND = lua(
    *("check", "now", "ids", "state", "top", "trim"),
    body="""
local now, retention, shards = now_ms(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, #KEYS do
  local wrong = check(KEYS[i], i <= 1 + shards and 'stream' or 'set')
  if wrong then return wrong end
end
local streams = {}
for i = 1, 1 + shards do streams[i] = KEYS[i] end
local ms, seq = top(streams, now)
local entered = {}
for i = 4, #ARGV, 4 do
  local shard, ids, id, data = KEYS[tonumber(ARGV[i])], KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2], ARGV[i + 3]
  if redis.call('SADD', ids, id) == 1 then
    seq = seq + 1
    entered[#entered + 1] = enter({KEYS[1], shard}, ms, seq, data)
  else
    entered[#entered + 1] = ''
  end
end
for i = 1, #KEYS do
  if i <= 1 + shards then trim(KEYS[i], now - retention, math.floor(#ARGV / 2) + 100)
  else redis.call('PEXPIRE', KEYS[i], string.format('%.0f', retention)) end
end
return entered
""",
)

_READ = lua(
    *("ids", "state"),
    body="""
local known, cursor = state(KEYS[1]), ARGV[1]
if not known then
  if cursor == '' or cursor == '0-0' then return {'ok', {}} end
  return {'lost', '0-0'}
end
if cursor ~= '' then
  if later(known.gone, cursor) then return {'gap', known.gone, known.first or ''} end
  if later(cursor, known.last) then return {'lost', known.last} end
end
return {'ok', redis.call('XRANGE', KEYS[1], cursor == '' and '-' or '(' .. cursor, '+', 'COUNT', ARGV[2])}
""",
)

_LAG = lua(
    *("ids", "state"),
    body="""
local known = state(KEYS[1])
if not known or not known.first then return {'', 0} end
local behind = redis.call('XRANGE', KEYS[1], ARGV[1] == '' and '-' or '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
return {known.last, #behind}
""",
)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of an event: the id of its new entry, or None because it had entered before."""

    event_id: str
    entry_id: str | None

    @property
    def duplicate(self) -> bool:
        """Whether the event was in the log already; nothing was written then."""
        return self.entry_id is None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a reader is behind: entries (``at_least`` where they were not counted to the end) and seconds."""

    entries: int
    seconds: float
    at_least: bool = False


class EventLog:
    """``events:canonical`` and its shards on one server."""

    def __init__(self, client: Redis, *, retention_h: float = RETENTION_H, clock_ms: Clock | None = None) -> None:
        if retention_h <= 0:
            raise ValueError(f"a retention of {retention_h} hours would keep nothing")
        self.client = client
        self.retention_ms = max(1, round(retention_h * 3_600_000))
        self._clock = clock_ms
        self._append = client.register_script(_APPEND)
        self._read = client.register_script(_READ)
        self._lag = client.register_script(_LAG)

    def append(self, envelopes: Sequence[Envelope]) -> list[Appended]:
        """Append a batch atomically, every event once; a second call with the same events appends nothing.

        Raises ValueError for more than ``LARGEST_BATCH`` events, WireError for one that cannot be written: then none is.
        """
        return self._entered(envelopes, self._append(*self._call(envelopes)) if envelopes else [])

    def append_pipelined(self, batches: Sequence[Sequence[Envelope]]) -> list[list[Appended]]:
        """Several batches in one round trip, each atomic by itself."""
        pipe = self.client.pipeline(transaction=False)
        for batch in batches:
            keys, args = self._call(batch)
            self._append(keys, args, client=cast(Redis, pipe))
        return [self._entered(batch, told) for batch, told in zip(batches, pipe.execute(), strict=True)]

    def _call(self, envelopes: Sequence[Envelope]) -> tuple[list[str], list[Any]]:
        """Keys and arguments of the script."""
        if len(envelopes) > LARGEST_BATCH:
            raise ValueError(f"{len(envelopes)} events are more than {LARGEST_BATCH} in one batch")
        matches = list(dict.fromkeys(envelope.event.match_id for envelope in envelopes))
        shards = {match: shard_of(match) for match in matches}
        streams = {shard: number for number, shard in enumerate(dict.fromkeys(shards.values()), start=2)}
        sets = {match: number for number, match in enumerate(matches, start=2 + len(streams))}
        keys = [CANONICAL, *map(shard_stream, streams), *map(ids_key, matches)]
        args: list[Any] = ["" if self._clock is None else self._clock(), self.retention_ms, len(streams)]
        for envelope in envelopes:
            match = envelope.event.match_id
            args += (streams[shards[match]], sets[match], envelope.event.event_id, encode(envelope))
        return keys, args

    @staticmethod
    def _entered(envelopes: Sequence[Envelope], told: Sequence[bytes]) -> list[Appended]:
        return [
            Appended(envelope.event.event_id, entry.decode() or None)
            for envelope, entry in zip(envelopes, told, strict=True)
        ]

    def read_after(self, last_id: str | None = None, count: int = 1_000, stream: str = CANONICAL) -> list[Entry]:
        """Up to ``count`` entries after ``last_id``, in order; None begins with the oldest that is left.

        Raises GapError where entries after ``last_id`` are gone, LogLost where the stream ends before it.
        """
        verdict, told, *rest = self._read([stream], [last_id or "", count])
        if verdict == b"gap":
            raise GapError(stream, last_id or "", told.decode(), rest[0].decode() or None)
        if verdict == b"lost":
            raise LogLost(stream, last_id or "", told.decode())
        return [entry_of(stream, raw) for raw in told]

    def first_id(self, stream: str = CANONICAL) -> str | None:
        """The oldest entry that is left, or None."""
        found = cast(list[Any], self.client.xrange(stream, count=1))
        return found[0][0].decode() if found else None

    def last_id(self, stream: str = CANONICAL) -> str | None:
        """The newest entry, or None."""
        found = cast(list[Any], self.client.xrevrange(stream, count=1))
        return found[0][0].decode() if found else None

    def lag(self, last_id: str | None, stream: str = CANONICAL, count_up_to: int = 1_000) -> Lag:
        """How far a reader that has read ``last_id`` is behind the end; entries are counted up to a bound."""
        newest, behind = self._lag([stream], [last_id or "", count_up_to])
        if not behind:
            return Lag(0, 0.0)
        since = last_id if last_id and last_id != "0-0" else self.first_id(stream) or newest.decode()
        seconds = max(0.0, (millis(newest.decode()) - millis(since)) / 1000)
        return Lag(behind, seconds, at_least=behind == count_up_to)
