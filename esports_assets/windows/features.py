"""The features of ``cs2/round_state``: small named functions of a ``RoundView``.

Belongs here: one function per feature, past only by construction, with unit, meaning and the sign that the game dictates; the
spec that lists them. Positions are NaN where the source has none, and features that need them are then NaN too.
Does not belong here: features that are functions of other features (``contrasts.py``).
"""

import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from esports_assets.canonical.clock import CS2_BOMB_S, CS2_ROUND_S
from esports_assets.windows.asof import Floats
from esports_assets.windows.spec import Feature
from esports_assets.windows.view import Flags, RoundView

Compute = Callable[[RoundView], Floats]

NEAR_U = 1200.0
"""An enemy this near can be fought at once, in game units."""
AIM_U = 2000.0
"""Farthest distance at which looking at an enemy counts as aiming."""
AIM_RAD = 0.5
"""Half angle of the cone in which looking counts as aiming."""
BACK_RAD = 1.6
"""Beyond this angle an enemy stands behind."""
RUN_U_PER_S = 230.0
"""Running speed with a rifle, game units a second."""
DEFUSE_KIT_S, DEFUSE_S = 5.0, 10.0
"""Seconds that a defuse takes with and without a kit."""

_FEATURES: list[tuple[Feature, Compute]] = []
_Kept = TypeVar("_Kept")


def _per_side(
    name: str,
    unit: str,
    doc: str,
    compute: Callable[[RoundView, Flags], Floats],
    monotone: int = 0,
    nullable: bool = False,
    minimum: float | None = 0.0,
    maximum: float | None = None,
) -> None:
    """The same quantity for the living of both sides; ``monotone`` is the sign for CT's own."""
    for side, other, sign in (("ct", "t", 1), ("t", "ct", -1)):

        def one(view: RoundView, side: str = side) -> Floats:
            return compute(view, view.ct_alive if side == "ct" else view.t_alive)

        text = doc.format(side=side.upper())
        feature = Feature(f"{side}_{name}", unit, text, nullable, minimum, maximum, sign * monotone, f"{other}_{name}")
        _FEATURES.append((feature, one))


def _single(
    name: str,
    unit: str,
    doc: str,
    compute: Compute,
    monotone: int = 0,
    nullable: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
) -> None:
    _FEATURES.append((Feature(name, unit, doc, nullable, minimum, maximum, monotone), compute))


def _members(view: RoundView, who: Flags) -> Flags:
    """All players of the side whose living ones are given."""
    return view.ct if who is view.ct_alive else ~view.ct


def _total(values: Floats, who: Flags) -> Floats:
    return np.asarray(np.where(who, values, 0.0).sum(axis=1))


