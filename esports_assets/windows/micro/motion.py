"""How players move: what follows from the frames alone, frame by frame and over windows of them.

Belongs here: speeds, turns, distances to objectives, who is near; and the one walk over a window. Sums are taken frame by frame
in order of time, so that a value has the same bits however many instants are asked together and wherever the frames begin.
Does not belong here: events and views at enemies (``sight.py``).
"""

from dataclasses import dataclass, fields

import numpy as np

from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.angles import apart_deg
from esports_assets.windows.micro.block import Flags, Stack
from esports_assets.windows.micro.spec import METRES_PER_U, NEAR_M, STILL_MPS
from esports_assets.windows.micro.standing import Bomb
from esports_assets.windows.streamed.frames import ALIVE, In

CELLS = 16_384
"""Frames of windows, times seats, that are walked together."""
Place = tuple[Floats, ...]
"""x, y and z in metres."""


@dataclass(frozen=True, slots=True)
class Motion:
    """By frame and seat (F, P)."""

    t: Floats
    """(F)."""
    place: Place
    """x, y, z in metres, NaN where not told."""
    yaw: Floats
    alive: Flags
    """As the frame tells it."""
    told: Flags
    last: Ints
    """Latest frame up to this one that tells the player, before the block's first where none does."""
    previous: Ints
    """The told frame before this told one; before the block's first where there is none, and where this one is not told."""
    following: Ints
    """First frame from this one on that tells the player; the block's end where none does."""
    speed: Floats
    """From the previous told frame, 0 where there is none."""
    turn: Floats
    """From the previous told frame in degrees, 0 where unknown."""
    moved: Ints
    """Latest frame up to this one to which the player moved; before the block's first where there is none."""
    near: Floats
    """Living enemies nearby."""
    goals: Floats
    """Distances to site A, site B and the planted bomb (3, F, P)."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Over the window of each instant, by seat (I, P)."""

    frames: Floats
    steps: Floats
    speed: Floats
    fastest: Floats
    turned: Floats
    near: Floats
    nearest: Floats
    """Smallest distance to the goal, infinite where unknown."""
    approach: Floats
    """Least-squares speed towards the goal."""


def motion(stack: Stack, window_s: float) -> Motion:
    """Everything that is one value per frame and seat."""
    data, t = stack.data, stack.frame_t
    block = stack.block_of_frame
    begin, end = stack.frame_offset[block][:, None], stack.frame_offset[block + 1][:, None]
    told = data[In.FLAGS] >= 0.0
    at = np.arange(len(t))[:, None]
    last = np.maximum.accumulate(np.where(told, at, begin - 1), axis=0)
    following = np.minimum.accumulate(np.where(told, at, end)[::-1], axis=0)[::-1]
    before = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    previous = np.where(told & (before >= begin), before, begin - 1)
    x, y, z = (METRES_PER_U * data[axis].astype(np.float64) for axis in (In.X, In.Y, In.Z))
    yaw = data[In.YAW].astype(np.float64)
    alive = told & (np.where(told, data[In.FLAGS], 0.0).astype(np.int8) & ALIVE > 0)
    steps = previous >= begin
    seat = np.arange(told.shape[1])
    origin = (np.where(steps, previous, at), seat)
    passed = np.where(steps, t[:, None] - t[origin[0]], 1.0)
    speed = np.where(steps, length(x - x[origin], y - y[origin], z - z[origin]) / passed, 0.0)
    turn = np.where(steps, apart_deg(yaw, yaw[origin]), 0.0)
    moved = np.maximum.accumulate(np.where(steps & (speed > STILL_MPS), at, begin - 1), axis=0)
    goals = np.stack([length(x - gx, y - gy, z - gz) for gx, gy, gz in _goals(stack, block)])
    known = np.maximum(last, 0)
    fresh = (last >= begin) & (t[known] > t[:, None] - window_s)
    living = fresh & alive[known, seat]
    near = _near(stack.n_ct, (x[known, seat], y[known, seat], z[known, seat]), living)
    return Motion(
        t, (x, y, z), yaw, alive, told, last, previous, following, speed, np.nan_to_num(turn), moved, near, goals
    )  # fmt: skip


