"""Dead letters: what could not be handled, why, and its way back.

An entry of ``events:dead`` has the fields ``data`` (as it was), ``reason``, ``stream``, ``entry_id``, ``group``, ``deliveries`` and
``at`` (milliseconds since 1970). Nothing removes it but ``retry`` and ``drop``.

Belongs here: listing, retrying and dropping.
Does not belong here: how an entry becomes a dead letter (``groups.py``, ``commit.py``), the command line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from redis import Redis, ResponseError

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.event import WireError
from esports_assets.streams.envelope import Envelope, decode, encode
from esports_assets.streams.errors import RetryError
from esports_assets.streams.log import Clock, EventLog
from esports_assets.streams.names import CANONICAL, DEAD, ids_key, shard_of, shard_stream
from esports_assets.streams.scripts import lua

_PUT_BACK = lua(
    *("check", "now", "ids", "state", "top"),
    body="""
for i = 1, 4 do
  local wrong = check(KEYS[i], i == 4 and 'set' or 'stream')
  if wrong then return wrong end
end
if #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2]) == 0 then return {'gone', ''} end
local ms, seq = top({KEYS[2], KEYS[3]}, now_ms(ARGV[1]))
local verdict, streams = 'redelivered', {ARGV[5]}
if redis.call('SADD', KEYS[4], ARGV[3]) == 1 then verdict, streams = 'appended', {KEYS[2], KEYS[3]} end
redis.call('PEXPIRE', KEYS[4], ARGV[6])
local entry = enter(streams, ms, seq + 1, ARGV[4])
redis.call('XDEL', KEYS[1], ARGV[2])
return {verdict, entry}
""",
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter."""

    id: str
    data: bytes
    reason: str
    stream: str
    entry_id: str
    group: str
    deliveries: int
    at: datetime

    @property
    def about(self) -> str:
        """Match and type of the event, or what its data begins with where it is none."""
        try:
            event = decode(self.data).event
        except WireError:
            return self.data[:60].decode(errors="backslashreplace")
        return f"{event.match_id} {event.event_type.value}"


@dataclass(frozen=True, slots=True)
class PutBack:
    """What became of a retried letter: ``appended`` as an event that had not entered yet, or ``redelivered`` to its stream."""

    verdict: str
    stream: str
    entry_id: str


class DeadLetters:
    """The dead letters of a log."""

    def __init__(self, client: Redis, *, clock_ms: Clock | None = None) -> None:
        self.client = client
        self._clock = clock_ms
        self._put_back = client.register_script(_PUT_BACK)

    def count(self) -> int:
        """How many there are."""
        return self.client.xlen(DEAD)

    def letters(self, count: int = 100, after: str | None = None) -> list[DeadLetter]:
        """The oldest ones, or those after an id."""
        found = self.client.xrange(DEAD, min="-" if after is None else f"({after}", count=count)
        return [_letter(entry, fields) for entry, fields in cast(list[tuple[bytes, dict[bytes, bytes]]], found)]

    def all(self) -> Iterator[DeadLetter]:
        """Every letter, oldest first."""
        after = None
        while page := self.letters(500, after):
            yield from page
            after = page[-1].id

    def show(self, letter_id: str) -> DeadLetter:
        """One letter; RetryError where there is none of that id."""
        try:
            found: Any = self.client.xrange(DEAD, letter_id, letter_id)
        except ResponseError as error:
            raise RetryError(f"{letter_id} is not the id of a dead letter, such as 1764000000000-0") from error
        if not found:
            raise RetryError(f"there is no dead letter {letter_id}: it was retried or dropped, or never was")
        return _letter(*found[0])

    def retry(self, letter_id: str, log: EventLog, data: bytes | None = None) -> PutBack:
        """Put a letter back, mended where ``data`` is given; a second call finds it gone.

        An event that had not entered yet is appended like any other. One that had (its handling failed) goes to the stream
        where it was read once more, so every group of that stream sees it again: consumers know it by its event id.
        Raises RetryError for a letter that is still malformed or is gone.
        """
        letter = self.show(letter_id)
        envelope = _mended(letter, data)
        match, shard = envelope.event.match_id, shard_stream(shard_of(envelope.event.match_id))
        target = letter.stream if letter.stream == CANONICAL else shard
        now: Any = "" if self._clock is None else self._clock()
        verdict, entry = self._put_back(
            [DEAD, CANONICAL, shard, ids_key(match)],
            [now, letter_id, envelope.event.event_id, encode(envelope), target, log.retention_ms],
        )
        if verdict == b"gone":
            raise RetryError(f"dead letter {letter_id} is gone: somebody else retried or dropped it")
        return PutBack(verdict.decode(), CANONICAL if verdict == b"appended" else target, entry.decode())

    def drop(self, letter_id: str) -> bool:
        """Remove a letter for good; whether it was there."""
        return self.client.xdel(DEAD, self.show(letter_id).id) == 1


def _mended(letter: DeadLetter, data: bytes | None) -> Envelope:
    try:
        return decode(letter.data if data is None else data)
    except WireError as error:
        raise RetryError(
            f"dead letter {letter.id} cannot go back: {error}. Mend its data and retry with that, or drop it."
        ) from error


def _letter(entry: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="backslashreplace")

    at, deliveries = text(b"at"), text(b"deliveries")
    return DeadLetter(
        id=entry.decode(),
        data=fields.get(b"data", b""),
        reason=text(b"reason"),
        stream=text(b"stream"),
        entry_id=text(b"entry_id"),
        group=text(b"group"),
        deliveries=int(deliveries) if deliveries.isdecimal() else 0,
        at=from_utc_us(1000 * int(at if at.isdecimal() else entry.partition(b"-")[0])),
    )
