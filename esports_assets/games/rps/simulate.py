"""Games of bot against bot, seeded (row 004-51): any player on either side, recorded as the service records games of people.

The same seed gives the same games to the byte. A game ends by the rules, in its twentieth round at the latest. Thinking times are
drawn too; the games are marked as simulated, so nothing that judges models takes them for people's.

Belongs here: playing, and recording what was played.
Does not belong here: choosing who plays how often, writing files, commands.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from esports_assets.games.rps.commitments import secret_commitment
from esports_assets.games.rps.gambits import GAMBIT_ROUNDS, Gambit, choose_gambit
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.opponents import Opponent
from esports_assets.games.rps.record import GameSetup, RecordedGame, RecordedRound
from esports_assets.games.rps.rules import GameState
from esports_assets.games.rps.seat import Seat, SeatName
from esports_assets.games.rps.turns import open_round
from esports_assets.games.rps.values import RoundValues

THINKING_S = 2.0
"""Mean of the exponential part of a thinking time, in seconds; half a second comes on top."""
BETWEEN_GAMES_S = 120.0
"""Later games start so much later, in seconds."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who plays whom. ``gambits``: whether the bot opens with one, drawn by weight; ``is_test`` marks the games."""

    user: Opponent
    bot: Opponent
    gambits: bool = False
    is_test: bool = False


def simulate_games(pairing: Pairing, games: int, seed: int, started_at: datetime) -> Iterator[RecordedGame]:
    """``games`` finished games; the n-th is the same whatever their number. ``started_at`` (with a zone) is the first one's."""
    for number in range(games):
        yield simulate_game(pairing, seed, number, started_at + timedelta(seconds=BETWEEN_GAMES_S * number))


def simulate_game(pairing: Pairing, seed: int, number: int, started_at: datetime) -> RecordedGame:
    """One finished game: the ``number``-th of this pairing and seed."""
    told = f"rps/simulated/1|{pairing.user.name}|{pairing.bot.name}|{seed}|{number}"
    secret = hashlib.sha256(told.encode()).digest()
    users_chance = Random(hashlib.sha256(secret + b"user").digest())
    gambit = choose_gambit(Random(hashlib.sha256(secret + b"gambit").digest())) if pairing.gambits else None
    setup = GameSetup(
        game_id=f"{pairing.user.name}-{pairing.bot.name}-{seed}-{number}",
        player=pairing.user.name,
        bot=pairing.bot.name,
        started_at=started_at,
        session_id=f"{pairing.user.name}-{pairing.bot.name}-{seed}",
        simulated=True,
        is_test=pairing.is_test,
        opening=None if gambit is None else gambit.name,
        secret_commitment=secret_commitment(secret),
    )
    return RecordedGame(setup, tuple(_rounds(pairing, gambit, secret, users_chance, started_at)), secret.hex())


def _rounds(
    pairing: Pairing, gambit: Gambit | None, secret: bytes, users_chance: Random, started_at: datetime
) -> Iterator[RecordedRound]:
    state, moment = GameState(), started_at
    user, bot = Seat(SeatName.USER), Seat(SeatName.BOT)

    def bots_choice(values: RoundValues, chance: Random) -> Move:
        if gambit is not None and state.played < GAMBIT_ROUNDS:
            return gambit.move(state.played + 1, values)
        return pairing.bot.choose(bot, values, chance)

    while not state.finished:
        opened = open_round(secret, state, bots_choice)
        move = pairing.user.choose(user, opened.values, users_chance)
        moment += timedelta(milliseconds=round(500 + 1000 * users_chance.expovariate(1 / THINKING_S)))
        state, told, recorded = opened.close(state, move, moment)
        user.see(told)
        bot.see(told)
        yield recorded
