"""The mixture for people: what many people's games taught about how far each predictor and each habit is to be believed.

Belongs here: learning that, applying it, and a predictor of one person that uses it.
Does not belong here: the signs (``signs.py``), choosing who is learned from, candidates and their promotion.

A softmax regression on standardised signs, seen from the person's last move: the log-probabilities of the mixture and of the simple
predictors times weights, which is a product of experts, plus what habits and recent moves add. Applying it is one product with a
67 x 3 matrix, by numpy alone. It says more about people than the mixture alone does (``benchmarks/rps_people.py``).
"""

import msgspec
import numpy as np

from esports_assets.games.rps.experts.mixture import Probabilities
from esports_assets.games.rps.experts.signs import SIGNS, PersonSigns, unframed

INVERSE_PENALTY = 0.01
"""C of the regression; set once, not searched."""


class PooledModel(msgspec.Struct, frozen=True):
    """What was learned. ``weights`` has a row per step from the frame and a column per sign; JSON and msgpack by msgspec."""

    signs: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, float, float]

    def __post_init__(self) -> None:
        if self.signs != SIGNS:
            raise ValueError("This model was learned from other signs than the ones that are computed here.")
        if any(len(part) != len(SIGNS) for part in (self.mean, self.scale, *self.weights)) or len(self.weights) != 3:
            raise ValueError("A mean, a scale and three weights per sign are needed.")


class PooledExperts:
    """Applies a model to rows of signs."""

    def __init__(self, model: PooledModel) -> None:
        self._weights = np.array(model.weights).T / np.array(model.scale)[:, None]
        self._bias = np.array(model.bias) - np.array(model.mean) @ self._weights

    def __call__(self, turned: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Probabilities of moves, shape (rows, 3), from rows seen from ``frames`` (rows of ``PersonSigns.row(signs.last)``)."""
        logits = turned @ self._weights + self._bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return unframed(powers / powers.sum(axis=1, keepdims=True), frames)


class PersonPredictor:
    """Predicts one person by their signs and a model of other people."""

    def __init__(self, model: PooledModel) -> None:
        self._experts = PooledExperts(model)
        self._signs = PersonSigns()

    def predict(self) -> Probabilities:
        """Probabilities of the person's next move: rock, paper, scissors."""
        frame = self._signs.last
        told = self._experts(np.array([self._signs.row(frame)]), np.array([frame]))[0]
        rock, paper, scissors = told.tolist()
        return (rock, paper, scissors)

    def update(self, own: int, other: int) -> None:
        """Learn from a round; ``other`` is the person."""
        self._signs.update(own, other)


def learn_pooled(turned: np.ndarray, frames: np.ndarray, moves: np.ndarray) -> PooledModel:
    """The model of rows seen from ``frames`` and of the moves that came; ValueError unless every move came."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    steps = (moves - frames) % 3
    if len(np.unique(steps)) < 3:
        raise ValueError("People must have stayed, gone one step on and one back for a model of their moves.")
    scaler = StandardScaler().fit(turned)
    regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=500).fit(scaler.transform(turned), steps)
    bias = regression.intercept_.tolist()
    return PooledModel(
        signs=SIGNS,
        mean=tuple(scaler.mean_.tolist()),
        scale=tuple(scaler.scale_.tolist()),
        weights=tuple(tuple(row) for row in regression.coef_.tolist()),
        bias=(bias[0], bias[1], bias[2]),
    )
