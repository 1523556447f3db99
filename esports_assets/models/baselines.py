"""What every model must beat: the base rate, and a plain logistic regression on a handful of features.

Belongs here: fitting the baselines, their stored form (it travels in the bundle's contract), scoring new rows with it.
Does not belong here: which features the plain logistic has (``tasks.py``), comparing (``evaluate.py``).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from esports_assets.models.families.base import sigmoid
from esports_assets.models.families.linear import MultinomialLogistic
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ModelTask

Stored = dict[str, dict[str, Any]]
"""Baseline name to its numbers, JSON-able."""


def fit_baselines(task: ModelTask, rows: Rows) -> Stored:
    """The task's baselines, learned from these rows."""
    rows.require_learnable()
    known = {"prior": _fit_prior, "plain_logistic": _fit_plain}
    return {name: known[name](task, rows) for name in task.baselines}


def score_baselines(stored: Stored, columns: Mapping[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Probability of the positive class by every stored baseline; ``columns`` holds the named features of ``n``
    rows.
    """
    scores: dict[str, np.ndarray] = {}
    for name, numbers in stored.items():
        if name == "prior":
            scores[name] = np.full(n, float(numbers["value"]))
            continue
        x = np.column_stack([np.asarray(columns[feature], dtype=np.float64) for feature in numbers["features"]])
        x = np.where(np.isnan(x), np.asarray(numbers["fill"]), x)
        scores[name] = sigmoid(x @ np.asarray(numbers["weights"]) + float(numbers["constant"]))
    return scores


def _fit_prior(task: ModelTask, rows: Rows) -> dict[str, Any]:
    return {"value": float(rows.y.mean())}


def _fit_plain(task: ModelTask, rows: Rows) -> dict[str, Any]:
    model = MultinomialLogistic(inputs=task.baseline_features, ridge=1e-6, signed=False, refits=0).fit(rows, seed=0)
    places = rows.columns(task.baseline_features)
    return {
        "features": list(task.baseline_features),
        "fill": [float(model.fill[i]) for i in places],
        "weights": [float(model.weights[i, 0]) for i in places],
        "constant": float(model.constant[0]),
    }
