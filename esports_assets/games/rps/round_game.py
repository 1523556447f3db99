"""One round as a zero-sum game: what each pair of moves is worth to the bot, and the mixture that no user can exploit.

Payoff (row 004-06, corrected): a win is worth the move's value, and ten more if it ends the game; a loss costs the same of the
user's move. A draw that does not end the game is worth a twentieth of the lead (half of it over ten); one that ends it is worth
the game: plus ten for the higher score, minus ten for the lower, nothing for a tie. The earlier rule valued a draw as if the
game always went on.

Belongs here: the payoffs, and the exact solution of a 3 x 3 zero-sum game.
Does not belong here: what the user will probably play, and what the bot therefore does (``decision.py``).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from esports_assets.games.rps.moves import MOVES, Move, Result, result_of
from esports_assets.games.rps.rules import DRAW_POINTS, GOAL, GameState, added, points_of, reached
from esports_assets.games.rps.values import RoundValues

GAME_WORTH = 10.0
"""What winning the game is worth beside the points, in points."""

Three = tuple[float, float, float]
Payoffs = tuple[Three, Three, Three]


def payoffs(values: RoundValues, standing: GameState) -> Payoffs:
    """What the bot gains, in points: a row for each move of the bot, a column for each of the user, both in the order of moves."""
    rock, paper, scissors = (_row(bot, values, standing) for bot in MOVES)
    return rock, paper, scissors


def _row(bot: Move, values: RoundValues, standing: GameState) -> Three:
    rock, paper, scissors = (_payoff(user, bot, values, standing) for user in MOVES)
    return rock, paper, scissors


def _payoff(user: Move, bot: Move, values: RoundValues, standing: GameState) -> float:
    user_points, bot_points = points_of(user, bot, values)
    user_score, bot_score = added(standing.user_score, user_points), added(standing.bot_score, bot_points)
    ended = reached(user_score) or reached(bot_score)
    lead = added(bot_score, -user_score)
    if result_of(user, bot) is Result.DRAW and not ended:
        return DRAW_POINTS * lead / GOAL
    worth = GAME_WORTH * ((lead > 0) - (lead < 0)) if ended else 0.0
    return bot_points - user_points + worth


def expected(matrix: Payoffs, user: Sequence[float]) -> Three:
    """The expected payoff of each move of the bot against a user who plays with these probabilities."""
    rock, paper, scissors = (sum(p * gain for p, gain in zip(user, row, strict=True)) for row in matrix)
    return rock, paper, scissors


def guaranteed(matrix: Payoffs, bot: Sequence[float]) -> float:
    """The least that a mixture of the bot's moves gains on average, whatever the user plays."""
    return min(sum(p * row[column] for p, row in zip(bot, matrix, strict=True)) for column in range(3))


def maximin(matrix: Payoffs) -> Three:
    """The mixture of the bot's moves that guarantees most.

    Some optimal mixture equalises a square part of the matrix (Shapley and Snow, 1950: basic solutions of discrete games), and a
    3 x 3 game has nineteen such parts; the best of their mixtures is optimal, without iteration or tolerance.
    """
    return max(_basic(matrix), key=lambda mixture: guaranteed(matrix, mixture))


def _basic(matrix: Payoffs) -> Iterator[Three]:
    """A mixture for every square part of the matrix that has one."""
    for size in (1, 2, 3):
        for rows in combinations(range(3), size):
            for columns in combinations(range(3), size):
                weights = _equalising([[matrix[row][column] for column in columns] for row in rows])
                total = sum(weights)
                shares = [weight / total for weight in weights] if total else []
                if shares and min(shares) >= 0.0:
                    placed = dict(zip(rows, shares, strict=True))
                    yield placed.get(0, 0.0), placed.get(1, 0.0), placed.get(2, 0.0)


def _equalising(part: list[list[float]]) -> list[float]:
    """Weights of the rows, up to a factor, that make every column of the part worth the same: cofactors of its differences."""
    steps = [[b - a for a, b in pairwise(row)] for row in part]
    if len(part) == 1:
        return [1.0]
    if len(part) == 2:
        return [steps[1][0], -steps[0][0]]
    (a, b), (c, d), (e, f) = steps
    return [c * f - d * e, e * b - f * a, a * d - b * c]
