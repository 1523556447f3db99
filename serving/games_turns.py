"""A game as it is played here: every round is opened with the bot's move fixed, and closed by the player's.

Belongs here: what models say of a round, how the bot's move follows, and the state between two requests; nothing waits here.
Does not belong here: rules, commitments and decisions (``esports_assets/games/rps``), storage (``games_store.py``), HTTP.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random
from time import perf_counter

import numpy as np

from esports_assets.games.rps.commitments import secret_commitment
from esports_assets.games.rps.decision import Decision, decide
from esports_assets.games.rps.gambits import GAMBIT_ROUNDS, Gambit
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.record import GameSetup, RecordedRound
from esports_assets.games.rps.record import ServedModel as PlayedBy
from esports_assets.games.rps.round_game import Three
from esports_assets.games.rps.rules import GameState, RoundPlayed
from esports_assets.games.rps.seat import Seat, SeatName
from esports_assets.games.rps.turns import OpenRound, open_round
from esports_assets.games.rps.values import RoundValues, round_values
from esports_assets.promotion.scores import Traffic
from esports_assets.promotion.terms import Alias
from serving.games_assignment import Table
from serving.games_policies import Policy
from serving.games_rows import PLACES, GameRows, Rows
from serving.served import ServedModel

_SUM_WITHIN = 1e-3
_log = logging.getLogger("serving.games")


class Source(StrEnum):
    """Where the bot's move of a round comes from."""

    MODEL = "model"
    GAMBIT = "gambit"
    BOT = "bot"
    """The policy is a scripted bot."""
    FALLBACK_BOT = "fallback_bot"
    """The policy has no model to play, or its model gave no answer."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a version said of the player's next move; ``probabilities`` are None where it gave no answer."""

    alias: Alias
    version: int
    probabilities: Three | None
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Setup:
    """What is fixed of a game before its first round."""

    game_id: str
    session_id: str
    player: str
    policy: Policy
    secret: bytes
    gambit: Gambit | None
    table: Table
    traffic: Traffic
    is_test: bool
    started_at: datetime

    @property
    def commitment(self) -> str:
        """What is announced of the secret."""
        return secret_commitment(self.secret)

    @property
    def recorded(self) -> GameSetup:
        """The same as games are recorded everywhere; games that nobody sat at count as simulated."""
        played_by = self.table.assignment
        model = None if played_by is None else PlayedBy(played_by.registered, played_by.alias, str(played_by.version))
        return GameSetup(
            game_id=self.game_id,
            player=self.player,
            bot=self.policy.name,
            started_at=self.started_at,
            session_id=self.session_id,
            simulated=self.traffic is not Traffic.HUMAN,
            is_test=self.is_test,
            opening=None if self.gambit is None else self.gambit.name,
            model=model,
            secret_commitment=self.commitment,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A round that waits for the player's move.

    ``rows`` are there where models were asked; ``expected``, what the version that plays said, and ``decision`` where it chose.
    """

    round: OpenRound
    source: Source
    said: tuple[Said, ...]
    opened_at: datetime
    rows: Rows = field(default_factory=dict)
    expected: Three | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A round that was played: how it was opened, what became of it, and what waits next (None at the end)."""

    setup: Setup
    opened: Opened
    told: RoundPlayed
    recorded: RecordedRound
    state: GameState
    following: Opened | None
    judged: bool
    token: str


@dataclass(slots=True)
class LiveGame:
    """A game between two requests. ``opened`` is None once it is over; ``busy`` while a move is being counted."""

    setup: Setup
    state: GameState = field(default_factory=GameState)
    seat: Seat = field(default_factory=lambda: Seat(SeatName.BOT))
    opened: Opened | None = None
    judged: bool = True
    """Whether every round so far was the assigned version's to answer: else the result is nobody's."""
    last_played_at: datetime | None = None
    draws: int = 0
    busy: bool = False
    rows: GameRows = field(init=False)

    def __post_init__(self) -> None:
        self.rows = GameRows.of({model.contract.window for model in self.setup.table.models.values()})

    def open(self, now: datetime) -> None:
        """Open the next round; none after the end."""
        self.opened = None if self.state.finished else _open(self, now)

    def play(self, move: Move, now: datetime, token: str) -> Turn:
        """Count the player's move against the one that is fixed. ValueError without an open round."""
        opened = self.opened
        if opened is None:
            raise ValueError(f"game {self.setup.game_id} has no open round")
        state, told, recorded = opened.round.close(self.state, move, now)
        self.see(told, state, now)
        self.open(now)
        return Turn(self.setup, opened, told, recorded, state, self.opened, self.judged, token)

    def see(self, told: RoundPlayed, state: GameState, at: datetime | None) -> None:
        """Take over a round that was played."""
        self.state = state
        self.rows.see(told.user, told.bot, told.values)
        self.seat.see(told)
        self.draws += told.user is told.bot
        self.last_played_at = at


def _open(game: LiveGame, now: datetime) -> Opened:
    setup = game.setup
    step_no = game.state.played + 1
    if setup.table.assignment is not None and step_no > GAMBIT_ROUNDS:
        return _open_with_models(game, now)
    gambit = setup.gambit if step_no <= GAMBIT_ROUNDS else None

    def rule(values: RoundValues, random: Random) -> Move:
        if gambit is not None:
            return gambit.move(step_no, values)
        return setup.policy.bot.choose(game.seat, values, random)

    source = _stand_in(setup.policy) if gambit is None else Source.GAMBIT
    return Opened(open_round(setup.secret, game.state, rule), source, (), now)


def _open_with_models(game: LiveGame, now: datetime) -> Opened:
    setup, step_no = game.setup, game.state.played + 1
    values = round_values(setup.secret, step_no)
    rows = game.rows.at(values)
    said = ask(setup.table.models, rows)
    game.judged = game.judged and setup.table.own is not None
    expected = expected_of(setup.table, said)
    if expected is None:

        def rule(values: RoundValues, random: Random) -> Move:
            return setup.policy.bot.choose(game.seat, values, random)

        stand_in = open_round(setup.secret, game.state, rule)
        return Opened(stand_in, Source.FALLBACK_BOT, said, now, rows)
    decision = decide(expected, values, game.state)
    opened = open_round(setup.secret, game.state, lambda _, random: decision.draw(random))
    return Opened(opened, Source.MODEL, said, now, rows, expected, decision)


def expected_of(table: Table, said: Sequence[Said]) -> Three | None:
    """What the version that plays said; None where it gave no answer or there is none."""
    assignment = table.assignment
    return next((one.probabilities for one in said if assignment is not None and one.alias is assignment.alias), None)


def _stand_in(policy: Policy) -> Source:
    return Source.BOT if policy.family is None else Source.FALLBACK_BOT


def ask(models: Mapping[Alias, ServedModel], rows: Rows) -> tuple[Said, ...]:
    """What every model says of the row of its window. A version under two aliases is asked once for each."""
    return tuple(_answer(alias, model, rows[model.contract.window]) for alias, model in models.items())


def _answer(alias: Alias, model: ServedModel, row: Sequence[float]) -> Said:
    version, started = int(model.contract.version), perf_counter()
    places = PLACES[model.contract.window]
    matrix = np.array([[row[places[name]] for name in model.names]], dtype=np.float32)
    try:
        rock, paper, scissors = _distribution(model.predict(matrix)[0][0].tolist())
    except Exception:  # noqa: BLE001 - logged and counted as no answer: whoever plays must not see a model fail
        _log.exception("%s v%s gave no answer", model.contract.registered_name, version)
        return Said(alias, version, None, _ms_since(started))
    return Said(alias, version, (rock, paper, scissors), _ms_since(started))


def _distribution(told: list[float]) -> list[float]:
    if min(told) < 0 or max(told) > 1 or abs(sum(told) - 1) > _SUM_WITHIN:
        raise ArithmeticError(f"{told} are no probabilities")
    return told


def _ms_since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 4)
