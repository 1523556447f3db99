"""What came after: the only code that may look ahead.

Belongs here: labels, each a documented function of what happened later, with its horizon.
Does not belong here: anything that a feature may read.

Intents are told for every living player at an instant t, from what the player did next. Where several apply, the first of this
order counts: plant, defuse, trade, engage, peek, rotate, advance or retreat, hold. Deeds come before movement because who
plants also stands still, and who trades also shoots.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.vocabulary import Intent, Side
from esports_assets.windows.asof import Floats, latest_frame
from esports_assets.windows.deeds import RoundDeeds, Work
from esports_assets.windows.fill import Tracks
from esports_assets.windows.view import Sites, distance

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

INTENTS: tuple[str, ...] = tuple(intent.value for intent in Intent)
"""Classes in the order of their codes; -1 is a player who is dead or of whom the future is not known."""

WORK_AHEAD_S = 2.0
"""Plant and defuse: the work has begun, or begins within this."""
AT_WORK_U = 60.0
"""Who has moved farther than this from where he began no longer plants or defuses, in game units."""
TRADE_S = 5.0
"""Longest time between a team-mate's death and the death of his killer for it to be a trade."""
FIGHT_S = 2.0
"""Engage: a shot, or a hit given or taken, within this."""
PEEK_S = 2.0
"""Peek: out and back within this."""
PEEK_PATH_U, PEEK_NET_U = 130.0, 0.4
"""Way that a peek takes at least, in game units, and the share of it that is left as displacement at most."""
PEEK_ENEMY_U = 2500.0
"""Nobody peeks at an enemy who is farther away, in game units."""
ROTATE_S = 5.0
"""Rotate: nearer to the other site after this."""
SETTLED_S = 4.0
"""Rotate: nearer to the first site since this, so that walking out of the spawn is no rotation."""
ROTATE_U = 600.0
"""Displacement that a rotation has at least, in game units."""
ROTATE_MARGIN_U = 300.0
"""How much nearer one site is than the other before and, the other way round, after, in game units."""
MOVE_S = 2.0
"""Advance, retreat and hold: where the player is after this."""
MOVE_U = 120.0
"""Displacement from which on a player does not hold, in game units."""
ENEMY_U = 1500.0
"""An enemy within this is what a player moves towards or away from; else it is the objective."""
HORIZON_S = max(WORK_AHEAD_S, TRADE_S, FIGHT_S, PEEK_S, ROTATE_S, MOVE_S)
"""No intent looks farther ahead: what was true this long ago is known now (the persistence baseline)."""


def ct_won(winner: Side | None) -> int:
    """1 if the CT side won the round, 0 if the T side did; ValueError while nobody has. Horizon: the end of the round."""
    if winner is None:
        raise ValueError("a round without a winner has no label")
    return int(winner is Side.CT)


@dataclass(frozen=True, slots=True)
class Future:
    """A round as labels see it: all of its tracks and deeds, and the instants asked about."""

    tracks: Tracks
    deeds: RoundDeeds
    ct: Flags
    sites: Sites
    at: Floats

    def frames(self, ahead_s: float) -> Codes:
        """The frame of each instant plus a horizon; the last frame where the round is over by then."""
        return np.maximum(latest_frame(self.tracks.t, self.at + ahead_s), 0)

    def place(self, ahead_s: float) -> Floats:
        """Where each player is after a horizon (I, P, 3); who dies stays where he fell."""
        return np.asarray(self.tracks.position[self.frames(ahead_s)])

    @property
    def alive(self) -> Flags:
        """Who lives at each instant (I, P)."""
        return np.asarray(self.tracks.alive[self.frames(0.0)])


def intents(future: Future) -> Codes:
    """Code of each player's intent at each instant (I, P); -1 for the dead and for unknown positions."""
    known = future.alive & ~np.isnan(future.place(0.0)[..., 0])
    toward, moved = _movement(future)
    code = np.where(moved, np.where(toward, _code(Intent.ADVANCE), _code(Intent.RETREAT)), _code(Intent.HOLD))
    for intent, applies in (
        (Intent.ROTATE, rotates(future)),
        (Intent.PEEK, peeks(future)),
        (Intent.ENGAGE, engages(future)),
        (Intent.TRADE, trades(future)),
        (Intent.DEFUSE, works(future, future.deeds.defuses)),
        (Intent.PLANT, works(future, future.deeds.plants)),
    ):
        code = np.where(applies, _code(intent), code)
    return np.where(known, code, -1)


def works(future: Future, work: list[Work]) -> Flags:
    """Plant or defuse: begins within ``WORK_AHEAD_S``, or has begun and is still at it, whether or not it is completed."""
    found = np.zeros((len(future.at), len(future.ct)), dtype=bool)
    for one in work:
        began = max(int(latest_frame(future.tracks.t, np.array([one.begin_s]))[0]), 0)
        spot = future.tracks.position[began, one.player]
        stays = distance(future.place(0.0)[:, one.player], spot) <= AT_WORK_U
        soon = (future.at >= one.begin_s - WORK_AHEAD_S) & (future.at < one.begin_s)
        found[:, one.player] |= soon | ((future.at >= one.begin_s) & (future.at < one.end_s) & stays)
    return found


