"""The window's one definition: every feature of every player at any instants of any rounds.

Belongs here: what is known at an instant, put together into named features. Batch and stream both call ``measure``.
Does not belong here: which instants there are, and where frames and events come from.
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.angles import apart_deg
from esports_assets.windows.micro.block import Flags, Stack
from esports_assets.windows.micro.holding import HOLDINGS
from esports_assets.windows.micro.instant import Now, instants, known
from esports_assets.windows.micro.motion import Motion, Place, Sums, length, motion, over_window, planted_places
from esports_assets.windows.micro.sight import Sight, sight
from esports_assets.windows.micro.spec import METRES_PER_U, PLAYER_MICRO, TRADE_S
from esports_assets.windows.micro.standing import NOT_TOLD, Bomb, Of
from esports_assets.windows.streamed.frames import HAS_BOMB, HAS_KIT, In

AT_ONCE = 1024
"""Instants that are best measured together: enough to pay for the calls, few enough to stay in the processor's cache."""
Columns = dict[str, Floats]
_NAMES = PLAYER_MICRO.feature_names
SITE_A, SITE_B, PLANT = range(3)
"""Goals that a distance is measured to."""


@dataclass(frozen=True, slots=True)
class Measured:
    """By instant and seat (I, P): features, who lives, and what the latest frame says of place and weapon."""

    values: Floats
    """(features, I, P), in the order of ``PLAYER_MICRO``."""
    living: Flags
    place: Floats
    weapon: Floats


class Kernel:
    """A stack of blocks made ready for any number of questions."""

    def __init__(self, stack: Stack, window_s: float) -> None:
        self._stack = stack
        self._window_s = window_s
        self._motion = motion(stack, window_s)
        self._planted = planted_places(stack)

    def measure(self, block: Ints, t: Floats) -> Measured:
        """Features at instants ``t`` of the rounds ``block``: positions in the stack, in ascending order."""
        stack, frames = self._stack, self._motion
        now = instants(stack, frames, block, t, self._window_s)
        goal, goal_now = _goal(now, frames)
        sums = over_window(frames, now.low, now.high, t, goal, goal_now)
        flags = np.where(now.seen, stack.data[In.FLAGS][now.latest], 0.0).astype(np.int64)
        carrier = _carrier(now, flags)
        views = sight(stack.n_ct, now.place, now.latest_of(frames.yaw), now.alive & now.seen)
        features = {
            **_nine(now, sums),
            **_views(views),
            **_contact(now),
            **_movement(now, frames, sums, views, goal, goal_now),
            **_condition(now, stack, flags, carrier),
            **_round(now, stack, frames, _bomb_place(now, self._planted, carrier)),
        }
        place, weapon = (now.latest_of(stack.data[field]) for field in (In.PLACE, In.WEAPON))
        return Measured(np.stack([features[name] for name in _NAMES]), now.alive, place, weapon)


def _goal(now: Now, frames: Motion) -> tuple[Ints, Floats]:
    """The objective of each player and how far it is now: the planted bomb, else the site that is nearer now."""
    to_a, to_b, to_bomb = (now.latest_of(distance) for distance in frames.goals)
    at_a = np.isnan(to_b) | (to_a <= to_b)
    planted = ~np.isnan(now.bomb[:, Bomb.PLANTED_T, None])
    goal = np.where(planted, PLANT, np.where(at_a, SITE_A, SITE_B))
    return goal, np.where(planted, to_bomb, np.where(at_a, to_a, to_b))


def _nine(now: Now, sums: Sums) -> Columns:
    """Row 001-02."""
    moves = sums.steps > 0
    return {
        "n_events": sums.frames + now.lately(Of.COUNTED),
        "speed_mean": np.where(moves, sums.speed / np.where(moves, sums.steps, 1.0), np.nan),
        "speed_max": np.where(moves, sums.fastest, np.nan),
        "dist_to_objective_min": known(sums.nearest),
        "kills_last_window": now.lately(Of.KILLS),
        "deaths_last_window": now.lately(Of.DEATHS),
        "abilities_used": now.lately(Of.ABILITIES),
        "nearby_enemies_max": np.where(now.seen, sums.near, np.nan),
        "approach_velocity": sums.approach,
    }


