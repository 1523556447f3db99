"""Rows of ``cs2/round_state`` as the stream hands them out, and how a round ended.

Belongs here: the two shapes, and rows as plain records.
Does not belong here: when a row is final (``online.py``), what is predicted from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esports_assets.canonical.vocabulary import Side
from esports_assets.windows.asof import Floats
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.state_event import StateEvent
from esports_assets.windows.streamed.lineup import Lineup


@dataclass(frozen=True, slots=True)
class StateRows:
    """Rows (N) of one round of one match in the order of the window.

    The label is no part of them: nobody knows it yet.
    """

    lineup: Lineup
    facts: RoundFacts
    """Teams, sides, score and economy at the start of the round; no winner."""
    seq: int
    """``seq`` of the first row; the others follow."""
    t: Floats
    at_us: Sequence[int]
    """Source time of each row, microseconds since 1970."""
    zero_us: int
    """Source time of freeze end."""
    economy: Mapping[int, StateEvent]
    """By position of the player what is told of his money and equipment at freeze end."""
    events: Sequence[StateEvent | None]
    """The event that each row follows; None for the row of a second."""
    values: Floats
    """(features, N), NaN where unknown; features in the order of ``ROUND_STATE``."""

    def __len__(self) -> int:
        return len(self.t)

    @property
    def segment(self) -> int:
        """Number of the round."""
        return self.facts.number

    def player(self, seat: int) -> str | None:
        """The id of a player by position; None for nobody."""
        return self.lineup.players[seat] if seat >= 0 else None

    def records(self) -> Iterator[dict[str, Any]]:
        """Row by row, as in the window's table but for the label; None where unknown."""
        lineup, values = self.lineup, self.values.T.tolist()
        for i, (t, event) in enumerate(zip(self.t.tolist(), self.events, strict=True)):
            yield {
                **{name: getattr(lineup, name) for name in ("match_id", "series_id", "map", "simulated")},
                "segment": self.segment,
                "seq": self.seq + i,
                "t_s": t,
                "row_kind": "second" if event is None else "event",
                "event_id": None if event is None else event.event_id,
                "event_type": None if event is None else event.type.value,
                "actor": None if event is None else self.player(event.actor),
                "target": None if event is None else self.player(event.target),
                **{
                    name: None if value != value else value
                    for name, value in zip(ROUND_STATE.feature_names, values[i], strict=True)
                },
            }


@dataclass(frozen=True, slots=True)
class RoundOver:
    """A round of which no row will come: all of its rows have been handed out before."""

    lineup: Lineup
    facts: RoundFacts
    """As in its rows, with winner and duration where the stream told a decision."""
    at_us: int | None
    """Source time of the decision; None where it was not told."""
    event_id: str | None
    """The event that told it."""
    reason: str | None
    last: tuple[StateEvent, ...]
    """State-changing events at the instant of the decision: they have no rows."""

    @property
    def segment(self) -> int:
        """Number of the round."""
        return self.facts.number

    @property
    def winner(self) -> Side | None:
        """The side that won; None where nobody told."""
        return self.facts.winner
