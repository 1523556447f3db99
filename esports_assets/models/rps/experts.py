"""The experts' regression as a family: a product of the experts' words and of habits, learned on other people's games.

Belongs here: the step from ``games/rps/experts/pooled.py`` to a family.
Does not belong here: the regression and its penalty (there), the signs, turning (``turned.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from esports_assets.games.rps.experts.pooled import INVERSE_PENALTY, PooledModel, learn_pooled
from esports_assets.models.families.base import Graph
from esports_assets.models.rows import Rows
from esports_assets.models.rps import dense
from esports_assets.models.rps.dense import Dense
from esports_assets.models.rps.protocol import aside
from esports_assets.models.rps.softmax import Softmax


@dataclass(frozen=True, slots=True)
class Experts:
    """Learns steps. The regression is convex, so going on from an earlier one is learning it again from all games."""

    name: str = "experts"

    def fit(self, rows: Rows, seed: int, start: Any = None) -> Dense:
        """The regression on all but the games aside, which calibration needs. Where a step never came, the same one without it."""
        learn = rows.take(~aside(rows, seed))
        if len(np.unique(learn.y)) < len(rows.classes):
            return Softmax(l2=1 / INVERSE_PENALTY).fit(rows, seed)
        return of_pooled(learn_pooled(learn.x.astype(np.float64), np.zeros(len(learn), dtype=np.int64), learn.y))

    def graph(self, models: Sequence[Any]) -> Graph:
        """One layer."""
        return dense.dense_graph(models)

    def dumped(self, model: Dense) -> bytes:
        """As JSON."""
        return dense.dumped(model)

    def loaded(self, data: bytes, rows: Rows) -> Dense:
        """The inverse of ``dumped``."""
        return dense.loaded(data)


def of_pooled(model: PooledModel) -> Dense:
    """A pooled model of steps as a layer."""
    weights, constants = np.array(model.weights).T, np.array(model.bias)
    told = {"inverse_penalty": INVERSE_PENALTY, "signs": len(model.signs)}
    return Dense(np.array(model.mean), np.array(model.scale), (weights,), (constants,), told)
