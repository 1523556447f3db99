"""What the mixture of experts can be set to, and what it is set to where nobody says otherwise.

Belongs here: the numbers and the check that they fit together.
Does not belong here: what is computed with them (``counting.py``, ``matching.py``, ``mixture.py``, ``player.py``).

The defaults were chosen on every second of the 43 published bots: few variants of each number, one kept of those that did about
equally well (``benchmarks/rps_population.py`` says which and shows both halves).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class MixtureSettings:
    """Which experts there are, and how fast their words are forgotten.

    Orders are numbers of earlier rounds that a counting expert looks back on; 0 (plain frequencies) is always there. Decays are
    factors per round: 1 never forgets.
    """

    other_orders: tuple[int, ...] = (1, 2, 3, 4)
    own_orders: tuple[int, ...] = (1, 2, 3)
    joint_orders: tuple[int, ...] = (1, 2, 3)
    count_decays: tuple[float, ...] = (1.0, 0.95, 0.8)
    smoothing: float = 0.5
    """Added to every count."""
    match_decay: float = 0.98
    """Of how often the longest match was right, per length."""
    evidence_decays: tuple[float, ...] = (0.8, 0.9, 0.96, 0.99)
    """Of an expert's log-likelihood: one mixture for each."""
    meta_decay: float = 0.98
    """Of the log-likelihood of those mixtures and their rotations."""
    window: int = 1024
    """Rounds that the longest match is sought in; what bounds the work per round."""

    def __post_init__(self) -> None:
        for name in ("other_orders", "own_orders", "joint_orders"):
            if any(order < 1 for order in getattr(self, name)):
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}.")
        for name in ("count_decays", "evidence_decays"):
            _check_decays(name, getattr(self, name))
        _check_decays("match_decay", (self.match_decay,))
        _check_decays("meta_decay", (self.meta_decay,))
        if self.smoothing <= 0:
            raise ValueError(f"smoothing must be above 0, got {self.smoothing}.")
        if self.window < 2:
            raise ValueError(f"window must be 2 rounds or more, got {self.window}.")


def _check_decays(name: str, decays: Sequence[float]) -> None:
    if not decays or any(not 0 < decay <= 1 for decay in decays):
        raise ValueError(f"{name} must be above 0 and at most 1, got {decays}.")


@dataclass(frozen=True, slots=True)
class DefenceSettings:
    """When a player stops to trust its predictions; ``player.py`` says how these are used."""

    margin: float = 0.02
    """Expected return of the best move below which a move is drawn."""
    budget: float = 14.0
    """What predictions may lose before they are left for a while, in units of a round."""
    credit: float = 20.0
    """Most that earlier winnings add to the budget."""
    pause: int = 200
    """Rounds of drawn moves after the first time; twice as many after every further one."""

    def __post_init__(self) -> None:
        for name in ("budget", "pause"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}.")
        for name in ("margin", "credit"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}.")


def fingerprint(mixture: MixtureSettings, defence: DefenceSettings) -> bytes:
    """The settings as bytes that are equal only for equal settings."""
    return msgspec.json.encode([asdict(mixture), asdict(defence)])