def trades(future: Future) -> Flags:
    """Trade: a team-mate has died, and the player will kill his killer within ``TRADE_S`` of that death."""
    found = np.zeros((len(future.at), len(future.ct)), dtype=bool)
    kills = future.deeds.kills
    for died_s, killer, victim in kills:
        for t, avenger, fallen in kills:
            answers = fallen == killer >= 0 and avenger >= 0 and died_s <= t <= died_s + TRADE_S
            if answers and future.ct[avenger] == future.ct[victim] != future.ct[killer]:
                found[:, avenger] |= (future.at >= died_s) & (future.at < t)
    return found


def engages(future: Future) -> Flags:
    """Engage: the player shoots, or hits or is hit by an opponent, within ``FIGHT_S``."""
    found = np.zeros((len(future.at), len(future.ct)), dtype=bool)
    fights = [
        *future.deeds.shots,
        *(
            (t, who)
            for t, one, other in future.deeds.hits
            if future.ct[one] != future.ct[other]
            for who in (one, other)
        ),
    ]
    for t, player in fights:
        found[:, player] |= (future.at < t) & (t <= future.at + FIGHT_S)
    return found


def peeks(future: Future) -> Flags:
    """Peek: goes out and comes back within ``PEEK_S`` while an enemy is within ``PEEK_ENEMY_U``, without a fight."""
    plane = future.tracks.position[..., :2]
    step = np.sqrt((np.diff(plane, axis=0, prepend=plane[:1]) ** 2).sum(axis=-1))
    way = np.cumsum(np.nan_to_num(step), axis=0)
    now, later = future.frames(0.0), future.frames(PEEK_S)
    path = way[later] - way[now]
    net = np.sqrt(((plane[later] - plane[now]) ** 2).sum(axis=-1))
    enemy, far = _nearest_enemy(future)
    return np.asarray((path >= PEEK_PATH_U) & (net <= PEEK_NET_U * path) & (far <= PEEK_ENEMY_U) & (enemy >= 0))


def rotates(future: Future) -> Flags:
    """Rotate: near one site for ``SETTLED_S``, and near the other after ``ROTATE_S``."""
    past, now, later = future.place(-SETTLED_S), future.place(0.0), future.place(ROTATE_S)
    a, b = np.array(future.sites.a), np.array(future.sites.b)
    settled, before, after = (distance(place, b) - distance(place, a) for place in (past, now, later))
    clear = np.minimum(np.minimum(np.abs(settled), np.abs(before)), np.abs(after)) >= ROTATE_MARGIN_U
    crossed = (settled * before > 0) & (before * after < 0) & (distance(now, later) >= ROTATE_U)
    return np.asarray(clear & crossed & (future.at >= SETTLED_S)[:, None])


def _movement(future: Future) -> tuple[Flags, Flags]:
    """Whether each player comes nearer to what he moves by, and whether he moves at all, within ``MOVE_S``."""
    now, later = future.place(0.0), future.place(MOVE_S)
    enemy, far = _nearest_enemy(future)
    rows = np.arange(len(future.at))[:, None]
    goal = np.where((far <= ENEMY_U)[..., None], now[rows, np.maximum(enemy, 0)], _objective(future, now))
    toward = distance(later, goal) < distance(now, goal)
    return np.asarray(toward), np.asarray(distance(now, later) >= MOVE_U)


def _objective(future: Future, now: Floats) -> Floats:
    """The bomb once it is planted, else the nearer site (I, P, 3)."""
    a, b = np.array(future.sites.a), np.array(future.sites.b)
    nearer = np.where((distance(now, a) <= distance(now, b))[..., None], a, b)
    planted = next((work for work in future.deeds.plants if work.done), None)
    if planted is None:
        return nearer
    spot = future.tracks.position[
        max(int(latest_frame(future.tracks.t, np.array([planted.end_s]))[0]), 0), planted.player
    ]
    return np.where((future.at >= planted.end_s)[:, None, None], spot, nearer)


def _nearest_enemy(future: Future) -> tuple[Codes, Floats]:
    """Index and distance of the nearest living enemy of each player (I, P); -1 and infinity where there is none."""
    now, alive = future.place(0.0), future.alive
    gap = distance(now[:, :, None, :], now[:, None, :, :])
    foe = (future.ct[:, None] != future.ct[None, :])[None] & alive[:, None, :] & ~np.isnan(gap)
    gap = np.where(foe, gap, np.inf)
    nearest = gap.argmin(axis=2)
    far = np.take_along_axis(gap, nearest[..., None], axis=2)[..., 0]
    return np.where(np.isinf(far), -1, nearest), far


def _code(intent: Intent) -> int:
    return INTENTS.index(intent.value)
