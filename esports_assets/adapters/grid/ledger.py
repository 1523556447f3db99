"""What a series has said so far and still stands by: statements in order, and taking them back.

Belongs here: the ordered list of statements, finding what an undo takes back, retracting a game or rounds.
Does not belong here: reading events (``translate.py``) and when to retract (``decoder.py``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from esports_assets.adapters.grid import raw
from esports_assets.adapters.grid.scene import Sample
from esports_assets.canonical.event import CanonicalEvent


@dataclass(slots=True, eq=False)
class Statement:
    """One source event that stands: where it came from, the game and round it belongs to, and what it became."""

    number: int
    index: int
    event: raw.Event
    occurred_at: datetime | None
    place: str
    game: str | None = None
    segment: int = 0
    events: list[CanonicalEvent] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def is_undone_by(self, undo: raw.Event) -> bool:
        """Whether an undo takes this statement back."""
        same = self.event.type == undo.undone_type
        return same and self.event.actor.id == undo.actor.id and self.event.target.id == undo.target.id


class Ledger:
    """Statements that stand, in source order."""

    def __init__(self) -> None:
        self._statements: list[Statement] = []

    def __iter__(self) -> Iterator[Statement]:
        return iter(self._statements)

    def append(self, statement: Statement) -> None:
        """The newest statement."""
        self._statements.append(statement)

    def undone_by(self, event: raw.Event) -> tuple[Statement | None, bool]:
        """The newest statement that ``event`` undoes, and whether it is the newest of the game at all.

        The feed's own remarks (``grid-*``) are not undone and do not count as newer.
        """
        newest = True
        for statement in reversed(self._statements):
            if statement.is_undone_by(event):
                return statement, newest
            newest = newest and statement.event.type.startswith("grid-")
        return None, newest

    def remove(self, statement: Statement) -> None:
        """Take back one statement."""
        self._statements.remove(statement)

    def retract(self, doomed: Callable[[Statement], bool]) -> list[Statement]:
        """Take back every statement for which ``doomed`` holds; newest first."""
        gone = [s for s in reversed(self._statements) if doomed(s)]
        self._statements = [s for s in self._statements if not doomed(s)]
        return gone

    def of_round(self, game: str, segment: int) -> list[Statement]:
        """What stands of one round, in order."""
        found = []
        for statement in reversed(self._statements):
            if statement.game == game and statement.segment == segment:
                found.append(statement)
            elif statement.game == game and 0 < statement.segment < segment:
                break
        return found[::-1]
