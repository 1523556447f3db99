"""What the game says about a state beyond the range of each feature: kinds, bounds that a contract leaves open, laws.

Belongs here: which units count whole things, how large a quantity of a unit can be, which features of a window bound which.
Does not belong here: looking at a row (``checks.py``), what the features are (``esports_assets.windows``).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from esports_assets.canonical.clock import CS2_BOMB_S, CS2_ROUND_S
from esports_assets.models.bundle import Feature

FLAG = "0 or 1"
"""The unit of a feature that is true or false."""
WHOLE = frozenset((FLAG, "players", "grenades", "smokes", "fires", "rounds", "round"))
"""Units of things that are not divided."""

_SLACK_S = 4.0
"""So far may a client's clocks be from each other: since freeze end, since the plant, and what is left."""
_LONGEST_S = CS2_ROUND_S + CS2_BOMB_S + _SLACK_S
"""A bomb that is planted at the last moment explodes this long after freeze end at the latest."""
_ALWAYS = 1000.0
"""Larger than any time of a round: switches an inequality off for one state of the bomb."""

_BOUNDS_BY_UNIT: dict[str, tuple[float, float]] = {
    FLAG: (0, 1),
    "share": (0, 1),
    "players": (-10, 10),
    "grenades": (-60, 60),
    "smokes": (0, 60),
    "fires": (0, 60),
    "round": (-200, 200),
    "rounds": (-200, 200),
    "kills per round": (-25, 25),
    "health points": (-1000, 1000),
    "armour points": (-500, 500),
    "game money": (-100_000, 100_000),
    "game units": (-57_000, 57_000),
    "1000 game units": (-57, 57),
    "s": (-_LONGEST_S, _LONGEST_S),
}
_MOST_PER_PLAYER = {
    "hp": 100,
    "armor": 100,
    "effective_hp": 175,
    "grenades": 6,
    "money": 16_000,
    "living_equipment": 10_000,
    "carried_value": 10_000,
}
"""What one living player can have at most: the game's own limits, or somewhat more than its dearest equipment."""


@dataclass(frozen=True, slots=True)
class Law:
    """``sum(factor * feature) <= limit``, in words; whoever breaks it, the first feature is named."""

    words: str
    terms: tuple[tuple[str, float], ...]
    limit: float = 0.0


def bounds_of(feature: Feature, window: str) -> tuple[float | None, float | None]:
    """Smallest and largest value: the contract's own, else what the unit can be in this window."""
    low, high = _BOUNDS_BY_UNIT.get(feature.unit, (None, None)) if window in _LAWS else (None, None)
    return (
        low if feature.minimum is None else feature.minimum,
        high if feature.maximum is None else feature.maximum,
    )


def laws_of(window: str, features: Mapping[str, Feature]) -> tuple[Law, ...]:
    """The laws of a window between features that a model takes all of."""
    laws = _LAWS[window](features) if window in _LAWS else ()
    return tuple(law for law in laws if all(name in features for name, _ in law.terms))


def _round_state(features: Mapping[str, Feature]) -> Iterator[Law]:
    for side in ("ct", "t"):
        yield from _living(side, [name for name, feature in features.items() if feature.unit == "players"])
        yield from _belongings(side)
    yield from _bomb()
    yield from _time_left()


def _living(side: str, counts: Collection[str]) -> Iterator[Law]:
    """Only who lives has anything, counts anywhere, or hurts."""
    alive = f"{side}_alive"
    for name in counts:
        if name.startswith(f"{side}_") and name != alive:
            yield Law(f"{name} counts players of {alive}", ((name, 1), (alive, -1)))
    for suffix, most in _MOST_PER_PLAYER.items():
        name = f"{side}_{suffix}"
        yield Law(f"{name} is at most {most} for each of {alive}", ((name, 1), (alive, -most)))
    yield Law(f"{side}_hp is at least 1 for each of {alive}", ((f"{side}_hp", -1), (alive, 1)))


def _belongings(side: str) -> Iterator[Law]:
    rifles, snipers, others = (f"{side}_{kind}" for kind in ("rifles", "snipers", "other_primaries"))
    terms = ((others, 1), (rifles, 1), (snipers, 1), (f"{side}_alive", -1))
    yield Law(f"a player of {side}_alive has one primary weapon", terms)
    hp, effective = f"{side}_hp", f"{side}_effective_hp"
    yield Law(f"{effective} is at least {hp}", ((effective, -1), (hp, 1)))
    yield Law(f"{effective} is at most 1.75 {hp}", ((effective, 1), (hp, -1.75)))
    living, start = f"{side}_living_equipment", f"{side}_start_equipment"
    yield Law(f"{living} is a part of {start}", ((living, 1), (start, -1)))


def _bomb() -> Iterator[Law]:
    late, longest = CS2_ROUND_S + _SLACK_S, CS2_BOMB_S + _SLACK_S
    yield Law(f"t_s_clock is at most {late:g} s before a plant", (("t_s_clock", 1), ("planted", -_ALWAYS)), late)
    yield Law(
        f"since_plant_s is 0 before a plant and at most {longest:g} s", (("since_plant_s", 1), ("planted", -longest))
    )
    yield Law("since_plant_s is at most t_s_clock", (("since_plant_s", 1), ("t_s_clock", -1)), _SLACK_S)
    yield Law("planted_at_a is 1 only where planted is", (("planted_at_a", 1), ("planted", -1)))
    yield Law("a planted bomb is not dropped", (("bomb_dropped", 1), ("planted", 1)), 1)


def _time_left() -> Iterator[Law]:
    """The clock decides before a plant, the bomb after it; ``_ALWAYS`` lets each speak in its phase only."""
    clock = f"before a plant, time_left_s is {CS2_ROUND_S:g} s less t_s_clock"
    left, since_freeze, planted = ("time_left_s", 1), ("t_s_clock", 1), ("planted", -_ALWAYS)
    yield Law(clock, (left, since_freeze, planted), CS2_ROUND_S + _SLACK_S)
    yield Law(clock, (("time_left_s", -1), ("t_s_clock", -1), planted), _SLACK_S - CS2_ROUND_S)
    bomb = f"after a plant, time_left_s is {CS2_BOMB_S:g} s less since_plant_s"
    since_plant, planted = ("since_plant_s", 1), ("planted", _ALWAYS)
    yield Law(bomb, (left, since_plant, planted), CS2_BOMB_S + _SLACK_S + _ALWAYS)
    yield Law(bomb, (("time_left_s", -1), ("since_plant_s", -1), planted), _SLACK_S - CS2_BOMB_S + _ALWAYS)


_LAWS: dict[str, Callable[[Mapping[str, Feature]], Iterator[Law]]] = {"cs2/round_state": _round_state}
"""Window to its laws."""
