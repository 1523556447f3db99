"""One more of ours, all else equal, never hurts us: asked of trained models over ``cs2/round_state``, contrasts recomputed."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from esports_assets.models.families.base import Fitted
from esports_assets.models.families.registry import family_for
from esports_assets.models.families.trees import XGBoost
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.stages.prior import shared_features
from esports_assets.windows.contrasts import add_contrasts
from esports_assets.windows.features import BASE
from esports_assets.windows.registry import ROUND_STATE

N, MATCHES = 4000, 20


def states(n: int, seed: int) -> dict[str, np.ndarray]:
    """Base features of made-up instants: any number of living players, whatever else is told."""
    rng = np.random.default_rng(seed)
    told = {}
    for feature, _ in BASE:
        low = 0.0 if feature.minimum is None else feature.minimum
        high = low + 100.0 if feature.maximum is None else feature.maximum
        values = rng.uniform(low, high, n)
        if feature.unit in ("players", "0 or 1"):
            values = np.round(values)
        told[feature.name] = np.where(rng.random(n) < 0.3, np.nan, values) if feature.nullable else values
    return told


def inputs(told: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        columns = add_contrasts(told)
    return np.column_stack([columns[name] for name in ROUND_STATE.feature_names]).astype(np.float32)


@cache
def rows() -> Rows:
    """Outcomes that contradict the sign wherever everybody lives or hardly anybody does, to tempt the models."""
    told, rng = states(N, 1), np.random.default_rng(2)
    gap = told["ct_alive"] - told["t_alive"]
    tempting = (told["ct_alive"] == 5) | (told["t_alive"] == 5) | (told["planted"] > 0)
    won = rng.random(N) < 1 / (1 + np.exp(np.where(tempting, 0.8, -0.8) * gap))
    match = np.repeat(np.arange(MATCHES), N // MATCHES)
    keys = {"segment": np.repeat(np.arange(N // 10), 10).astype(np.int16), "t_s": np.tile(np.arange(10.0), N // 10)}
    ids = tuple(f"m{i:02d}" for i in range(MATCHES))
    return Rows(
        features=ROUND_STATE.features,
        classes=ROUND_WIN.classes,
        x=inputs(told),
        y=won.astype(np.int64),
        match=match,
        match_ids=ids,
        match_maps=("de_made",) * MATCHES,
        match_days=("2026-01-01",) * MATCHES,
        keys=pa.table(keys),
    )


@cache
def model(kind: str) -> Fitted:
    quick = XGBoost(inputs=shared_features(), max_rounds=40)
    if kind == "lent":
        return family_for(ROUND_WIN, "multinomial_logistic", rows(), quick.fit(rows(), 1)).fit(rows(), 1)
    return family_for(ROUND_WIN, kind, rows()).fit(rows(), 1)


@pytest.mark.parametrize("kind", ["multinomial_logistic", "xgboost", "lent"])
@pytest.mark.parametrize(("name", "sign"), [("ct_alive", 1), ("t_alive", -1)])
def test_one_more_never_hurts(kind: str, name: str, sign: int) -> None:
    told = states(3000, 3)
    fewer = told[name] < 5
    before = {key: values[fewer] for key, values in told.items()}
    after = before | {name: before[name] + 1}
    change = sign * (model(kind).margins(inputs(after)) - model(kind).margins(inputs(before)))[:, 0]
    assert change.min() >= -1e-5
