"""The eight scripted players of row 004-04: simulated users, and what a bot falls back on.

Each reads a ``View`` from its own side only. Where the originals had branches that nothing reached, or read results from the wrong
side, the docstring of the player says what stands here instead. Values are compared in tenths of a point: 1.6 - 1.0 is
0.6000000000000001 in floating point, and that last digit decided which branches existed.

Belongs here: the protocol of a player, and the eight.
Does not belong here: openings (``gambits.py``), players that learn or predict.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from esports_assets.games.rps.moves import MOVES, Move, Result
from esports_assets.games.rps.seat import View
from esports_assets.games.rps.values import RoundValues


class Opponent(Protocol):
    """Whoever plays one side of a game. ``random`` is the only source of chance, and the caller's."""

    @property
    def name(self) -> str:
        """Under which name games record it."""

    @property
    def deterministic(self) -> bool:
        """Whether the same view always gives the same move."""

    def choose(self, view: View, values: RoundValues, random: Random) -> Move:
        """The move of the round with these values."""


@dataclass(frozen=True, slots=True)
class Scripted:
    """A player whose rule is one function."""

    name: str
    rule: Callable[[View, RoundValues, Random], Move]
    deterministic: bool = True

    def choose(self, view: View, values: RoundValues, random: Random) -> Move:
        """The move of the round with these values."""
        return self.rule(view, values, random)


def most_common(moves: Sequence[Move]) -> Move:
    """The move that occurs most often; of equals the first of rock, paper, scissors."""
    counts = Counter(moves)
    return max(MOVES, key=lambda move: counts[move])


def least_common(moves: Sequence[Move]) -> Move:
    """The move that occurs least often; of equals the first of rock, paper, scissors."""
    counts = Counter(moves)
    return min(MOVES, key=lambda move: counts[move])


def _lost_last(view: View, rounds: int) -> bool:
    return len(view.results) >= rounds and all(result is Result.LOSE for result in view.results[-rounds:])


def _often_won(view: View) -> bool:
    return list(view.results[-3:]).count(Result.WIN) >= 2


def ace(view: View, values: RoundValues, _: Random) -> Move:
    """Two of his last three rounds won: the highest value. Else he beats the other side's last move."""
    if not view.other or _often_won(view):
        return values.highest
    return view.other[-1].beaten_by


def bob(view: View, values: RoundValues, _: Random) -> Move:
    """Rotates highest, lowest, middle value; with two of his last three rounds won he beats his own most used place.

    The place (highest, middle or lowest) that he used most is taken over all his rounds, and beaten as it stands in this round:
    he expects to be copied.
    """
    if _often_won(view):
        used = Counter(before.ranked.index(move) for move, before in zip(view.own, view.values, strict=True))
        return values.ranked[max(range(3), key=lambda place: used[place])].beaten_by
    return (values.highest, values.lowest, values.middle)[len(view.own) % 3]


def cal(view: View, values: RoundValues, _: Random) -> Move:
    """Beats the highest value; after three losses in a row he plays it. Nothing is random: he is the oracle of parity."""
    return values.highest if _lost_last(view, 3) else values.highest.beaten_by


def dan(view: View, values: RoundValues, random: Random) -> Move:
    """Draws by weights: the highest value by how high it is, what beats it .30, the third the rest.

    +.15 on the highest after a loss, +.05 on the third after a win, +.10 on the beater when behind, +.05 on the third when ahead,
    +.10 on what beats a move that is half or more of the other side's last ten.
    """
    (move,) = random.choices(MOVES, _weights_of_dan(view, values))
    return move


def _weights_of_dan(view: View, values: RoundValues) -> list[float]:
    best = values.highest
    beater = best.beaten_by
    third = beater.beaten_by
    weight = {best: min(0.60, max(0.10, values.of(best) - 1.4)), beater: 0.30}
    weight[third] = max(0.05, 1.0 - weight[best] - weight[beater])
    last = view.results[-1] if view.results else None
    weight[best] += 0.15 if last is Result.LOSE else 0.0
    weight[third] += 0.05 if last is Result.WIN else 0.0
    weight[beater] += 0.10 if view.own_score < view.other_score else 0.0
    weight[third] += 0.05 if view.own_score > view.other_score else 0.0
    lately = view.other[-10:]
    for move in MOVES:
        if lately and 2 * list(lately).count(move) >= len(lately):
            weight[move.beaten_by] += 0.10
    return [weight[move] for move in MOVES]


def edd(view: View, values: RoundValues, _: Random) -> Move:
    """The highest value right after a loss, else what beats the other side's most common move.

    The original asked in between whether a value of 1.6 or more was there, which is always so, and did the same either way: the
    question is left out. Before the other side has moved he plays the highest value.
    """
    if not view.other or view.results[-1] is Result.LOSE:
        return values.highest
    return most_common(view.other).beaten_by


def fox(view: View, values: RoundValues, _: Random) -> Move:
    """Ahead the lowest value, behind what beats the other side's least common move, level the middle value."""
    if view.own_score > view.other_score:
        return values.lowest
    if view.own_score < view.other_score:
        return least_common(view.other).beaten_by
    return values.middle


GUS_SPREAD_IN_TENTHS = 6
"""The smallest spread of a round's values (1.0 to 1.6); only above it does gus go for the highest value."""


def gus(view: View, values: RoundValues, random: Random) -> Move:
    """After two losses anything; at a spread above 0.6 the highest value; else he counters the other side's habit.

    The habit is a repeated move, else a move that is half or more of all, else the last one. The original compared the spread
    as a float with 0.6, which even the smallest spread exceeds, so that the last three rules never came into play; here one round
    in five has a spread of exactly 0.6 and reaches them. Before the other side has moved he plays the highest value.
    """
    if _lost_last(view, 2):
        return random.choice(MOVES)
    spread = round(10 * (values.of(values.highest) - values.of(values.lowest)))
    if spread > GUS_SPREAD_IN_TENTHS or not view.other:
        return values.highest
    last, usual = view.other[-1], most_common(view.other)
    repeated = len(view.other) > 1 and view.other[-2] is last
    if not repeated and 2 * list(view.other).count(usual) >= len(view.other):
        return usual.beaten_by
    return last.beaten_by


def hal(view: View, values: RoundValues, _: Random) -> Move:
    """The middle value; after three losses in a row the move with which he has won most often, if he ever won.

    The inventory calls it his most common move that made the bot lose: seen from his own side, that is the move that won.
    """
    winning = [move for move, result in zip(view.own, view.results, strict=True) if result is Result.WIN]
    if winning and _lost_last(view, 3):
        return most_common(winning)
    return values.middle


OPPONENTS: dict[str, Scripted] = {
    player.name: player
    for player in (
        Scripted("ace", ace),
        Scripted("bob", bob),
        Scripted("cal", cal),
        Scripted("dan", dan, deterministic=False),
        Scripted("edd", edd),
        Scripted("fox", fox),
        Scripted("gus", gus, deterministic=False),
        Scripted("hal", hal),
    )
}
"""The eight by name."""


def opponent_named(name: str) -> Scripted:
    """The scripted player of that name; LookupError lists those there are."""
    if name not in OPPONENTS:
        raise LookupError(f"no scripted player {name!r}; there are {', '.join(OPPONENTS)}")
    return OPPONENTS[name]
