"""Drafts to canonical events: their ids, their time and their order within the match.

Belongs here: what every event of a statement gets, whatever it says.
Does not belong here: what it says (``translate.py``), and which game and round it belongs to (``decoder.py``).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from esports_assets.adapters.grid import raw
from esports_assets.adapters.grid.draft import Draft
from esports_assets.adapters.grid.ledger import Statement
from esports_assets.adapters.grid.scene import SOURCE, Game
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, event_id
from esports_assets.canonical.vocabulary import EventType


class Framing:
    """The frame of the events of one series; ``remark`` takes rule, place and sentence."""

    def __init__(self, day: date, remark: Callable[[str, str, str], None]) -> None:
        """``day`` is the time of events that carry none."""
        self._day = day
        self._remark = remark
        self._said: dict[str, int] = {}

    def timestamp(self, statement: Statement) -> datetime:
        """When it happened: as the message says, else as the start that the event names, else its day."""
        if statement.occurred_at is not None:
            return statement.occurred_at
        started = raw.moment(raw.tree(statement.event.target.stateDelta).get("startedAt"))
        return started or datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC)

    def frame(self, statement: Statement, found: list[Draft], game: Game, simulated: bool) -> None:
        """Make events of the drafts of a statement, in order."""
        moment, header = self.timestamp(statement), game.header
        round_ = game.rounds.get(statement.segment)
        zero = round_.freeze_end if round_ else None
        if any(draft.type is EventType.FREEZE_END for draft in found):
            zero = moment
        if statement.occurred_at is None:
            zero = None
            self._remark(
                "no_time", statement.place, "an event without occurredAt; its time is the start it names, else its day"
            )
        for k, draft in enumerate(found):
            seq = self._said.get(header.match_id, 0)
            self._said[header.match_id] = seq + 1
            statement.events.append(
                CanonicalEvent(
                    event_id=event_id(SOURCE, header.match_id, f"{statement.number}.{statement.index}", k),
                    match_id=header.match_id,
                    event_type=draft.type,
                    timestamp=moment,
                    actor=draft.actor,
                    target=draft.target,
                    team=draft.team,
                    side=draft.side,
                    payload=draft.payload,
                    ingestion_meta=IngestionMeta(SOURCE, statement.number, None, simulated),
                    title=header.title,
                    series_id=header.series_id,
                    map=header.map,
                    segment=statement.segment,
                    t=None if zero is None else (moment - zero).total_seconds(),
                    seq=seq,
                )
            )
