"""The events that change the state of a round, as plain values.

Belongs here: which they are, and reading them from a match.
Does not belong here: what they change (``fill.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType

STATE_EVENTS = (
    *(EventType.ECONOMY_UPDATE, EventType.DAMAGE, EventType.KILL, EventType.DEATH, EventType.BLIND),
    *(EventType.UTILITY, EventType.UTILITY_EFFECT, EventType.BOMB_PICKED_UP, EventType.BOMB_DROPPED),
    *(EventType.BOMB_PLANT_BEGIN, EventType.BOMB_PLANTED, EventType.BOMB_DEFUSE_BEGIN, EventType.BOMB_DEFUSED),
    EventType.BOMB_EXPLODED,
)
"""Events that change the state of a round; each gives a row, except the economy's, which all stand at freeze end."""

_loads = msgspec.json.Decoder(dict[str, Any]).decode
_TYPES = {kind.value: kind for kind in STATE_EVENTS}


@dataclass(frozen=True, slots=True)
class StateEvent:
    """A state-changing event with its payload; players by index, -1 for nobody; ``t`` in seconds since freeze end."""

    event_id: str
    type: EventType
    t: float
    actor: int
    target: int
    payload: Mapping[str, Any]


def events_by_round(events: pa.Table, index: Mapping[str, int]) -> dict[int, list[StateEvent]]:
    """State-changing events of a match by round, in order; ``index`` numbers the players."""
    wanted = events.filter(pc.is_in(events["event_type"].cast(pa.string()), pa.array(list(_TYPES))))
    names = ("event_id", "event_type", "segment", "t_s", "actor", "target", "payload")
    rounds: dict[int, list[StateEvent]] = {}
    for event_id, kind, segment, t, actor, target, payload in zip(
        *(wanted[name].to_pylist() for name in names), strict=True
    ):
        if segment and t is not None:
            event = StateEvent(event_id, _TYPES[kind], t, index.get(actor, -1), index.get(target, -1), _loads(payload))
            rounds.setdefault(segment, []).append(event)
    for own in rounds.values():
        own.sort(key=_moment)  # stable: at one instant in the order of the match
    return rounds


def _moment(event: StateEvent) -> float:
    return event.t


def state_event_of(event: CanonicalEvent, t: float, index: Mapping[str, int]) -> StateEvent | None:
    """The state-changing event in a message, with what is read of its payload; None for any other, and for one that does not
    tell what its kind is about. The stream may say anything: what has another shape than agreed is not told.
    """
    kind = event.event_type
    if kind.value not in _TYPES:
        return None
    told = {name: value for name, value in event.payload.items() if name in _READ and _READ[name](value)}
    if _NEEDED.get(kind, frozenset()) - told.keys():
        return None
    actor, target = index.get(event.actor or "", -1), index.get(event.target or "", -1)
    return StateEvent(event.event_id, kind, t, actor, target, told)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _is_word(value: Any) -> bool:
    return isinstance(value, str)


def _is_place(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_number, value))


_LARGEST = 1e6
"""No number of a payload that is read here is larger."""
_READ: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("health_after", "armor_after", "duration_s", "equipment_value", "grenade_count"), _is_number),
    **dict.fromkeys(("money", "start_money", "spent"), _is_number),
    **dict.fromkeys(("armor", "helmet", "kit", "trade"), _is_number),
    **dict.fromkeys(("primary", "grenade", "site", "buy"), _is_word),
    "pos": _is_place,
}
"""What is read of payloads, with the shape that it must have."""
_NEEDED = {EventType.DAMAGE: frozenset({"health_after"}), EventType.BLIND: frozenset({"duration_s"})}
