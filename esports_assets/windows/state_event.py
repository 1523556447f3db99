"""The events that change the state of a round, as plain values.

Belongs here: which they are, and reading them from a match.
Does not belong here: what they change (``fill.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

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
    return rounds
