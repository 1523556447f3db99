"""STAR_PLAYER: a player has added more win probability over the last rounds than nearly every player ever does.

Belongs here: the rule, its memory of the last rounds, and the statement.
Does not belong here: what an event moved and who is credited with it (``moves.py``).

Formula. After every decided round, a player's ``net`` is what his events added to his side's chance minus what was done to him,
over the last ``ROUNDS`` rounds (fewer at the beginning of a match). The one with the largest net is a star where it is at least
``STANDS_OUT`` for that number of rounds: the 99 % quantile over all players and all stretches of so many rounds. He is told
again only after his net has fallen below ``ORDINARY``, the 90 % quantile.

Confidence. The probability that he leads all players of the match over these rounds, when the rounds are drawn again with
replacement: the bootstrap over rounds, computed exactly over all draws.
"""

from collections.abc import Sequence
from functools import cache
from math import factorial, prod

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.signal import AgentSignal, Fact, SignalType
from esports_assets.signals.moves import Move, credits_of, merged, told
from esports_assets.signals.voice import Moment, Voice, statement
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.state.rows import RoundOver

ROUNDS = 5
"""Rounds that are looked back on: those of the team features."""
STANDS_OUT = (0.774, 0.999, 1.160, 1.344, 1.492)
"""99 % quantile of players' net over 1, 2 ... 5 rounds in a row: 46 real matches, out of fold (docs/signals.md)."""
ORDINARY = (0.256, 0.402, 0.509, 0.587, 0.667)
"""90 % quantile of the same."""
MOST_TOLD = 5
"""Deeds that are told one by one."""


class Deed(msgspec.Struct, frozen=True, array_like=True):
    """An event that a player acted in, and what it added to his side's chance."""

    player: int
    gain: float
    segment: int
    move: Move


class Played(msgspec.Struct, array_like=True):
    """What the players did in one round, by position in the lineup."""

    segment: int
    added: list[float]
    conceded: list[float]
    acted: list[int]
    """How many events each player acted in."""
    deeds: list[Deed] = []

    @classmethod
    def begin(cls, segment: int, players: int) -> "Played":
        """A round in which nothing has happened."""
        return cls(segment, [0.0] * players, [0.0] * players, [0] * players)

    def take(self, moves: Sequence[Move], facts: RoundFacts) -> None:
        """Credit the players with the moves of whole instants."""
        for move in moves:
            for player, gain, acted in credits_of(move, facts):
                if acted:
                    self.added[player] += gain
                else:
                    self.conceded[player] -= gain
        for move in merged(moves):
            for player, gain, acted in credits_of(move, facts):
                if acted:
                    self.acted[player] += 1
                    self.deeds.append(Deed(player, gain, self.segment, move))

    def best(self, player: int) -> list[Deed]:
        """The deeds of a player that may be told, best first."""
        own = [deed for deed in self.deeds if deed.player == player]
        return sorted(own, key=_by_gain)[:MOST_TOLD]

    def finish(self) -> None:
        """Let go of the deeds that are not told."""
        self.deeds = [deed for player in range(len(self.acted)) for deed in self.best(player)]

    @property
    def net(self) -> npt.NDArray[np.float64]:
        """Added minus conceded."""
        return np.asarray(np.array(self.added) - np.array(self.conceded), dtype=np.float64)


class Form(msgspec.Struct):
    """The last rounds of a match, and who has been told."""

    rounds: list[Played] = []
    told: list[int] = []

    def finish(self, played: Played) -> int | None:
        """A round is decided; the player who stands out now and did not before, or None."""
        played.finish()
        self.rounds = [*self.rounds, played][-ROUNDS:]
        net = self.net
        span = len(self.rounds) - 1
        self.told = [player for player in self.told if net[player] >= ORDINARY[span]]
        star = int(net.argmax())
        if net[star] < STANDS_OUT[span] or star in self.told:
            return None
        self.told.append(star)
        return star

    @property
    def table(self) -> npt.NDArray[np.float64]:
        """Net by player and round."""
        return np.stack([played.net for played in self.rounds], axis=1)

    @property
    def net(self) -> npt.NDArray[np.float64]:
        """Net over all of the rounds, by player."""
        return np.asarray(self.table.sum(axis=1))

    def leads(self, player: int) -> float:
        """The probability that the player has the largest net when the rounds are drawn again; ties are shared."""
        counts, weights = _draws(len(self.rounds))
        drawn = self.table @ counts.T
        best = drawn == drawn.max(axis=0)
        return float(((best[player] / best.sum(axis=0)) * weights).sum())


def _by_gain(deed: Deed) -> tuple[float, int, float]:
    return -deed.gain, deed.segment, deed.move.t


@cache
def _draws(rounds: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """All ways to draw so many rounds with replacement: how often each is drawn [D, rounds], and how likely that is [D]."""
    counts = list(_compositions(rounds, rounds))
    weights = [factorial(rounds) / prod(map(factorial, count)) / rounds**rounds for count in counts]
    return np.array(counts, dtype=np.float64), np.array(weights)


def _compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in _compositions(total - first, parts - 1)]


def star_signal(form: Form, star: int, over: RoundOver, at_us: int, voice: Voice) -> AgentSignal:
    """The statement about a star: how much he added, and his best deeds."""
    lineup, name = over.lineup, over.lineup.players[star]
    net, span = float(form.net[star]), len(form.rounds)
    added, conceded = (sum(getattr(played, what)[star] for played in form.rounds) for what in ("added", "conceded"))
    best = sorted((deed for played in form.rounds for deed in played.best(star)), key=_by_gain)[:MOST_TOLD]
    rest = net - sum(deed.gain for deed in best)
    rounds = f"rounds {form.rounds[0].segment} to {over.segment}" if span > 1 else f"round {over.segment}"
    summary = (
        f"{name} added {net:.2f} to his side's chances in {rounds} ({added:.2f} by what he did, "
        f"{-conceded:.2f} by what was done to him); 99 of 100 players add less than {STANDS_OUT[span - 1]:.2f}."
    )
    explanation = [
        Fact(summary, delta=net),
        *(
            Fact(f"{told(deed.move, lineup.players)} of round {deed.segment}", deed.move.event_id, deed.gain)
            for deed in best
        ),
        Fact("everything else that he did and that was done to him", delta=rest),
    ]
    team = lineup.teams[star]
    duration_s = over.facts.duration_s
    assert duration_s is not None
    return statement(
        SignalType.STAR_PLAYER,
        Moment(lineup, over.segment, duration_s, at_us),
        voice,
        team=team,
        player=name,
        confidence=form.leads(star),
        facts=explanation,
        features={
            "net": net,
            "added": added,
            "conceded": conceded,
            "rounds": span,
            "threshold": STANDS_OUT[span - 1],
            "deeds": sum(played.acted[star] for played in form.rounds),
        },
        entities=(name, team),
    )
