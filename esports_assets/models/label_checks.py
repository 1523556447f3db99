"""Checks of labels that only the data can fail: is a row's label its own outcome, or the one before it?

Belongs here: finding label defects in a table of snapshots. Does not belong here: features, learning.

Snapshots of a round are sometimes labelled when they are written, before the round is decided; the first ones then carry the
winner of the round before. The rest of a round's rows say who won it, so the defect shows without another source: the
share of first snapshots that agree with the *previous* round, among rounds whose winner differs from the previous one.
With right labels it is 0: there the two winners differ by construction, so even one in ten is a defect and not chance.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

THRESHOLD = 0.1
"""Allowed share; right labels give 0, random ones of the first snapshot one half, carried-over ones about 1."""


@dataclass(frozen=True, slots=True)
class Carryover:
    """What was found. ``share`` is null where no round differs from the one before it."""

    rounds: int
    changed_rounds: int
    carried: int
    first_rows_wrong: int
    rows_wrong: int

    @property
    def share(self) -> float | None:
        """Of the rounds won by another side than the one before: first snapshots with the earlier winner."""
        return self.carried / self.changed_rounds if self.changed_rounds else None

    @property
    def passed(self) -> bool:
        """Whether the labels may be believed."""
        return self.share is None or self.share <= THRESHOLD

    def __str__(self) -> str:
        if self.share is None:
            return f"{self.rounds} rounds, none won by another side than the one before: nothing can be said"
        return (
            f"{self.carried} of {self.changed_rounds} rounds won by another side than the one before ({self.share:.1%}) "
            f"start with the label of that earlier round (allowed {THRESHOLD:.0%}); {self.first_rows_wrong} of "
            f"{self.rounds} first snapshots and {self.rows_wrong} rows contradict the end of their own round"
        )


def find_label_carryover(
    table: pa.Table, label: str = "label", match: str = "match", segment: str = "segment"
) -> Carryover:
    """Compare each round's first label with its own last one and with the round before; rows in the order of play."""
    said = np.asarray(table[label].to_pylist())
    match_of, round_of = (np.asarray(table[name].to_pylist()) for name in (match, segment))
    if len(said) == 0:
        return Carryover(0, 0, 0, 0, 0)
    new = np.r_[True, (match_of[1:] != match_of[:-1]) | (round_of[1:] != round_of[:-1])]
    first = np.flatnonzero(new)
    last = np.r_[first[1:] - 1, len(said) - 1]
    winner = said[last]
    follows = np.r_[False, match_of[first[1:]] == match_of[first[:-1]]]
    earlier = np.r_[winner[:1], winner[:-1]]
    several = last > first
    changed = follows & several & (winner != earlier)
    return Carryover(
        rounds=len(first),
        changed_rounds=int(changed.sum()),
        carried=int((changed & (said[first] == earlier)).sum()),
        first_rows_wrong=int((said[first] != winner).sum()),
        rows_wrong=int((said != repaired(said, first)).sum()),
    )


def repaired(labels: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Every row with the last label of its round; ``first`` are the positions at which rounds begin."""
    sizes = np.diff(np.r_[first, len(labels)])
    return np.repeat(labels[np.r_[first[1:], len(labels)] - 1], sizes)
