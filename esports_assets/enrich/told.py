"""What of an event the derived facts need, as small checked values.

Belongs here: which events count, and reading places and sums of money out of payloads; what is no such thing is unknown.
Does not belong here: what an event changes (``so_far.py``) and what follows from it (``facts.py``).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from esports_assets.canonical.vocabulary import EventType

Place = tuple[float, float, float]
"""Where something is, in game units."""

BOMB_DEEDS = frozenset(
    {
        *(EventType.BOMB_PICKED_UP, EventType.BOMB_DROPPED, EventType.BOMB_PLANT_BEGIN, EventType.BOMB_PLANTED),
        *(EventType.BOMB_DEFUSE_BEGIN, EventType.BOMB_DEFUSE_ABORT, EventType.BOMB_DEFUSED, EventType.BOMB_EXPLODED),
    }
)
SOMEWHERE = BOMB_DEEDS | {
    *(EventType.KILL, EventType.DEATH, EventType.DAMAGE, EventType.POSITION_UPDATE, EventType.OBJECTIVE),
    *(EventType.UTILITY, EventType.ABILITY_USE, EventType.ABILITY_CAST),
}
"""Events that get facts about where the player is. Shots and blinds are too many for what that would tell."""
MONEY_TOLD = frozenset({EventType.ECONOMY_UPDATE, EventType.BUY})
READ = SOMEWHERE | MONEY_TOLD | {EventType.ROUND_START, EventType.FREEZE_END, EventType.SPAWN}
"""Events that get facts, or that facts of later events follow from."""

_FARTHEST_U = 1e6
_NUMBERS = (float, int)
"""Not their subclasses: true is no coordinate."""
_MOST_MONEY = 1_000_000_000


class Told(NamedTuple):
    """An event as the facts need it; ``at_us`` is its source time in microseconds since 1970."""

    kind: EventType
    segment: int
    at_us: int
    actor: str | None
    target: str | None
    team: str | None
    payload: Mapping[str, Any]

    @property
    def player(self) -> str | None:
        """Whom the event is about: who acts, else whom it befalls."""
        return self.actor or self.target

    def place(self) -> Place | None:
        """Where that player is, as the event itself says."""
        return place_in(self.payload, "pos" if self.actor else "target_pos")

    def text(self, key: str) -> str | None:
        """A text of the payload."""
        value = self.payload.get(key)
        return value if isinstance(value, str) else None

    def money(self, key: str) -> int | None:
        """A sum of money of the payload."""
        value = self.payload.get(key)
        if type(value) is not int or not 0 <= value <= _MOST_MONEY:
            return None
        return value


def place_in(payload: Mapping[str, Any], key: str) -> Place | None:
    """A place that a payload tells."""
    value = payload.get(key)
    if type(value) is not list or len(value) != 3:
        return None
    x, y, z = value
    if type(x) not in _NUMBERS or type(y) not in _NUMBERS or type(z) not in _NUMBERS:
        return None
    if abs(x) <= _FARTHEST_U and abs(y) <= _FARTHEST_U and abs(z) <= _FARTHEST_U:
        return x, y, z
    return None
