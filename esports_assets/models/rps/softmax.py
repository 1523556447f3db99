"""Softmax regression for the next move.

Belongs here: its hyper-parameters and how it is solved.
Does not belong here: the experts' regression on signs (``experts.py``).

The problem is convex and solved to its minimum, so there is no early stopping to get wrong: earlier weights are where the search
begins, and the result does not depend on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from esports_assets.models.families.base import Graph
from esports_assets.models.rows import Rows
from esports_assets.models.rps import dense
from esports_assets.models.rps.dense import Dense
from esports_assets.models.rps.protocol import aside


@dataclass(frozen=True, slots=True)
class Softmax:
    """The family ``multinomial_logistic``. ``l2`` is the penalty on the summed loss, which weights alone have, not constants."""

    name: str = "multinomial_logistic"
    l2: float = 1.0
    balanced: bool = False
    max_iterations: int = 300

    def fit(self, rows: Rows, seed: int, start: Any = None) -> Dense:
        """The minimum on all but the games aside, which calibration needs."""
        from sklearn.linear_model import LogisticRegression

        rows.require_learnable()
        learn = rows.take(~aside(rows, seed))
        mean, scale = dense.scaling_of(learn.x)
        if isinstance(start, Dense):
            mean, scale = start.mean, start.scale
        blank = Dense(mean, scale, (), (), {})
        model = LogisticRegression(
            C=1 / self.l2 if self.l2 else np.inf,
            class_weight="balanced" if self.balanced else None,
            max_iter=self.max_iterations,
            warm_start=True,
        )
        if isinstance(start, Dense):
            model.classes_ = np.arange(len(rows.classes))
            model.coef_, model.intercept_ = start.weights[0].T.copy(), start.constants[0].copy()
        model.fit(blank.standardised(learn.x), learn.y)
        weights, constants = self._of_all_classes(model, rows)
        told = {"l2": self.l2, "balanced": self.balanced, "continued": isinstance(start, Dense)}
        return Dense(mean, scale, (weights,), (constants,), told)

    def _of_all_classes(self, model: Any, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """A column per class of the task; one that never came has a constant that makes it next to impossible."""
        weights, constants = np.zeros((rows.x.shape[1], len(rows.classes))), np.full(len(rows.classes), -20.0)
        coef, intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:
            coef, intercept = np.vstack([-coef / 2, coef / 2]), np.array([-intercept[0] / 2, intercept[0] / 2])
        weights[:, model.classes_], constants[model.classes_] = coef.T, intercept
        return weights, constants

    def graph(self, models: Sequence[Any]) -> Graph:
        """One layer."""
        return dense.dense_graph(models)

    def dumped(self, model: Dense) -> bytes:
        """As JSON."""
        return dense.dumped(model)

    def loaded(self, data: bytes, rows: Rows) -> Dense:
        """The inverse of ``dumped``."""
        return dense.loaded(data)
