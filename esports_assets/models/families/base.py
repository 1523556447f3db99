"""What every family of models offers, and the small amount of linear algebra that families share.

Belongs here: the protocol that training, evaluation and export rely on, and probabilities from margins.
Does not belong here: any one family, calibration, splits.

A *margin* is what a model says before calibration: for two classes one column, the log-odds of the positive class; for
K > 2 classes K columns, whose softmax are the probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from esports_assets.models.rows import Rows
from esports_assets.windows.spec import Feature


class Fitted(Protocol):
    """A model that has learned. Inputs are in the order of ``features``; NaN stands for a missing nullable value."""

    @property
    def features(self) -> tuple[Feature, ...]: ...

    @property
    def params(self) -> dict[str, Any]:
        """What was chosen while learning (JSON-able)."""

    def margins(self, x: np.ndarray) -> np.ndarray:
        """Margins [N, M] before calibration, as float64."""

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """Additive parts of the two-class margin, [N, features + 1]; the last column is the constant. Rows sum to
        it.
        """


@dataclass(slots=True)
class Graph:
    """Part of an ONNX graph: nodes that read ``features`` and write ``margins`` ([N, models * M])."""

    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)


class Family(Protocol):
    """A way of learning. Stateless; everything learned is in the ``Fitted`` that it returns."""

    @property
    def name(self) -> str: ...

    def fit(self, rows: Rows, seed: int) -> Fitted:
        """Learn from rows (their ``weight`` counts). Same rows and seed, same model. TooLittleData says what is
        missing.
        """

    def replicate(self, fitted: Fitted, rows: Rows, seed: int) -> Fitted:
        """Learn again, cheaply, with the choices of ``fitted`` on reweighted rows: a bootstrap replicate."""

    def graph(self, models: Sequence[Fitted]) -> Graph:
        """The models side by side as an ONNX graph; each gets M neighbouring columns of ``margins``."""


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


def probabilities(margins: np.ndarray) -> np.ndarray:
    """Class probabilities [N, K] of margins; for two classes [N, 2] with the positive class first."""
    if margins.shape[1] == 1:
        p = sigmoid(margins[:, 0])
        return np.column_stack([p, 1 - p])
    shifted = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def outputs(classes: int) -> int:
    """Columns of a margin for this number of classes."""
    return 1 if classes == 2 else classes
