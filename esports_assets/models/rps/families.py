"""The families of the next move: which window each reads, and what the evaluation on people sets them to.

Belongs here: the table. Does not belong here: how a family learns, experiment configurations (``configs.py``).

On the fifty inputs of ``rps/next_move``: xgboost, multinomial_logistic and feedforward_nn. On ``rps/next_move_signs``: experts,
which weigh what predictors of this one person expect and habits; by boosted trees, or by the regression of ``games/rps/experts``.
"""

from dataclasses import dataclass

from esports_assets.models.rps.boosted import Boosted
from esports_assets.models.rps.experts import Experts
from esports_assets.models.rps.network import Network
from esports_assets.models.rps.protocol import MoveFamily
from esports_assets.models.rps.softmax import Softmax
from esports_assets.models.rps.turned import Turned
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS

WINDOWS = {
    "xgboost": NEXT_MOVE.name,
    "multinomial_logistic": NEXT_MOVE.name,
    "feedforward_nn": NEXT_MOVE.name,
    "experts": NEXT_MOVE_SIGNS.name,
}
"""Every family that is served, and its window."""


@dataclass(frozen=True, slots=True)
class MoveEntry:
    """A family as the evaluation on people learns it."""

    label: str
    family: MoveFamily
    window: str


_TREES = Boosted(eta=0.1, max_depth=4, min_child_weight=20.0, colsample=0.5, reg_lambda=5.0, patience=15)
"""Set once for tens of thousands of rounds, as in ``benchmarks/rps_people.py``; not searched."""

EVALUATED: tuple[MoveEntry, ...] = (
    MoveEntry("experts", Turned(_TREES, "experts"), WINDOWS["experts"]),
    MoveEntry("experts_regression", Turned(Experts(), "experts"), WINDOWS["experts"]),
    MoveEntry("xgboost", _TREES, WINDOWS["xgboost"]),
    MoveEntry("multinomial_logistic", Softmax(l2=100.0), WINDOWS["multinomial_logistic"]),
    MoveEntry(
        "feedforward_nn",
        Network(hidden=(32, 16), learning_rate=1e-3, weight_decay=1e-3, batch_size=256, patience=5),
        WINDOWS["feedforward_nn"],
    ),
)
"""What ``esports evaluate rps.next_move`` compares."""
