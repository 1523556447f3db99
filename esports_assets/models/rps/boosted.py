"""Boosted trees for the next move: rounds are stopped on games that no tree saw, and the best number of them is kept.

Belongs here: the hyper-parameters, stopping, going on from earlier trees.
Does not belong here: the booster's ONNX form (``models/families/trees.py``).

Going on: the earlier trees stay as they are, further ones are added while they help on the games aside; none where none helps.
There are never more than ``max_rounds``: once there are so many, all are learned anew.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from esports_assets.models.families.base import Graph
from esports_assets.models.families.trees import Trees, XGBoost
from esports_assets.models.rows import Rows
from esports_assets.models.rps.protocol import aside, cross_entropy


@dataclass(frozen=True, slots=True)
class Boosted:
    """The family ``xgboost`` of the next move; defaults are those of row 004-14."""

    name: str = "xgboost"
    eta: float = 0.05
    max_depth: int = 3
    min_child_weight: float = 2.0
    subsample: float = 0.8
    colsample: float = 0.7
    reg_lambda: float = 2.0
    reg_alpha: float = 0.1
    gamma: float = 0.0
    max_rounds: int = 300
    patience: int = 20

    def fit(self, rows: Rows, seed: int, start: Any = None) -> Trees:
        """Learn on all but the games aside, stop there, keep the best round."""
        rows.require_learnable()
        apart = aside(rows, seed)
        before = start.booster if isinstance(start, Trees) else None
        grown = 0 if before is None else int(before.num_boosted_rounds())
        if grown >= self.max_rounds:
            before, grown = None, 0
        booster, kept = self._grown(rows, apart, before, grown, seed)
        told = {**self._settings(len(rows.classes), seed), "rounds": kept, "continued_from": grown}
        return Trees(rows.features, tuple(range(len(rows.features))), booster, told)

    def _grown(self, rows: Rows, apart: np.ndarray, before: Any, grown: int, seed: int) -> tuple[Any, int]:
        import xgboost

        learn, judge = rows.take(~apart), rows.take(apart)
        judged = xgboost.DMatrix(judge.x, judge.y, nthread=1)
        stop = xgboost.callback.EarlyStopping(rounds=self.patience, metric_name="mlogloss", data_name="aside")
        booster = xgboost.train(
            self._settings(len(rows.classes), seed),
            xgboost.DMatrix(learn.x, learn.y, weight=learn.weight, nthread=1),
            num_boost_round=self.max_rounds - grown,
            evals=[(judged, "aside")],
            callbacks=[stop],
            xgb_model=before,
            verbose_eval=False,
        )
        if before is not None:
            at_start = cross_entropy(before.predict(judged, output_margin=True).astype(np.float64), judge.y)
            if booster.best_score >= at_start:
                return before, grown
        kept = booster.best_iteration + 1
        return booster[:kept], int(kept)

    def _settings(self, classes: int, seed: int) -> dict[str, Any]:
        return {
            "objective": "multi:softprob",
            "num_class": classes,
            "eval_metric": "mlogloss",
            "eta": self.eta,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "lambda": self.reg_lambda,
            "alpha": self.reg_alpha,
            "gamma": self.gamma,
            "base_score": 0.5,
            "tree_method": "hist",
            "max_bin": 64,
            "nthread": 1,
            "seed": seed,
        }

    def graph(self, models: Sequence[Any]) -> Graph:
        """The trees as one ensemble with a target per class."""
        return XGBoost().graph(models)

    def dumped(self, model: Trees) -> bytes:
        """XGBoost's own JSON, and what was chosen."""
        booster = json.loads(bytes(model.booster.save_raw("json")))
        return json.dumps({"booster": booster, "params": model.params}).encode()

    def loaded(self, data: bytes, rows: Rows) -> Trees:
        """The inverse of ``dumped``."""
        import xgboost

        told = json.loads(data)
        booster = xgboost.Booster(model_file=bytearray(json.dumps(told["booster"]).encode()))
        return Trees(rows.features, tuple(range(len(rows.features))), booster, told["params"])