def _reduced(reduce: Callable[..., Floats], values: Floats, who: Flags) -> Floats:
    """Reduce over the chosen players; NaN where there is nobody or nothing known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns for rows without anybody: NaN is the answer
        return np.asarray(reduce(np.where(who, values, np.nan), axis=1), dtype=np.float64)


def _unknown_where(missing: Flags, values: Floats) -> Floats:
    return np.where(missing, np.nan, values)


def _once(compute: Callable[[RoundView], _Kept]) -> Callable[[RoundView], _Kept]:
    """What several features read is computed once and kept with the view, as if it were a cached property of it."""

    def kept(view: RoundView) -> _Kept:
        if compute.__name__ not in view.__dict__:
            view.__dict__[compute.__name__] = compute(view)
        found: _Kept = view.__dict__[compute.__name__]
        return found

    return kept


@_once
def _positions_unknown(view: RoundView) -> Flags:
    return np.asarray(np.isnan(view.position[..., 0]).all(axis=1))


# --- who lives, with what -------------------------------------------------------------------------------------------

_per_side("alive", "players", "Living {side} players", lambda v, who: who.sum(axis=1).astype(float), 1, maximum=5)
_per_side("hp", "health points", "Health of the living {side}", lambda v, who: _total(v.health, who), 1, maximum=500)
_per_side("armor", "armour points", "Armour of the living {side}", lambda v, who: _total(v.armor, who), 1, maximum=500)
_per_side("helmets", "players", "Living {side} with a helmet", lambda v, who: _total(v.helmet * 1.0, who), 1, maximum=5)
_per_side(
    "grenades", "grenades", "Grenades left with the living {side}", lambda v, who: _total(v.grenades, who), maximum=30
)
_per_side("rifles", "players", "Living {side} with a rifle", lambda v, who: v.count_kind("rifle", who), maximum=5)
_per_side(
    "snipers", "players", "Living {side} with a sniper rifle", lambda v, who: v.count_kind("sniper", who), maximum=5
)
_per_side(
    "other_primaries",
    "players",
    "Living {side} with another primary",
    lambda v, who: v.count_kind("other", who),
    maximum=5,
)
_per_side(
    "effective_hp",
    "health points",
    "Health of the living {side}, half as much again with armour, a quarter with a helmet",
    lambda v, who: _total(v.health * (1.0 + 0.5 * (v.armor > 0) + 0.25 * v.helmet), who),
    1,
)
_per_side(
    "start_equipment",
    "game money",
    "Equipment value of all {side} at freeze end, dead or alive",
    lambda v, who: np.full(len(v.t), v.start_equipment[_members(v, who)].sum()),
)
_per_side(
    "living_equipment",
    "game money",
    "Equipment value at freeze end of the {side} who still live",
    lambda v, who: _total(np.broadcast_to(v.start_equipment, who.shape), who),
)
_per_side(
    "carried_value", "game money", "What the living {side} carry now", lambda v, who: _total(v.carried_value, who), 1
)
_per_side(
    "money",
    "game money",
    "Money that the living {side} kept",
    lambda v, who: _total(v.money * np.ones(who.shape), who),
    nullable=True,
)
_per_side(
    "blind",
    "players",
    "Living {side} blind for half a second yet",
    lambda v, who: _total(v.blind_s > 0.5, who),
    -1,
    maximum=5,
)
_single(
    "ct_kits", "players", "Living CT with a defuse kit", lambda v: _total(v.kit * 1.0, v.ct_alive), 1, minimum=0, maximum=5
)  # fmt: skip

# --- clock and bomb -------------------------------------------------------------------------------------------------


def time_left(view: RoundView) -> Floats:
    """Seconds until the clock or the bomb decides; never negative."""
    running = np.where(view.planted, CS2_BOMB_S - (view.t - np.nan_to_num(view.planted_t)), CS2_ROUND_S - view.t)
    return np.maximum(running, 0.0)


def since_plant(view: RoundView) -> Floats:
    """Seconds since the plant, 0 before it."""
    return np.where(view.planted, view.t - np.nan_to_num(view.planted_t), 0.0)


_single("t_s_clock", "s", "Seconds since freeze end", lambda v: v.t, minimum=0)
_single("time_left_s", "s", "Seconds until time or bomb decides", time_left, minimum=0, maximum=CS2_ROUND_S)
_single("planted", "0 or 1", "The bomb is planted", lambda v: v.planted * 1.0, minimum=0, maximum=1)
_single("since_plant_s", "s", "Seconds since the plant, 0 before", since_plant, minimum=0)
_single("bomb_dropped", "0 or 1", "The bomb lies unplanted", lambda v: v.bomb_dropped * 1.0, minimum=0, maximum=1)
_single(
    "planted_at_a",
    "0 or 1",
    "Planted at A; unknown before",
    lambda v: v.planted_at_a,
    nullable=True,
    minimum=0,
    maximum=1,
)
_single("smokes", "smokes", "Smokes that stand", lambda v: v.smokes, minimum=0)
_single("fires", "fires", "Fires that burn", lambda v: v.fires, minimum=0)
_single("ct_damage_5s", "health points", "Damage by CT in the last five seconds", lambda v: v.ct_damage_5s, minimum=0)
_single("t_damage_5s", "health points", "Damage by T in the last five seconds", lambda v: v.t_damage_5s, minimum=0)
_single(
    "since_kill_s", "s", "Seconds since the last death, at most 60", lambda v: v.since_kill_s, minimum=0, maximum=60
)


def defuse_progress(view: RoundView) -> Floats:
    """Share of a defuse that a CT who stands still at the bomb may have done; 0 to 1."""
    need = np.where(view.kit, DEFUSE_KIT_S, DEFUSE_S)
    return np.asarray(np.clip((view.still_s / need).max(axis=1), 0.0, 1.0))


def defuse_slack(view: RoundView) -> Floats:
    """Seconds left over if the best placed CT ran to the bomb and defused; NaN before a plant or without positions."""
    need = view.to_bomb / RUN_U_PER_S + np.where(view.kit, DEFUSE_KIT_S, DEFUSE_S) - view.still_s
    best = _reduced(np.nanmin, need, view.ct_alive)
    slack = np.clip(time_left(view) - best, -10.0, 20.0)
    nobody = view.planted & ~view.ct_alive.any(axis=1)
    return np.where(nobody, -10.0, _unknown_where(~view.planted, slack))


def plant_slack(view: RoundView) -> Floats:
    """Seconds left over if the T nearest to a site ran there; NaN after a plant or without positions."""
    nearest = np.fmin(*(_reduced(np.nanmin, d, view.t_alive) for d in view.to_site))
    slack = np.clip(CS2_ROUND_S - view.t - nearest / RUN_U_PER_S, -10.0, 20.0)
    return _unknown_where(view.planted, slack)


_single("defuse_progress", "share", "Share of a silent defuse done", defuse_progress, 1, minimum=0, maximum=1)
_single("defuse_slack_s", "s", "Time to spare for a defuse", defuse_slack, 1, True, -10, 20)
_single("plant_slack_s", "s", "Time to spare for a plant", plant_slack, -1, True, -10, 20)

# --- space ----------------------------------------------------------------------------------------------------------


@_once
def _target_distance(view: RoundView) -> Floats:
    """Distance of each player to the site in question: the planted one, else the one nearer to the bomb or to the Ts."""
    a, b = view.to_site
    at_a = _reduced(np.nanmean, a, view.t_alive) <= _reduced(np.nanmean, b, view.t_alive)
    bomb_known = ~np.isnan(view.bomb[:, 0])
    gap = [np.sqrt(((view.bomb - np.array(site)) ** 2).sum(axis=1)) for site in (view.sites.a, view.sites.b)]
    at_a = np.where(bomb_known, gap[0] <= gap[1], at_a)
    at_a = np.where(np.isnan(view.planted_at_a), at_a, view.planted_at_a == 1.0)
    return np.where(at_a[:, None], a, b)


def _count_within(limit: float, values: Floats, who: Flags) -> Floats:
    known = ~np.isnan(np.where(who, values, 0.0)).any(axis=1)
    return np.where(known, ((values < limit) & who).sum(axis=1), np.nan)


def _near_enemy(view: RoundView, who: Flags) -> Floats:
    ours = view.pairs.min(axis=2 if who is view.ct_alive else 1, initial=np.inf)
    return _unknown_where(_positions_unknown(view), (ours < NEAR_U).sum(axis=1).astype(float))


def _looking(view: RoundView, who: Flags) -> tuple[Floats, Floats]:
    """Angle to the nearest enemy (radians) and its distance, for each player of the side."""
    return _ct_looking(view) if who is view.ct_alive else _t_looking(view)


@_once
def _ct_looking(view: RoundView) -> tuple[Floats, Floats]:
    return _looks(view, view.ct_alive)


@_once
def _t_looking(view: RoundView) -> tuple[Floats, Floats]:
    return _looks(view, view.t_alive)


def _looks(view: RoundView, who: Flags) -> tuple[Floats, Floats]:
    ct, t = np.flatnonzero(view.ct), np.flatnonzero(~view.ct)
    ours, theirs, pairs = (ct, t, view.pairs) if who is view.ct_alive else (t, ct, view.pairs.transpose(0, 2, 1))
    if not len(ours) or not len(theirs):
        return np.full((len(view.t), 1), np.pi), np.full((len(view.t), 1), np.inf)
    nearest = pairs.argmin(axis=2)
    gap = np.take_along_axis(view.position[:, theirs], nearest[..., None], axis=1) - view.position[:, ours]
    angle = np.arctan2(gap[..., 1], gap[..., 0]) - np.deg2rad(view.yaw[:, ours])
    return np.abs((angle + np.pi) % (2 * np.pi) - np.pi), pairs.min(axis=2)


def _aiming(view: RoundView, who: Flags) -> Floats:
    angle, far = _looking(view, who)
    return _unknown_where(_positions_unknown(view), ((angle < AIM_RAD) & (far < AIM_U)).sum(axis=1).astype(float))


def _exposed(view: RoundView, who: Flags) -> Floats:
    angle, far = _looking(view, who)
    return _unknown_where(_positions_unknown(view), ((angle > BACK_RAD) & (far < 1000.0)).sum(axis=1).astype(float))


def _spread(view: RoundView, who: Flags) -> Floats:
    plane = np.where(who[..., None], view.position[..., :2], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        centre = np.nanmean(plane, axis=1, keepdims=True)
    spread = np.sqrt(np.nan_to_num(_reduced(np.nanmean, ((plane - centre) ** 2).sum(axis=-1), who)))
    return _unknown_where(_positions_unknown(view), spread)


def _nearest_pair(view: RoundView) -> Floats:
    closest = view.pairs.min(axis=(1, 2), initial=np.inf)
    return _unknown_where(_positions_unknown(view), np.minimum(closest, 3000.0))


_U = "game units"
_per_side("near_enemy", "players", "{side} with an enemy within 1200", _near_enemy, nullable=True, maximum=5)
_per_side("aiming", "players", "{side} who look at their nearest enemy", _aiming, nullable=True, maximum=5)
_per_side("exposed", "players", "{side} whose nearest enemy stands behind them", _exposed, nullable=True, maximum=5)
_per_side("spread", _U, "Root mean square distance of the {side} from their centre", _spread, nullable=True)
_per_side(
    "to_target",
    _U,
    "Mean distance of the {side} to the site in question",
    lambda v, who: _reduced(np.nanmean, _target_distance(v), who),
    nullable=True,
)
_per_side(
    "cover_target",
    "players",
    "{side} within 1500 of the site in question",
    lambda v, who: _count_within(1500.0, _target_distance(v), who),
    nullable=True,
    maximum=5,
)
_per_side(
    "on_site",
    "players",
    "{side} within 1000 of either site",
    lambda v, who: _count_within(1000.0, np.fmin(*v.to_site), who),
    nullable=True,
    maximum=5,
)
_per_side(
    "near_bomb",
    "players",
    "{side} within 1000 of the bomb",
    lambda v, who: _count_within(1000.0, v.to_bomb, who),
    nullable=True,
    maximum=5,
)
_per_side(
    "to_bomb",
    _U,
    "Mean distance of the {side} to the bomb",
    lambda v, who: _reduced(np.nanmean, v.to_bomb, who),
    nullable=True,
)
_per_side(
    "first_to_bomb",
    _U,
    "Distance of the nearest {side} to the bomb",
    lambda v, who: _reduced(np.nanmin, v.to_bomb, who),
    nullable=True,
)
_single("nearest_pair", _U, "Smallest distance between enemies, at most 3000", _nearest_pair, nullable=True, minimum=0)

# --- earlier rounds -------------------------------------------------------------------------------------------------


def _form(name: str, unit: str, doc: str, minimum: float | None = None, maximum: float | None = None) -> None:
    for side, other in (("ct", "t"), ("t", "ct")):

        def one(view: RoundView, side: str = side) -> Floats:
            return np.full(len(view.t), getattr(view.ct_form if side == "ct" else view.t_form, name))

        text = f"{doc}, {side.upper()} team, earlier rounds of this match only"
        _FEATURES.append((Feature(f"{side}_{name}", unit, text, True, minimum, maximum, 0, f"{other}_{name}"), one))


_form("avg_kills_last_5", "kills per round", "Mean kills over the last five rounds", 0)
_form("eco_win_rate", "share", "Share of eco rounds won", 0, 1)
_form("round_win_streak", "rounds", "Rounds won in a row, lost ones negative", -10, 10)
_form("econ_delta", "game money", "Equipment now minus five rounds ago")
_form("trade_efficiency", "share", "Trade kills per kill over five rounds", 0, 1)
_form("objective_success_rate", "share", "Rounds of the last five with the side's objective met", 0, 1)
_per_side(
    "rating",
    "kills per round",
    "Rating of the living {side}",
    lambda v, who: _total(v.rating * np.ones(who.shape), who),
    minimum=None,
)
_per_side(
    "score",
    "rounds",
    "Rounds won by the {side} team before",
    lambda v, who: np.full(len(v.t), v.ct_score if who is v.ct_alive else v.t_score),
)
_single(
    "round_number", "round", "Number of the round from 1", lambda v: np.full(len(v.t), float(v.round_number)), minimum=1
)

BASE: tuple[tuple[Feature, Compute], ...] = tuple(_FEATURES)
"""Every feature that reads the view, with its function."""
