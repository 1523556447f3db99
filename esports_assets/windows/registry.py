"""The windows there are, by name.

Belongs here: the specs that serving and training look up, and how a window's row is completed from what a client knows.
Does not belong here: features themselves.
"""

from collections.abc import Mapping

import numpy as np

from esports_assets.canonical.clock import CS2_BOMB_S, CS2_ROUND_S
from esports_assets.windows.asof import Floats
from esports_assets.windows.contrasts import CONTRASTS, add_contrasts
from esports_assets.windows.features import (
    AIM_RAD,
    AIM_U,
    BACK_RAD,
    BASE,
    DEFUSE_KIT_S,
    DEFUSE_S,
    NEAR_U,
    RUN_U_PER_S,
)
from esports_assets.windows.fill import DEFUSE_REACH_U, FIRE_S, NO_KILL_S, RECENT_S, SMOKE_S, STILL_U
from esports_assets.windows.history import (
    DAMAGE_PER_KILL,
    ECO_EQUIPMENT_PER_PLAYER,
    PRIOR_ROUNDS,
    STREAK_ROUNDS,
    WINDOW_ROUNDS,
)
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS
from esports_assets.windows.player_form import PLAYER_FORM
from esports_assets.windows.spec import WindowSpec
from esports_assets.windows.view import RoundView

ROUND_STATE = WindowSpec(
    name="cs2/round_state",
    version="2",
    features=(*(feature for feature, _ in BASE), *(feature for feature, _ in CONTRASTS)),
    parameters=(
        *(
            ("near_u", NEAR_U),
            ("aim_u", AIM_U),
            ("aim_rad", AIM_RAD),
            ("back_rad", BACK_RAD),
            ("run_u_per_s", RUN_U_PER_S),
        ),
        *(("defuse_kit_s", DEFUSE_KIT_S), ("defuse_s", DEFUSE_S), ("round_s", CS2_ROUND_S), ("bomb_s", CS2_BOMB_S)),
        *(("smoke_s", SMOKE_S), ("fire_s", FIRE_S), ("recent_s", RECENT_S), ("no_kill_s", NO_KILL_S)),
        *(("defuse_reach_u", DEFUSE_REACH_U), ("still_u", STILL_U)),
        *(("window_rounds", WINDOW_ROUNDS), ("streak_rounds", STREAK_ROUNDS), ("prior_rounds", PRIOR_ROUNDS)),
        *(("eco_equipment_per_player", ECO_EQUIPMENT_PER_PLAYER), ("damage_per_kill", DAMAGE_PER_KILL)),
    ),
)
"""State of a CS2 round at an instant."""

WINDOWS: dict[str, WindowSpec] = {
    spec.name: spec for spec in (ROUND_STATE, PLAYER_FORM, PLAYER_MICRO, NEXT_MOVE, NEXT_MOVE_SIGNS)
}

DERIVED: dict[str, frozenset[str]] = {ROUND_STATE.name: frozenset(feature.name for feature, _ in CONTRASTS)}
"""Features of a window that follow from its others."""


def window_spec(name: str) -> WindowSpec:
    """The window of that name; LookupError lists those there are."""
    if name not in WINDOWS:
        raise LookupError(f"no window {name!r}; known: {', '.join(sorted(WINDOWS))}")
    return WINDOWS[name]


def round_state_columns(view: RoundView) -> dict[str, Floats]:
    """Every feature of ``cs2/round_state`` at the view's instants."""
    return add_contrasts({feature.name: np.asarray(compute(view), dtype=np.float64) for feature, compute in BASE})


def complete(window: str, features: Mapping[str, float]) -> dict[str, float]:
    """A row with its derived features computed; those of the window that the client did not give are NaN."""
    spec, derived = window_spec(window), DERIVED.get(window, frozenset())
    known = {name: np.array([features.get(name, np.nan)]) for name in spec.feature_names if name not in derived}
    columns = add_contrasts(known) if derived else known
    return {name: float(values[0]) for name, values in columns.items()}
