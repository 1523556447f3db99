"""Made-up players whose next seconds follow a known law, as tables of ``cs2/player_micro``."""

import functools

import numpy as np
import pyarrow as pa

from esports_assets.models.multiclass.rows import player_rows
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import INTENT
from esports_assets.windows.labels import INTENTS
from esports_assets.windows.micro.spec import PLAYER_MICRO

KNOWN = ("advance", "hold", "engage", "plant")
SEEN = {
    "approach_velocity": (2.0, -2.0, 0.0, 0.0),
    "enemy_dist_m": (40.0, 20.0, 8.0, 30.0),
    "towards_objective_m": (0.0, 0.0, 0.0, 4.0),
}
"""Mean of what shows an intent, by intent of ``KNOWN``; everything else means nothing."""


def table(match: int, rounds: int = 5, players: int = 4, seconds: float = 20.0) -> pa.Table:
    """Every player keeps an intent for a while; features show it with noise, and one distance is unknown now and then."""
    rng = np.random.default_rng(match)
    times = np.arange(0.0, seconds, 0.5)
    rows: list[dict[str, object]] = []
    for segment in range(1, rounds + 1):
        state = rng.integers(0, len(KNOWN), players)
        for t in times:
            state = np.where(rng.random(players) < 0.15, rng.choice(4, players, p=[0.4, 0.4, 0.15, 0.05]), state)
            rows += [_row(rng, match, segment, player, float(t), int(state[player])) for player in range(players)]
    schema = pa.schema(
        [(name, pa.string()) for name in ("match_id", "map", "player", "side", "intent")]
        + [("simulated", pa.bool_()), ("segment", pa.int16()), ("t_s", pa.float64())]
        + [(feature.name, pa.float64()) for feature in PLAYER_MICRO.features]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _row(rng: np.random.Generator, match: int, segment: int, player: int, t: float, state: int) -> dict[str, object]:
    values: dict[str, object] = {feature.name: float(rng.integers(0, 2)) for feature in PLAYER_MICRO.features}
    values |= {name: means[state] + rng.normal(0, 0.7) for name, means in SEEN.items()}
    values["dist_to_objective_min"] = None if rng.random() < 0.2 else 5.0 + rng.random()
    keys = {"match_id": f"m{match}", "map": f"map{match % 2}", "player": f"p{player}", "side": "ct", "simulated": True}
    return {**keys, "segment": segment, "t_s": t, **values, "intent": KNOWN[state]}


def days(matches: int) -> dict[str, str]:
    """Match m is played on day m + 1 of June."""
    return {f"m{m}": f"2026-06-{m + 1:02d}" for m in range(matches)}


@functools.cache
def made(matches: int = 8) -> Rows:
    """The made-up players as rows."""
    return player_rows([table(m) for m in range(matches)], INTENT, PLAYER_MICRO, days(matches))


assert set(KNOWN) < set(INTENTS)
