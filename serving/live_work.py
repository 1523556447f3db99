"""What a batch of entries leads to, before any of it is written.

Belongs here: the value that is prepared, written to PostgreSQL, and committed; and the outputs for the log.
Does not belong here: computing it (``live_shard.py``), the writing (``live_sinks.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from esports_assets.canonical import signal as signals
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.signal import AgentSignal, SignalStatus, SignalType
from esports_assets.streams.commit import Output
from esports_assets.streams.entries import Entry
from esports_assets.streams.names import MOTION, SIGNALS
from serving.gate import Reason, Statement
from serving.release import Waiting
from serving.review_terms import NewReview


@dataclass(frozen=True, slots=True)
class Pausing:
    """A technical pause of a match that begins, or one that ends, on the wall clock."""

    match_id: str
    at: datetime
    begins: bool


@dataclass
class Work:
    """Everything that follows from some entries of a shard. It may be written any number of times: the second time changes
    nothing.
    """

    entries: Sequence[Entry] = ()
    signals: list[AgentSignal] = field(default_factory=list)
    """Signals of record, triaged."""
    reviews: list[NewReview] = field(default_factory=list)
    late: list[tuple[CanonicalEvent, str]] = field(default_factory=list)
    pauses: list[Pausing] = field(default_factory=list)
    dead: list[tuple[Entry, str]] = field(default_factory=list)
    checkpoint: dict[str, bytes] = field(default_factory=dict)
    evict: list[str] = field(default_factory=list)
    extra: list[Output] = field(default_factory=list)
    kept_in: dict[str, Reason] = field(default_factory=dict)
    """Signals that wait for nothing, because the gate will never open for them, once it was asked."""

    @cached_property
    def _encoded(self) -> list[bytes]:
        """The JSON of every signal of record: nothing is added to them once there is something to write."""
        return [signals.encode(signal) for signal in self.signals]

    def waiting(self) -> Iterator[Waiting]:
        """What leaves after its delay without anybody's approval."""
        for signal, data in zip(self.signals, self._encoded, strict=True):
            if signal.status is SignalStatus.AUTO_APPROVED:
                yield Waiting(signal.signal_id, signal.match_id, _statement(signal), data)

    def outputs(self) -> list[Output]:
        """What goes to the log."""
        told = [
            Output(signal.signal_id, signal.match_id, data, _streams(signal))
            for signal, data in zip(self.signals, self._encoded, strict=True)
        ]
        return [*told, *self.extra]


def _statement(signal: AgentSignal) -> Statement:
    """What the gate looks at in a signal."""
    told = (signal.event_ts, signal.live_offset_s, signal.status, signal.review_required)
    return Statement(signal.type.value, *told)


def _streams(signal: AgentSignal) -> tuple[str, ...]:
    return (MOTION, SIGNALS) if signal.type is SignalType.MOTION_SYNTHESIS else (SIGNALS,)
