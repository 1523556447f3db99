"""Games into the log of events: what was stored is told, in order, each event once, whichever process tells it.

The database is the outbox: a game remembers how many of its rounds are told. Ids follow from the round, so telling again after a
crash appends nothing. While Redis is away the games wait in the database; they land in the lake as every match does.

Belongs here: the loop, and the entries of a game. Imports Arrow and Redis: only a service with both stores loads it.
Does not belong here: the events themselves (``games/rps/events.py``), the log (``streams``).
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extras import execute_values
from redis import Redis, RedisError

from esports_assets.games.rps.events import (
    EVENTS_A_ROUND,
    bot_id,
    closing_events,
    header_of,
    opening_events,
    round_events,
    user_id,
)
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.record import GameSetup, RecordedGame, RecordedRound, played
from esports_assets.games.rps.values import RoundValues
from esports_assets.streams.envelope import Closing, Envelope, Opening, Player
from esports_assets.streams.log import EventLog
from serving.database import Database
from serving.errors import ApiError
from serving.games_store import GAME_COLUMNS, setup_of

TOGETHER = 50
"""Games that are told together: at most 82 entries each."""
PAUSE_S, AWAY_S = 0.5, 2.0
_log = logging.getLogger("serving.games")


class Teller:
    """Tells games that are stored and not told yet."""

    def __init__(self, database: Database, client: Redis, retention_h: float) -> None:
        self._database = database
        self._events = EventLog(client, retention_h=retention_h)
        self.away: str | None = None
        """Why nothing can be told now, in a sentence."""

    def run(self, stop: threading.Event) -> None:
        """Tell until the event is set."""
        pause = PAUSE_S
        while not stop.wait(pause):
            try:
                told = self.tell()
            except RedisError as error:
                self._is_away(
                    f"The log of events does not answer ({type(error).__name__}); games are told when it does."
                )
                pause = AWAY_S
            except ApiError as error:
                _log.debug("games cannot be told: %s", error.message)
                pause = AWAY_S
            else:
                self.away, pause = None, PAUSE_S if told < TOGETHER else 0.0

    def tell(self) -> int:
        """Tell what waits of up to ``TOGETHER`` games; how many there were. Raises RedisError, ApiError."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT {', '.join(GAME_COLUMNS)}, rounds, finished_at, told_rounds FROM rps_games WHERE NOT told_end"
                " AND (told_rounds < rounds OR finished_at IS NOT NULL) ORDER BY started_at LIMIT %s"
                " FOR UPDATE SKIP LOCKED",
                (TOGETHER,),
            )
            games = cursor.fetchall()
            if not games:
                return 0
            cursor.execute(
                "SELECT * FROM rps_rounds WHERE game_id = ANY(%s) AND user_move IS NOT NULL ORDER BY game_id, step",
                ([game["game_id"] for game in games],),
            )
            rounds: dict[str, list[Mapping[str, Any]]] = {}
            for row in cursor.fetchall():
                rounds.setdefault(row["game_id"], []).append(row)
            self._events.append_pipelined([entries_of(game, rounds.get(game["game_id"], [])) for game in games])
            execute_values(
                cursor,
                "UPDATE rps_games game SET told_rounds = told.rounds, told_end = told.over"
                " FROM (VALUES %s) AS told (game_id, rounds, over) WHERE game.game_id = told.game_id",
                [(game["game_id"], game["rounds"], game["finished_at"] is not None) for game in games],
                template="(%s, %s::smallint, %s::boolean)",
            )
        return len(games)

    def _is_away(self, sentence: str) -> None:
        if self.away is None:
            _log.error("%s", sentence)
        self.away = sentence


def entries_of(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Envelope]:
    """What is not told yet of a game and its played rounds, in order."""
    setup = setup_of(found).recorded
    over = found["finished_at"] is not None
    game = RecordedGame(setup, tuple(_recorded(row) for row in rows), bytes(found["secret"]).hex() if over else None)
    told = played(game)
    entries = []
    if found["told_rounds"] < 0:
        entries += [Envelope(event, opening=_opening(setup)) for event in opening_events(setup)]
    for entry, one in zip(game.rounds, told, strict=True):
        if entry.step_no > found["told_rounds"]:
            entries += [Envelope(event) for event in round_events(setup, entry, one)]
    closing = Closing(events=2 + EVENTS_A_ROUND * len(told), frames=0)
    entries += [Envelope(event, closing=closing) for event in closing_events(game, told)]
    return entries


def _opening(setup: GameSetup) -> Opening:
    user, bot = user_id(setup), bot_id(setup)
    players = (Player(user, setup.player, user, setup.player), Player(bot, setup.bot, bot, setup.bot))
    return Opening(header_of(setup), players)


def _recorded(row: Mapping[str, Any]) -> RecordedRound:
    values = RoundValues(row["rock_points"], row["paper_points"], row["scissors_points"])
    moves = Move(row["user_move"]), Move(row["bot_move"])
    return RecordedRound(row["step"], *moves, values, row["played_at"], row["commitment"], row["nonce"])
