"""Angles in the plane, in degrees, from exactly rounded operations only.

Belongs here: bearings and differences whose bits do not depend on how many are computed together; numpy's own ``arctan2`` has
one result in a long array and may have another in a short one.
Does not belong here: who looks at whom.
"""

import numpy as np

from esports_assets.windows.asof import Floats

_SERIES = tuple((-1.0) ** k / (2 * k + 1) for k in range(11))
"""Taylor series of the arc tangent; below tan(11.25 degrees) its error is under 1e-16."""
_DEGREES = 180.0 / np.pi


def bearing_deg(dy: Floats, dx: Floats) -> Floats:
    """Direction of a vector, -180 to 180 degrees, 0 along x; 0 for the zero vector, NaN where a part is unknown."""
    height, width = np.abs(dy), np.abs(dx)
    steep = height > width
    low, high = np.where(steep, width, height), np.where(steep, height, width)
    ratio = low / np.where(high == 0.0, 1.0, high)
    for _ in range(2):  # halve the angle twice, so that the series converges fast
        ratio = ratio / (1.0 + np.sqrt(1.0 + ratio * ratio))
    square = ratio * ratio
    total = np.full_like(ratio, _SERIES[-1])
    for term in _SERIES[-2::-1]:
        total = total * square + term
    angle = 4.0 * _DEGREES * (total * ratio)
    angle = np.where(steep, 90.0 - angle, angle)
    angle = np.where(dx < 0.0, 180.0 - angle, angle)
    return np.where(dy < 0.0, -angle, angle)


def apart_deg(a: Floats, b: Floats) -> Floats:
    """The smaller angle between two directions, 0 to 180 degrees."""
    gap = a - b
    return np.abs(gap - 360.0 * np.floor((gap + 180.0) / 360.0))
