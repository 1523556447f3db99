"""Games of one service: who plays now, one move at a time, each written before it is answered.

Belongs here: beginning, finding and playing games, and what keeps two moves of one round apart.
Does not belong here: rules and models (``games_turns.py``), rows and writing (``games_store.py``, ``games_writer.py``), HTTP.

A game lives in the memory of the process that plays it and in the database. Another process finds it there; where both play the
same round, the database decides. Everything here but loading runs on the event loop, so nothing here needs a lock.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from esports_assets.games.rps.gambits import Gambit, choose_gambit
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.values import SECRET_BYTES
from esports_assets.promotion.scores import Traffic
from serving.database import Database
from serving.errors import ApiError, quoted
from serving.families import FamilyWatcher
from serving.games_assignment import Assignment, Table, reseat_models, seat_models
from serving.games_policies import Policy
from serving.games_settings import GamesSettings
from serving.games_store import Begun, load
from serving.games_turns import LiveGame, Setup, Turn
from serving.games_writer import Fate, Writer

MOST_GAMES = 50_000
"""Games in memory; of more than that, those that were asked for longest ago are left to the database."""
Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to play whom."""

    policy: Policy
    player: str
    session_id: str | None = None
    traffic: Traffic = Traffic.HUMAN
    is_test: bool = False


class Games:
    """The games of one process. Without a database they live in memory alone, and every answer says so."""

    def __init__(
        self,
        settings: GamesSettings,
        families: FamilyWatcher,
        database: Database | None,
        *,
        begun: Callable[[Setup], None],
        played: Callable[[Turn], None],
        clock: Clock = now_utc,
    ) -> None:
        self._settings = settings
        self._families = families
        self._database = database
        self._clock = clock
        self._begun = begun
        self._played = played
        self._games: OrderedDict[str, LiveGame] = OrderedDict()
        self._loading: dict[str, asyncio.Task[LiveGame | None]] = {}
        self._dropped: set[str] = set()
        self.writer = Writer(database, self._dropped.add)

    @property
    def database(self) -> Database:
        """Where games are kept; ApiError 503 where that is nowhere."""
        if self._database is None:
            raise ApiError(503, "no_database", "Games are kept in a database, and DATABASE_URL is not set.")
        return self._database

    async def start(self, wish: Wish) -> tuple[LiveGame, Fate]:
        """A new game with its first round open, and whether it is stored."""
        self.writer.room()
        secret, game_id = secrets.token_bytes(SECRET_BYTES), secrets.token_hex(12)
        table = self._table(game_id, wish.policy)
        setup = Setup(
            game_id=game_id,
            session_id=wish.session_id or secrets.token_hex(8),
            player=wish.player,
            policy=wish.policy,
            secret=secret,
            gambit=None if table.assignment is None else _gambit(secret),
            table=table,
            traffic=wish.traffic,
            is_test=wish.is_test,
            started_at=self._clock(),
        )
        game = LiveGame(setup)
        game.open(setup.started_at)
        assert game.opened is not None
        self._keep(game)
        fate = await self.writer.put(Begun(setup, game.opened, secrets.token_hex(8)), self._settings.rps_write_wait_s)
        _sound(fate)
        self._begun(setup)
        return game, fate

    async def play(self, game_id: str, move: Move, round_no: int | None = None) -> tuple[LiveGame, Turn, Fate]:
        """Count a move; ``round_no`` is the round that it is meant for, the open one by default.

        ApiError 404 for an unknown game, 409 for one that is over, another round, or a round that another request plays.
        """
        arrived = self._clock()
        game = await self.find(game_id)
        turn, fate = await self._play(game, move, round_no)
        if fate is Fate.LOST:  # another process played on: what the move was meant for is known only to the database
            game = await self.find(game_id)
            if round_no is None and game.last_played_at is not None and game.last_played_at >= arrived:
                raise _taken(turn.told.step_no)
            turn, fate = await self._play(game, move, round_no)
            if fate is Fate.LOST:
                raise _taken(turn.told.step_no)
        _sound(fate)
        self._played(turn)
        return game, turn, fate

    async def find(self, game_id: str) -> LiveGame:
        """A game, from memory or from the database; ApiError 404 where there is none."""
        while self._dropped:
            self._games.pop(self._dropped.pop(), None)
        game = self._games.get(game_id)
        if game is not None:
            self._games.move_to_end(game_id)
            return game
        if self._database is None or "\0" in game_id:
            raise _unknown(game_id)
        task = self._loading.get(game_id)
        if task is None:
            task = self._loading[game_id] = asyncio.create_task(asyncio.to_thread(self._load, game_id))
            task.add_done_callback(lambda _: self._loading.pop(game_id, None))
        found = await asyncio.shield(task)
        if found is None:
            raise _unknown(game_id)
        return self._keep(self._games.get(game_id, found))

    async def _play(self, game: LiveGame, move: Move, round_no: int | None) -> tuple[Turn, Fate]:
        _check_open(game, round_no)
        self.writer.room()
        game.busy = True
        try:
            turn = game.play(move, self._clock(), secrets.token_hex(8))
            fate = await self.writer.put(turn, self._settings.rps_write_wait_s)
        finally:
            game.busy = False
        return turn, fate

    def _load(self, game_id: str) -> LiveGame | None:
        with self.database.transaction() as cursor:
            game = load(cursor, game_id, self._seats)
        if game is not None and game.opened is None and not game.state.finished:
            game.open(self._clock())
        return game

    def _seats(self, assignment: Assignment, versions: Mapping[str, int]) -> Table:
        return reseat_models(assignment, versions, self._families.models(assignment.registered))

    def _table(self, game_id: str, policy: Policy) -> Table:
        if policy.registered is None or policy.family is None or self._settings.rps_force_model_fallbacks:
            return Table()
        share = self._settings.challenger_share(policy.family) if self._settings.enable_ab_testing else None
        return seat_models(game_id, policy.registered, self._families.models(policy.registered), share)

    def _keep(self, game: LiveGame) -> LiveGame:
        """Hold a game in memory, and let go of one where there are too many and the database has them."""
        self._games[game.setup.game_id] = game
        if len(self._games) > MOST_GAMES and self.writer.away is None:
            oldest = next(iter(self._games.values()))
            if not oldest.busy:
                self._games.popitem(last=False)
        return game


def _gambit(secret: bytes) -> Gambit:
    return choose_gambit(Random(hashlib.sha256(secret + b"gambit").digest()))


def _check_open(game: LiveGame, round_no: int | None) -> None:
    if game.opened is None:
        state = game.state
        said = f"The game ended after round {state.played} with {state.user_score:g} to {state.bot_score:g}"
        raise ApiError(409, "game_over", f"{said}: no further move counts; POST /start_game begins a new one.")
    step_no = game.opened.round.step_no
    if game.busy:
        raise _taken(step_no - 1)
    if round_no is not None and round_no != step_no:
        message = f"The move is meant for round {round_no}, but round {step_no} is the one that waits for a move."
        raise ApiError(409, "another_round", message)


def _taken(step_no: int) -> ApiError:
    return ApiError(409, "round_taken", f"Another request has played round {step_no} of this game at the same time.")


def _unknown(game_id: str) -> ApiError:
    return ApiError(404, "unknown_game", f"There is no game {quoted(game_id)}; POST /start_game begins one.")


def _sound(fate: Fate) -> None:
    if fate is Fate.BROKEN:
        raise ApiError(500, "not_stored", "The game could not be stored and is not continued; the log says why.")
