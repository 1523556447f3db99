"""Small made-up rounds with a known law, as window tables."""

import numpy as np
import pyarrow as pa

from esports_assets.models.rows import Rows, rows_of
from esports_assets.models.tasks import ModelTask
from esports_assets.windows.spec import Feature, WindowSpec

SPEC = WindowSpec(
    "cs2/made",
    "1",
    (
        Feature("ct_alive", "players", "Living CT players", minimum=0, maximum=5, monotone=1, mirror="t_alive"),
        Feature("t_alive", "players", "Living T players", minimum=0, maximum=5, monotone=-1, mirror="ct_alive"),
        Feature("planted", "0/1", "Bomb planted", minimum=0, maximum=1),
        Feature("site_m", "m", "Distance to the site", nullable=True),
        Feature("noise", "1", "Means nothing"),
    ),
)
TASK = ModelTask(
    name="cs2.made",
    title="cs2",
    description="Made for tests.",
    window="cs2/made",
    label="ct_won",
    classes=("ct", "t"),
    positive="ct",
    group="match_id",
    families=("multinomial_logistic", "xgboost"),
    baselines=("prior", "plain_logistic"),
    baseline_features=("ct_alive", "t_alive"),
    phase="planted",
)


def tables(matches: int = 12, rounds: int = 12, seconds: int = 15, seed: int = 0) -> list[pa.Table]:
    """Rounds whose winner depends on the last difference of living players, plus luck."""
    rng = np.random.default_rng(seed)
    made = []
    for m in range(matches):
        columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
        for segment in range(1, rounds + 1):
            ct = np.maximum(5 - np.cumsum(rng.random(seconds) < 0.15), 0)
            t = np.maximum(5 - np.cumsum(rng.random(seconds) < 0.15), 0)
            won = int(rng.random() < 1 / (1 + np.exp(-1.2 * (ct[-1] - t[-1]))))
            for second in range(seconds):
                known = rng.random() < 0.8
                row = (
                    f"m{m:02d}",
                    f"map{m % 3}",
                    segment,
                    len(columns["seq"]),
                    float(second),
                    "second",
                    *[None] * 4,
                    False,
                    won,
                )
                values = (ct[second], t[second], int(second > 10), rng.random() if known else None, rng.normal())
                for name, value in zip(COLUMNS, (*row, *values), strict=True):
                    columns[name].append(None if value is None else value)
        made.append(pa.table({name: pa.array(columns[name], TYPES.get(name, pa.float64())) for name in COLUMNS}))
    return made


KEY_TYPES = {
    "match_id": pa.string(),
    "map": pa.string(),
    "segment": pa.int16(),
    "seq": pa.int32(),
    "t_s": pa.float64(),
    "row_kind": pa.string(),
    **{name: pa.string() for name in ("event_id", "event_type", "actor", "target")},
    "simulated": pa.bool_(),
    "ct_won": pa.int16(),
}
TYPES = KEY_TYPES
COLUMNS = (*KEY_TYPES, *SPEC.feature_names)


def days(matches: int = 12) -> dict[str, str]:
    """Match m is played on day m + 1 of June."""
    return {f"m{m:02d}": f"2026-06-{m + 1:02d}" for m in range(matches)}


def rows(matches: int = 12, seed: int = 0) -> Rows:
    """The made-up rounds as rows."""
    return rows_of(tables(matches, seed=seed), TASK, SPEC, days(matches))