def _views(views: Sight) -> Columns:
    there = ~np.isinf(views.enemy_dist)
    return {
        "enemy_dist_m": known(views.enemy_dist),
        "enemy_angle_deg": np.where(there, views.enemy_angle, np.nan),
        "enemy_view_angle_deg": np.where(there, views.enemy_view_angle, np.nan),
        "aim_angle_min_deg": views.aim_angle,
        "enemies_near": views.enemies_near,
        "mate_dist_m": known(views.mate_dist),
        "mates_near": views.mates_near,
    }


def _contact(now: Now) -> Columns:
    shot, hit, hurt = (now.since(row) for row in (Of.SHOT_T, Of.HIT_T, Of.HURT_T))
    contact = np.fmin(shot, np.fmin(hit, hurt))
    return {"since_contact_s": contact, "since_shot_s": shot, "since_hit_s": hit, "since_hurt_s": hurt}


def _movement(now: Now, frames: Motion, sums: Sums, views: Sight, goal: Ints, goal_now: Floats) -> Columns:
    """Over the window; unknown with fewer than two frames of the player."""
    several = now.seen & (now.first[0] < now.latest[0])
    start = tuple(axis[now.first] for axis in frames.place)
    rows = np.arange(len(now.t))[:, None]
    enemy = tuple(axis[rows, views.enemy] for axis in now.place)
    there = several & ~np.isinf(views.enemy_dist)
    stood_since = np.maximum(frames.moved[now.latest], now.first[0])
    steps = frames.previous[now.latest] >= now.low[:, None]
    yaw = now.latest_of(frames.yaw)
    goal_then = frames.goals[(goal, *now.first)]

    def told(values: Floats, where: Flags = several) -> Floats:
        return np.where(where, values, np.nan)

    return {
        "speed_now_mps": told(frames.speed[now.latest], now.seen & steps),
        "displacement_m": told(length(*(a - b for a, b in zip(now.place, start, strict=True)))),
        "towards_objective_m": told(goal_then - goal_now),
        "towards_enemy_m": told(_distance(start, enemy) - views.enemy_dist, there),
        "still_s": told(frames.t[now.latest[0]] - frames.t[stood_since]),
        "yaw_change_deg": told(apart_deg(yaw, frames.yaw[now.first])),
        "yaw_turned_deg": told(sums.turned, several & ~np.isnan(yaw)),
    }


def _distance(a: Place, b: Place) -> Floats:
    return length(*(p - q for p, q in zip(a, b, strict=True)))


def _carrier(now: Now, flags: Ints) -> Ints:
    """Seat of who carries the bomb (I), as events tell it, and before they do as the latest frame tells it; -1 for nobody."""
    carrier = now.bomb[:, Bomb.CARRIER]
    by_flag = flags & HAS_BOMB > 0
    flagged = np.where(by_flag.any(axis=1), by_flag.argmax(axis=1), -1)
    return np.where(carrier == NOT_TOLD, flagged, np.maximum(carrier, -1.0)).astype(np.int64)


def _condition(now: Now, stack: Stack, flags: Ints, carrier: Ints) -> Columns:
    """Health and hands: the latest frame where it tells, events otherwise."""
    armor = now.latest_of(stack.data[In.ARMOR])
    held = now.latest_of(stack.holding)
    return {
        "health": np.fmin(now.people[Of.HEALTH], now.latest_of(stack.data[In.HEALTH])),
        "armor": np.where(np.isnan(armor), now.people[Of.ARMOR], armor),
        "utility": now.people[Of.UTILITY],
        "blind_s": np.maximum(now.people[Of.BLIND_UNTIL] - now.t[:, None], 0.0),
        **{f"holds_{name}": np.where(np.isnan(held), np.nan, held == code) for code, name in enumerate(HOLDINGS)},
        "carries_bomb": (carrier[:, None] == np.arange(flags.shape[1])) * 1.0,
        "has_kit": np.where(now.seen, (flags & HAS_KIT > 0) * 1.0, now.people[Of.KIT]),
    }