def length(x: Floats, y: Floats, z: Floats) -> Floats:
    """Length of vectors."""
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _goals(stack: Stack, block: Ints) -> list[Place]:
    """Places of site A, site B and the planted bomb, for each frame's block (F, 1); NaN where unknown."""
    sites = stack.sites[block]
    planted = planted_places(stack)[block]
    return [tuple(place[:, axis, None] for axis in range(3)) for place in (sites[:, 0], sites[:, 1], planted)]


def planted_places(stack: Stack) -> Floats:
    """Where the bomb of each block was planted, in metres (B, 3): as told, else the site's centre; NaN without a plant.

    A round has one plant, so the place is the same at every instant that has seen it.
    """
    latest = stack.bomb[stack.state_offset[1:] - 1]
    told = METRES_PER_U * latest[:, Bomb.X : Bomb.Z + 1]
    at_a = latest[:, Bomb.AT_A, None]
    centre = np.where(at_a == 1.0, stack.sites[:, 0], np.where(at_a == 0.0, stack.sites[:, 1], np.nan))
    place = np.where(np.isnan(told).any(axis=1, keepdims=True), centre, told)
    return np.where(np.isnan(latest[:, Bomb.PLANTED_T, None]), np.nan, place)


def _near(n_ct: int, place: Place, living: Flags) -> Floats:
    x, y, z = (axis[:, None, n_ct:] - axis[:, :n_ct, None] for axis in place)
    close = (x * x + y * y + z * z <= NEAR_M * NEAR_M) & living[:, None, n_ct:] & living[:, :n_ct, None]
    return np.concatenate([close.sum(axis=2), close.sum(axis=1)], axis=1).astype(np.float64)


def over_window(frames: Motion, low: Ints, high: Ints, t: Floats, goal: Ints, goal_now: Floats) -> Sums:
    """Walk the frames ``low`` to ``high`` of each instant (I); ``goal`` and its distance now are by instant and seat (I, P)."""
    width = max(1, int((high - low).max(initial=1)))
    together = max(1, CELLS // (width * goal.shape[1]))
    parts = [
        _over_window(frames, *(values[begin : begin + together] for values in (low, high, t, goal, goal_now)))
        for begin in range(0, len(t), together)
    ]
    return Sums(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Sums)))


def _over_window(frames: Motion, low: Ints, high: Ints, t: Floats, goal: Ints, goal_now: Floats) -> Sums:
    """The same for so few instants that their windows fit into the processor's cache (W, I, P)."""
    at = low + np.arange(int((high - low).max(initial=0)))[:, None]
    inside = (at < high)[..., None]
    at = np.minimum(at, len(frames.t) - 1)
    told = frames.told.take(at, axis=0) & inside
    pair = told & (frames.previous.take(at, axis=0) >= low[:, None])
    pace = np.where(pair, frames.speed.take(at, axis=0), 0.0)
    seats = goal.shape[1]
    first = goal * frames.told.size + np.arange(seats)
    distance = frames.goals.reshape(-1).take(first + (at * seats)[..., None])
    known = told & ~np.isnan(goal_now)
    near = np.where(told, frames.near.take(at, axis=0), 0.0)
    summands = np.empty((len(at), 9, *goal.shape))
    summands[:, 0], summands[:, 1], summands[:, 2], summands[:, 4] = told, pair, pace, known
    summands[:, 3] = np.where(pair, frames.turn.take(at, axis=0), 0.0)
    since = summands[:, 5] = np.where(known, (frames.t[at] - t)[..., None], 0.0)
    gap = summands[:, 6] = np.where(known, distance - goal_now, 0.0)
    np.multiply(since, since, out=summands[:, 7])
    np.multiply(since, gap, out=summands[:, 8])
    total = np.zeros((9, *goal.shape))
    for summand in summands:
        total += summand
    told_n, pairs, speed, turned, n, sum_t, sum_d, sum_tt, sum_td = total
    slope = (n * sum_td - sum_t * sum_d) / np.where(n >= 2, n * sum_tt - sum_t * sum_t, 1.0)
    return Sums(
        frames=told_n,
        steps=pairs,
        speed=speed,
        fastest=pace.max(axis=0, initial=0.0),
        turned=turned,
        near=near.max(axis=0, initial=0.0),
        nearest=np.where(known, distance, np.inf).min(axis=0, initial=np.inf),
        approach=np.where(n >= 2, 0.0 - slope, 0.0),
    )
