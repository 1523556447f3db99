"""One match as ``cs2/player_micro`` keeps it.

Belongs here: which rounds have rows to compute, and when a round is over.
Does not belong here: several matches (``online.py``), where messages belong (``streamed/match.py``), bytes (``checkpoint.py``).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from esports_assets.windows.micro.round_log import Due, RoundLog
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.micro.standing import Standing
from esports_assets.windows.streamed.frame_log import FrameLog
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.match import StreamedMatch


@dataclass(slots=True)
class MatchLog(StreamedMatch[RoundLog]):
    """What is kept of a match in progress."""

    window: MicroWindow = field(default_factory=MicroWindow)

    def begun(self, lineup: Lineup, segment: int, zero_us: int) -> RoundLog:
        """A round of which nothing is known."""
        frames = FrameLog.empty(lineup.players, self.words)
        start = Standing.at_start(len(lineup.players))
        return RoundLog(segment, zero_us, frames, start, every_frame=self.window.rate_hz is None)

    def due(self, *, finish: bool) -> Iterator[tuple[RoundLog, Due]]:
        """Rounds with rows to compute; ``finish`` awaits nothing more."""
        for own in self.rounds.values():
            if own.ct_team is not None:
                due = own.due(math.inf if finish else self.watermark_t(own.zero_us), self.window)
                if len(due.final) or len(due.provisional):
                    yield own, due

    def forget(self) -> None:
        """Let go of what no row to come can need."""
        for segment in sorted(self.rounds):
            own = self.rounds[segment]
            watermark_t = self.watermark_t(own.zero_us)
            if own.is_over(watermark_t, self.window, followed=segment < max(self.rounds)):
                self.over[segment] = own.zero_us
                del self.rounds[segment]
            elif own.ct_team is not None and self.lineup is not None:
                own.forget(watermark_t, self.window, self.lineup.index, self.lineup.sides(own.ct_team))
