"""Features of ``cs2/round_state`` that are functions of its other features: one side against the other, and what a plant changes.

Whatever depends on how many live is declared with its sign: one more of ours, all else equal, never hurts us
(``tests/unit/models/test_monotone.py`` asks trained models).

Belongs here: pure functions of named columns, so that whoever knows the state (a client of the API too) gets them computed.
Does not belong here: anything that needs the view of the round.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from esports_assets.canonical.clock import CS2_ROUND_S
from esports_assets.windows.arithmetic import COLUMNS, NUMBERS, Arithmetic
from esports_assets.windows.asof import Floats
from esports_assets.windows.spec import Feature

Values = Mapping[str, Any]
"""By name: columns, or the numbers of one row."""
Contrast = Callable[[Values, Arithmetic], Any]

_CONTRASTS: list[tuple[Feature, Contrast]] = []


def _contrast(name: str, unit: str, doc: str, compute: Contrast, monotone: int = 0, nullable: bool = False) -> None:
    _CONTRASTS.append((Feature(name, unit, doc, nullable, None, None, monotone), compute))


def _log_ratio(name: str, smooth: float) -> Contrast:
    ct, t = f"ct_{name}", f"t_{name}"
    return lambda c, m: m.log((c[ct] + smooth) / (c[t] + smooth))


def _difference(name: str) -> Contrast:
    ct, t = f"ct_{name}", f"t_{name}"
    return lambda c, m: c[ct] - c[t]


def _known_difference(name: str) -> Contrast:
    """Differences of unknown quantities say nothing: 0."""
    ct, t = f"ct_{name}", f"t_{name}"
    return lambda c, m: m.known(c[ct] - c[t], 0.0)


def _product(condition: str, name: str) -> Contrast:
    return lambda c, m: c[condition] * c[name]


for _name, _smooth, _monotone in (
    ("alive", 0.3, 1),
    ("hp", 30.0, 1),
    ("carried_value", 1000.0, 1),
    ("living_equipment", 1000.0, 0),
    ("effective_hp", 40.0, 1),
):
    _contrast(
        f"log_{_name}",
        "log ratio",
        f"Log of CT's {_name} over T's, smoothed by {_smooth:g}",
        _log_ratio(_name, _smooth),
        _monotone,
    )
for _name, _unit, _monotone in (
    ("alive", "players", 1),
    ("hp", "health points", 1),
    ("armor", "armour points", 1),
    ("helmets", "players", 1),
    ("grenades", "grenades", 0),
    ("rifles", "players", 0),
    ("snipers", "players", 0),
    ("other_primaries", "players", 0),
    ("blind", "players", -1),
    ("rating", "kills per round", 0),
):
    _contrast(f"diff_{_name}", _unit, f"CT's {_name} minus T's", _difference(_name), _monotone)
for _name in ("near_enemy", "aiming", "exposed", "spread", "on_site", "cover_target"):
    _contrast(
        f"diff_{_name}",
        "see ct_" + _name,
        f"CT's {_name} minus T's; 0 if unknown",
        _known_difference(_name),
    )
_contrast(
    "diff_damage_5s",
    "health points",
    "Recent damage by CT minus by T",
    lambda c, m: c["ct_damage_5s"] - c["t_damage_5s"],
)


def _late_before_plant(c: Values, m: Arithmetic) -> Any:
    return m.where(c["planted"] > 0, 0.0, m.at_least(40.0 - (CS2_ROUND_S - c["t_s_clock"]), 0.0))


def _late_after_plant(c: Values, m: Arithmetic) -> Any:
    return m.where(c["planted"] > 0, m.at_least(15.0 - c["time_left_s"], 0.0), 0.0)


_contrast("late_before_plant_s", "s", "Seconds into the last forty of the clock without a plant", _late_before_plant)
_contrast("late_after_plant_s", "s", "Seconds into the last fifteen before the explosion", _late_after_plant)
_contrast("no_t_alive", "0 or 1", "No T lives", lambda c, m: (c["t_alive"] == 0) * 1.0, 1)


def _after_plant(name: str, scale: float, unknown: float, cap: float) -> Contrast:
    return lambda c, m: m.where(c["planted"] > 0, m.clip(m.known(c[name], unknown), -cap, cap) / scale, 0.0)


def _before_plant(name: str, scale: float, unknown: float, cap: float) -> Contrast:
    return lambda c, m: m.where(c["planted"] > 0, 0.0, m.clip(m.known(c[name], unknown), -cap, cap) / scale)


_SCALED: tuple[tuple[str, str, Contrast], ...] = (
    ("post_ct_near_bomb", "players", _after_plant("ct_near_bomb", 1, 0, 5)),
    ("post_t_near_bomb", "players", _after_plant("t_near_bomb", 1, 0, 5)),
    ("post_defuse_slack", "s", _after_plant("defuse_slack_s", 1, 0, 20)),
    ("post_ct_first_to_bomb", "1000 game units", _after_plant("ct_first_to_bomb", 1000, 1500, 3000)),
    ("post_ct_to_bomb", "1000 game units", _after_plant("ct_to_bomb", 1000, 1500, 3000)),
    ("post_t_to_bomb", "1000 game units", _after_plant("t_to_bomb", 1000, 1500, 3000)),
    ("pre_ct_to_target", "1000 game units", _before_plant("ct_to_target", 1000, 1500, 3500)),
    ("pre_t_to_target", "1000 game units", _before_plant("t_to_target", 1000, 2500, 3500)),
    ("pre_t_on_site", "players", _before_plant("t_on_site", 1, 0, 5)),
    ("pre_ct_cover", "players", _before_plant("ct_cover_target", 1, 0, 5)),
    ("pre_plant_slack", "s", _before_plant("plant_slack_s", 1, 15, 20)),
    ("pair_gap", "1000 game units", lambda c, m: m.known(c["nearest_pair"], 1500.0) / 1000.0),
)
for _name, _unit, _compute in _SCALED:
    _contrast(_name, _unit, f"{_name.replace('_', ' ')}, bounded, 0 outside its phase", _compute)
_contrast(
    "no_defuse_possible",
    "0 or 1",
    "Planted, and nobody can defuse in time",
    lambda c, m: ((c["planted"] > 0) & (m.known(c["defuse_slack_s"], 0.0) < 0)) * 1.0,
    -1,
)
_contrast(
    "planted_no_t",
    "0 or 1",
    "Planted and no T lives",
    lambda c, m: ((c["planted"] > 0) & (c["t_alive"] == 0)) * 1.0,
    1,
)
_contrast(
    "planted_no_t_slack",
    "s",
    "Time to spare for the defuse where planted and no T lives, else 0",
    lambda c, m: ((c["planted"] > 0) & (c["t_alive"] == 0)) * m.at_least(m.known(c["defuse_slack_s"], 0.0), 0.0),
    1,
)
_contrast(
    "unopposed_on_site",
    "players",
    "T on a site times CT missing there, before a plant",
    lambda c, m: m.where(
        c["planted"] > 0,
        0.0,
        m.known(c["t_on_site"], 0.0) * m.clip(2 - m.known(c["ct_cover_target"], 2.0), 0, 2),
    ),
)

_contrast(
    "alive_share",
    "share",
    "CT's share of the living, smoothed",
    lambda c, m: (c["ct_alive"] + 0.3) / (c["ct_alive"] + c["t_alive"] + 0.6),
    1,
)

_LATER: list[tuple[Feature, Contrast]] = []
for _name in (
    "log_alive",
    "log_hp",
    "log_effective_hp",
    "log_carried_value",
    "diff_grenades",
    "ct_kits",
    "diff_armor",
    "diff_helmets",
    "t_s_clock",
    "diff_aiming",
    "diff_near_enemy",
    "diff_spread",
    "pair_gap",
    "diff_alive",
):
    _sign = 1 if _name in ("log_alive", "diff_alive") else 0
    _doc = f"{_name} where planted, else 0"
    _LATER.append((Feature(f"planted_x_{_name}", "as its factor", _doc, monotone=_sign), _product("planted", _name)))
_LATER.append(
    (
        Feature("carried_by_time", "log ratio x 100 s", "log_carried_value times the clock, at most 115 s"),
        lambda c, m: c["log_carried_value"] * m.at_most(c["t_s_clock"], CS2_ROUND_S) / 100.0,
    )
)

CONTRASTS: tuple[tuple[Feature, Contrast], ...] = (*_CONTRASTS, *_LATER)
"""In an order in which each depends only on base features and contrasts before it."""


_STEPS = tuple((feature.name, compute) for feature, compute in CONTRASTS)


def add_contrasts(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """The columns with every contrast computed from them."""
    found = dict(columns)
    for name, compute in _STEPS:
        found[name] = np.asarray(compute(found, COLUMNS), dtype=np.float64)
    return found


def add_contrasts_to_row(row: Mapping[str, float]) -> dict[str, float]:
    """The same for one row of plain floats (NaN = unknown), without numpy's price per operation."""
    found = dict(row)
    try:
        for name, compute in _STEPS:
            found[name] = compute(found, NUMBERS)
    except (ValueError, ZeroDivisionError):
        return _row_by_columns(row)
    return found


def _row_by_columns(row: Mapping[str, float]) -> dict[str, float]:
    """A row with impossible numbers (less than no player alive): infinite and NaN contrasts, as in a table."""
    with np.errstate(all="ignore"):
        columns = add_contrasts({name: np.array([value], dtype=np.float64) for name, value in row.items()})
    return {name: float(values[0]) for name, values in columns.items()}
