"""The order in which the transactions of GRID series are applied, kept in Redis for all processes together.

Transactions come by webhook and by socket, to any process, repeated and out of order. Each is taken once, in the order of its
sequence number. One that comes before its turn waits until the gap closes, or ``gap_s`` has passed: then the gap is given up, and
what was missing is refused should it still come. So every process that translates a series reads one and the same list.

    esports:grid:<series>:order    list of the transactions taken, compressed, in order
    esports:grid:<series>:early    hash number to transaction, waiting; :numbers is the sorted set of their numbers
    esports:grid:<series>:known    hash number to digest of everything that came
    esports:grid:<series>:state    hash: born (names this list), high (number taken last), sent (how many of the list are in the
                                   log), gap (since when)
    esports:grid:due               sorted set of series by the time at which somebody must look after them

All expire with the retention of the log.

Belongs here: taking, waiting, giving up. Does not belong here: what a transaction says (``grid_intake.py``).
"""

import zlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from redis import Redis

from esports_assets.streams.log import Clock
from esports_assets.streams.scripts import lua

GAP_S = 5.0
"""Seconds for which a transaction waits for those before it."""
_GRACE_MS = 1_000
"""Who takes a transaction sends it; after so long somebody else looks whether that happened."""
_DUE = "esports:grid:due"

_PIECES = """
for i = 1, 6 do
  local kinds = {'hash', 'hash', 'list', 'hash', 'zset', 'zset'}
  local wrong = check(KEYS[i], kinds[i])
  if wrong then return wrong end
end
local state, known, order, early, numbers, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now, series, retention, patience = now_ms(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local high = tonumber(redis.call('HGET', state, 'high') or '')
local function take(number, data)
  redis.call('RPUSH', order, data)
  high = number
end
local function drain()
  while true do
    local first = redis.call('ZRANGE', numbers, 0, 0)[1]
    if not first or tonumber(first) ~= high + 1 then return end
    take(tonumber(first), redis.call('HGET', early, first))
    redis.call('HDEL', early, first)
    redis.call('ZREM', numbers, first)
  end
end
local function settle(before)
  redis.call('HSETNX', state, 'born', string.format('%.0f', now))
  if high then redis.call('HSET', state, 'high', string.format('%.0f', high)) end
  local waits = redis.call('ZCARD', numbers) > 0
  if not waits then redis.call('HDEL', state, 'gap')
  elseif high ~= before or redis.call('HEXISTS', state, 'gap') == 0 then
    redis.call('HSET', state, 'gap', string.format('%.0f', now))
  end
  local unsent = redis.call('LLEN', order) > tonumber(redis.call('HGET', state, 'sent') or '0')
  if unsent then redis.call('ZADD', due, string.format('%.0f', now + tonumber(ARGV[5])), series)
  elseif waits then redis.call('ZADD', due, string.format('%.0f', tonumber(redis.call('HGET', state, 'gap')) + patience), series)
  else redis.call('ZREM', due, series) end
  for i = 1, 5 do redis.call('PEXPIRE', KEYS[i], retention) end
end
"""

_OFFER = lua(
    *("check", "now"),
    body=_PIECES
    + """
local before, verdicts = high, {}
for i = 6, #ARGV, 3 do
  local number, digest, data = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local seen, verdict = redis.call('HGET', known, number), 'taken'
  if seen == digest then verdict = 'duplicate'
  elseif seen then verdict = 'conflict'
  elseif high and tonumber(number) <= high then verdict = 'late'
  else
    redis.call('HSET', known, number, digest)
    if (high and tonumber(number) == high + 1) or (not high and tonumber(number) <= 1) then
      take(tonumber(number), data)
      drain()
    else
      redis.call('HSET', early, number, data)
      redis.call('ZADD', numbers, number, number)
      verdict = 'early'
    end
  end
  verdicts[#verdicts + 1] = verdict
end
settle(before)
return verdicts
""",
)

