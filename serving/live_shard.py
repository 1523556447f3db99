"""One shard of the log under a lease: entries in, work written, state in checkpoints.

Belongs here: opening a shard where its checkpoints left it, the order of entries (what was given and not acknowledged comes before
what is new), a batch's work, holding on to it while something is away, the end of matches, gaps.
Does not belong here: which shards (``live.py``), what is said (``live_states.py``), the order of writing (``live_sinks.py``).

Whatever goes wrong between preparing and committing leaves the log as it was: the shard then forgets all that it holds in memory
and opens again from the checkpoints. An entry that fails again and again comes alone and ends as a dead letter.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from redis import RedisError

from esports_assets.canonical.event import WireError
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.commit import Committed
from esports_assets.streams.entries import Entry
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.errors import GapError, LostLease
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import Lease
from esports_assets.streams.replay import Playable
from serving.errors import ApiError
from serving.live_metrics import LiveMetrics
from serving.live_sinks import Sinks
from serving.live_states import States, Told
from serving.live_work import Pausing, Work
from serving.review_terms import Rule, triage

LATE = "it came after the watermark of its match, when the rows that it belongs to were final"
AHEAD_S = 60.0
"""An event so far in the future would end the waiting for everything before it: its clock is wrong."""
ATTEMPTS = 10
"""An entry that was delivered so often and fails once more, alone, becomes a dead letter with the reason."""
CRASHES = 100
"""One that was delivered so often became a dead letter whatever happened to it: it may be what kills workers. Being in the hands of
a worker that somebody kills is no fault of the entry, so this is far more than ``ATTEMPTS``."""
_AGAIN_S, _LONGEST_S = 0.25, 4.0
_log = logging.getLogger("serving.live")


@dataclass(frozen=True, slots=True)
class _Writing:
    """Work on its way, and the entries that it follows from."""

    future: "Future[Committed]"
    work: Work
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Parts:
    """What all shards of a worker share."""

    states: Callable[[], States]
    rule: Rule
    sinks: Sinks
    metrics: LiveMetrics
    from_lake: Callable[[str], Playable | None]
    writer: Executor
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    batch: int = 1000
    quiet_s: float = 2.0
    """So long after its last message an ended match is finished."""
    abandoned_s: float = 6 * 3600.0
    """So long after its last message any match is."""


class Shard:
    """A shard that this worker holds."""

    def __init__(self, lease: Lease, group: ConsumerGroup, parts: Parts) -> None:
        self.lease, self.group, self._parts = lease, group, parts
        self._open()

    @property
    def writing(self) -> "Future[Committed] | None":
        """What is being written, until ``step`` has looked at its outcome."""
        return None if self._writing is None else self._writing.future

    @property
    def stalled(self) -> bool:
        """Whether it waits for something that is away, or for its own writing."""
        return self._held is not None or self._writing is not None

    @property
    def matches(self) -> int:
        """How many matches are in progress."""
        return len(self._states.matches)

    def step(self) -> int:
        """Take up what comes next, up to a batch, or see what became of the last one; 0 where there was nothing to do.

        Raises LostLease and RedisError, after which the shard must be thrown away.
        """
        if self._writing is not None:
            return self._outcome(self._writing) if self._writing.future.done() else 0
        if self._held is not None:
            if self._parts.monotonic() >= self._retry_at:
                self._settle(*self._held)
            return 0
        try:
            entries = self._next()
        except GapError as gap:
            return self._rebuild(gap)
        if entries:
            self._handle(entries)
        else:
            self._end_matches()
        return len(entries)

    def _open(self) -> None:
        """State from the checkpoints; what was given to whomever and not acknowledged comes first."""
        self._states = self._parts.states()
        self._touched: dict[str, float] = {}
        self._writing: _Writing | None = None
        self._held: tuple[Work, Sequence[Entry]] | None = None
        self._retry_at, self._wait_s = 0.0, _AGAIN_S
        self._recovering = True
        self.group.ensure()
        for match_id, data in self._parts.sinks.committer.checkpoint(self.lease.shard).items():
            try:
                self._states.restore(match_id, data)
            except ValueError as error:
                _log.warning("match %s begins anew, its checkpoint cannot be used: %s", match_id, error)
            else:
                self._touched[match_id] = self._parts.monotonic()

    def _next(self) -> Sequence[Entry]:
        """Entries to handle: whatever is pending in this shard is nobody else's, for nobody else holds it."""
        while self._recovering:
            taken = self.group.reclaim(0, self._parts.batch)
            if taken.buried:
                self._parts.metrics.buried(len(taken.buried))
                _log.warning("shard %d: dead letters %s", self.lease.shard, ", ".join(taken.buried))
            if taken.entries:
                return taken.entries
            self._recovering = bool(taken.buried)
        return self.group.read(self._parts.batch)

    def _handle(self, entries: Sequence[Entry]) -> None:
        try:
            work = self._prepared(entries)
        except Exception as error:  # noqa: BLE001 - logged whole; the entries come again, at last alone, and end as dead letters
            self._failed(entries, error)
        else:
            self._settle(work, entries)

    def _settle(self, work: Work, entries: Sequence[Entry] = ()) -> None:
        """Have a batch's work written beside, while the worker goes on with other shards."""
        self._held = None
        future = self._parts.writer.submit(self._parts.sinks.write, self.lease, work)
        self._writing = _Writing(future, work, entries)

    def _outcome(self, writing: "_Writing") -> int:
        """What became of the writing; where the database is away the work is held and tried again, more patiently each time."""
        self._writing = None
        try:
            committed = writing.future.result()
        except ApiError as error:
            if error.status < 500:
                return self._failed(writing.entries, error)
            self._held, self._retry_at = (writing.work, writing.entries), self._parts.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, _LONGEST_S)
            _log.warning("shard %d waits: %s", self.lease.shard, error.message)
            return 0
        except (RedisError, LostLease):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return self._failed(writing.entries, error)
        self._wait_s = _AGAIN_S
        self._parts.metrics.committed(writing.work, committed, self._parts.now())
        return 1

    def _failed(self, entries: Sequence[Entry], error: Exception) -> int:
        """Begin again from the checkpoints; an entry that failed alone too often is a dead letter."""
        first = entries[0].id if entries else "none"
        _log.error("shard %d: %d entries from %s on failed", self.lease.shard, len(entries), first, exc_info=error)
        self._parts.metrics.failed()
        if len(entries) == 1 and entries[0].deliveries >= ATTEMPTS:
            reason = f"it failed {entries[0].deliveries} times, at last with {type(error).__name__}: {error}"
            self._parts.metrics.buried(self.group.bury([(entries[0], reason)], self.lease))
        self._open()
        return 0

    def _prepared(self, entries: Sequence[Entry]) -> Work:
        """What entries lead to; state in memory has moved on by them."""
        work = Work()
        envelopes = self._readable(entries, work)
        work.pauses = [pausing for envelope in envelopes if (pausing := _pausing(envelope)) is not None]
        self._note(work, self._states.take(envelopes))
        return work

    def _readable(self, entries: Sequence[Entry], work: Work) -> list[Envelope]:
        """The good ones; malformed ones and those of a clock that runs ahead become dead letters with the commit."""
        found: list[Envelope] = []
        good: list[Entry] = []
        latest = self._parts.now() + timedelta(seconds=AHEAD_S)
        for entry in entries:
            try:
                envelope = entry.envelope()
            except WireError as error:
                work.dead.append((entry, f"malformed: {error}"))
                continue
            if envelope.live_at > latest:
                work.dead.append(
                    (entry, f"it happens at {envelope.live_at.isoformat()}, which has not come: a clock is wrong")
                )
                continue
            found.append(envelope)
            good.append(entry)
        work.entries = good
        return found

    def _note(self, work: Work, told: Told) -> None:
        """Put into the work what matches told, with checkpoints of those that go on."""
        now, at = self._parts.now(), self._parts.monotonic()
        for agent, said in told.said:
            signal, review = triage(said, self._parts.rule, agent, now)
            work.signals.append(signal)
            work.reviews += [] if review is None else [review]
        work.provisional += [msgspec.structs.replace(said, generated_at=now) for said in told.provisional]
        work.late += [(event, LATE) for event in told.late]
        work.extra += told.extra
        for match_id in told.over:
            self._touched.pop(match_id, None)
            work.checkpoint.pop(match_id, None)
            work.evict.append(match_id)
        for match_id in told.touched:
            if match_id not in told.over:
                self._touched[match_id] = at
                work.checkpoint[match_id] = self._states.saved(match_id)

    def _end_matches(self) -> None:
        """Finish matches that have ended, or of which nothing was heard for long; they leave with a commit of their own."""
        now, work = self._parts.monotonic(), Work()
        for match_id, since in list(self._touched.items()):
            ended = self._states.ended(match_id)
            if now - since >= (self._parts.quiet_s if ended else self._parts.abandoned_s):
                self._note(work, self._states.finish(match_id))
        if work.evict:
            self._settle(work)

    def _rebuild(self, gap: GapError) -> int:
        """Entries are gone that nobody here has read: matches in progress are taken from the lake, each as a whole."""
        _log.error("shard %d: %s", self.lease.shard, gap)
        self._parts.metrics.gap()
        for match_id in self._states.matches:
            playable = self._parts.from_lake(match_id)
            if playable is None:
                _log.error("match %s is not in the lake: what would be said of its lost events is not", match_id)
                continue
            work = Work()
            self._note(work, self._states.again(match_id, playable))
            self._settle(work)
            if self._writing is not None and not self._outcome(self._writing):
                return 0
        self.group.pass_gap(gap)
        return 0


def _pausing(envelope: Envelope) -> Pausing | None:
    """What an event says about technical pauses; whatever resumes a match ends one."""
    event = envelope.event
    technical = event.event_type is EventType.PAUSE and event.payload.get("kind") == "technical"
    if technical or event.event_type is EventType.RESUME:
        return Pausing(event.match_id, envelope.live_at, technical)
    return None
