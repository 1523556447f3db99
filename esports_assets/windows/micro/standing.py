"""How the players and the bomb stand after each event of a round.

Belongs here: what an event changes, as one walk in order; and the state from which a walk may go on, so that events that no
window needs any more can be let go.
Does not belong here: positions (``frames.py``) and features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.facts import ABILITIES, OBJECTIVE_DEEDS, Fact

FULL_HEALTH = 100.0
NOBODY, NOT_TOLD = -2.0, -1.0
"""Carrier of the bomb: known to be nobody, never told."""


class Of(IntEnum):
    """Rows of a player's state."""

    HEALTH = 0
    ARMOR = 1
    UTILITY = 2
    KIT = 3
    BLIND_UNTIL = 4
    SHOT_T = 5
    HIT_T = 6
    HURT_T = 7
    DEAD = 8
    DEATH_T = 9
    KILLER = 10
    KILLS = 11
    DEATHS = 12
    ABILITIES = 13
    COUNTED = 14


_START: dict[Of, float] = {
    Of.HEALTH: FULL_HEALTH,
    Of.ARMOR: np.nan,
    Of.UTILITY: np.nan,
    Of.KIT: np.nan,
    Of.KILLER: -1.0,
    **dict.fromkeys((Of.BLIND_UNTIL, Of.SHOT_T, Of.HIT_T, Of.HURT_T, Of.DEATH_T), -np.inf),
}


class Bomb(IntEnum):
    """Fields of the bomb's state."""

    CARRIER = 0
    X = 1
    Y = 2
    Z = 3
    PLANTED_T = 4
    AT_A = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """State at one moment: ``people`` by row and player, ``bomb`` by field."""

    people: Floats
    bomb: Floats

    @classmethod
    def at_start(cls, players: int) -> "Standing":
        """Before anything happened in the round."""
        people = np.zeros((len(Of), players))
        for row, value in _START.items():
            people[row] = value
        return cls(people, np.array([NOT_TOLD, np.nan, np.nan, np.nan, np.nan, np.nan]))


@dataclass(frozen=True, slots=True)
class Walk:
    """State before the first event and after each: ``people`` (rows, events + 1, players), ``bomb`` (events + 1, fields)."""

    t: Floats
    people: Floats
    bomb: Floats

    def after(self, count: int) -> Standing:
        """The state after so many events, on its own."""
        return Standing(self.people[:, count].copy(), self.bomb[count].copy())


def walk(start: Standing, facts: Sequence[Fact], index: Mapping[str, int], ct: Sequence[bool]) -> Walk:
    """Apply events in order; ``index`` numbers the players, ``ct`` tells their sides."""
    people = np.empty((len(Of), len(facts) + 1, len(ct)))
    bomb = np.empty((len(facts) + 1, len(Bomb)))
    people[:, 0], bomb[0] = start.people, start.bomb
    for k, fact in enumerate(facts):
        people[:, k + 1], bomb[k + 1] = people[:, k], bomb[k]
        actor = index.get(fact.actor, -1) if fact.actor is not None else -1
        target = index.get(fact.target, -1) if fact.target is not None else -1
        _apply(people[:, k + 1], bomb[k + 1], fact, actor, target, ct)
    return Walk(np.array([fact.t for fact in facts], dtype=np.float64), people, bomb)


def _apply(people: Floats, bomb: Floats, fact: Fact, actor: int, target: int, ct: Sequence[bool]) -> None:
    kind = fact.kind
    if kind is EventType.SHOT:
        if actor >= 0:
            people[Of.SHOT_T, actor] = fact.t
    elif kind is EventType.DAMAGE:
        _hurt(people, fact, actor, target, ct)
    elif kind in (EventType.KILL, EventType.DEATH):
        _die(people, bomb, fact, actor, target, ct)
    elif kind in ABILITIES:
        if actor >= 0:
            people[Of.ABILITIES, actor] += 1.0
            people[Of.COUNTED, actor] += 1.0
            if kind is EventType.UTILITY:
                people[Of.UTILITY, actor] = np.maximum(people[Of.UTILITY, actor] - 1.0, 0.0)
    elif kind in OBJECTIVE_DEEDS:
        if actor >= 0:
            people[Of.COUNTED, actor] += 1.0
        _handle_bomb(bomb, fact, actor)
    elif kind is EventType.ECONOMY_UPDATE:
        if actor >= 0:
            people[[Of.UTILITY, Of.ARMOR, Of.KIT], actor] = fact.amount, fact.second, fact.third
    elif kind is EventType.BLIND:
        if target >= 0 and not np.isnan(fact.amount):
            people[Of.BLIND_UNTIL, target] = max(people[Of.BLIND_UNTIL, target], fact.t + fact.amount)
    elif kind is EventType.SPAWN and actor >= 0:
        people[Of.DEAD, actor] = 0.0
        people[Of.HEALTH, actor] = FULL_HEALTH if np.isnan(fact.amount) else fact.amount


def _enemies(actor: int, target: int, ct: Sequence[bool]) -> bool:
    return actor >= 0 and target >= 0 and ct[actor] != ct[target]


def _hurt(people: Floats, fact: Fact, actor: int, target: int, ct: Sequence[bool]) -> None:
    if target >= 0:
        if not np.isnan(fact.amount):
            people[Of.HEALTH, target] = fact.amount
        if not np.isnan(fact.second):
            people[Of.ARMOR, target] = fact.second
    if _enemies(actor, target, ct):
        people[Of.HIT_T, actor] = fact.t
        people[Of.HURT_T, target] = fact.t


def _die(people: Floats, bomb: Floats, fact: Fact, actor: int, target: int, ct: Sequence[bool]) -> None:
    kills = fact.kind is EventType.KILL and actor >= 0
    if kills:
        people[Of.KILLS, actor] += 1.0
        people[Of.COUNTED, actor] += 1.0
    if target < 0:
        return
    people[Of.DEATHS, target] += 1.0
    people[Of.COUNTED, target] += not (kills and actor == target)
    people[Of.HEALTH, target] = 0.0
    people[Of.DEAD, target] = 1.0
    people[Of.DEATH_T, target] = fact.t
    people[Of.KILLER, target] = float(actor) if kills and _enemies(actor, target, ct) else -1.0
    if bomb[Bomb.CARRIER] == target:
        bomb[Bomb.CARRIER] = NOBODY


def _handle_bomb(bomb: Floats, fact: Fact, actor: int) -> None:
    if not np.isnan(bomb[Bomb.PLANTED_T]):
        return
    place = fact.pos if fact.pos is not None else (np.nan, np.nan, np.nan)
    if fact.kind is EventType.BOMB_PICKED_UP:
        bomb[: Bomb.PLANTED_T] = float(actor) if actor >= 0 else NOT_TOLD, np.nan, np.nan, np.nan
    elif fact.kind is EventType.BOMB_DROPPED:
        bomb[: Bomb.PLANTED_T] = NOBODY, *place
    elif fact.kind is EventType.BOMB_PLANTED:
        bomb[:] = NOBODY, *place, fact.t, fact.amount
