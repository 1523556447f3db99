"""One shard of the log under a lease: entries in, work written, state in checkpoints.

Belongs here: opening a shard where its checkpoints left it, the order of entries (what was given and not acknowledged comes before
what is new), a batch's work, holding on to it while something is away, the end of matches, gaps.
Does not belong here: which shards (``live.py``), what is said (``live_states.py``), the order of writing (``live_sinks.py``).

Whatever goes wrong between preparing and committing leaves the log as it was: the shard then forgets all that it holds in memory
and opens again from the checkpoints. An entry that fails again and again comes alone and ends as a dead letter.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import RedisError

from esports_assets.streams.commit import Committed
from esports_assets.streams.entries import Entry
from esports_assets.streams.errors import GapError, LostLease
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import Lease
from esports_assets.streams.replay import Playable
from serving.errors import ApiError
from serving.live_metrics import LiveMetrics
from serving.live_reading import read_into
from serving.live_sinks import Sinks
from serving.live_states import States, Told
from serving.live_work import Work
from serving.review_terms import Rule, triage

LATE = "it came after the watermark of its match, when the rows that it belongs to were final"
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
    batch: int = 2000
    quiet_s: float = 2.0
    """So long after its last message an ended match is finished."""
    abandoned_s: float = 6 * 3600.0
    """So long after its last message any match is."""


class Shard:
    """A shard that this worker holds."""

    def __init__(self, lease: Lease, group: ConsumerGroup, parts: Parts) -> None:
        self.lease, self.group, self._parts = lease, group, parts
        self._wait_s = _AGAIN_S
        self._fails: Counter[str] = Counter()
        """How often what is no entry's work failed: an end or a rebuild by its match, what is due by its name."""
        self._gap, self._passed = "", set[str]()
        """The last gap, and matches that it goes on without."""
        self._drained, self._recovering = False, True
        """Whether the last look left nothing unread (only then is a silent match silent); whether something was given before."""
        self._open()

    @property
    def writing(self) -> "Future[Any] | None":
        """What is done beside, until ``step`` has looked at its outcome."""
        return self._taking if self._writing is None else self._writing.future

    @property
    def stalled(self) -> bool:
        """Whether it waits for something that is away, or for what is done beside."""
        return self._held is not None or self.writing is not None or self._parts.monotonic() < self._retry_at

    @property
    def matches(self) -> int:
        """How many matches are in progress."""
        return len(self._states.matches)

    @property
    def awaits_news(self) -> bool:
        """Whether there is nothing to do before its stream has something new."""
        return not (self.stalled or self._recovering)

    def step(self, news: bool = True, calm: bool = True) -> int:
        """Take up what comes next, up to a batch, or see what became of the last one; 0 where there was nothing to do.

        ``news`` is False where the stream is known to have nothing new, ``calm`` False where other shards have.

        Raises LostLease and RedisError, after which the shard must be thrown away.
        """
        if self._taking is not None:
            return self._taken(self._taking) if self._taking.done() else 0
        if self._writing is not None:
            return self._outcome(self._writing) if self._writing.future.done() else 0
        if self._parts.monotonic() < self._retry_at:
            return 0
        if self._held is not None:
            self._settle(*self._held)
            return 0
        if (headless := self._headless()) is not None:
            _log.warning("shard %d: the beginning of match %s is gone", self.lease.shard, headless)
            return self._take_from_lake(headless)
        if self._drained and self._end_match():
            return 1
        try:
            entries = self._next() if news or self._recovering else ()
        except GapError as gap:
            return self._rebuild(gap)
        self._drained = not self._recovering and len(entries) < self._parts.batch
        if entries:
            self._handle(entries)
        elif calm and (lagging := self._states.lagging):
            self._catch_up(lagging[0])
            return 1
        return len(entries)

    def _open(self) -> None:
        """State from the checkpoints; what was given to whomever and not acknowledged comes first."""
        self._states = self._parts.states()
        self._touched: dict[str, float] = {}
        self._writing: _Writing | None = None
        self._held: tuple[Work, Sequence[Entry]] | None = None
        self._about = ""
        """The match whose end or rebuild is under way, or what is due of one."""
        self._taking: Future[Work | None] | None = None
        self._retry_at = 0.0
        self._drained, self._recovering = False, True
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
        except RedisError:
            raise
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
            self._held = (writing.work, writing.entries)
            return self._later(error)
        except (RedisError, LostLease):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return self._failed(writing.entries, error)
        self._wait_s = _AGAIN_S
        self._fails.pop(self._about, None)
        self._about = ""
        self._parts.metrics.committed(writing.work, committed, self._parts.now())
        return 1

    def _later(self, error: ApiError) -> int:
        """Wait for what is away, longer each time."""
        self._retry_at = self._parts.monotonic() + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_S)
        _log.warning("shard %d waits: %s", self.lease.shard, error.message)
        return 0

    def _failed(self, entries: Sequence[Entry], error: Exception) -> int:
        """Begin again from the checkpoints; an entry that failed alone too often is a dead letter."""
        first = entries[0].id if entries else self._about
        if self._about:
            self._fails[self._about] += 1
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
        envelopes = read_into(work, entries, self._parts.now())
        self._note(work, self._states.take(envelopes))
        return work

    def _note(self, work: Work, told: Told) -> None:
        """Put into the work what matches told, with checkpoints of those that go on."""
        now, at = self._parts.now(), self._parts.monotonic()
        for agent, said in told.said:
            signal, review = triage(said, self._parts.rule, agent, now)
            work.signals.append(signal)
            work.reviews += [] if review is None else [review]
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

    def _end_match(self) -> bool:
        """Finish a match that has ended, or of which nothing was heard for long; it leaves with a commit of its own.

        One that fails again and again leaves at last without its last statements, and others do not wait for it.
        """
        now = self._parts.monotonic()
        for match_id in sorted(self._touched, key=lambda name: self._fails[name]):
            quiet_s = self._parts.quiet_s if self._states.ended(match_id) else self._parts.abandoned_s
            if now - self._touched[match_id] >= quiet_s:
                self._end(match_id)
                return True
        return False

    def _catch_up(self, match_id: str) -> None:
        """Say what is due of a match that has fallen silent for a moment; one that fails again and again leaves."""
        self._about, work = f"what is due of {match_id}", Work()
        if self._fails[self._about] >= ATTEMPTS:
            self._end(match_id)
            return
        try:
            self._note(work, self._states.catch_up(match_id))
        except Exception as error:  # noqa: BLE001 - logged whole; it comes again, so often
            self._failed((), error)
        else:
            self._settle(work)

    def _end(self, match_id: str) -> None:
        self._about, work = match_id, Work()
        try:
            if self._fails[match_id] < ATTEMPTS:
                self._note(work, self._states.finish(match_id))
            else:
                _log.error("match %s leaves without its last statements", match_id)
                self._states.drop(match_id)
                self._note(work, Told(over=[match_id]))
        except Exception as error:  # noqa: BLE001 - logged whole; it comes again, so often
            self._failed((), error)
        else:
            self._settle(work)

    def _rebuild(self, gap: GapError) -> int:
        """Entries are gone that nobody here has read: matches in progress are taken from the lake, each as a whole, beside: it
        may last longer than a lease without heartbeats.
        """
        if self._gap != gap.gone:
            self._gap = gap.gone
            _log.error("shard %d: %s", self.lease.shard, gap)
            self._parts.metrics.gap()
        for match_id in self._states.matches:
            if not self._states.settled(match_id) and match_id not in self._passed:
                return self._take_from_lake(match_id)
        self._passed.clear()
        self.group.pass_gap(gap)
        return 0

    def _headless(self) -> str | None:
        """A match whose beginning was trimmed before anybody here read it, and of which the lake was not asked yet."""
        return next((name for name in self._states.headless if name not in self._passed), None)

    def _take_from_lake(self, match_id: str) -> int:
        self._about = match_id
        self._taking = self._parts.writer.submit(self._from_lake, match_id)
        return 1

    def _from_lake(self, match_id: str) -> Work | None:
        """What a match of the lake leads to; None for one that it does not hold, or that fails again and again."""
        playable = self._parts.from_lake(match_id) if self._fails[match_id] < ATTEMPTS else None
        if playable is None:
            return None
        work = Work()
        self._note(work, self._states.again(match_id, playable))
        return work

    def _taken(self, taking: "Future[Work | None]") -> int:
        """What became of taking a match from the lake."""
        self._taking = None
        try:
            work = taking.result()
        except ApiError as error:
            return self._later(error)
        except Exception as error:  # noqa: BLE001 - as above
            return self._failed((), error)
        if work is None:
            _log.error("match %s is not taken from the lake: what would be said of its lost events is not", self._about)
            self._passed.add(self._about)
            self._about = ""
        else:
            self._settle(work)
        return 1
