"""From entries of several streams to the messages of a room, in one order that everybody gets, now or when coming back.

Each entry has an instant from which on it may be told: for state when the gate opens, never before it came; for signals when
they were released. Messages come in the order of these instants, so a client that resumes after any of them gets the rest
as it would have got it. For that nothing is told before everything that could come earlier has been read: ``Look.until`` is
the instant up to which what was read is complete.

Belongs here: this order and the gate's part in it, pure. Does not belong here: reading streams (``room_log.py``), clients.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from esports_assets.canonical.clock import from_utc_us, utc_us
from serving.gate import Audience, Decision, Pause, Policy, decide_state, opening, wall_time
from serving.room_ids import EntryId, Position, Source

MS = 1_000
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as it will be told: ``body`` is its message without the id."""

    entry: EntryId
    body: bytes
    kind: str
    event_id: str = ""
    event_ts: datetime | None = None
    live_offset_s: float = 0.0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one source after ``read_to`` of the last batch; ``complete`` when it reaches the end of the stream."""

    items: Sequence[Item]
    read_to: EntryId
    complete: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the streams found: every entry that came before ``until_ms`` was there to be read."""

    now: datetime
    until_ms: int
    pauses: Sequence[Pause]
    batches: dict[Source, Batch]
    gap_ms: int | None = None
    """Entries of state were asked for that are gone, the last one from then."""
    lost: bool = False


class Message(NamedTuple):
    """Something to tell, with the position of whoever has got it."""

    item: Item
    source: Source
    position: Position


@dataclass(slots=True)
class _Queue:
    """What was read of a source and not told yet."""

    read_to: EntryId
    items: deque[Item] = field(default_factory=deque)
    complete_ms: int = -1
    has_read: bool = False
    """Whether ``read_to`` is an entry that was there, and not a place that somebody named."""


class Merge:
    """One reader's place in a room."""

    def __init__(self, audience: Audience, policy: Policy, position: Position, sources: Sequence[Source]) -> None:
        self.audience = audience
        self.position = position
        self.refused = 0
        """Entries for which the gate never opens."""
        self.told_ms = -1
        """Everything that may be told before this instant was told."""
        self.lost = False
        """Whether the log now ends before what was read of it."""
        self._policy = policy
        self._queues = {source: _Queue(position.ids[source]) for source in sources}

    def wanted(self, at_most: int) -> dict[Source, EntryId]:
        """The sources to read from, each with the entry after which to go on; those with plenty left are not among them."""
        return {s: queue.read_to for s, queue in self._queues.items() if len(queue.items) <= at_most}

    def feed(self, look: Look) -> None:
        """Take what was read; what was not read now is no longer known to be complete."""
        for source, queue in self._queues.items():
            batch = look.batches.get(source)
            queue.complete_ms = look.until_ms if batch is not None and batch.complete else -1
            if batch is not None:
                queue.items += batch.items
                queue.has_read = queue.has_read or batch.read_to > queue.read_to
                queue.read_to = max(queue.read_to, batch.read_to)
        self.lost = look.lost and self._queues[Source.STATE].has_read

    def due(self, look: Look, at_most: int = 1_000) -> list[Message]:
        """What may be told now, in order."""
        found: list[Message] = []
        while len(found) < at_most:
            instants = {source: self._instant(source, look) for source in self._queues}
            source = min(instants, key=lambda one: (instants[one], one))
            queue = self._queues[source]
            if not queue.items or instants[source] >= look.until_ms * MS:
                if instants[source] >= look.until_ms * MS:
                    self.told_ms = look.until_ms
                return found
            item = queue.items[0]
            if source is Source.STATE and not self._decision(item, look).open:
                return found
            queue.items.popleft()
            self.position = self.position.after(source, item.entry, item.event_id)
            found.append(Message(item, source, self.position))
        return found

    def first(self, source: Source) -> Item | None:
        """The next entry of a source, as far as it was read."""
        items = self._queues[source].items
        return items[0] if items else None

    @property
    def hungry(self) -> bool:
        """Whether more should be read at once: nothing of a source is left, and its stream may go on."""
        return any(not queue.items and queue.complete_ms < 0 for queue in self._queues.values())

    def wait_s(self, look: Look) -> float | None:
        """How long until the next entry may be told; None where time alone does not decide that."""
        first = min((self._instant(s, look) for s, queue in self._queues.items() if queue.items), default=_NEVER)
        if first >= _NEVER or first < look.until_ms * MS:
            return None
        return max(first - utc_us(look.now), MS) / 1e6

    def _instant(self, source: Source, look: Look) -> int:
        """From when on (us) the first entry may be told, or the earliest instant of what was not read yet."""
        queue = self._queues[source]
        while queue.items:
            item = queue.items[0]
            if source is not Source.STATE:
                return item.entry[0] * MS
            if self._decision(item, look).reason.waits:
                return self._state_instant(item, look)
            queue.items.popleft()
            self.refused += 1
        return queue.complete_ms * MS

    def _state_instant(self, item: Item, look: Look) -> int:
        """When the gate opens for an entry, whenever it is asked: in no pause, and not before the entry came."""
        happened = wall_time(item.event_ts, item.live_offset_s)
        assert isinstance(happened, datetime)
        pauses = sorted(look.pauses, key=lambda pause: pause.start)
        opens = opening(happened, self._policy.state_delay_s(self.audience), pauses)
        told = None if opens is None else opening(max(opens, from_utc_us(item.entry[0] * MS)), 0.0, pauses)
        return _NEVER if told is None else utc_us(told)

    def _decision(self, item: Item, look: Look) -> Decision:
        came_at = from_utc_us(item.entry[0] * MS)
        return decide_state(
            item.event_ts, item.live_offset_s, self.audience, look.now, self._policy, look.pauses, came_at
        )
