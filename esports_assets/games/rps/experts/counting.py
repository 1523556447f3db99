"""Experts that count what followed on the same recent moves: frequencies and Markov chains of several orders.

Belongs here: the histories that are looked back on, their tables, and the probabilities that follow from the counts.
Does not belong here: whom to believe (``mixture.py``), histories of any length (``matching.py``).

Every table is kept once per decay, and counts two things: the other player's next move and the own one. The second is what an
opponent who models us would see; the mixture turns it into what such an opponent plays.
"""

import numpy as np

from esports_assets.games.rps.experts.settings import MixtureSettings

SIDES = 2
"""The other player's next move, then the own one."""


class CountingExperts:
    """All counting experts together; moves are 0, 1, 2.

    ``probabilities`` has the shape (experts, 2, 3): context times decay, whose next move, which one.
    """

    def __init__(self, settings: MixtureSettings) -> None:
        kinds, bases, orders = _contexts(settings)
        self._kinds = kinds
        self._bases = bases
        self._orders = orders
        self._sizes = bases**orders
        self._starts = np.concatenate([[0], np.cumsum(self._sizes + 1)[:-1]])
        self._codes = np.zeros(len(kinds), dtype=np.int64)
        self._rounds = 0
        self._rows = self._rows_now()
        decays = np.array(settings.count_decays)
        self._counts = np.zeros((int((self._sizes + 1).sum()), len(decays), SIDES * 3))
        self._decays = decays[:, None]
        self._smoothing = settings.smoothing
        self.size = len(kinds) * len(decays)

    def probabilities(self) -> np.ndarray:
        """What every expert expects of the next round, shape (experts, 2, 3)."""
        shares: np.ndarray = self._counts[self._rows].reshape(-1, 3) + self._smoothing
        shares /= (shares[:, 0] + shares[:, 1] + shares[:, 2])[:, None]
        return shares.reshape(self.size, SIDES, 3)

    def update(self, own: int, other: int) -> None:
        """Count a round, then look back from it."""
        seen = self._counts[self._rows]
        seen *= self._decays
        seen[:, :, other] += 1.0
        seen[:, :, 3 + own] += 1.0
        self._counts[self._rows] = seen
        symbols = np.array((other, own, 3 * own + other))
        self._codes = (self._codes * self._bases + symbols[self._kinds]) % self._sizes
        self._rounds += 1
        self._rows = self._rows_now()

    def _rows_now(self) -> np.ndarray:
        """Of every context its row; one of its own, the last, while there were fewer rounds than it looks back on."""
        rows: np.ndarray = self._starts + np.where(self._orders <= self._rounds, self._codes, self._sizes)
        return rows


def _contexts(settings: MixtureSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every context: which history (the other's, the own, both), symbols of that history, rounds looked back on."""
    plans = (
        (0, 3, (0, *settings.other_orders)),
        (1, 3, settings.own_orders),
        (2, 9, settings.joint_orders),
    )
    rows = [(kind, base, order) for kind, base, orders in plans for order in orders]
    kinds, bases, orders = np.array(rows, dtype=np.int64).T
    return kinds, bases, orders
