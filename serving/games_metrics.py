"""What games count about themselves: who played, where bots' moves came from, how often each alias was right.

Belongs here: metric names and labels, all of them from closed sets.
Does not belong here: evidence for promotions: that is counted by version in the database (``esports_assets/promotion``).
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from esports_assets.games.rps.moves import MOVES
from serving.games_turns import Setup, Turn

_LATENCY_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


class GameMetrics:
    """Counters of the games of one app."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int]) -> None:
        self._started = Counter("rps_games_started", "Games begun", ("policy", "alias", "traffic"), registry=registry)
        self._finished = Counter(
            "rps_games_finished", "Games ended, by who won", ("policy", "alias", "traffic", "winner"), registry=registry
        )
        self._rounds = Counter(
            "rps_rounds",
            "Rounds by the player's result and what chose the bot's move",
            ("policy", "source", "result"),
            registry=registry,
        )
        self._predictions = Counter(
            "rps_predictions",
            "Predictions of a player's move in people's games",
            ("family", "alias", "verdict"),
            registry=registry,
        )
        self._seconds = Histogram(
            "rps_prediction_seconds", "How long a model took", ("family",), buckets=_LATENCY_S, registry=registry
        )
        kept = Gauge("rps_writes_waiting", "Moves that are not in the database yet", registry=registry)
        kept.set_function(waiting)

    def started(self, setup: Setup) -> None:
        """A game began."""
        self._started.labels(setup.policy.name, _alias(setup), _traffic(setup)).inc()

    def played(self, turn: Turn) -> None:
        """A round was played."""
        setup, told = turn.setup, turn.told
        self._rounds.labels(setup.policy.name, turn.opened.source.value, told.result.value).inc()
        if turn.state.winner is not None:
            winner = turn.state.winner.value
            self._finished.labels(setup.policy.name, _alias(setup), _traffic(setup), winner).inc()
        for said in turn.opened.said:
            family = setup.policy.family or "none"
            self._seconds.labels(family).observe(said.latency_ms / 1000)
            if _traffic(setup) == "human":
                right = said.probabilities and MOVES[said.probabilities.index(max(said.probabilities))] is told.user
                verdict = "no_answer" if said.probabilities is None else ("right" if right else "wrong")
                self._predictions.labels(family, said.alias.value, verdict).inc()


def _alias(setup: Setup) -> str:
    return "none" if setup.table.assignment is None else setup.table.assignment.alias.value


def _traffic(setup: Setup) -> str:
    """``test`` for games that are marked so, whoever played."""
    return "test" if setup.is_test else setup.traffic.value
