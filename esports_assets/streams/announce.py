"""Announcing: what may still change, told at once and at most once.

Belongs here: one script that appends to a stream what was not announced before. It is no part of a commit and asks for no lease:
what is announced is told again, as a record or not at all, by whoever commits.
Does not belong here: what is said, records (``commit.py``).
"""

from collections.abc import Sequence
from typing import Any

from redis import Redis

from esports_assets.streams.log import RETENTION_H, Clock
from esports_assets.streams.names import PROVISIONAL, announced_key
from esports_assets.streams.scripts import lua

_ANNOUNCE = lua(
    *("check", "now", "ids", "state", "top", "trim"),
    body="""
local now, retention = now_ms(ARGV[1]), tonumber(ARGV[2])
for i = 1, #KEYS do
  local wrong = check(KEYS[i], i == 1 and 'stream' or 'set')
  if wrong then return wrong end
end
local ms, seq = top({KEYS[1]}, now)
local told = 0
for i = 3, #ARGV, 3 do
  if redis.call('SADD', KEYS[tonumber(ARGV[i])], ARGV[i + 1]) == 1 then
    seq, told = seq + 1, told + 1
    enter({KEYS[1]}, ms, seq, ARGV[i + 2])
  end
end
trim(KEYS[1], now - retention, #ARGV + 100)
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], string.format('%.0f', retention)) end
return told
""",
)

Announcement = tuple[str, str, bytes]
"""Id, match, JSON."""


class Announcer:
    """Announces into ``signals:provisional``."""

    def __init__(self, client: Redis, *, retention_h: float = RETENTION_H, clock_ms: Clock | None = None) -> None:
        self.retention_ms = max(1, round(retention_h * 3_600_000))
        self._clock = clock_ms
        self._script = client.register_script(_ANNOUNCE)

    def announce(self, many: Sequence[Announcement]) -> int:
        """Append what was not announced yet, in the order given; how many that was."""
        if not many:
            return 0
        matches = {match_id: n for n, match_id in enumerate(dict.fromkeys(match_id for _, match_id, _ in many), 2)}
        args: list[Any] = ["" if self._clock is None else self._clock(), self.retention_ms]
        for name, match_id, data in many:
            args += (matches[match_id], name, data)
        return int(self._script([PROVISIONAL, *map(announced_key, matches)], args))
