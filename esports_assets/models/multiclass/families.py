"""Families of tasks of several classes: what each owes here, and the table of them.

Belongs here: the protocol (less than a two-class family owes: no replicates, no contributions), and the settings that were
chosen for these tasks by grouped cross-validation.
Does not belong here: how a family learns (``models/families``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from esports_assets.models.families.base import Graph
from esports_assets.models.families.heuristics import Heuristics
from esports_assets.models.families.linear import MultinomialLogistic
from esports_assets.models.families.trees import XGBoost
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ModelTask


class ClassFitted(Protocol):
    """A model of several classes that has learned."""

    @property
    def params(self) -> dict[str, Any]:
        """What was chosen while learning (JSON-able)."""

    def margins(self, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Margins [N, K] before calibration; their softmax are probabilities."""


class ClassFamily(Protocol):
    """A way of learning several classes."""

    @property
    def name(self) -> str: ...

    def fit(self, rows: Rows, seed: int) -> ClassFitted:
        """Learn from rows. Same rows and seed, same model."""

    def graph(self, models: Sequence[Any]) -> Graph:
        """The model as part of an ONNX graph from ``features`` to ``margins``."""


@dataclass(frozen=True, slots=True)
class BriefXGBoost(XGBoost):
    """Boosted trees with a fixed number of rounds: choosing it on whole matches costs three more models of nine classes."""

    eta: float = 0.2
    max_depth: int = 5
    min_child_weight: float = 2.0
    subsample: float = 0.7
    colsample: float = 0.5
    reg_lambda: float = 3.0
    max_rounds: int = 40

    def _rounds(self, rows: Rows, used: tuple[int, ...], settings: dict[str, Any], seed: int) -> int:
        return self.max_rounds


CLASS_FAMILIES: dict[str, ClassFamily] = {
    family.name: family for family in (Heuristics(), MultinomialLogistic(max_iterations=80), BriefXGBoost())
}


def class_family(task: ModelTask, name: str) -> ClassFamily:
    """The family of this name; LookupError for one that does not compete in the task."""
    task.registered_name(name)
    return CLASS_FAMILIES[name]
