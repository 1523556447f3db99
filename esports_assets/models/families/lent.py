"""A family that borrows from a model of another title: a fixed share of its log-odds beside what our own rows teach.

Belongs here: the mixture of margins, its contributions, and its ONNX form.
Does not belong here: how the lender is learned (``stages/prior.py``) and how much is borrowed (``tasks.py``).

With a few dozen matches of our own, thousands of rounds of a sister title know better what five against three is worth:
``z = (1 - share) * own(x) + share * lender(x)``. The lender has seen none of our matches, so out-of-fold stays out-of-fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from esports_assets.models.families.base import Family, Fitted, Graph
from esports_assets.models.families.trees import Trees, XGBoost
from esports_assets.models.rows import Rows
from esports_assets.windows.spec import Feature


@dataclass(frozen=True, slots=True)
class Mixed:
    """Our own model and the lender, mixed in log-odds."""

    own: Fitted
    lender: Trees
    share: float

    @property
    def features(self) -> tuple[Feature, ...]:
        """Inputs of both."""
        return self.own.features

    @property
    def params(self) -> dict[str, Any]:
        """What was chosen for our own model, and the share that is lent."""
        return {**self.own.params, "lent_share": self.share, "lent_rounds": self.lender.params["rounds"]}

    def margins(self, x: np.ndarray) -> np.ndarray:
        """Mixture of the log-odds."""
        return np.asarray((1 - self.share) * self.own.margins(x) + self.share * self.lender.margins(x))

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """Mixture of both models' additive parts: they sum to the mixture's log-odds."""
        return np.asarray((1 - self.share) * self.own.contributions(x) + self.share * self.lender.contributions(x))


@dataclass(frozen=True, slots=True)
class Lent:
    """A family whose models are mixed with a lender's."""

    family: Family
    lender: Trees
    share: float

    @property
    def name(self) -> str:
        """The family's own name: the task's registered model is one, with or without a lender."""
        return self.family.name

    def fit(self, rows: Rows, seed: int) -> Mixed:
        """Learn our own part; the lender stays as it is."""
        return Mixed(self.family.fit(rows, seed), self.lender, self.share)

    def replicate(self, fitted: Fitted, rows: Rows, seed: int) -> Mixed:
        """A bootstrap replicate of our own part."""
        assert isinstance(fitted, Mixed)
        return Mixed(self.family.replicate(fitted.own, rows, seed), self.lender, self.share)

    def graph(self, models: Sequence[Fitted]) -> Graph:
        """Both graphs side by side, mixed at the end; the lender is asked once for all models."""
        from onnx import helper, numpy_helper

        own = self.family.graph([model.own for model in models if isinstance(model, Mixed)])
        lent = XGBoost().graph([self.lender])
        nodes = [*_renamed(own, "own_margins"), *_renamed(lent, "lent_margins")]
        constants = [
            numpy_helper.from_array(np.array(value, dtype=np.float32), name=name)
            for name, value in (("own_share", 1 - self.share), ("lent_share", self.share))
        ]
        nodes += [
            helper.make_node("Mul", ["own_margins", "own_share"], ["own_part"]),
            helper.make_node("Mul", ["lent_margins", "lent_share"], ["lent_part"]),
            helper.make_node("Add", ["own_part", "lent_part"], ["margins"]),
        ]
        return Graph(nodes, [*own.initializers, *lent.initializers, *constants])


def _renamed(graph: Graph, name: str) -> list[Any]:
    """The nodes with ``margins`` called something else."""
    for node in graph.nodes:
        for i, output in enumerate(node.output):
            if output == "margins":
                node.output[i] = name
    return graph.nodes
