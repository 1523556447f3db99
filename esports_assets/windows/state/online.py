"""The window ``cs2/round_state`` over the stream: rows when nothing can change them any more.

Belongs here: what a batch of messages led to.
Does not belong here: the shell around matches (``streamed/online.py``), storing checkpoints, and provisional rows: what is said
early is said of players.

The rows are those of the window over the lake, made by the same functions, in the same order, whatever the order of arrival
within the lateness and however messages are cut into batches. A round that the stream never decides has rows here and none in
the lake: nobody can know that beforehand.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.windows.state.checkpoint import load_match, save_match
from esports_assets.windows.state.match_log import MatchLog
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.lineup import Lineup, lineup_of
from esports_assets.windows.streamed.online import Heard, Online


@dataclass(slots=True)
class Fed(Heard):
    """What a batch of messages led to."""

    told: list[StateRows | RoundOver] = field(default_factory=list)
    """Final rows, each once, and rounds that are over; of one match in its order."""

    @property
    def final(self) -> list[StateRows]:
        """The rows alone."""
        return [rows for rows in self.told if isinstance(rows, StateRows)]


class OnlineRounds(Online[MatchLog, Fed]):
    """``cs2/round_state`` over messages in any order within the lateness."""

    def _nothing(self) -> Fed:
        return Fed()

    def _begun(self, match_id: str) -> MatchLog:
        return MatchLog(match_id, self._lateness_us)

    def _lineup(self, start: CanonicalEvent) -> Lineup:
        """The players in the order in which the source tells them, which is that of the match's table of players."""
        told = lineup_of(start.payload)
        simulated = start.ingestion_meta.simulated
        return Lineup(start.match_id, start.series_id, start.map, simulated, tuple(told), tuple(told.values()))

    def _saved(self, match: MatchLog) -> bytes:
        return save_match(match)

    def _loaded(self, saved: bytes) -> MatchLog:
        return load_match(saved, self._lateness_us)

    def _advance(self, fed: Fed, matches: Collection[MatchLog], *, finish: bool) -> None:
        for match in matches:
            fed.told += match.advance(finish=finish)
