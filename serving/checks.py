"""Whether rows of features can be true, and one sentence that names the feature of the first that cannot.

Belongs here: ranges, whole numbers, nulls and laws of one model's features, as a few operations over whole matrices.
Does not belong here: the laws themselves (``laws.py``), names that are missing or unknown (``served.py``).
"""

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from esports_assets.models.bundle import Contract, Feature
from serving.errors import ApiError
from serving.laws import FLAG, WHOLE, Law, bounds_of, laws_of

_LARGEST = float(np.finfo(np.float32).max)
_ROUNDING = 0.01
"""Clients round their numbers: no law is broken by so little."""

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Checks:
    """What a model's rows must keep, precomputed from its contract."""

    def __init__(self, contract: Contract) -> None:
        self._features = contract.features
        bounds = [bounds_of(feature, contract.window) for feature in contract.features]
        self._minimum = np.array([-_LARGEST if low is None else low for low, _ in bounds])
        self._maximum = np.array([_LARGEST if high is None else high for _, high in bounds])
        self._nullable = np.array([feature.nullable for feature in contract.features])
        self._divisible = np.array([feature.unit not in WHOLE for feature in contract.features])
        self.laws = laws_of(contract.window, {feature.name: feature for feature in contract.features})
        self.words = list(dict.fromkeys(law.words for law in self.laws))
        self._places, self._factors, self._limits = _compiled(self.laws, contract.features)

    def check(self, matrix: Matrix) -> None:
        """ApiError 422 for the first row and feature that cannot be; rows are in the contract's order, NaN is unknown."""
        fits = (matrix >= self._minimum) & (matrix <= self._maximum) & (self._divisible | (np.floor(matrix) == matrix))
        if not fits.all():
            fits |= np.isnan(matrix) & self._nullable
            if not fits.all():
                self._refuse_value(matrix, fits)
        sums = (matrix.take(self._places, axis=1) * self._factors).sum(axis=2)
        broken = sums > self._limits  # a sum with something unknown in it is NaN and breaks nothing
        if broken.any():
            self._refuse_law(matrix, broken)

    def _refuse_value(self, matrix: Matrix, fits: Flags) -> NoReturn:
        row, column = np.argwhere(~fits)[0]
        feature = self._features[column]
        name = _named(feature.name, row, matrix)
        value = matrix[row, column]
        if np.isnan(value):
            raise ApiError(422, "missing_feature", f"{name} may not be null.")
        if feature.unit == FLAG:
            raise ApiError(422, "not_a_flag", f"{name} is {value:.9g}; it must be 0 or 1.")
        for broken, side, bound in (
            (value < self._minimum[column], "least", self._minimum[column]),
            (value > self._maximum[column], "most", self._maximum[column]),
        ):
            if broken:
                allowed = f"at {side} {bound:g} {feature.unit}".rstrip()
                raise ApiError(422, "out_of_range", f"{name} is {value:g}; it must be {allowed}.")
        raise ApiError(
            422, "not_whole", f"{name} is {value:.9g}; it must be a whole number, its unit is {feature.unit}."
        )

    def _refuse_law(self, matrix: Matrix, broken: Flags) -> NoReturn:
        row, which = np.argwhere(broken)[0]
        law = self.laws[which]
        values = {name: float(matrix[row, self._places[which, i]]) for i, (name, _) in enumerate(law.terms)}
        (name, factor), *others = law.terms
        bound = (law.limit - sum(weight * values[other] for other, weight in others)) / factor
        side = "most" if factor > 0 else "least"
        where = " and ".join(f"{other} is {values[other]:g}" for other, _ in others)
        said = f"{_named(name, row, matrix)} is {values[name]:g}; it must be at {side} {bound:g} where {where}."
        raise ApiError(422, "contradiction", said)


def _named(name: str, row: int, matrix: Matrix) -> str:
    return f"Feature {name} in row {row}" if len(matrix) > 1 else f"Feature {name}"


def _compiled(
    laws: tuple[Law, ...], features: tuple[Feature, ...]
) -> tuple[npt.NDArray[np.intp], Matrix, npt.NDArray[np.float64]]:
    """Per law: columns and factors of its terms, filled up with factor 0 on its own first column, and its limit."""
    at = {feature.name: place for place, feature in enumerate(features)}
    width = max((len(law.terms) for law in laws), default=1)
    filled = [law.terms + ((law.terms[0][0], 0.0),) * (width - len(law.terms)) for law in laws]
    places = np.array([[at[name] for name, _ in terms] for terms in filled], dtype=np.intp).reshape(-1, width)
    factors = np.array([[factor for _, factor in terms] for terms in filled], dtype=np.float64).reshape(-1, width)
    return places, factors, np.array([law.limit for law in laws], dtype=np.float64) + _ROUNDING
