"""What drives a prediction: additive contributions in log-odds, proven to add up, and their summary.

Belongs here: checking and summarising contributions. Does not belong here: how a family computes them (``families/``).
"""

from collections.abc import Mapping

import numpy as np

from esports_assets.models.evaluation import Contribution
from esports_assets.models.families.base import Fitted

TOLERANCE = 1e-3
"""Log-odds; TreeSHAP works in single precision."""


class NotAdditive(RuntimeError):
    """Contributions that do not add up to the prediction explain nothing."""


def contributions(model: Fitted, x: np.ndarray) -> np.ndarray:
    """Contributions [N, features + 1] (last: constant) to the log-odds before calibration; NotAdditive if they do not sum."""
    parts = model.contributions(x)
    gap = float(np.abs(parts.sum(axis=1) - model.margins(x)[:, 0]).max())
    if gap > TOLERANCE:
        raise NotAdditive(f"contributions miss the prediction by up to {gap:.2e} in log-odds (allowed {TOLERANCE:.0e})")
    return parts


def summarise(model: Fitted, x: np.ndarray, slices: Mapping[str, np.ndarray]) -> tuple[Contribution, ...]:
    """Features by falling mean |contribution|; ``slices`` are masks of the rows. Features without any are left out."""
    size = np.abs(contributions(model, x)[:, :-1])
    overall = size.mean(axis=0)
    within = {name: size[mask].mean(axis=0) for name, mask in slices.items() if mask.any()}
    order = np.argsort(-overall, kind="stable")
    return tuple(
        Contribution(
            feature=model.features[i].name,
            mean_absolute=float(overall[i]),
            by_slice={name: float(values[i]) for name, values in within.items()},
        )
        for i in order
        if overall[i] > 0
    )
