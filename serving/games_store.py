"""Games in PostgreSQL: many moves in one transaction, and a game back from its rows.

Belongs here: the rows of games and rounds, and the scores of versions that follow from them.
Does not belong here: when something is written (``games_writer.py``), figures over many games (``games_figures.py``).

A round is played once: whoever writes its row first with a move has played it, and a row with another token is a lost race.
Writing the same again changes nothing, so a transaction whose end is unknown is simply repeated.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import Json, execute_values

from esports_assets.games.rps.decision import decide
from esports_assets.games.rps.gambits import GAMBIT_ROUNDS, gambit_named
from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.rules import Winner
from esports_assets.games.rps.turns import OpenRound
from esports_assets.games.rps.values import RoundValues
from esports_assets.promotion.scores import Game, RoundScore, ScoreError, Traffic, record_game, record_rounds
from esports_assets.promotion.terms import Alias
from serving.games_assignment import Assignment, Table
from serving.games_policies import policy_named
from serving.games_turns import LiveGame, Opened, Said, Setup, Source, Turn, expected_of

_log = logging.getLogger("serving.games")
_PAGE = 500
GAME_COLUMNS = (
    *("game_id", "session_id", "player_name", "policy", "opening", "secret", "secret_commitment", "registered_name"),
    *("alias", "version", "rival_version", "challenger_share", "models", "traffic", "is_test", "started_at"),
)
_ROUND = (
    *("game_id", "step", "rock_points", "paper_points", "scissors_points", "bot_move", "nonce", "commitment"),
    *("probability_source", "predictions", "opened_at"),
)
_PLAYED = (*("token", "user_move", "result", "user_points", "bot_points", "user_score", "bot_score", "played_at"),)
_RESULT_OF_BOT = {Winner.BOT: 1.0, Winner.USER: 0.0, Winner.TIE: 0.5}

Seats = Callable[[Assignment, Mapping[str, int]], Table]
"""The models of a game that was begun before: its assignment, and the version of each alias."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new game with its first open round."""

    setup: Setup
    opened: Opened
    token: str


Entry = Begun | Turn


def write(cursor: Any, entries: Sequence[Entry]) -> set[str]:
    """Write entries, at most one of each game; the tokens of moves whose round somebody else had played already."""
    begun = [entry for entry in entries if isinstance(entry, Begun)]
    turns = [entry for entry in entries if isinstance(entry, Turn)]
    _write_begun(cursor, begun)
    lost = _write_played(cursor, turns)
    won = [turn for turn in turns if turn.token not in lost]
    _write_progress(cursor, won)
    opened = [(entry.setup.game_id, entry.opened) for entry in begun]
    opened += [(turn.setup.game_id, turn.following) for turn in won if turn.following is not None]
    _insert(cursor, "rps_rounds", _ROUND, [_round_row(game_id, one) for game_id, one in opened])
    _write_scores(cursor, begun, won)
    return lost


def _write_begun(cursor: Any, begun: Sequence[Begun]) -> None:
    setups = [entry.setup for entry in begun]
    sessions = {one.session_id: (one.session_id, one.player, one.started_at) for one in reversed(setups)}
    _insert(cursor, "rps_sessions", ("session_id", "player_name", "created_at"), sorted(sessions.values()))
    _insert(cursor, "rps_games", GAME_COLUMNS, [_game_row(setup) for setup in setups])


