"""Matches that are to be played into the log, kept in Redis: asked for once, taken by one process at a time, never forgotten.

    esports:backfill        sorted set of match ids by the time (ms) from which anybody may take them; while one is worked on that
                            is the end of its lease, so another process goes on with it if the first one dies
    esports:backfill:jobs   hash match id to what became of it

Belongs here: asking, taking, what became of it. Does not belong here: playing (``backfill.py``).
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from esports_assets.streams.scripts import lua

if TYPE_CHECKING:
    from redis import Redis

PARALLEL = 5
"""Matches that are played at once, by all processes together."""
_LEASE_MS = 120_000
_KEPT_MS = 7 * 24 * 3_600_000
_QUEUE, _JOBS = "esports:backfill", "esports:backfill:jobs"

_CHECKED = """
local wrong = check(KEYS[1], 'zset') or check(KEYS[2], 'hash')
if wrong then return wrong end
local now = now_ms('')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
"""
_ASK = lua(
    *("check", "now"),
    body=_CHECKED
    + """
for i = 2, #ARGV, 2 do
  if redis.call('ZADD', KEYS[1], 'NX', string.format('%.0f', now), ARGV[i]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
""",
)
_TAKE = lua(
    *("check", "now"),
    body=_CHECKED
    + """
if redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now), '+inf') >= tonumber(ARGV[2]) then return '' end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 1)[1]
if not found then return '' end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), found)
return found
""",
)
_HOLD = lua(
    *("check", "now"),
    body=_CHECKED
    + """
return redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + tonumber(ARGV[3])), ARGV[2])
""",
)
_END = lua(
    *("check", "now"),
    body=_CHECKED
    + """
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[2])
""",
)


class State(StrEnum):
    """How far a match is."""

    WAITING = "waiting"
    """Nobody has taken it yet."""
    RUNNING = "running"
    """It is being played."""
    DONE = "done"
    """All of it is in the log."""
    FAILED = "failed"
    """It cannot be played; the reason says why."""


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a match: events and frames sent, how many of them were new to the log, why it failed."""

    state: State
    sent: int = 0
    appended: int = 0
    reason: str = ""


class BackfillQueue:
    """The queue of one server."""

    def __init__(self, client: "Redis", parallel: int = PARALLEL) -> None:
        self._client = client
        self._parallel = parallel
        self._ask = client.register_script(_ASK)
        self._take = client.register_script(_TAKE)
        self._hold = client.register_script(_HOLD)
        self._end = client.register_script(_END)

    def ask(self, match_ids: Sequence[str]) -> None:
        """Put matches in the queue; one that waits or runs stays as it is."""
        waiting = msgspec.json.encode(Job(State.WAITING))
        told: list[Any] = [part for match_id in match_ids for part in (match_id, waiting)]
        self._ask([_QUEUE, _JOBS], [_KEPT_MS, *told])

    def take(self) -> str | None:
        """The match that has waited longest, if there is one and room for it."""
        found: bytes = self._take([_QUEUE, _JOBS], [_KEPT_MS, self._parallel, _LEASE_MS])
        return found.decode() or None

    def hold(self, match_id: str) -> None:
        """It is still being worked on."""
        self._hold([_QUEUE, _JOBS], [_KEPT_MS, match_id, _LEASE_MS])

    def note(self, match_id: str, job: Job) -> None:
        """How far a match is that runs."""
        self._client.hset(_JOBS, match_id, msgspec.json.encode(job))

    def end(self, match_id: str, job: Job) -> None:
        """It is over, well or badly."""
        self._end([_QUEUE, _JOBS], [_KEPT_MS, match_id, msgspec.json.encode(job)])

    def jobs(self) -> dict[str, Job]:
        """What became of every match that was asked for lately, by its id."""
        found: Any = self._client.hgetall(_JOBS)
        return dict(sorted(_jobs(found.items())))


def _jobs(found: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, Job]]:
    return ((match_id.decode(), msgspec.json.decode(told, type=Job)) for match_id, told in found)
