"""Boosted trees (XGBoost): shallow, with signs as the window declares them and a number of rounds chosen on whole
matches.

Belongs here: the xgboost family, and its booster as one ONNX tree ensemble.
Does not belong here: calibration, splits of the evaluation.

Rounds: the mean log loss over grouped folds within the training matches, stopped when it has not improved for
``patience`` rounds; then all rows are learned with the best number. Replicates keep that number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from esports_assets.models.families.base import Fitted, Graph, outputs
from esports_assets.models.rows import Rows
from esports_assets.windows.spec import Feature


@dataclass(frozen=True)
class Trees:
    """A booster over the features at ``used``."""

    features: tuple[Feature, ...]
    used: tuple[int, ...]
    booster: Any
    params: dict[str, Any]

    def _matrix(self, x: np.ndarray) -> Any:
        import xgboost

        return xgboost.DMatrix(x[:, list(self.used)], nthread=self.params["nthread"])

    def margins(self, x: np.ndarray) -> np.ndarray:
        """Sum of the leaves and the constant."""
        out = self.booster.predict(self._matrix(x), output_margin=True)
        return np.asarray(out, dtype=np.float64).reshape(len(x), -1)

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """SHAP values of the trees (TreeSHAP, Lundberg 2018, as XGBoost computes it)."""
        parts = self.booster.predict(self._matrix(x), pred_contribs=True)
        out = np.zeros((len(x), len(self.features) + 1))
        out[:, [*self.used, len(self.features)]] = parts
        return out

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The booster as XGBoost's own JSON model."""
        learner: dict[str, Any] = json.loads(bytes(self.booster.save_raw("json")))["learner"]
        return learner


@dataclass(frozen=True, slots=True)
class XGBoost:
    """The family; the defaults were chosen by grouped cross-validation on 46 real maps."""

    name: str = "xgboost"
    inputs: tuple[str, ...] | None = None
    eta: float = 0.06
    max_depth: int = 3
    min_child_weight: float = 100.0
    subsample: float = 0.5
    colsample: float = 0.4
    reg_lambda: float = 10.0
    max_rounds: int = 300
    patience: int = 30
    tuning_folds: int = 3
    replicate_rounds: int = 80
    threads: int = 1

    def fit(self, rows: Rows, seed: int) -> Trees:
        """Choose the number of rounds on whole matches, then learn from all rows."""
        rows.require_learnable()
        settings = self._settings(rows, seed)
        used = self._used(rows)
        rounds = self._rounds(rows, used, settings, seed)
        return self._train(rows, used, settings, rounds)

    def replicate(self, fitted: Fitted, rows: Rows, seed: int) -> Trees:
        """Fewer, larger steps to the same total: at most ``replicate_rounds`` trees."""
        assert isinstance(fitted, Trees)
        rounds = int(fitted.params["rounds"])
        settings = self._settings(rows, seed)
        fewer = min(rounds, self.replicate_rounds)
        settings["eta"] = self.eta * rounds / fewer
        return self._train(rows, fitted.used, settings, fewer)

    def _used(self, rows: Rows) -> tuple[int, ...]:
        return tuple(range(len(rows.features)) if self.inputs is None else rows.columns(self.inputs))

    def _settings(self, rows: Rows, seed: int) -> dict[str, Any]:
        columns = outputs(len(rows.classes))
        signs = [rows.features[i].monotone if columns == 1 else 0 for i in self._used(rows)]
        objective = (
            {"objective": "binary:logistic"} if columns == 1 else {"objective": "multi:softprob", "num_class": columns}
        )
        total = float(len(rows) if rows.weight is None else rows.weight.sum())
        return {
            **objective,
            "eta": self.eta,
            "max_depth": self.max_depth,
            "min_child_weight": min(self.min_child_weight, total / 50),
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "reg_lambda": min(self.reg_lambda, total / 100),
            "monotone_constraints": tuple(signs),
            "base_score": 0.5,
            "tree_method": "hist",
            "max_bin": 64,
            "nthread": self.threads,
            "seed": seed,
        }

    def _matrix(self, rows: Rows, used: Sequence[int]) -> Any:
        import xgboost

        return xgboost.DMatrix(rows.x[:, list(used)], rows.goal, weight=rows.weight, nthread=self.threads)

    def _train(self, rows: Rows, used: tuple[int, ...], settings: dict[str, Any], rounds: int) -> Trees:
        import xgboost

        booster = xgboost.train(settings, self._matrix(rows, used), rounds)
        names = [rows.features[i].name for i in used]
        return Trees(rows.features, used, booster, {**settings, "rounds": rounds, "inputs": names})

    def _rounds(self, rows: Rows, used: tuple[int, ...], settings: dict[str, Any], seed: int) -> int:
        import xgboost

        masks = rows.folds(self.tuning_folds, seed)
        folds = [(np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in masks]
        history = xgboost.cv(
            settings,
            self._matrix(rows, used),
            self.max_rounds,
            folds=folds,
            early_stopping_rounds=self.patience,
            as_pandas=False,
        )
        name = next(str(key) for key in history if str(key).startswith("test-") and str(key).endswith("-mean"))
        return int(np.argmin(history[name])) + 1

    def graph(self, models: Sequence[Fitted]) -> Graph:
        """All trees of all models as one TreeEnsembleRegressor with a target per model and class."""
        from onnx import helper

        trees = [model for model in models if isinstance(model, Trees)]
        columns = max(1, int(trees[0].raw["learner_model_param"]["num_class"]))
        attributes: dict[str, list[Any]] = {name: [] for name in _NODE + _LEAF}
        base: list[float] = []
        number = 0
        for m, model in enumerate(trees):
            base += [_base_margin(model.raw)] * columns
            booster = model.raw["gradient_booster"]["model"]
            for tree, group in zip(booster["trees"], booster["tree_info"], strict=True):
                _add_tree(attributes, tree, number, m * columns + group, model.used)
                number += 1
        node = helper.make_node(
            "TreeEnsembleRegressor",
            ["features"],
            ["margins"],
            domain="ai.onnx.ml",
            n_targets=len(trees) * columns,
            post_transform="NONE",
            base_values=base,
        )
        node.attribute.extend(helper.make_attribute(name, values) for name, values in attributes.items())
        return Graph(nodes=[node])


_NODE = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_modes",
    "nodes_values",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
)
_LEAF = ("target_treeids", "target_nodeids", "target_ids", "target_weights")


def _base_margin(raw: dict[str, Any]) -> float:
    """``base_score`` as a margin: 0.5 is 0 for two classes; for more, a constant that the softmax cancels."""
    score = float(np.asarray(json.loads(raw["learner_model_param"]["base_score"])).ravel()[0])
    return float(np.log(score / (1 - score))) if raw["objective"]["name"] == "binary:logistic" else score


def _add_tree(
    attributes: dict[str, list[Any]], tree: dict[str, Any], number: int, target: int, used: Sequence[int]
) -> None:
    left, right = tree["left_children"], tree["right_children"]
    for i, (yes, no) in enumerate(zip(left, right, strict=True)):
        leaf = yes == -1
        row = (
            number,
            i,
            0 if leaf else used[tree["split_indices"][i]],
            "LEAF" if leaf else "BRANCH_LT",
            0.0 if leaf else tree["split_conditions"][i],
            0 if leaf else yes,
            0 if leaf else no,
            0 if leaf else int(tree["default_left"][i]),
        )
        for name, value in zip(_NODE, row, strict=True):
            attributes[name].append(value)
        if leaf:
            for name, value in zip(_LEAF, (number, i, target, tree["split_conditions"][i]), strict=True):
                attributes[name].append(value)
