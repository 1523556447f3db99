"""What somebody sent and nobody can read: kept among the dead letters, once, with the reason.

Belongs here: burying what did not come out of a stream.
Does not belong here: listing and retrying (``streams/deadletter.py``), what comes out of a stream (consumer groups bury that).
"""

import hashlib
from typing import Any

from redis import Redis

from esports_assets.streams.names import DEAD
from esports_assets.streams.scripts import lua

_BURY_ONCE = lua(
    *("check", "now", "bury"),
    body="""
local wrong = check(KEYS[1], 'stream') or check(KEYS[2], 'string')
if wrong then return wrong end
local known = redis.call('GET', KEYS[2])
if known and #redis.call('XRANGE', KEYS[1], known, known) > 0 then return 0 end
bury(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], '', 0, now_ms(''))
redis.call('SET', KEYS[2], redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1], 'PX', ARGV[5])
return 1
""",
)


class Unread:
    """The dead letters, for those who send."""

    def __init__(self, client: Redis, retention_ms: int) -> None:
        self._retention_ms = retention_ms
        self._bury = client.register_script(_BURY_ONCE)

    def bury(self, data: bytes, reason: str, origin: str, place: str = "") -> bool:
        """Keep something unread; whether it is new. What lies there already with the same reason is not kept twice."""
        told = b"\x1f".join((origin.encode(), place.encode(), reason.encode("utf-8", "backslashreplace"), data))
        known = f"esports:unread:{hashlib.blake2b(told, digest_size=16).hexdigest()}"
        plain = reason.encode("utf-8", "backslashreplace")
        args: list[Any] = [origin, place, data, plain, self._retention_ms]
        return bool(self._bury([DEAD, known], args))
