"""Figures over many games of people: who wins most, how policies do, and the games themselves.

Belongs here: questions to the view ``rps_people_games`` (finished games, no tests, no bots, no auto-fill) since a date.
Does not belong here: single games (``games_store.py``), judging versions (``esports_assets/promotion``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.database import Database
from serving.games_inputs import ANONYMOUS

LEAST_GAMES = 5
"""So many games make a place on the leaderboard."""
Row = dict[str, Any]
_TALLY = (
    "count(*) AS games, count(*) FILTER (WHERE winner = 'user') AS wins, count(*) FILTER (WHERE winner = 'bot') AS losses,"
    " count(*) FILTER (WHERE winner = 'tie') AS ties, avg((winner = 'user')::int)::double precision AS win_rate"
)
_GAME = (
    "game_id, session_id, player_name, policy, registered_name AS model_name, alias AS bot_model_alias,"
    " version AS bot_model_version, opening, rounds, user_score, bot_score, winner, started_at, finished_at"
)
_FROM = "FROM rps_people_games WHERE started_at >= %(since)s"


class Figures:
    """Answers questions about games since a date; every method blocks, and raises ApiError 503 where the database is away."""

    def __init__(self, database: Database, since: datetime) -> None:
        self._database = database
        self._since = since

    def leaderboard(self, limit: int) -> list[Row]:
        """Players with at least ``LEAST_GAMES`` games by the share that they won; who told no name has no place."""
        return self._rows(
            f"SELECT player_name, {_TALLY}, avg(user_score - bot_score) AS mean_lead {_FROM} AND player_name <> %(anonymous)s"
            " GROUP BY player_name HAVING count(*) >= %(least)s"
            " ORDER BY win_rate DESC, games DESC, player_name LIMIT %(limit)s",
            anonymous=ANONYMOUS,
            least=LEAST_GAMES,
            limit=limit,
        )

    def games(self, limit: int, player: str | None, policy: str | None) -> list[Row]:
        """The latest games, newest first."""
        return self._rows(
            f"SELECT {_GAME} {_FROM} AND (%(player)s::text IS NULL OR player_name = %(player)s)"
            " AND (%(policy)s::text IS NULL OR policy = %(policy)s) ORDER BY finished_at DESC, game_id LIMIT %(limit)s",
            player=player,
            policy=policy,
            limit=limit,
        )

    def totals(self, player: str | None = None, policy: str | None = None) -> Row:
        """All games, those of a player or those against a policy, together."""
        (row,) = self._rows(
            f"SELECT {_TALLY}, count(DISTINCT player_name) AS players, COALESCE(sum(rounds), 0) AS rounds,"
            f" avg(rounds)::double precision AS mean_rounds, avg(user_score - bot_score) AS mean_lead {_FROM}"
            " AND (%(player)s::text IS NULL OR player_name = %(player)s) AND (%(policy)s::text IS NULL OR policy = %(policy)s)",
            player=player,
            policy=policy,
        )
        return row

    def by_policy(self, player: str | None = None) -> list[Row]:
        """The same for each policy."""
        return self._rows(
            f"SELECT policy, {_TALLY} {_FROM} AND (%(player)s::text IS NULL OR player_name = %(player)s)"
            " GROUP BY policy ORDER BY policy",
            player=player,
        )

    def moves(self, player: str | None = None, policy: str | None = None) -> Mapping[str, int]:
        """How often each move was played by people."""
        found = self._rows(
            "SELECT round.user_move AS move, count(*) AS played FROM rps_rounds round JOIN rps_people_games game USING (game_id)"
            " WHERE game.started_at >= %(since)s AND (%(player)s::text IS NULL OR game.player_name = %(player)s)"
            " AND (%(policy)s::text IS NULL OR game.policy = %(policy)s) AND round.user_move IS NOT NULL GROUP BY 1",
            player=player,
            policy=policy,
        )
        return {row["move"]: row["played"] for row in found}

    def bot_win_rates(self) -> list[Row]:
        """How often the bot won, by policy and the version that played; no version where a scripted bot did."""
        return self._rows(
            "SELECT policy, registered_name AS model_name, version AS model_version, count(*) AS games,"
            " count(*) FILTER (WHERE winner = 'bot') AS bot_wins, count(*) FILTER (WHERE winner = 'tie') AS ties,"
            f" avg((winner = 'bot')::int)::double precision AS bot_win_rate {_FROM}"
            " GROUP BY policy, registered_name, version ORDER BY policy, registered_name, version"
        )

    def win_streaks(self, limit: int) -> list[Row]:
        """The longest row of won games of each player, longest first; a tie ends it."""
        return self._rows(
            "WITH numbered AS (SELECT player_name, winner, finished_at, row_number() OVER everything"
            " - row_number() OVER (PARTITION BY player_name, winner = 'user' ORDER BY finished_at, game_id) AS island"
            f" {_FROM} AND player_name <> %(anonymous)s WINDOW everything AS"
            " (PARTITION BY player_name ORDER BY finished_at, game_id)),"
            " streaks AS (SELECT player_name, count(*) AS streak, min(finished_at) AS since, max(finished_at) AS until"
            " FROM numbered WHERE winner = 'user' GROUP BY player_name, island)"
            " SELECT * FROM (SELECT DISTINCT ON (player_name) * FROM streaks"
            " ORDER BY player_name, streak DESC, since) longest ORDER BY streak DESC, player_name LIMIT %(limit)s",
            anonymous=ANONYMOUS,
            limit=limit,
        )

    def rounds(self, limit: int, after: str | None) -> list[Row]:
        """The rounds of ``limit`` games, oldest first, of those after the game ``after``."""
        return self._rows(
            f"WITH chosen AS (SELECT {_GAME} {_FROM} AND (%(after)s::text IS NULL OR (started_at, game_id) >"
            " (SELECT started_at, game_id FROM rps_games WHERE game_id = %(after)s))"
            " ORDER BY started_at, game_id LIMIT %(limit)s)"
            " SELECT game.game_id, game.player_name, game.policy, game.model_name, game.bot_model_alias,"
            " game.bot_model_version, game.started_at, game.winner, round.step, round.user_move, round.bot_move, round.result,"
            " round.user_points, round.bot_points, round.user_score, round.bot_score, round.rock_points, round.paper_points,"
            " round.scissors_points, round.probability_source, round.played_at FROM chosen game"
            " JOIN rps_rounds round USING (game_id) WHERE round.user_move IS NOT NULL"
            " ORDER BY game.started_at, game.game_id, round.step",
            limit=limit,
            after=after,
        )

    def _rows(self, query: str, **told: Any) -> list[Row]:
        with self._database.transaction() as cursor:
            cursor.execute(query, {"since": self._since, **told})
            return [dict(row) for row in cursor.fetchall()]
