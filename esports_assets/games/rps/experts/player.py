"""A player who answers what the mixture of experts expects, and stops where it is read in turn.

Belongs here: the choice of a move, the defence against being exploited, and a player's state as bytes.
Does not belong here: predictions (``mixture.py``), points that differ per move and round (the decision room).

**Choice.** The move with the highest expected return, +1 for a win and -1 for a loss. Where that is below ``margin``, and in the
first rounds, a move is drawn uniformly: certainty about nothing is only a way to be predictable.

**Defence.** A best response is nearly deterministic, so a stronger predictor can beat it. The player keeps a purse: what its
predictions returned, never more than ``credit``. At ``-budget`` it draws its moves for ``pause`` rounds, twice as many each further
time, with an empty purse after each. Drawn moves lose nothing on average against anybody, so over n rounds the expected loss
is at most about ``(budget + 1) * (1 + log2(1 + n / pause))``, whoever the opponent is.
"""

import random
import zlib

from esports_assets.games.rps.experts.mixture import MOVES, ExpertMixture, Probabilities
from esports_assets.games.rps.experts.settings import DefenceSettings, MixtureSettings, fingerprint

OPENING = 4
"""Rounds before predictions are followed."""


class MixturePlayer:
    """The mixture as a player. Everything but the drawn moves follows from the rounds, so these are its state."""

    def __init__(self, mixture: MixtureSettings | None = None, defence: DefenceSettings | None = None) -> None:
        self._mixture_settings = mixture or MixtureSettings()
        self._defence = defence or DefenceSettings()
        self._mixture = ExpertMixture(self._mixture_settings)
        self._rounds = bytearray()
        self._purse = 0.0
        self._paused_for = 0
        self._next_pause = self._defence.pause

    def predict(self) -> Probabilities:
        """Probabilities of the other player's next move: rock, paper, scissors."""
        return self._mixture.predict()

    def play(self, rng: random.Random) -> int:
        """The own next move: 0 rock, 1 paper, 2 scissors. Changes nothing but ``rng``."""
        best = self._best()
        return rng.randrange(3) if best is None else best

    def update(self, own: int, other: int) -> None:
        """Learn from a round. Raises ValueError for anything but 0, 1, 2."""
        trusted = self._best() is not None
        self._mixture.update(own, other)
        self._rounds.append(3 * own + other)
        if self._paused_for:
            self._paused_for -= 1
        elif trusted:
            self._account((0, 1, -1)[(own - other) % 3])

    @property
    def paused(self) -> bool:
        """Whether moves are drawn because predictions had lost too much."""
        return self._paused_for > 0

    def state(self) -> bytes:
        """Everything this player knows; one byte per round and four for the settings."""
        return self._mark() + bytes(self._rounds)

    @classmethod
    def from_state(
        cls, state: bytes, mixture: MixtureSettings | None = None, defence: DefenceSettings | None = None
    ) -> "MixturePlayer":
        """The player of ``state``, equal to the bit; takes as long as its rounds took.

        Raises ValueError where the state is of other settings, or is none.
        """
        player = cls(mixture, defence)
        mark, rounds = state[:4], state[4:]
        if mark != player._mark() or any(played >= 9 for played in rounds):
            raise ValueError("This is no state of a mixture player with these settings.")
        for played in rounds:
            player.update(*divmod(played, 3))
        return player

    def _mark(self) -> bytes:
        return zlib.crc32(fingerprint(self._mixture_settings, self._defence)).to_bytes(4, "big")

    def _best(self) -> int | None:
        """The best response; None where a move is to be drawn."""
        if self._paused_for or len(self._rounds) < OPENING:
            return None
        returns = expected_returns(self.predict())
        best = max(MOVES, key=returns.__getitem__)
        return best if returns[best] >= self._defence.margin else None

    def _account(self, gained: int) -> None:
        self._purse = min(self._purse + gained, self._defence.credit)
        if self._purse <= -self._defence.budget:
            self._purse = 0.0
            self._paused_for = self._next_pause
            self._next_pause *= 2


def expected_returns(probabilities: Probabilities) -> Probabilities:
    """What each own move returns on average against these probabilities of the other's: +1 won, 0 drawn, -1 lost."""
    rock, paper, scissors = probabilities
    return (scissors - paper, rock - scissors, paper - rock)
