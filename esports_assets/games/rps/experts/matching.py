"""Experts that look for the longest stretch of the past that equals the present, and expect what followed on it.

Belongs here: the search in three histories (the other's moves, the own, both together), and how often a match of each length was
right.
Does not belong here: whom to believe (``mixture.py``).

An expert's word is a distribution, not a move: for each length of a match it is remembered how often the move that followed came
again, the one that beats it, or the one that loses to it. An opponent that avoids its past is thus as predictable as one that
repeats it.
"""

import numpy as np

HISTORIES = 3
SIDES = 2
LONGEST = 7
"""Longer matches are equally trusted."""
PRIOR = (1.0, 0.5, 0.5)
"""Rounds in which a match would have been right, beaten and losing, before any was seen."""


class MatchingExperts:
    """The three longest matches, over the last ``window`` rounds; moves are 0, 1, 2.

    Rounds stand newest first, and lengths of matches are kept for every past round: a new round lengthens or ends each of them,
    which costs one pass over the window. ``lengths[h, i]`` is how many rounds before the i-th newest round equal the newest ones.
    """

    def __init__(self, window: int, decay: float) -> None:
        self._window = window
        self._decay = decay
        self._symbols = np.zeros((HISTORIES, 2 * window), dtype=np.int8)
        self._lengths = np.zeros((HISTORIES, 2 * window), dtype=np.int32)
        self._first = 2 * window
        self._rounds = 0
        self._hits = [[[list(PRIOR) for _ in range(SIDES)] for _ in range(LONGEST + 1)] for _ in range(HISTORIES)]
        self._found: list[tuple[int, int, int]] = []
        self.size = HISTORIES

    def probabilities(self) -> np.ndarray:
        """What every match promises for the next round, shape (3, 2, 3): history, whose move, which one."""
        if not self._found:
            return np.full((HISTORIES, SIDES, 3), 1 / 3)
        told: list[float] = []
        for history, (length, *moves) in enumerate(self._found):
            for side, move in enumerate(moves):
                again, beaten, losing = self._hits[history][length][side]
                parts = (again, beaten, losing)
                total = again + beaten + losing
                told += [parts[-move % 3] / total, parts[(1 - move) % 3] / total, parts[(2 - move) % 3] / total]
        return np.array(told).reshape(HISTORIES, SIDES, 3)

    def update(self, own: int, other: int) -> None:
        """Judge the matches by a round, take it in, and search again."""
        for history, (length, *moves) in enumerate(self._found):
            for side, (move, came) in enumerate(zip(moves, (other, own), strict=True)):
                hits = self._hits[history][length][side]
                hits[:] = [self._decay * count for count in hits]
                hits[(came - move) % 3] += 1.0
        self._append(np.array(((other,), (own,), (3 * own + other,)), dtype=np.int8))
        self._found = self._search() if self._rounds > 1 else []

    def _append(self, symbols: np.ndarray) -> None:
        if self._first == 0:
            self._make_room()
        first, last = self._first, self._first + min(self._rounds, self._window)
        longer = self._lengths[:, first:last] + 1
        longer *= self._symbols[:, first:last] == symbols
        self._lengths[:, first - 1 : last - 1] = longer
        self._lengths[:, last - 1] = 0
        self._symbols[:, first - 1 : first] = symbols
        self._first -= 1
        self._rounds += 1

    def _make_room(self) -> None:
        """The newest rounds move to the end; the oldest are forgotten."""
        for kept in (self._symbols, self._lengths):
            kept[:, self._window :] = kept[:, : self._window].copy()
        self._first = self._window

    def _search(self) -> list[tuple[int, int, int]]:
        """Of each history: length of the longest match (the newest of equally long ones), and both moves that followed on it."""
        first, last = self._first, self._first + min(self._rounds, self._window)
        found = []
        for lengths in self._lengths[:, first:last]:
            at = int(lengths.argmax())
            own, other = divmod(int(self._symbols[2, first + at]), 3)
            found.append((min(int(lengths[at]), LONGEST), other, own))
        return found
