"""One model ready to answer: features in, a finished answer out, with as little as possible between them.

Belongs here: names and order of the features, the row, the answer with ``model_info`` and policy.
Does not belong here: what values can be (``checks.py``), HTTP, which model serves (``bundles.py``), the bundle's format.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NoReturn, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from esports_assets.models.bundle import Contract
from serving.checks import Checks
from serving.derivation import Derivation
from serving.errors import ApiError, quoted
from serving.inputs import Features

POLICY = {
    "label": "ANALYSIS_ONLY",
    "purpose": "research/ops",
    "audience": "internal",
    "delay_s": 0,
    "review_state": "not_reviewed",
    "policy_version": "1",
}
"""What every prediction says about its own use. An answer to features that the caller brought has no delay to keep."""

Floats = npt.NDArray[np.float32]


class Predictor(Protocol):
    """What is asked; ``models.bundle.Model`` is the real one."""

    contract: Contract
    positive: int

    def predict(self, features: Floats) -> tuple[Floats, Floats | None]:
        """Probabilities and replicates of rows."""

    def predict_each(self, features: Floats) -> tuple[Floats, Floats | None]:
        """The same, with the bits that every row has alone."""

    def bounds(self, replicates: Floats) -> tuple[Floats, Floats]:
        """Interval of each row."""


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, float | None]], tuple[float | None, ...]]:
    """What takes the values of these names out of a row, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


class ServedModel:
    """A model under an alias. Immutable, so a request keeps the one it started with while another takes its place."""

    def __init__(self, model: Predictor, alias: str, derivation: Derivation) -> None:
        contract = model.contract
        self.model = model
        self.derivation = derivation
        self.alias = alias
        self.contract = contract
        self.names = tuple(feature.name for feature in contract.features)
        self._known = frozenset(self.names)
        self._values = _picker(self.names)
        self.derived = tuple(name for name in self.names if name in derivation.derived)
        self._told = _picker(self.derived)
        self._derived_at = np.array([self.names.index(name) for name in self.derived], dtype=np.intp)
        self._unknown = dict.fromkeys((*derivation.base, *self.names), math.nan)
        self._absent: Features = {f.name: None for f in contract.features if f.nullable or f.name in self.derived}
        self.checks = Checks(contract)
        self.info = self.model_info("model")
        self._info = orjson.Fragment(orjson.dumps(self.info))
        self._policy = orjson.Fragment(orjson.dumps(POLICY))
        self._level = None if contract.interval is None else contract.interval.level

    def under(self, alias: str) -> "ServedModel":
        """The same loaded model under another alias."""
        return ServedModel(self.model, alias, self.derivation)

    def model_info(self, source: str) -> dict[str, str]:
        """Where an answer comes from; ``source`` is ``model`` or ``out_of_fold``."""
        contract = self.contract
        return {
            "model_name": contract.registered_name,
            "model_type": contract.family,
            "model_alias": self.alias,
            "model_version": contract.version,
            "model_run_id": contract.mlflow_run_id,
            "data_version": contract.training_data.data_version,
            "window_fingerprint": contract.window_fingerprint,
            "probability_source": source,
            "asset_key": contract.asset_key,
            "dagster_run_id": contract.dagster_run_id,
        }

    def answer(self, features: Features) -> bytes:
        """The answer to one row; ApiError 422 names the feature that does not fit."""
        probability, lower, upper = self.predict(self.matrix((features,)))
        content = self._prediction(probability[0].tolist(), lower, upper, 0)
        content["model_info"] = self._info
        content["policy"] = self._policy
        return orjson.dumps({"task": self.contract.task} | content)

    def answers(self, rows: Sequence[Features]) -> bytes:
        """The answer to several rows."""
        probability, lower, upper = self.predict(self.matrix(rows))
        content = {
            "task": self.contract.task,
            "predictions": [self._prediction(row, lower, upper, i) for i, row in enumerate(probability.tolist())],
            "model_info": self._info,
            "policy": self._policy,
        }
        return orjson.dumps(content)

    def predict(self, matrix: Floats) -> tuple[Floats, list[float] | None, list[float] | None]:
        """Probabilities of checked rows, with lower and upper bounds where the model has an interval."""
        return self._answered(*self.model.predict(matrix))

    def predict_each(self, matrix: Floats) -> tuple[Floats, list[float] | None, list[float] | None]:
        """The same, with the bits that every row has when it is asked about alone."""
        return self._answered(*self.model.predict_each(matrix))

    def _answered(
        self, probability: Floats, replicates: Floats | None
    ) -> tuple[Floats, list[float] | None, list[float] | None]:
        if not np.isfinite(probability).all():
            raise ArithmeticError(f"{self.contract.registered_name} v{self.contract.version} answered with no number")
        if replicates is None:
            return probability, None, None
        lower, upper = self.model.bounds(replicates)
        return probability, lower.tolist(), upper.tolist()

    def matrix(self, rows: Sequence[Features]) -> Floats:
        """Rows in the contract's order, checked; ApiError 422 names the row and feature that does not fit."""
        count, absent, values = len(self.names), self._absent, self._values
        ordered = []
        for index, row in enumerate(rows):
            full = row if len(row) == count else absent | row
            try:
                ordered.append(values(full))
            except KeyError:
                self._refuse_names(full, index if len(rows) > 1 else None)
            if len(full) != count:
                self._refuse_names(full, index if len(rows) > 1 else None)
            if len(rows) == 1 and self.derived and None in self._told(full):
                ordered = [values(self._derived_row(full))]
        matrix = np.array(ordered, dtype=np.float64)
        if len(rows) > 1 and self.derived and np.isnan(matrix[:, self._derived_at]).any():
            self._derive(matrix)
        self.checks.check(matrix)
        return matrix.astype(np.float32)

    def _derived_row(self, row: Features) -> Mapping[str, float]:
        """The row with the features that follow from others filled in where they are unknown."""
        told = {name: value for name, value in row.items() if value is not None}
        return {**self.derivation.compute_row(self._unknown | told), **told}

    def _derive(self, matrix: npt.NDArray[np.float64]) -> None:
        """Fill in, where they are unknown, the features that follow from others."""
        unknown = np.full(len(matrix), np.nan)
        columns = dict.fromkeys(self.derivation.base, unknown)
        columns |= {name: matrix[:, i] for i, name in enumerate(self.names) if name in columns}
        with np.errstate(all="ignore"):
            computed = self.derivation.compute(columns)
        for name, place in zip(self.derived, self._derived_at, strict=True):
            np.copyto(matrix[:, place], computed[name], where=np.isnan(matrix[:, place]))

    def _prediction(
        self, row: Sequence[float], lower: Sequence[float] | None, upper: Sequence[float] | None, index: int
    ) -> dict[str, Any]:
        interval = None
        if lower is not None and upper is not None:
            interval = {"lo": lower[index], "hi": upper[index], "level": self._level}
        return {"probabilities": dict(zip(self.contract.classes, row, strict=True)), "interval": interval}

    def _refuse_names(self, row: Features, index: int | None) -> NoReturn:
        where = "" if index is None else f" in row {index}"
        unknown = sorted(set(row) - self._known)
        if unknown:
            names = f"{quoted(unknown[0])}{where} is not a feature of {self.contract.task}; /models lists the features"
            raise ApiError(422, "unknown_feature", f"{names}.")
        missing = next(name for name in self.names if name not in row)
        raise ApiError(422, "missing_feature", f"Feature {missing}{where} is missing and has no default.")
