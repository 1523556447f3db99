"""Who is where to whom at an instant: distances and angles between living players.

Belongs here: pairs of enemies and of team-mates, by seat.
Does not belong here: movement over time (``motion.py``).
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.angles import apart_deg, bearing_deg
from esports_assets.windows.micro.block import Flags
from esports_assets.windows.micro.motion import Place, length
from esports_assets.windows.micro.spec import NEAR_M


@dataclass(frozen=True, slots=True)
class Sight:
    """By instant and seat (I, P); infinite or NaN where there is nobody."""

    enemy: Ints
    """Seat of the nearest living enemy, 0 where there is none."""
    enemy_dist: Floats
    enemy_angle: Floats
    enemy_view_angle: Floats
    aim_angle: Floats
    enemies_near: Floats
    mate_dist: Floats
    mates_near: Floats


def sight(n_ct: int, place: Place, yaw: Floats, there: Flags) -> Sight:
    """Of players at ``place`` who look along ``yaw``; ``there`` says who lives and is seen (all by instant and seat)."""
    x, y, z = (axis[:, None, n_ct:] - axis[:, :n_ct, None] for axis in place)
    both = there[:, :n_ct, None] & there[:, None, n_ct:]
    far = np.where(both, length(x, y, z), np.inf)
    bearing = bearing_deg(y, x)
    of_ct = np.where(both, apart_deg(bearing, yaw[:, :n_ct, None]), np.nan)
    of_t = np.where(both, apart_deg(bearing + 180.0, yaw[:, None, n_ct:]), np.nan)
    ours = _one_side(far, of_ct, of_t)
    theirs = _one_side(*(np.ascontiguousarray(a.transpose(0, 2, 1)) for a in (far, of_t, of_ct)))
    nearest, distance, angle, view, aim, near = (
        np.concatenate(pair, axis=1) for pair in zip(ours, theirs, strict=True)
    )
    nearest[:, :n_ct] += n_ct
    mates = [_mates(tuple(axis[:, side] for axis in place), there[:, side]) for side in _sides(n_ct)]
    mate_distance, mates_near = (np.concatenate(pair, axis=1) for pair in zip(*mates, strict=True))
    return Sight(nearest, distance, angle, view, aim, near, mate_distance, mates_near)


def _sides(n_ct: int) -> tuple[slice, slice]:
    return slice(None, n_ct), slice(n_ct, None)


def _one_side(far: Floats, own: Floats, other: Floats) -> tuple[Floats, ...]:
    """Nearest enemy of each player (axis 1) among the others (axis 2): who, how far, angles of both, least angle, how many."""
    nearest = far.argmin(axis=2)
    pick = nearest[..., None]
    distance, angle, view = (np.take_along_axis(a, pick, axis=2)[..., 0] for a in (far, own, other))
    return nearest, distance, angle, view, np.fmin.reduce(own, axis=2), (far <= NEAR_M).sum(axis=2) * 1.0


def _mates(place: Place, there: Flags) -> tuple[Floats, Floats]:
    x, y, z = (axis[:, None, :] - axis[:, :, None] for axis in place)
    both = there[:, :, None] & there[:, None, :] & ~np.eye(there.shape[1], dtype=bool)
    far = np.where(both, length(x, y, z), np.inf)
    return far.min(axis=2), (far <= NEAR_M).sum(axis=2) * 1.0
