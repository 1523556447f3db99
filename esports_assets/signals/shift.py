"""MOMENTUM_SHIFT: a team's chance to win the round has risen further than the intervals of both ends explain.

Belongs here: the rule, its memory of one round, and the statement.
Does not belong here: probabilities (``momentum_agent.py``), what an event moved (``moves.py``).

Formula. For an instant j, let i be the earlier instant of the round, at most ``WITHIN_S`` before and after the last shift, at which
the upper bound of the team's chance was lowest. There is a shift where

    lower bound at j > upper bound at i      (the rise exceeds both half-widths together: the intervals do not touch)
    chance at j - chance at i >= SIZE        (and is large among all changes within that time)

An instant counts as a whole: all events at it are taken in before it is judged. After a shift, only what comes after its instant is
compared with, so one swing is told once, and nothing is told again before another swing of its own size.

Confidence. The probability that the swing holds: that the team wins the round without its chance falling back to where it came
from. Chances that keep their promise are a martingale, which makes that (chance at j - chance at i) / (1 - chance at i) where
chances move in small steps. ``benchmarks/signals.py`` measures how well it is kept: 0.717 promised, 0.698 held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from esports_assets.canonical.signal import AgentSignal, Fact, SignalType
from esports_assets.signals.moves import Move, merged, told
from esports_assets.signals.voice import Moment, Voice, statement
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.streamed.lineup import Lineup

WITHIN_S = 10.0
"""A fight with its answers."""
SIZE = 0.38
"""The 95 % quantile of how much chances change within ``WITHIN_S``: 46 real matches, out of fold (docs/signals.md)."""
MOST_TOLD = 5
"""Events that are told one by one; the rest are told together."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The chance of CT right after everything at an instant."""

    t: float
    at_us: int
    p: float
    lo: float
    hi: float


class Trail(msgspec.Struct):
    """What a shift can begin from in the round that is played, and what happened since."""

    points: list[Point] = []
    moves: list[Move] = []


@dataclass(frozen=True, slots=True)
class Swing:
    """A shift in favour of one side."""

    ct: bool
    before: Point
    after: Point
    moves: tuple[Move, ...]
    """Everything between the two, in order."""

    def chance(self, point: Point) -> tuple[float, float, float]:
        """The chance of the side that gained, with its bounds."""
        return _of_side(point, self.ct)

    @property
    def rise(self) -> float:
        """How much the chance rose."""
        return self.chance(self.after)[0] - self.chance(self.before)[0]

    @property
    def holds(self) -> float:
        """The probability that the team wins without falling back to where it came from."""
        return self.rise / (1.0 - self.chance(self.before)[0])


def swings(trail: Trail, point: Point, moves: Sequence[Move]) -> Iterator[Swing]:
    """The shift that an instant completes, if any; ``moves`` are those at the instant. Call in order of time."""
    trail.moves += moves
    while trail.points and trail.points[0].t < point.t - WITHIN_S:
        del trail.points[0]
    for ct in (True, False):
        found = _found(trail.points, point, ct)
        if found is not None:
            since = tuple(move for move in trail.moves if move.t > found.t)
            trail.points, trail.moves = [], []
            yield Swing(ct, found, point, since)
            break
    trail.points.append(point)
    first = trail.points[0].t
    while trail.moves and trail.moves[0].t <= first:
        del trail.moves[0]


def _found(points: Sequence[Point], point: Point, ct: bool) -> Point | None:
    if not points or not _apart(points, point, ct):
        return None
    best = min(points, key=lambda known: _of_side(known, ct)[2])
    before, _, upper = _of_side(best, ct)
    after, lower, _ = _of_side(point, ct)
    return best if lower > upper and after - before >= SIZE else None


def _apart(points: Sequence[Point], point: Point, ct: bool) -> bool:
    """Whether the interval of an instant lies above the lowest one before: hardly ever, and cheap to ask."""
    if ct:
        return point.lo > min([known.hi for known in points])
    return 1.0 - point.hi > 1.0 - max([known.lo for known in points])


def _of_side(point: Point, ct: bool) -> tuple[float, float, float]:
    return (point.p, point.lo, point.hi) if ct else (1.0 - point.p, 1.0 - point.hi, 1.0 - point.lo)


def shift_signal(swing: Swing, lineup: Lineup, facts: RoundFacts, voice: Voice) -> AgentSignal:
    """The statement about a shift: from where to where, and which events did how much of it."""
    team = facts.ct_team if swing.ct else facts.t_team
    sign = 1.0 if swing.ct else -1.0
    before, low0, high0 = swing.chance(swing.before)
    after, low1, high1 = swing.chance(swing.after)
    took_s = swing.after.t - swing.before.t
    events = merged(swing.moves)
    best = sorted(events, key=lambda move: (-abs(move.delta), move.t, move.event_id or ""))[:MOST_TOLD]
    rest = swing.rise - sum(sign * move.delta for move in best)
    summary = (
        f"The chance of {team} to win the round rose from {before:.2f} [{low0:.2f}, {high0:.2f}] "
        f"to {after:.2f} [{low1:.2f}, {high1:.2f}] in {took_s:.1f} s."
    )
    explanation = [
        Fact(summary, delta=swing.rise),
        *(Fact(told(move, lineup.players), move.event_id, sign * move.delta) for move in best),
        Fact("everything else: smaller events, the clock, movement", delta=rest),
    ]
    seats = [seat for move in best for seat in (move.actor, move.target) if seat >= 0]
    return statement(
        SignalType.MOMENTUM_SHIFT,
        Moment(lineup, facts.number, swing.after.t, swing.after.at_us),
        voice,
        team=team,
        confidence=swing.holds,
        facts=explanation,
        features={
            "p_before": before,
            "p_before_lo": low0,
            "p_before_hi": high0,
            "p_after": after,
            "p_after_lo": low1,
            "p_after_hi": high1,
            "rise": swing.rise,
            "took_s": took_s,
            "events": len(events),
        },
        entities=(team, *(lineup.players[seat] for seat in seats)),
    )
