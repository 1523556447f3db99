"""Stage: what CS:GO round snapshots know about cs2.round_win, as trees over the features that both have.

Belongs here: snapshots to rows of our window (columns that they do not have stay unknown), repaired labels, live rows only,
and keeping the learned trees in the lake.
Does not belong here: mixing them with our own models (``models/families/lent.py``).
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.clock import CS2_ROUND_S
from esports_assets.canonical.codec import content_hash
from esports_assets.models.families.trees import Trees, XGBoost
from esports_assets.models.label_checks import repaired
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ModelTask
from esports_assets.storage.lake import Lake
from esports_assets.windows.arithmetic import COLUMNS
from esports_assets.windows.asof import Floats
from esports_assets.windows.contrasts import CONTRASTS
from esports_assets.windows.registry import window_spec
from esports_assets.windows.view import PRICES, PRIMARY_CLASSES

PRIOR_VERSION = "1"
"""Code version: bump it when the same snapshots give other trees."""

_SNAPSHOT_NAMES = {"m4a1_silencer": "m4a1s", "m4a1": "m4a4", "sg556": "sg553"}
_PISTOLS = {"deagle": 700, "fiveseven": 500, "tec9": 500, "p250": 300, "cz75auto": 500, "elite": 300, "r8revolver": 600}
_SHARED = ("alive", "hp", "armor", "helmets", "rifles", "snipers", "other_primaries", "grenades", "carried_value")
_COMMON = ("ct_kits", "planted", "time_left_s")
_DERIVED = ("alive_share", "log_hp", "log_carried_value")
_LEARNER = XGBoost(
    eta=0.1, max_depth=4, min_child_weight=50.0, subsample=0.6, colsample=0.6, max_rounds=150, patience=20
)


@dataclass(frozen=True, slots=True)
class Prior:
    """A lender with what it was learned from."""

    trees: Trees
    version: str
    rows: int
    rounds: int


class _Stored(msgspec.Struct):
    version: str
    rows: int
    rounds: int
    booster: str
    params: dict[str, Any]


def learn_prior(lake: Lake, task: ModelTask, snapshots: pa.Table) -> Prior:
    """Learn from snapshots and keep it; no work where they and the code are the same."""
    spec = window_spec(task.window)
    version = f"{content_hash(snapshots)[:16]}-{spec.fingerprint}-{PRIOR_VERSION}"
    known = load_prior(lake, task)
    if known is not None and known.version == version:
        return known
    rows = snapshot_rows(task, snapshots)
    trees = XGBoost(**{**_fields(_LEARNER), "inputs": shared_features()}).fit(rows, seed=7)
    stored = _Stored(
        version,
        len(rows),
        int(np.unique(snapshots["segment"].to_numpy()).size),
        bytes(trees.booster.save_raw("json")).decode(),
        trees.params,
    )
    lake.store.put(_key(task), msgspec.json.encode(stored))
    return Prior(trees, version, stored.rows, stored.rounds)


def load_prior(lake: Lake, task: ModelTask) -> Prior | None:
    """The lender of a task, or None where none was learned for this window."""
    data = lake.store.find(_key(task))
    if data is None:
        return None
    import xgboost

    spec = window_spec(task.window)
    stored = msgspec.json.decode(data, type=_Stored)
    if stored.version.split("-")[1:] != [spec.fingerprint, PRIOR_VERSION]:
        return None
    booster = xgboost.Booster(model_file=bytearray(stored.booster.encode()))
    place = {name: i for i, name in enumerate(spec.feature_names)}
    used = tuple(place[name] for name in shared_features())
    return Prior(Trees(spec.features, used, booster, stored.params), stored.version, stored.rows, stored.rounds)


def shared_features() -> tuple[str, ...]:
    """The features that snapshots have too, in a fixed order."""
    return (*(f"{side}_{name}" for side in ("ct", "t") for name in _SHARED), *_COMMON, *_DERIVED)


def snapshot_rows(task: ModelTask, snapshots: pa.Table) -> Rows:
    """Live snapshots as rows of the task's window, with the label that their own round ended with."""
    spec = window_spec(task.window)
    segment = snapshots["segment"].to_numpy()
    first = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    label = repaired(snapshots["label"].to_numpy(), first)
    planted = np.array([bool(value) for value in snapshots["bomb_planted"].to_pylist()])
    live = planted | (snapshots["time_left"].to_numpy() <= CS2_ROUND_S)
    columns = _columns(snapshots, planted)
    x = np.full((len(segment), len(spec.features)), np.nan, dtype=np.float32)
    for i, name in enumerate(spec.feature_names):
        if name in columns:
            x[:, i] = columns[name]
    match = snapshots["match"].to_numpy()
    names = snapshots["map"].to_pylist()
    starts = np.unique(match, return_index=True)[1]
    keys = pa.table({"segment": segment, "t_s": -snapshots["time_left"].to_numpy()})
    rows = Rows(
        features=spec.features,
        classes=task.classes,
        x=x,
        y=label,
        match=match,
        match_ids=tuple(f"csgo:{i:05d}" for i in range(len(starts))),
        match_maps=tuple(names[i] for i in starts),
        match_days=("1970-01-01",) * len(starts),
        keys=keys,
    )
    return rows.take(live)


def _columns(table: pa.Table, planted: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    def of(name: str) -> Floats:
        return (
            np.asarray(table[name].to_numpy(), dtype=np.float64)
            if name in table.column_names
            else np.zeros(len(planted))
        )

    def held(side: str, names: tuple[str, ...]) -> Floats:
        return np.asarray(np.sum([of(f"{side}_weapon_{_SNAPSHOT_NAMES.get(name, name)}") for name in names], axis=0))

    found: dict[str, Floats] = {"planted": planted * 1.0, "time_left_s": of("time_left")}
    found["ct_kits"] = of("ct_defuse_kits")
    for side in ("ct", "t"):
        grenades = [of(name) for name in table.column_names if name.startswith(f"{side}_grenade_")]
        found[f"{side}_alive"] = of(f"{side}_players_alive")
        found[f"{side}_hp"] = of(f"{side}_health")
        found[f"{side}_armor"] = of(f"{side}_armor")
        found[f"{side}_helmets"] = of(f"{side}_helmets")
        found[f"{side}_grenades"] = np.sum(grenades, axis=0)
        for feature, kind in (("rifles", "rifle"), ("snipers", "sniper"), ("other_primaries", "other")):
            found[f"{side}_{feature}"] = held(side, PRIMARY_CLASSES[kind])
        prices = {**{_SNAPSHOT_NAMES.get(name, name): price for name, price in PRICES.items()}, **_PISTOLS}
        guns = np.sum([price * of(f"{side}_weapon_{name}") for name, price in prices.items()], axis=0)
        value = guns + 6.5 * found[f"{side}_armor"] + 350 * found[f"{side}_helmets"] + 250 * found[f"{side}_grenades"]
        found[f"{side}_carried_value"] = value + (400 * found["ct_kits"] if side == "ct" else 0)
    compute = {feature.name: function for feature, function in CONTRASTS}
    for name in _DERIVED:
        found[name] = np.asarray(compute[name](found, COLUMNS))
    return found


def _fields(learner: XGBoost) -> dict[str, Any]:
    return {name: getattr(learner, name) for name in learner.__dataclass_fields__}


def _key(task: ModelTask) -> str:
    return f"priors/{task.name}/trees.json"
