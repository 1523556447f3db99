"""From the user's probable moves to the bot's: as good as the prediction allows, and no more predictable than that is worth.

With m the mixture that guarantees most in this round (``round_game.maximin``) and g(a) the expected payoff of move a against the
predicted user, the bot plays move a with probability

    q(a)  proportional to  m'(a) * exp(sharpness * g(a) / scale),    m' = (1 - FLOOR) * m + FLOOR / 3

where scale is the largest absolute payoff of the round. It is the mixture that maximises

    E_q[g] - (scale / sharpness) * KL(q || m')

a quantal response (McKelvey and Palfrey, 1995) anchored at the equilibrium instead of the uniform mixture. A prediction that makes
no move better than another leaves the equilibrium; one that is sure moves towards its best answer. Sharpness 0 is the equilibrium
itself, infinity the best answer alone, which whoever knows the model can foresee and beat.

Belongs here: expected payoffs to probabilities, and drawing a move.
Does not belong here: predicting the user (``models/``), payoffs and equilibrium (``round_game.py``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.round_game import Three, expected, maximin, payoffs
from esports_assets.games.rps.rules import GameOver, GameState
from esports_assets.games.rps.values import RoundValues

SHARPNESS = 4.0
"""How fast probability goes over to the better move, per unit of scaled payoff. Against users whose move is named with probability
.45 it wins .72 of its games and the best answer .82; against .70, .98 and .99. Whoever knows the mixture in advance beats both, and
sharpness 0 alone holds its own there (``benchmarks/rps_decision.py``)."""
FLOOR = 0.03
"""Share of the uniform mixture in the anchor, so that a move that the equilibrium never plays can answer a sure prediction."""

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Decision:
    """What the bot may play: probabilities, expected payoffs and the equilibrium's mixture, each in the order of moves."""

    probabilities: Three
    payoffs: Three
    equilibrium: Three

    def draw(self, random: Random) -> Move:
        """A move with these probabilities."""
        (move,) = random.choices(MOVES, self.probabilities)
        return move


def decide(
    user_probabilities: Sequence[float], values: RoundValues, standing: GameState, sharpness: float = SHARPNESS
) -> Decision:
    """How the bot answers a user who plays rock, paper, scissors with these probabilities.

    Raises ValueError for probabilities that are none or a negative sharpness, GameOver after the end of the game.
    """
    if standing.finished:
        raise GameOver(f"the game ended after round {standing.played}: there is nothing left to decide")
    if not sharpness >= 0.0:
        raise ValueError(f"sharpness {sharpness} is no weight: give 0 or more")
    matrix = payoffs(values, standing)
    gains = expected(matrix, _checked(user_probabilities))
    equilibrium = maximin(matrix)
    scale = max(abs(gain) for row in matrix for gain in row)
    return Decision(_response(gains, equilibrium, sharpness / scale), gains, equilibrium)


def _checked(told: Sequence[float]) -> list[float]:
    """Probabilities that add up to one; single precision of a model is forgiven."""
    if len(told) != len(MOVES) or not all(0.0 <= p <= 1.0 + _SUM_TOLERANCE for p in told):
        raise ValueError(f"{list(told)} are no probabilities of {', '.join(MOVES)}")
    total = math.fsum(told)
    if abs(total - 1.0) > _SUM_TOLERANCE:
        raise ValueError(f"{list(told)} add up to {total:g} and not to 1")
    return [p / total for p in told]


def _response(gains: Three, equilibrium: Three, per_point: float) -> Three:
    best = max(gains)
    anchors = [(1.0 - FLOOR) * share + FLOOR / len(MOVES) for share in equilibrium] if per_point else equilibrium
    rock, paper, scissors = (
        anchor * (math.exp(per_point * (gain - best)) if gain < best else 1.0)
        for anchor, gain in zip(anchors, gains, strict=True)
    )
    total = rock + paper + scissors
    return rock / total, paper / total, scissors / total
