"""Whether the learners have missed something that the covariates say about the outcome.

Belongs here: residuals of rows that are alike.
Does not belong here: what follows from it (``verdict.py``).

Noise has no neighbours: if the outcome is learned, the cross-fitted residual of a row says nothing about those of the nearest rows
of the same arm (from other clusters), as Moran's I asks of maps. What learners miss is shared by neighbours. Means of products are
taken and no ranks: residuals of skewed outcomes have mean zero everywhere, but no median. Where all is learned the measure lies
slightly below zero, because a row's neighbours are among what its prediction was learned from.
"""

import numpy as np

from esports_assets.analytics.learners import Singles
from esports_assets.analytics.study import Floats, Ints

MOST_ROWS = 5_000
NEIGHBOURS = 3
SEARCHED = 20
"""Among so many nearest rows the neighbours from other clusters are looked for."""


def neighbours_alike(
    linear: Singles, residual: Floats, treated: Floats, cluster: Ints, arms: tuple[float, ...], rng: np.random.Generator
) -> float:
    """Correlation of residuals [n] with the mean residual of three nearest neighbours in standardised covariates [n, p]: mean
    product over mean square, the largest over the arms; of at most 5,000 rows of each arm.
    """
    found = []
    for arm in arms:
        rows = np.flatnonzero(treated == arm)
        if len(rows) > MOST_ROWS:
            rows = rng.choice(rows, MOST_ROWS, replace=False)
        found.append(_one_arm(linear[rows], residual[rows], cluster[rows]))
    return max(found)


def _one_arm(x: Singles, residual: Floats, cluster: Ints) -> float:
    from sklearn.neighbors import NearestNeighbors

    searched = min(SEARCHED, len(x) - 1)
    near = NearestNeighbors(n_neighbors=searched).fit(x).kneighbors(return_distance=False)
    other = cluster[near] != cluster[:, None]
    chosen = other & (np.cumsum(other, axis=1) <= NEIGHBOURS)
    has = chosen.any(axis=1)
    square = np.square(residual[has]).mean() if has.any() else 0.0
    if square == 0:
        return 0.0
    around = (residual[near] * chosen).sum(axis=1)[has] / chosen.sum(axis=1)[has]
    return float((residual[has] * around).mean() / square)
