"""A Bayesian mixture of experts over the other player's next move.

Belongs here: weights of experts, rotations, and the one distribution that follows.
Does not belong here: the experts (``counting.py``, ``matching.py``), which move to play (``player.py``).

**Experts.** Every counting and every matching expert speaks about the other's next move and about the own one. Each word is taken
in three rotations: as it is, as what beats it, as what loses to it. What is said of the own move and rotated once is an opponent
who models us and plays the answer; what is said of the other's move and rotated is an opponent who knows that he is modelled, one
or two thoughts further on. (The idea of rotating all predictors in both perspectives is Egnor's Iocaine Powder, 1999.)

**Weights.** An expert's weight is exp(L), where L is its log-likelihood of what the other played, multiplied by a decay in every
round: a posterior under the assumption that who is right may change (Herbster and Warmuth 1998 call it tracking the best expert).
Each of several decays gives a mixture. Those mixtures, rotated three ways once more, and the uniform distribution are mixed in the
same manner; the uniform one keeps the result modest where nothing is known.
"""

import math

import numpy as np

from esports_assets.games.rps.experts.counting import CountingExperts
from esports_assets.games.rps.experts.matching import MatchingExperts
from esports_assets.games.rps.experts.settings import MixtureSettings

ROTATIONS = 3
ROTATED = np.array([[(move - r) % 3 for move in range(3)] for r in range(ROTATIONS)])
"""``p[ROTATED[r]]`` is p where every move is replaced by the one r steps above it (1: the one that beats it)."""
CAUSES = np.array([[(move - r) % 3 for r in range(ROTATIONS)] for move in range(3)])
"""``CAUSES[move, r]``: what had to be expected so that its r-th rotation is ``move``."""
MOVES = (0, 1, 2)
Probabilities = tuple[float, float, float]


class ExpertMixture:
    """Predicts one player from what both have played; costs the same every round."""

    def __init__(self, settings: MixtureSettings | None = None) -> None:
        settings = settings or MixtureSettings()
        self._counting = CountingExperts(settings)
        self._matching = MatchingExperts(settings.window, settings.match_decay)
        experts = 2 * (self._counting.size + self._matching.size)
        decays = np.array(settings.evidence_decays)
        self._evidence = np.zeros((len(decays), ROTATIONS, experts))
        self._evidence_decay = decays[:, None, None]
        self._meta_evidence = np.zeros(len(decays) * ROTATIONS + 1)
        self._meta_decay = settings.meta_decay
        self._candidates = np.full((len(self._meta_evidence), 3), 1 / 3)
        self._look_ahead()

    def predict(self) -> Probabilities:
        """Probabilities of the other player's next move: rock, paper, scissors."""
        return self._probabilities

    def update(self, own: int, other: int) -> None:
        """Learn from a round; ``other`` is the player that is predicted. Raises ValueError for anything but 0, 1, 2."""
        if own not in MOVES or other not in MOVES:
            raise ValueError(f"A move is 0 (rock), 1 (paper) or 2 (scissors), got {own!r} against {other!r}.")
        self._evidence *= self._evidence_decay
        self._evidence += np.log(self._words).T[CAUSES[other]]
        self._meta_evidence *= self._meta_decay
        self._meta_evidence += np.log(self._candidates[:, other])
        self._counting.update(own, other)
        self._matching.update(own, other)
        self._look_ahead()

    def _look_ahead(self) -> None:
        self._words = np.concatenate([self._counting.probabilities(), self._matching.probabilities()]).reshape(-1, 3)
        weights = self._evidence - self._evidence.max(axis=(1, 2), keepdims=True)
        np.exp(weights, out=weights)
        said = weights @ self._words
        mixed = said[:, 0] + said[:, 1][:, ROTATED[1]] + said[:, 2][:, ROTATED[2]]
        mixed /= mixed.sum(axis=1, keepdims=True)
        self._candidates[:-1] = mixed[:, ROTATED].reshape(-1, 3)
        meta = np.exp(self._meta_evidence - self._meta_evidence.max())
        rock, paper, scissors = (meta @ self._candidates).tolist()
        total = math.fsum((rock, paper, scissors))
        self._probabilities = (rock / total, paper / total, scissors / total)
