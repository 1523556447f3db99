"""One round in two steps: the bot's move is fixed and announced, then the user's arrives and both are counted.

Belongs here: the order of a round, so that no bot can look at the move it answers.
Does not belong here: how the bot chooses (``decision.py``, ``gambits.py``, ``opponents.py``), keeping a round between its steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from esports_assets.games.rps.commitments import commitment, nonce_of, round_random
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.record import RecordedRound
from esports_assets.games.rps.rules import GameOver, GameState, RoundPlayed
from esports_assets.games.rps.values import RoundValues, round_values

Choice = Callable[[RoundValues, Random], Move]
"""How the bot chooses: from the round's values and a source of chance that is the same wherever the round is opened."""


@dataclass(frozen=True, slots=True)
class OpenRound:
    """A round whose values and commitment may be told, and whose ``bot`` and ``nonce`` may not before the user has moved."""

    step_no: int
    values: RoundValues
    bot: Move
    nonce: str

    @property
    def commitment(self) -> str:
        """What is announced of the bot's move."""
        return commitment(self.bot, self.nonce)

    def close(self, state: GameState, user: Move, played_at: datetime) -> tuple[GameState, RoundPlayed, RecordedRound]:
        """The state after the user's move, the round with its points, and its record.

        Raises GameOver after the end, ValueError where ``state`` does not stand before this round.
        """
        if not state.finished and state.played + 1 != self.step_no:
            raise ValueError(f"round {self.step_no} is open, but {state.played} rounds were played")
        after, told = state.play(user, self.bot, self.values)
        recorded = RecordedRound(self.step_no, user, self.bot, self.values, played_at, self.commitment, self.nonce)
        return after, told, recorded


def open_round(secret: bytes, state: GameState, choose: Choice) -> OpenRound:
    """The next round of the game with this secret, the bot's move fixed. Raises GameOver after the end."""
    if state.finished:
        raise GameOver(f"the game ended after round {state.played}: no further round is opened")
    step_no = state.played + 1
    values = round_values(secret, step_no)
    return OpenRound(step_no, values, choose(values, round_random(secret, step_no)), nonce_of(secret, step_no))