def _insert(cursor: Any, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s ON CONFLICT DO NOTHING"
        execute_values(cursor, statement, rows, page_size=_PAGE)


def _game_row(setup: Setup) -> tuple[Any, ...]:
    assignment = setup.table.assignment
    played_by: tuple[Any, ...] = (None,) * 5
    if assignment is not None:
        played_by = (
            *(assignment.registered, assignment.alias.value, assignment.version),
            *(assignment.rival_version, assignment.challenger_share),
        )
    versions = {alias.value: int(model.contract.version) for alias, model in setup.table.models.items()}
    return (
        *(setup.game_id, setup.session_id, setup.player, setup.policy.name),
        *(None if setup.gambit is None else setup.gambit.name, setup.secret, setup.commitment),
        *played_by,
        *(Json(versions), setup.traffic.value, setup.is_test, setup.started_at),
    )


def _round_row(game_id: str, opened: Opened) -> tuple[Any, ...]:
    one = opened.round
    said = [
        {
            "alias": told.alias.value,
            "version": told.version,
            "probabilities": told.probabilities,
            "latency_ms": told.latency_ms,
        }
        for told in opened.said
    ]
    return (
        *(game_id, one.step_no, one.values.rock, one.values.paper, one.values.scissors, one.bot.value, one.nonce),
        *(one.commitment, opened.source.value, Json(said), opened.opened_at),
    )


def _write_played(cursor: Any, turns: Sequence[Turn]) -> set[str]:
    if not turns:
        return set()
    rows = [(*_round_row(turn.setup.game_id, turn.opened), *_played_row(turn)) for turn in turns]
    told = ", ".join(f"{name} = excluded.{name}" for name in _PLAYED)
    written = execute_values(
        cursor,
        f"INSERT INTO rps_rounds ({', '.join((*_ROUND, *_PLAYED))}) VALUES %s ON CONFLICT (game_id, step)"
        f" DO UPDATE SET {told} WHERE rps_rounds.user_move IS NULL OR rps_rounds.token = excluded.token RETURNING token",
        sorted(rows, key=lambda row: row[:2]),
        page_size=_PAGE,
        fetch=True,
    )
    return {turn.token for turn in turns} - {row["token"] for row in written}


def _played_row(turn: Turn) -> tuple[Any, ...]:
    told = turn.told
    return (
        *(turn.token, told.user.value, told.result.value, told.user_points, told.bot_points),
        *(told.user_score, told.bot_score, turn.recorded.played_at),
    )


def _write_progress(cursor: Any, turns: Sequence[Turn]) -> None:
    if not turns:
        return
    rows = [
        (
            *(turn.setup.game_id, turn.state.played, turn.state.user_score, turn.state.bot_score),
            *(None if turn.state.winner is None else turn.state.winner.value,),
            turn.recorded.played_at if turn.state.finished else None,
        )
        for turn in turns
    ]
    execute_values(
        cursor,
        "UPDATE rps_games game SET rounds = told.rounds, user_score = told.user_score, bot_score = told.bot_score,"
        " winner = told.winner, finished_at = told.finished_at"
        " FROM (VALUES %s) AS told (game_id, rounds, user_score, bot_score, winner, finished_at)"
        " WHERE game.game_id = told.game_id",
        sorted(rows, key=lambda row: row[:1]),
        template="(%s, %s::smallint, %s::double precision, %s::double precision, %s::text, %s::timestamptz)",
        page_size=_PAGE,
    )


def _write_scores(cursor: Any, begun: Sequence[Begun], turns: Sequence[Turn]) -> None:
    """Games and rounds by version. A game that is recorded otherwise already is a fault of its own and stops no other."""
    games: list[tuple[Setup, Turn | None]] = [(entry.setup, None) for entry in begun]
    games += [(turn.setup, turn) for turn in turns if turn.state.finished and turn.judged]
    refused = set()
    for setup, turn in games:
        game = _judged_game(setup, turn)
        if game is None:
            continue
        try:
            record_game(cursor, game)
        except ScoreError as error:
            _log.error("%s", error)
            refused.add(setup.game_id)
    scores = [score for turn in turns if turn.setup.game_id not in refused for score in scores_of(turn)]
    if scores:
        record_rounds(cursor, scores)


def _judged_game(setup: Setup, turn: Turn | None) -> Game | None:
    assignment = setup.table.assignment
    if assignment is None:
        return None
    ended = None if turn is None else turn.recorded.played_at
    winner = None if turn is None else turn.state.winner
    return Game(
        game_id=setup.game_id,
        registered_name=assignment.registered,
        alias=assignment.alias,
        version=assignment.version,
        policy=setup.policy.name,
        traffic=setup.traffic,
        is_test=setup.is_test,
        started_at=setup.started_at,
        rival_version=assignment.rival_version,
        challenger_share=assignment.challenger_share,
        ended_at=ended,
        result=None if winner is None else _RESULT_OF_BOT[winner],
    )


def scores_of(turn: Turn) -> list[RoundScore]:
    """What each version said of the round, beside what came."""
    assignment, at = turn.setup.table.assignment, turn.recorded.played_at
    if assignment is None or at is None:
        return []
    return [
        RoundScore(
            game_id=turn.setup.game_id,
            step=turn.told.step_no,
            registered_name=assignment.registered,
            alias=said.alias,
            version=said.version,
            probabilities=said.probabilities,
            outcome=turn.told.user.ordinal,
            at=at,
            latency_ms=said.latency_ms,
        )
        for said in turn.opened.said
    ]


def load(cursor: Any, game_id: str, seats: Seats) -> LiveGame | None:
    """A game from its rows; None where there is none."""
    cursor.execute(f"SELECT {', '.join(GAME_COLUMNS)} FROM rps_games WHERE game_id = %s", (game_id,))
    found = cursor.fetchone()
    if found is None:
        return None
    cursor.execute(
        f"SELECT {', '.join((*_ROUND, *_PLAYED))} FROM rps_rounds WHERE game_id = %s ORDER BY step", (game_id,)
    )
    return _restored(found, cursor.fetchall(), seats)


def _restored(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], seats: Seats) -> LiveGame:
    game = LiveGame(setup_of(found, seats))
    assignment = game.setup.table.assignment
    for row in rows:
        opened = _opened_of(row, game)
        if opened.round.step_no > GAMBIT_ROUNDS:
            own = any(assignment is not None and said.alias is assignment.alias for said in opened.said)
            game.judged = game.judged and own
        if row["user_move"] is None:
            game.opened = None if game.state.finished else opened
            continue
        state, told, _ = opened.round.close(game.state, Move(row["user_move"]), row["played_at"])
        game.see(told, state, row["played_at"])
    return game


