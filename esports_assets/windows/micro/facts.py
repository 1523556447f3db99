"""What the window needs of an event, as a small value: the same from a table of the lake and from a message of the stream.

Belongs here: which events count, and reading their payloads; a payload that tells something else than agreed tells nothing.
Does not belong here: what an event changes (``standing.py``).
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.space import WORLD_LIMIT_U
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.micro.holding import GUNS
from esports_assets.windows.streamed.frames import MOST_ARMOR, MOST_HEALTH

OBJECTIVE_DEEDS = frozenset(
    {
        *(EventType.OBJECTIVE, EventType.BOMB_PICKED_UP, EventType.BOMB_DROPPED, EventType.BOMB_PLANT_BEGIN),
        *(EventType.BOMB_PLANTED, EventType.BOMB_DEFUSE_BEGIN, EventType.BOMB_DEFUSE_ABORT, EventType.BOMB_DEFUSED),
    }
)
ABILITIES = frozenset({EventType.UTILITY, EventType.ABILITY_USE, EventType.ABILITY_CAST})
"""A grenade is what Counter-Strike has for an ability."""
FACTS = frozenset(
    {
        *(EventType.KILL, EventType.DEATH, EventType.DAMAGE, EventType.SHOT, EventType.BLIND, EventType.SPAWN),
        EventType.ECONOMY_UPDATE,
        *OBJECTIVE_DEEDS,
        *ABILITIES,
    }
)
"""Events that change a row."""

UNKNOWN = math.nan
_MOST = 1000.0
"""Nobody carries so many grenades, and nobody is blind for so many seconds."""
_WORLD = (-WORLD_LIMIT_U, WORLD_LIMIT_U)
_SITES = {"a": 1.0, "b": 0.0}
_loads = msgspec.json.Decoder(dict[str, Any]).decode


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """One event: when, who, and up to three numbers that its kind gives a meaning to; NaN where the source does not tell.

    DAMAGE: health and armour after it. ECONOMY_UPDATE: grenades, armour, kit. BLIND: seconds. BOMB_PLANTED: 1 at A, 0 at B.
    SPAWN: health.
    """

    t: float
    seq: int
    event_id: str
    kind: EventType
    actor: str | None
    target: str | None
    amount: float = UNKNOWN
    second: float = UNKNOWN
    third: float = UNKNOWN
    pos: tuple[float, float, float] | None = None

    @property
    def order(self) -> tuple[float, int, str]:
        """Events stand by time, then by the source's order."""
        return self.t, self.seq, self.event_id


def fact_of(
    event_id: str, kind: EventType, t: float, seq: int, actor: str | None, target: str | None, told: Mapping[str, Any]
) -> Fact | None:
    """The fact of an event, or None where the event changes no row."""
    if kind not in FACTS or (kind is EventType.SHOT and told.get("weapon") not in GUNS):
        return None
    if kind is EventType.DAMAGE:
        numbers = (_number(told, "health_after", MOST_HEALTH), _number(told, "armor_after", MOST_ARMOR))
        return Fact(t, seq, event_id, kind, actor, target, *numbers)
    if kind is EventType.ECONOMY_UPDATE:
        bought = (_number(told, "grenade_count", _MOST), 100.0 * _flag(told, "armor"), _flag(told, "kit"))
        return Fact(t, seq, event_id, kind, actor, target, *bought)
    if kind is EventType.BLIND:
        return Fact(t, seq, event_id, kind, actor, target, _number(told, "duration_s", _MOST))
    if kind is EventType.SPAWN:
        return Fact(t, seq, event_id, kind, actor, target, _number(told, "health", MOST_HEALTH))
    if kind in OBJECTIVE_DEEDS:
        site = told.get("site")
        at_a = _SITES.get(site, UNKNOWN) if isinstance(site, str) else UNKNOWN
        return Fact(t, seq, event_id, kind, actor, target, at_a, pos=_place(told))
    return Fact(t, seq, event_id, kind, actor, target)


def ct_team_of(kind: EventType, team: str | None, side: Side | None, told: Mapping[str, Any]) -> str | None:
    """The team on the CT side as far as an event of the round tells it."""
    stated = told.get("ct_team") if kind in (EventType.ROUND_START, EventType.FREEZE_END, EventType.ROUND_END) else None
    if isinstance(stated, str):
        return stated
    return team if side is Side.CT and kind in FACTS else None


def relevant(events: pa.Table) -> pa.Table:
    """The rows of an events table that tell a fact, a lineup, sides or an end."""
    kinds = [*FACTS, EventType.MAP_START, EventType.ROUND_START, EventType.FREEZE_END, EventType.ROUND_END]
    return events.filter(pc.is_in(events["event_type"].cast(pa.string()), pa.array([kind.value for kind in kinds])))


def payload_of(text: str) -> dict[str, Any]:
    """A payload of the lake."""
    return _loads(text)


def _number(told: Mapping[str, Any], key: str, most: float) -> float:
    value = told.get(key)
    return float(value) if value is not None and _is_number(value, 0.0, most) else UNKNOWN


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _flag(told: Mapping[str, Any], key: str) -> float:
    value = told.get(key)
    return float(value) if isinstance(value, bool) else UNKNOWN


def _place(told: Mapping[str, Any]) -> tuple[float, float, float] | None:
    value = told.get("pos")
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(_is_number(v, *_WORLD) for v in value):
        return None
    x, y, z = (float(v) for v in value)
    return x, y, z