_GIVE_UP = lua(
    *("check", "now"),
    body=_PIECES
    + """
local since = tonumber(redis.call('HGET', state, 'gap') or '')
local first = redis.call('ZRANGE', numbers, 0, 0)[1]
if not first or not since or now < since + patience then return -1 end
local before = high
high = tonumber(first) - 1
drain()
settle(before)
return before or 0
""",
)

_SENT = lua(
    *("check", "now"),
    body=_PIECES
    + """
local sent = tonumber(redis.call('HGET', state, 'sent') or '0')
if tonumber(ARGV[6]) > sent then redis.call('HSET', state, 'sent', ARGV[6]) end
settle(high)
return 1
""",
)


class Verdict(StrEnum):
    """What became of a transaction that was offered."""

    TAKEN = "taken"
    """It is in the list."""
    EARLY = "early"
    """It waits for those before it."""
    DUPLICATE = "duplicate"
    """It came before, with the same content."""
    CONFLICT = "conflict"
    """Its number came before with other content, which stands."""
    LATE = "late"
    """The series went on without it."""

    @property
    def accepted(self) -> bool:
        """Whether it is part of the series from now on."""
        return self in (Verdict.TAKEN, Verdict.EARLY)


class Offer(NamedTuple):
    """A transaction as it is offered."""

    number: int
    digest: bytes
    data: bytes


class Progress(NamedTuple):
    """Which list it is (another one where the server lost the first), and how many of its transactions are in the log."""

    born: bytes
    sent: int


class Turns:
    """The order of every series, on one server."""

    def __init__(
        self, client: Redis, *, retention_ms: int, gap_s: float = GAP_S, clock_ms: Clock | None = None
    ) -> None:
        self.client = client
        self._fixed = (retention_ms, round(gap_s * 1000))
        self._clock = clock_ms
        self._offer = client.register_script(_OFFER)
        self._give_up = client.register_script(_GIVE_UP)
        self._sent = client.register_script(_SENT)

    def offer(self, series: str, offers: Sequence[Offer]) -> list[Verdict]:
        """Take transactions of a series; nothing waits for the log here."""
        told: list[Any] = []
        for one in offers:
            told += (one.number, one.digest, zlib.compress(one.data, 1))
        return [Verdict(found.decode()) for found in self._offer(_keys(series), [*self._args(series), *told])]

    def after(self, series: str, position: int, count: int) -> list[bytes]:
        """The transactions of the list from a position on."""
        found: Any = self.client.lrange(_keys(series)[2], position, position + count - 1)
        return [zlib.decompress(data) for data in found]

    def progress(self, series: str) -> Progress:
        """How far a series is."""
        found: Any = self.client.hmget(_keys(series)[0], "born", "sent")
        return Progress(found[0] or b"", int(found[1] or 0))

    def last(self, series: str) -> int | None:
        """Number of the transaction that was taken last."""
        found: Any = self.client.hget(_keys(series)[0], "high")
        return None if found is None else int(found)

    def mark_sent(self, series: str, position: int) -> None:
        """The first ``position`` transactions of the list are in the log."""
        self._sent(_keys(series), [*self._args(series), position])

    def give_up_gap(self, series: str) -> bool:
        """Go on without what is missing, if it has been waited for long enough; whether that was so."""
        return int(self._give_up(_keys(series), self._args(series))) >= 0

    def due(self) -> list[str]:
        """Series that somebody must look after now."""
        now = self._clock() if self._clock is not None else _server_ms(self.client)
        found: Any = self.client.zrangebyscore(_DUE, "-inf", now)
        return [series.decode() for series in found]

    def _args(self, series: str) -> list[Any]:
        return ["" if self._clock is None else self._clock(), series, *self._fixed, _GRACE_MS]


def _keys(series: str) -> list[str]:
    parts = ("state", "known", "order", "early", "numbers")
    return [*(f"esports:grid:{series}:{part}" for part in parts), _DUE]


def _server_ms(client: Redis) -> int:
    told: Any = client.time()
    return int(told[0]) * 1000 + int(told[1]) // 1000
