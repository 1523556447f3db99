"""One match as the stream tells it: its players, its watermark, its rounds in progress and what earlier rounds left behind.

Belongs here: which round a message belongs to, what is late, when a round is over, the history that later rounds read.
Does not belong here: several matches (``online.py``), and its form as bytes (``checkpoint.py``).

A round is over when its decision is final, or when the freeze end of a later round is: what was played before that has been
told by then. Rows of a round are handed out only when all earlier rounds are over, because they read their history.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import FrameError
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.fill import RoundFacts, fill_view
from esports_assets.windows.history import PlayerHistory, TeamHistory
from esports_assets.windows.micro.arrival import Arrival, placed
from esports_assets.windows.micro.facts import in_a_round
from esports_assets.windows.micro.frame_log import FrameLog, Words
from esports_assets.windows.micro.match_log import MOST_WAITING, NO_TIME_US, Fate
from esports_assets.windows.micro.message import Message, Positions, read, time_of
from esports_assets.windows.micro.rows import Lineup
from esports_assets.windows.registry import ROUND_STATE, round_state_columns
from esports_assets.windows.state.round_log import End, RoundLog
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.tally import tally_round
from esports_assets.windows.view import Sites


@dataclass(slots=True)
class MatchLog:
    """What is kept of a match in progress."""

    match_id: str
    lateness_us: int
    lineup: Lineup | None = None
    """Players in the order in which the source tells them."""
    sites: Sites = field(default_factory=Sites)
    words: Words = field(default_factory=Words)
    teams: dict[str, TeamHistory] = field(default_factory=dict)
    form: list[PlayerHistory] = field(default_factory=list)
    won: dict[str, int] = field(default_factory=dict)
    rounds: dict[int, RoundLog] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    """Rounds that are over, with the source time of their freeze end."""
    waiting: list[Message] = field(default_factory=list)
    latest_us: int = NO_TIME_US
    """Latest event time that came."""
    rows: int = 0
    """How many rows have been handed out."""
    ended: bool = False

    def introduce(self, lineup: Lineup, sites: Sites) -> list[tuple[Message, Fate]]:
        """Learn who plays; what has waited for it is taken in, and what became of it returned. Later lineups change nothing."""
        if self.lineup is not None or not lineup.players:
            return []
        self.lineup, self.sites = lineup, sites
        self.form = [PlayerHistory() for _ in lineup.players]
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
            self.rounds[segment] = self._begun(self.lineup, segment, zero_us)
        for segment, frames in found.frames:
            self.rounds[segment].add_frames(frames)
        index = self.lineup.index
        new = [self.rounds[segment].add_event(event, t, index) for segment, t, event in found.events]
        self.latest_us, self.ended = found.latest_us, self.ended or arrival.ends
        return new.count(False)

    def _begun(self, lineup: Lineup, segment: int, zero_us: int) -> RoundLog:
        return RoundLog.begin(segment, zero_us, FrameLog.empty(lineup.players, self.words), len(lineup.players))

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
            own = self.rounds[segment] = self._begun(lineup, segment, zero_us)
        new = own.add_frame(message, t) if isinstance(message, Positions) else own.add_event(message, t, lineup.index)
        return Fate.TAKEN if new else Fate.DUPLICATE

    def watermark_t(self, zero_us: int) -> float:
        """The watermark on the clock of a round; nothing is awaited before it."""
        if self.latest_us == NO_TIME_US:
            return -math.inf
        return (self.latest_us - zero_us - self.lateness_us) / 1e6

    def advance(self, *, finish: bool) -> Iterator[StateRows | RoundOver]:
        """Rows that have become final and rounds that are over, in the order of the match; ``finish`` awaits nothing more."""
        for segment in sorted(self.rounds):
            own = self.rounds[segment]
            until_t = math.inf if finish else self.watermark_t(own.zero_us)
            if until_t > 0.0 and own.is_due(until_t):
                yield from self._rows(own, until_t)
            if not finish and not self._is_over(own, until_t):
                return
            yield from self._close(own)

    def _is_over(self, own: RoundLog, watermark_t: float) -> bool:
        if own.end is not None and watermark_t > own.end.t:
            return True
        return any(
            self.watermark_t(other.zero_us) > 0.0 for other in self.rounds.values() if other.segment > own.segment
        )

    def _rows(self, own: RoundLog, until_t: float) -> Iterator[StateRows]:
        facts = self._facts(own)
        if facts is None:
            return
        assert self.lineup is not None
        instants, events, tracks = own.due(until_t), own.state_events, own.tracks()
        if not len(instants.t):
            return
        view = fill_view(facts, events, tracks, instants.t, instants.applied, self.teams, self.form, self.sites)
        columns = round_state_columns(view)
        seq, self.rows = self.rows, self.rows + len(instants.t)
        if tracks is not None:
            own.forget(tracks)
        yield StateRows(
            lineup=self.lineup,
            facts=facts,
            seq=seq,
            t=instants.t,
            at_us=own.at_us(instants),
            zero_us=own.start_us,
            economy={e.actor: e for e in events if e.type is EventType.ECONOMY_UPDATE and e.t <= 0.0},
            events=[events[k] if k >= 0 else None for k in instants.event.tolist()],
            values=np.stack([columns[name] for name in ROUND_STATE.feature_names]),
        )

    def _facts(self, own: RoundLog) -> RoundFacts | None:
        assert self.lineup is not None
        facts = own.facts(self.lineup.teams, self.won)
        if facts is not None:
            for team in (facts.ct_team, facts.t_team):
                self.teams.setdefault(team, TeamHistory())
        return facts

    def _close(self, own: RoundLog) -> Iterator[RoundOver]:
        """Let go of a round that is over; a decided one becomes history."""
        del self.rounds[own.segment]
        self.over[own.segment] = own.zero_us
        facts = self._facts(own)
        if facts is None:
            return
        assert self.lineup is not None
        end = own.end
        if end is not None and end.winner is not None:
            facts = replace(facts, winner=end.winner, duration_s=end.t)
            tally_round(facts, own.state_events, self.teams, self.form)
            winner = facts.ct_team if end.winner is Side.CT else facts.t_team
            self.won[winner] = self.won.get(winner, 0) + 1
        yield _over(self.lineup, facts, own, end)

    @property
    def is_over(self) -> bool:
        """Whether the map has ended and no row can come any more."""
        return self.ended and not self.rounds and not self.waiting and bool(self.over)


def _over(lineup: Lineup, facts: RoundFacts, own: RoundLog, end: End | None) -> RoundOver:
    if end is None:
        return RoundOver(lineup, facts, None, None, None, ())
    last = tuple(event for event in own.state_events if event.t == end.t)
    return RoundOver(lineup, facts, end.at_us, end.event_id, end.reason, last)
