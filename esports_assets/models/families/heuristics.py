"""The four rules of row 001-03 as a family: which rule fires is fixed, what it is worth is learned.

Belongs here: the rules, the class frequencies behind each, and their ONNX form.
Does not belong here: the micro-features that they read (``windows/micro``), calibration, deciding for a class.

Of the rules that fire the one with the highest score of 001-03 counts (the first of equals). A score is never used as a
probability: the family answers with the frequencies of the classes among training rows on which the same rule fired, smoothed
by ``prior_rows`` rows of the overall frequencies. An unknown value, such as the distance to an objective that nobody knows,
fires no rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.vocabulary import Intent
from esports_assets.models.families.base import Graph
from esports_assets.models.rows import Rows
from esports_assets.windows.spec import Feature

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Test = tuple[str, str, float]
"""Feature, ``>`` or ``<``, and the value that it is compared with."""
NONE = 4
"""Code of a row on which no rule fires."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An intent and the tests that must all hold for it; ``score`` ranks rules and means nothing else."""

    intent: Intent
    score: float
    tests: tuple[Test, ...]


RULES: tuple[Rule, ...] = (
    Rule(Intent.ADVANCE, 0.80, (("dist_to_objective_min", ">", -1.0), ("approach_velocity", ">", 0.02))),
    Rule(Intent.ENGAGE, 0.75, (("speed_max", ">", 3.0), ("kills_last_window", ">", 0.5))),
    Rule(Intent.PLANT, 0.70, (("abilities_used", ">", 1.5), ("dist_to_objective_min", "<", 3.0))),
    Rule(Intent.HOLD, 0.70, (("nearby_enemies_max", ">", 1.5), ("speed_mean", "<", 0.5))),
)
"""The rules of 001-03 by falling score; counts "of n or more" are "above n - 0.5"."""


def fired(columns: Mapping[str, npt.NDArray[Any]]) -> Ints:
    """Of every row the position in ``RULES`` of the rule that counts, ``NONE`` where none fires."""
    held = []
    for rule in RULES:
        tests = [columns[name] > value if sign == ">" else columns[name] < value for name, sign, value in rule.tests]
        held.append(np.logical_and.reduce(tests))
    return np.asarray(np.argmax([*held, np.ones_like(held[0])], axis=0), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Ruled:
    """Log of the class frequencies [rules + 1, classes] behind every rule, and behind none."""

    features: tuple[Feature, ...]
    used: Mapping[str, int]
    log_frequency: Floats
    params: dict[str, Any]

    def margins(self, x: npt.NDArray[Any]) -> Floats:
        """The logarithms of the frequencies: their softmax are the frequencies."""
        return np.asarray(self.log_frequency[fired({name: x[:, i] for name, i in self.used.items()})])


@dataclass(frozen=True, slots=True)
class Heuristics:
    """The family."""

    name: str = "heuristics"
    prior_rows: float = 50.0

    def fit(self, rows: Rows, seed: int) -> Ruled:
        """Count classes by fired rule; deterministic."""
        rows.require_learnable()
        used = {name: rows.columns((name,))[0] for rule in RULES for name, _, _ in rule.tests}
        code = fired({name: rows.x[:, i] for name, i in used.items()})
        classes = len(rows.classes)
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight.astype(np.float64)
        counts = np.bincount(code * classes + rows.y, weights=weight, minlength=(NONE + 1) * classes)
        counts = counts.reshape(NONE + 1, classes)
        overall = (counts.sum(0) + 1.0) / (counts.sum() + classes)
        smoothed = counts + self.prior_rows * overall
        frequency = smoothed / smoothed.sum(axis=1, keepdims=True)
        names = [*(rule.intent.value for rule in RULES), "none"]
        by_rule = dict(zip(names, counts.sum(axis=1).tolist(), strict=True))
        params = {"prior_rows": self.prior_rows, "rows_by_rule": by_rule}
        return Ruled(rows.features, used, np.log(frequency), params)

    def graph(self, models: Sequence[Any]) -> Graph:
        """Comparisons, and the frequencies of the first rule that holds; one model only."""
        from onnx import helper, numpy_helper

        (model,) = models
        nodes: list[Any] = []
        constants = {"none": model.log_frequency[NONE].astype(np.float32)[None]}
        for name, i in model.used.items():
            constants[f"at_{name}"] = np.array([i], dtype=np.int64)
            nodes.append(helper.make_node("Gather", ["features", f"at_{name}"], [name], axis=1))
        margin = "none"
        for k, rule in reversed(list(enumerate(RULES))):
            constants[f"then_{k}"] = model.log_frequency[k].astype(np.float32)[None]
            held = []
            for j, (name, sign, value) in enumerate(rule.tests):
                constants[f"value_{k}_{j}"] = np.array(value, dtype=np.float32)
                held.append(f"test_{k}_{j}")
                nodes.append(
                    helper.make_node("Greater" if sign == ">" else "Less", [name, f"value_{k}_{j}"], [held[-1]])
                )
            nodes.append(helper.make_node("And", held, [f"fired_{k}"]))
            target = "margins" if k == 0 else f"margin_{k}"
            nodes.append(helper.make_node("Where", [f"fired_{k}", f"then_{k}", margin], [target]))
            margin = target
        return Graph(nodes, [numpy_helper.from_array(value, name=name) for name, value in constants.items()])
