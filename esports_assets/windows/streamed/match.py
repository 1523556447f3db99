"""One match as the stream tells it: its lineup, its watermark, and its rounds in progress.

Belongs here: which round a message belongs to, what is late, and what is known twice; the same for every window.
Does not belong here: several matches (``online.py``), what a window keeps of a round.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol, TypeVar

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import FrameError
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.streamed.arrival import Arrival, placed
from esports_assets.windows.streamed.frame_log import FrameLog, Seated, Words
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.message import Message, Positions, in_a_round, read, time_of
from esports_assets.windows.view import Sites

MOST_WAITING = 4096
"""Messages that are kept for a match whose players nobody has told yet; what comes beyond them cannot be placed: late."""
NO_TIME_US = -(2**63)


class Fate(Enum):
    """What became of a message."""

    TAKEN = "taken"
    LATE = "late"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class StreamedRound(Protocol):
    """What a window keeps of a round in progress."""

    segment: int
    zero_us: int
    """Source time of freeze end, by the first message of the round."""
    frames: FrameLog

    def add_event(self, event: CanonicalEvent, t: float) -> bool:
        """Take an event of the round; False for one that came before."""

    def add_frame(self, frame: Positions, t: float) -> bool:
        """Take what is new in a frame; False where nothing is."""

    def add_frames(self, frames: Seated) -> None:
        """Take frames that are later than all that came before, in order."""

    def knows(self, message: Message, t: float) -> bool:
        """Whether a message came before."""


R = TypeVar("R", bound=StreamedRound)


@dataclass(slots=True)
class StreamedMatch(ABC, Generic[R]):
    """What every window keeps of a match in progress."""

    match_id: str
    lateness_us: int
    lineup: Lineup | None = None
    sites: Sites = field(default_factory=Sites)
    words: Words = field(default_factory=Words)
    rounds: dict[int, R] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    """Rounds that are over, with the source time of their freeze end."""
    waiting: list[Message] = field(default_factory=list)
    latest_us: int = NO_TIME_US
    """Latest event time that came."""
    ended: bool = False

    @abstractmethod
    def begun(self, lineup: Lineup, segment: int, zero_us: int) -> R:
        """A round of which nothing is known."""

    def introduce(self, lineup: Lineup, sites: Sites) -> list[tuple[Message, Fate]]:
        """Learn who plays; what has waited for it is taken in, and what became of it returned. Later lineups change nothing."""
        if self.lineup is not None or not lineup.players:
            return []
        self.lineup, self.sites = lineup, sites
        waiting, self.waiting = self.waiting, []
        return [(message, self.take(message)) for message in waiting]

    def take(self, message: Message) -> Fate:
        """Take in a message of a round; others change nothing."""
        if isinstance(message, CanonicalEvent):
            self.ended = self.ended or message.event_type is EventType.MAP_END
            try:
                message = read(message)
            except FrameError:
                return Fate.REFUSED
        segment, t, at_us = time_of(message)
        if t is None or not in_a_round(segment, t):
            return Fate.TAKEN
        if self.lineup is None:
            if len(self.waiting) == MOST_WAITING:
                return Fate.LATE
            self.waiting.append(message)
            return Fate.TAKEN
        return self._place(self.lineup, message, segment, t, at_us)

    def take_all(self, arrival: Arrival) -> int | None:
        """Take in at once what is in good order: how many messages told nothing new. Else None, and nothing is taken in."""
        found = placed(arrival, self)
        if found is None or self.lineup is None:
            return None
        for segment, zero_us in found.begun.items():
            self.rounds[segment] = self.begun(self.lineup, segment, zero_us)
        for segment, frames in found.frames:
            self.rounds[segment].add_frames(frames)
        new = [self.rounds[segment].add_event(event, t) for segment, t, event in found.events]
        self.latest_us, self.ended = found.latest_us, self.ended or arrival.ends
        return new.count(False)

    def _place(self, lineup: Lineup, message: Message, segment: int, t: float, at_us: int) -> Fate:
        own = self.rounds.get(segment)
        zero_us = own.zero_us if own is not None else self.over.get(segment, at_us - round(t * 1e6))
        moment_us = zero_us + round(t * 1e6)
        newest = moment_us > self.latest_us  # and so not late
        if not newest and t < self.watermark_t(zero_us):
            return Fate.DUPLICATE if own is not None and own.knows(message, t) else Fate.LATE
        if isinstance(message, Positions) and lineup.index.keys().isdisjoint(message.players):
            return Fate.TAKEN
        if newest:
            self.latest_us = moment_us
        if segment in self.over:
            return Fate.TAKEN
        if own is None:
            own = self.rounds[segment] = self.begun(lineup, segment, zero_us)
        new = own.add_frame(message, t) if isinstance(message, Positions) else own.add_event(message, t)
        return Fate.TAKEN if new else Fate.DUPLICATE

    def watermark_t(self, zero_us: int) -> float:
        """The watermark on the clock of a round; nothing is awaited before it."""
        if self.latest_us == NO_TIME_US:
            return -math.inf
        return (self.latest_us - zero_us - self.lateness_us) / 1e6

    @property
    def headless(self) -> bool:
        """Whether nobody has told who plays, though everything that could come before what has been heard has come."""
        moments = [time_of(message)[2] for message in self.waiting[:1] + self.waiting[-1:]]
        return self.lineup is None and len(moments) > 1 and abs(moments[1] - moments[0]) > self.lateness_us

    @property
    def is_over(self) -> bool:
        """Whether the map has ended and no row can come any more."""
        return self.ended and not self.rounds and not self.waiting and bool(self.over)
