"""Models: one candidate per family of a task, learned from all accepted matches.

Belongs here: the asset.
Does not belong here: learning (``models/``), what identifies a candidate (``stages/training.py``).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.defs.conditions import FOLLOWS, follows_even_without
from esports_assets.defs.resources import Platform, Training
from esports_assets.models.candidate import CODE_VERSION
from esports_assets.models.multiclass.candidate import CLASSES_CODE_VERSION
from esports_assets.models.rows import TooLittleData
from esports_assets.models.tasks import INTENT, ROUND_WIN
from esports_assets.stages.prior import PRIOR_VERSION, learn_prior, load_prior
from esports_assets.stages.snapshots import VARIABLE as SNAPSHOTS_VARIABLE
from esports_assets.stages.snapshots import read_snapshots
from esports_assets.stages.training import MATCHES_TO_JUDGE, train, training_set


@dg.asset(
    key=["models", "cs2", "round_win"],
    deps=[dg.AssetKey(["windows", "cs2", "round_state"]), dg.AssetKey(["models", "csgo", "round_prior"])],
    group_name="models",
    owners=["team:ml"],
    kinds={"onnx", "xgboost"},
    code_version=CODE_VERSION,
    automation_condition=follows_even_without(dg.AssetKey(["models", "csgo", "round_prior"])),
    description="Candidates for cs2.round_win: one per family, calibrated out of fold, as ONNX graphs that equal their trainer.",
)
def models_cs2_round_win(platform: Platform, training: Training) -> dg.MaterializeResult:
    data = training_set(platform.lake, ROUND_WIN)
    found, metadata = {}, {}
    for family in ROUND_WIN.families:
        learned, fresh = train(platform.lake, ROUND_WIN, family, data, training.settings)
        found[family] = learned.candidate_id
        metadata[family] = {
            "candidate": learned.candidate_id,
            "learned_now": fresh,
            "graph_differs_by": learned.verified_difference,
            "calibration": learned.calibration,
            "params": {k: v for k, v in learned.params.items() if not isinstance(v, list)},
        }
    return dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash(found)),
        metadata={
            "rows": len(data.rows),
            "matches": data.rows.n_matches,
            "rounds": data.rows.n_segments,
            "simulated": data.simulated,
            "prior": data.prior.version if data.prior else "none",
            "training_data_version": data.data_version,
            "matches_read": dg.MetadataValue.json(dict(data.versions)),
            **{name: dg.MetadataValue.json(value) for name, value in metadata.items()},
        },
    )


@dg.asset(
    key=["models", "csgo", "round_prior"],
    deps=[dg.AssetKey(["raw", "csgo", "round_snapshots"])],
    group_name="models",
    owners=["team:ml"],
    kinds={"xgboost"},
    code_version=PRIOR_VERSION,
    automation_condition=FOLLOWS,
    description="What CS:GO round snapshots lend to cs2.round_win: trees over shared features. None until snapshots are named.",
)
def models_csgo_round_prior(platform: Platform) -> dg.MaterializeResult:
    path = os.environ.get(SNAPSHOTS_VARIABLE)
    lake = platform.lake
    prior = learn_prior(lake, ROUND_WIN, read_snapshots(Path(path))) if path else load_prior(lake, ROUND_WIN)
    if prior is None:
        return dg.MaterializeResult(data_version=dg.DataVersion("none"), metadata={"rows": 0})
    return dg.MaterializeResult(
        data_version=dg.DataVersion(prior.version),
        metadata={"rows": prior.rows, "rounds": prior.rounds, "trees": int(prior.trees.params["rounds"])},
    )


@dg.asset(
    key=["models", "cs2", "intent"],
    deps=[dg.AssetKey(["windows", "cs2", "player_micro"])],
    group_name="models",
    owners=["team:ml"],
    kinds={"onnx", "xgboost"},
    code_version=CLASSES_CODE_VERSION,
    output_required=False,
    automation_condition=FOLLOWS,
    description="Candidates for cs2.intent: one per family, scaled out of fold, with a rule that names a class or abstains. "
    "None where no match tells the positions of players.",
)
def models_cs2_intent(
    context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> Iterator[dg.MaterializeResult]:
    try:
        data = training_set(platform.lake, INTENT)
        data.rows.require_learnable(matches=MATCHES_TO_JUDGE)
    except TooLittleData as lack:
        context.log.warning(f"cs2.intent is left as it is: {lack}")
        return
    found: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    for family in INTENT.families:
        learned, fresh = train(platform.lake, INTENT, family, data, training.settings)
        found[family] = learned.candidate_id
        told = {
            "candidate": learned.candidate_id,
            "learned_now": fresh,
            "graph_differs_by": learned.verified_difference,
            "calibration": learned.calibration,
            "decision": learned.decision,
        }
        metadata[family] = dg.MetadataValue.json(told)
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash(found)),
        metadata={
            "rows": len(data.rows),
            "matches": data.rows.n_matches,
            "rounds": data.rows.n_segments,
            "simulated": data.simulated,
            "training_data_version": data.data_version,
            "matches_read": dg.MetadataValue.json(dict(data.versions)),
            **metadata,
        },
    )
