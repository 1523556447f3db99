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

from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.fill import RoundFacts, fill_view
from esports_assets.windows.history import PlayerHistory, TeamHistory
from esports_assets.windows.registry import ROUND_STATE, round_state_columns
from esports_assets.windows.state.round_log import End, RoundLog
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.frame_log import FrameLog
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.match import StreamedMatch
from esports_assets.windows.tally import tally_round


@dataclass(slots=True)
class MatchLog(StreamedMatch[RoundLog]):
    """What is kept of a match in progress; players stand in the order in which the source tells them."""

    teams: dict[str, TeamHistory] = field(default_factory=dict)
    form: list[PlayerHistory] = field(default_factory=list)
    won: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    """How many rows have been handed out."""

    def begun(self, lineup: Lineup, segment: int, zero_us: int) -> RoundLog:
        """A round of which nothing is known."""
        self.form = self.form or [PlayerHistory() for _ in lineup.players]
        return RoundLog.begin(segment, zero_us, FrameLog.empty(lineup.players, self.words), lineup.index)

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


def _over(lineup: Lineup, facts: RoundFacts, own: RoundLog, end: End | None) -> RoundOver:
    if end is None:
        return RoundOver(lineup, facts, None, None, None, ())
    last = tuple(event for event in own.state_events if event.t == end.t)
    return RoundOver(lineup, facts, end.at_us, end.event_id, end.reason, last)
