"""What players did in a round, as plain arrays: shots, kills, plants and defuses with their beginnings.

Belongs here: reading deeds from events, and deriving the beginnings that a source leaves out.
Does not belong here: what they mean for a label (``labels.py``); features never read this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.vocabulary import EventType

PLANT_S = 3.125
"""Seconds from the beginning of a plant to its end: every one of 414 announced plants of real matches."""
DEFUSE_KIT_S, DEFUSE_S = 5.0, 10.0
"""Seconds that a defuse takes with and without a kit."""
NOT_GUNS = (
    "knife",
    "bayonet",
    "c4",
    "flashbang",
    "smoke",
    "hegrenade",
    "molotov",
    "incgrenade",
    "decoy",
    "zeus",
    "taser",
)
"""Beginnings of weapon names that a SHOT may name and that are not fired at anybody."""

_KINDS = (
    *(EventType.SHOT, EventType.DAMAGE, EventType.KILL, EventType.DEATH),
    *(EventType.BOMB_PLANT_BEGIN, EventType.BOMB_PLANTED, EventType.BOMB_DEFUSE_BEGIN, EventType.BOMB_DEFUSE_ABORT),
    *(EventType.BOMB_DEFUSED, EventType.BOMB_EXPLODED, EventType.ECONOMY_UPDATE),
)
_loads = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(slots=True)
class Work:
    """A plant or defuse: who, from when to when, and whether it was completed."""

    player: int
    begin_s: float
    end_s: float
    done: bool


@dataclass(slots=True)
class RoundDeeds:
    """Deeds of one round; players by index, times in seconds since freeze end, in order."""

    shots: list[tuple[float, int]] = field(default_factory=list)
    """Time and player."""
    hits: list[tuple[float, int, int]] = field(default_factory=list)
    """Time, who hurt, whom."""
    kills: list[tuple[float, int, int]] = field(default_factory=list)
    """Time, killer (-1: nobody), victim."""
    plants: list[Work] = field(default_factory=list)
    defuses: list[Work] = field(default_factory=list)
    kits: set[int] = field(default_factory=set)

    @property
    def planted_s(self) -> float | None:
        """When the bomb was planted."""
        return next((work.end_s for work in self.plants if work.done), None)


def deeds_by_round(events: pa.Table, index: Mapping[str, int]) -> dict[int, RoundDeeds]:
    """Deeds of a match by round; ``index`` numbers the players."""
    wanted = events.filter(pc.is_in(events["event_type"].cast(pa.string()), pa.array([kind.value for kind in _KINDS])))
    names = ("segment", "event_type", "t_s", "actor", "target", "payload")
    rounds: dict[int, RoundDeeds] = {}
    for segment, kind, t, actor, target, payload in zip(*(wanted[name].to_pylist() for name in names), strict=True):
        if segment and t is not None:
            deeds = rounds.setdefault(segment, RoundDeeds())
            _take(deeds, EventType(kind), t, index.get(actor, -1), index.get(target, -1), payload)
    return rounds


def _take(deeds: RoundDeeds, kind: EventType, t: float, actor: int, target: int, payload: str) -> None:
    if kind is EventType.SHOT:
        weapon = str(_loads(payload).get("weapon") or "")
        if actor >= 0 and not weapon.startswith(NOT_GUNS):
            deeds.shots.append((t, actor))
    elif kind is EventType.DAMAGE:
        if actor >= 0 and target >= 0:
            deeds.hits.append((t, actor, target))
    elif kind in (EventType.KILL, EventType.DEATH):
        if target >= 0:
            deeds.kills.append((t, actor, target))
            _stop(deeds, t, target)
    elif kind is EventType.ECONOMY_UPDATE:
        if _loads(payload).get("kit"):
            deeds.kits.add(actor)
    elif kind is EventType.BOMB_EXPLODED:
        _stop(deeds, t, None)
    elif actor >= 0:
        _bomb(deeds, kind, t, actor)


def _bomb(deeds: RoundDeeds, kind: EventType, t: float, actor: int) -> None:
    defuse_s = DEFUSE_KIT_S if actor in deeds.kits else DEFUSE_S
    if kind is EventType.BOMB_PLANT_BEGIN:
        deeds.plants.append(Work(actor, t, t + PLANT_S, False))
    elif kind is EventType.BOMB_DEFUSE_BEGIN:
        deeds.defuses.append(Work(actor, t, t + defuse_s, False))
    elif kind is EventType.BOMB_DEFUSE_ABORT:
        _stop(deeds, t, actor)
    elif kind is EventType.BOMB_PLANTED:
        _complete(deeds.plants, actor, t, PLANT_S)
    elif kind is EventType.BOMB_DEFUSED:
        _complete(deeds.defuses, actor, t, defuse_s)


def _stop(deeds: RoundDeeds, t: float, player: int | None) -> None:
    """Work in progress ends: who did it died or let go, or (None) the bomb exploded."""
    for work in (*deeds.plants, *deeds.defuses):
        if not work.done and work.begin_s <= t < work.end_s and player in (None, work.player):
            work.end_s = t


def _complete(works: list[Work], player: int, t: float, takes_s: float) -> None:
    """The player's latest work is done now; where its beginning was not told, it took as long as it takes."""
    mine = next((work for work in reversed(works) if work.player == player and not work.done), None)
    if mine is None or t - mine.begin_s > takes_s + 1.0:
        mine = Work(player, t - takes_s, t, True)
        works.append(mine)
    mine.end_s, mine.done = t, True
