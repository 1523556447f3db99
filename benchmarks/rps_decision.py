"""How sharply the bot should follow a prediction: win rate against predictable users, and against one who knows what it will do.

    python benchmarks/rps_decision.py [--games 1000] [--seed 1] [--json]

``accuracy a``: a user whose next move is named in advance with probability a, and a bot that is told so: a on that move, the
rest shared by the others. People are named with about 0.45, the study's stable bots with about 0.7.
``knows``: the bot is told 0.45 on a move at random; the user knows the bot's mixture and plays the best answer to it.
A win is a game won, a tie half of one.
Belongs here: the users, and the figures that chose ``decision.SHARPNESS``.
Does not belong here: real models, and playing strength against published bots.
"""

import argparse
import json
import math
import sys
from random import Random

from esports_assets.games.rps.decision import Decision, decide
from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.round_game import payoffs
from esports_assets.games.rps.rules import GameState, Winner
from esports_assets.games.rps.values import STATES, RoundValues

SHARPNESSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, math.inf)
ACCURACIES = (1 / 3, 0.45, 0.7)
KNOWS = "knows"
WORTH = {Winner.BOT: 1.0, Winner.TIE: 0.5, Winner.USER: 0.0}


def told(named: Move, accuracy: float) -> list[float]:
    """What the bot is told: ``accuracy`` on the named move, the rest shared by the others."""
    return [accuracy if move is named else (1.0 - accuracy) / 2 for move in MOVES]


def best_answer(decision: Decision, values: RoundValues, state: GameState) -> Move:
    """The user's move that costs the bot's mixture most."""
    matrix = payoffs(values, state)
    costs = [
        sum(p * row[move.ordinal] for p, row in zip(decision.probabilities, matrix, strict=True)) for move in MOVES
    ]
    return MOVES[costs.index(min(costs))]


def play(sharpness: float, accuracy: float, knows: bool, random: Random) -> float:
    """One game: 1 if the bot wins it, a half for a tie."""
    state = GameState()
    while not state.finished:
        values, named = random.choice(STATES), random.choice(MOVES)
        decision = decide(told(named, accuracy), values, state, sharpness)
        bot = decision.draw(random)
        if knows:
            user = best_answer(decision, values, state)
        else:
            (user,) = random.choices(MOVES, told(named, accuracy))
        state, _ = state.play(user, bot, values)
    return WORTH[state.winner or Winner.TIE]


def win_rate(sharpness: float, accuracy: float, knows: bool, games: int, seed: int) -> float:
    """Share of games that the bot wins, a tie counted half."""
    random = Random(seed)
    return sum(play(sharpness, accuracy, knows, random) for _ in range(games)) / games


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=1_000, help="games per cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    cells: dict[str, dict[str, float]] = {}
    for sharpness in SHARPNESSES:
        row = {f"{a:.2f}": win_rate(sharpness, a, False, asked.games, asked.seed) for a in ACCURACIES}
        cells[f"{sharpness:g}"] = row | {KNOWS: win_rate(sharpness, 0.45, True, asked.games, asked.seed)}
    if asked.json:
        print(json.dumps({"games": asked.games, "win_rate": cells}))
        return 0
    columns = [f"{a:.2f}" for a in ACCURACIES] + [KNOWS]
    print(f"{'sharpness':>10}" + "".join(f"{name:>9}" for name in columns))
    for name, row in cells.items():
        print(f"{name:>10}" + "".join(f"{row[column]:9.3f}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
