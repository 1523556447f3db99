"""A feed-forward network for the next move: scikit-learn's, an epoch at a time.

Belongs here: its hyper-parameters, stopping on games that it did not learn from, the best weights.
Does not belong here: layers and their ONNX form (``dense.py``).

scikit-learn is in the stack already and its weights are plain matrices, so the graph is three kinds of ONNX nodes; a framework of
its own would bring hundreds of megabytes for networks of a few thousand weights. Its own early stopping sets single rows aside,
which are of the games that it learns from; here whole games are set aside, looked at after every epoch, and the best epoch's
weights are what is kept. ``input_dropout`` hides that share of the inputs anew in every epoch: the library drops no hidden units.

Going on: from the earlier weights and their standardising; where no epoch is better on the games aside, they stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.models.families.base import Graph
from esports_assets.models.rows import Rows
from esports_assets.models.rps import dense
from esports_assets.models.rps.dense import Dense, Floats
from esports_assets.models.rps.protocol import aside, cross_entropy


@dataclass(frozen=True, slots=True)
class Network:
    """The family ``feedforward_nn``; defaults are those of row 004-15 as far as the library has them."""

    name: str = "feedforward_nn"
    hidden: tuple[int, ...] = (64, 32)
    input_dropout: float = 0.0
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    batch_size: int = 64
    max_epochs: int = 200
    patience: int = 15

    def fit(self, rows: Rows, seed: int, start: Any = None) -> Dense:
        """Epochs until ``patience`` of them brought nothing; the best one's weights."""
        rows.require_learnable()
        apart = aside(rows, seed)
        learn, judge = rows.take(~apart), rows.take(apart)
        mean, scale = (start.mean, start.scale) if self._continues(start, rows) else dense.scaling_of(learn.x)
        blank = Dense(mean, scale, (), (), {})
        x, judged = blank.standardised(learn.x), blank.standardised(judge.x)
        layers = self._layers(x, learn.y, len(rows.classes), seed)
        if self._continues(start, rows):
            layers.coefs_ = [weights.copy() for weights in start.weights]
            layers.intercepts_ = [constants.copy() for constants in start.constants]
        best, told = self._best(layers, (x, learn.y), (judged, judge.y), seed)
        return Dense(mean, scale, *best, {**told, "continued": self._continues(start, rows)})

    def _continues(self, start: Any, rows: Rows) -> bool:
        return isinstance(start, Dense) and start.shape == (rows.x.shape[1], *self.hidden, len(rows.classes))

    def _layers(self, x: Floats, y: npt.NDArray[np.int64], classes: int, seed: int) -> Any:
        """The library's network with its first random weights; one row is enough to make them."""
        from sklearn.neural_network import MLPClassifier

        network = MLPClassifier(
            self.hidden,
            alpha=self.weight_decay,
            batch_size=min(self.batch_size, len(x)),
            learning_rate_init=self.learning_rate,
            random_state=seed,
        )
        return network.partial_fit(x[: network.batch_size], y[: network.batch_size], classes=np.arange(classes))

    def _best(
        self, layers: Any, learn: tuple[Floats, npt.NDArray[np.int64]], judge: tuple[Floats, Any], seed: int
    ) -> tuple[tuple[tuple[Floats, ...], tuple[Floats, ...]], dict[str, Any]]:
        rng = np.random.default_rng(seed)
        x, y = learn
        best, lowest, since, epochs = _copied(layers), _loss(layers, *judge), 0, 0
        while epochs < self.max_epochs and since < self.patience:
            kept = 1 - self.input_dropout
            seen = x * (rng.random(x.shape) < kept) / kept if self.input_dropout else x
            layers.partial_fit(seen, y)
            epochs, since, loss = epochs + 1, since + 1, _loss(layers, *judge)
            if loss < lowest:
                best, lowest, since = _copied(layers), loss, 0
        return best, {"epochs": epochs, "best_epoch": epochs - since, "log_loss_aside": lowest}

    def graph(self, models: Sequence[Any]) -> Graph:
        """Matrix products with ReLU between them."""
        return dense.dense_graph(models)

    def dumped(self, model: Dense) -> bytes:
        """As JSON."""
        return dense.dumped(model)

    def loaded(self, data: bytes, rows: Rows) -> Dense:
        """The inverse of ``dumped``."""
        return dense.loaded(data)


def _copied(layers: Any) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    return tuple(w.copy() for w in layers.coefs_), tuple(b.copy() for b in layers.intercepts_)


def _loss(layers: Any, x: Floats, y: npt.NDArray[np.int64]) -> float:
    nothing = Dense(np.zeros(x.shape[1]), np.ones(x.shape[1]), *_copied(layers), {})
    return cross_entropy(nothing.margins(x), y)