def _nobody(assignment: Assignment, versions: Mapping[str, int]) -> Table:
    return Table(assignment)


def setup_of(found: Mapping[str, Any], seats: Seats = _nobody) -> Setup:
    """What is fixed of a game, from its row; without ``seats`` no model is at hand."""
    table = Table()
    if found["registered_name"] is not None:
        assignment = Assignment(
            *(found["registered_name"], Alias(found["alias"]), found["version"]),
            *(found["rival_version"], found["challenger_share"]),
        )
        table = seats(assignment, found["models"])
    return Setup(
        game_id=found["game_id"],
        session_id=found["session_id"],
        player=found["player_name"],
        policy=policy_named(found["policy"]),
        secret=bytes(found["secret"]),
        gambit=None if found["opening"] is None else gambit_named(found["opening"]),
        table=table,
        traffic=Traffic(found["traffic"]),
        is_test=found["is_test"],
        started_at=found["started_at"],
    )


def _opened_of(row: Mapping[str, Any], game: LiveGame) -> Opened:
    """The round as it was opened; what models were asked with and what followed of their answers is computed again."""
    values = RoundValues(row["rock_points"], row["paper_points"], row["scissors_points"])
    said = tuple(
        Said(
            Alias(told["alias"]),
            told["version"],
            None if told["probabilities"] is None else tuple(told["probabilities"]),
            told["latency_ms"],
        )
        for told in row["predictions"]
    )
    one = OpenRound(row["step"], values, Move(row["bot_move"]), row["nonce"])
    source = Source(row["probability_source"])
    if not said:
        return Opened(one, source, said, row["opened_at"])
    expected = expected_of(game.setup.table, said) if source is Source.MODEL else None
    decision = None if expected is None else decide(expected, values, game.state)
    return Opened(one, source, said, row["opened_at"], game.rows.at(values), expected, decision)
