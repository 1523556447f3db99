"""Targets between a row's own outcome and what the model says a moment later: TD(lambda) returns (Sutton 1988).

Belongs here: the returns of rounds. Does not belong here: fitting to them (``linear.py``).

All rows of a round share one noisy outcome. With lambda = 1 each learns that outcome; below 1 each learns a mixture of it and of
the model's own probabilities of the later rows, which tell what the later state was worth: less noise, little bias.
"""

import numpy as np

from esports_assets.models.rows import Rows


def returns(rows: Rows, probability: np.ndarray, decay: float) -> np.ndarray:
    """G_last = outcome, G_i = (1 - decay) * p_(i+1) + decay * G_(i+1) within a round; rows in the order of play."""
    segment = rows.keys["segment"].to_numpy()
    ends = np.r_[(rows.match[1:] != rows.match[:-1]) | (segment[1:] != segment[:-1]), True]
    later = np.r_[(1 - decay) * probability[1:], 0.0]
    found = np.empty(len(rows))
    value = 0.0
    for i in range(len(rows) - 1, -1, -1):
        value = float(rows.y[i]) if ends[i] else later[i] + decay * value
        found[i] = value
    return found