def _round(now: Now, stack: Stack, frames: Motion, bomb: Place) -> Columns:
    """The clock, who lives, who fell, and where the bomb and its sites are."""
    n_ct, shape = stack.n_ct, now.alive.shape
    planted = ~np.isnan(now.bomb[:, Bomb.PLANTED_T])
    since = np.where(planted, now.t - now.bomb[:, Bomb.PLANTED_T], 0.0)
    living = [now.alive[:, side].sum(axis=1) * 1.0 for side in (slice(None, n_ct), slice(n_ct, None))]
    is_ct = np.arange(shape[1]) < n_ct
    fallen = [_fallen(now, side) for side in (slice(None, n_ct), slice(n_ct, None))]
    died, killer = (
        np.where(is_ct, ct[:, None], t[:, None]) for ct, t in zip(*((f[0], f[1]) for f in fallen), strict=True)
    )
    rows = np.arange(len(now.t))[:, None]
    reach = killer.astype(np.int64).clip(0)
    chased = (killer >= 0.0) & now.alive[rows, reach]
    place = tuple(axis[rows, reach] for axis in now.place)
    to_a, to_b, _ = (now.latest_of(distance) for distance in frames.goals)

    def every(values: Floats) -> Floats:
        return np.broadcast_to(values[:, None], shape)

    return {
        "planted": every(planted * 1.0),
        "since_plant_s": every(since),
        "since_freeze_s": every(now.t),
        "own_alive": np.where(is_ct, living[0][:, None], living[1][:, None]),
        "enemies_alive": np.where(is_ct, living[1][:, None], living[0][:, None]),
        "mate_died_5s": died * 1.0,
        "killer_dist_m": np.where(chased, _distance(now.place, place), np.nan),
        "site_a_dist_m": to_a,
        "site_b_dist_m": to_b,
        "bomb_dist_m": _distance(now.place, bomb),
        "is_ct": np.broadcast_to(is_ct * 1.0, shape),
    }


def _fallen(now: Now, side: slice) -> tuple[Flags, Floats]:
    """Whether one of the side died lately and is dead, and the seat of the enemy who killed the latest such; -1 for none."""
    when = np.where(now.people[Of.DEAD][:, side] == 1.0, now.people[Of.DEATH_T][:, side], -np.inf)
    lately = when > (now.t - TRADE_S)[:, None]
    killer = now.people[Of.KILLER][:, side]
    avenged = np.where(lately & (killer >= 0.0), when, -np.inf)
    latest = avenged.argmax(axis=1)
    rows = np.arange(len(now.t))
    return np.asarray(lately.any(axis=1)), np.where(np.isinf(avenged[rows, latest]), -1.0, killer[rows, latest])


def _bomb_place(now: Now, planted_places: Floats, carrier: Ints) -> Place:
    """Where the bomb is known to be (I, 1): planted, with who carries it and is seen, or dropped."""
    rows, seat = np.arange(len(now.t)), carrier.clip(0)
    planted = ~np.isnan(now.bomb[:, Bomb.PLANTED_T])
    carried = carrier >= 0

    def axis(k: int) -> Floats:
        dropped = METRES_PER_U * now.bomb[:, Bomb.X + k]
        loose = np.where(carried, now.place[k][rows, seat], dropped)
        return np.where(planted, planted_places[now.block, k], loose)[:, None]

    return axis(0), axis(1), axis(2)
