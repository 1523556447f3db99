"""Makes the mixture's probabilities of people come true as often as they say.

Belongs here: the map, and fitting it on other players.
Does not belong here: the mixture itself; who counts as another player (the caller keeps players whole).

The map: probabilities to the power ``sharpness`` (1 over the temperature of Guo et al. 2017), normalised, then mixed with the
uniform distribution by ``doubt``: p' = (1 - doubt) p^s / sum p^s + doubt / 3.
"""

from dataclasses import dataclass

import numpy as np

SHARPNESS = (0.05, 5.0)
DOUBT = (0.0, 0.9)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One fitted map; the defaults change nothing."""

    sharpness: float = 1.0
    doubt: float = 0.0

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, shape (rows, 3), of positive ones of that shape."""
        logs = self.sharpness * np.log(probabilities)
        powers = np.exp(logs - logs.max(axis=-1, keepdims=True))
        mixed: np.ndarray = (1 - self.doubt) * powers / powers.sum(axis=-1, keepdims=True) + self.doubt / 3
        return mixed


def fit_calibration(probabilities: np.ndarray, moves: np.ndarray) -> Calibration:
    """The map with the lowest log loss on ``moves`` (0, 1, 2), one per row of ``probabilities``; ValueError without rows."""
    from scipy.optimize import minimize

    if len(moves) == 0 or probabilities.shape != (len(moves), 3):
        raise ValueError(f"Three probabilities per move are needed, got {probabilities.shape} for {len(moves)} moves.")
    rows = np.arange(len(moves))

    def loss(at: np.ndarray) -> float:
        return float(-np.log(Calibration(*at)(probabilities)[rows, moves]).mean())

    found = minimize(loss, x0=(1.0, 0.01), bounds=(SHARPNESS, DOUBT), method="L-BFGS-B")
    return Calibration(float(found.x[0]), float(found.x[1]))
