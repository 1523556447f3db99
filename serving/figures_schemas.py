"""The shapes of answers about many games, for OpenAPI only.

Belongs here: one model per shape, with one coherent example. Does not belong here: the questions (``games_figures.py``).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from serving.shapes import Shape

WinnerName = Literal["user", "bot", "tie"]
_AT, _THEN = "2026-11-25T12:00:00+00:00", "2026-11-25T12:03:10+00:00"


class _Told(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class Tally(_Told):
    """Finished games by their end; rates are null where there are none."""

    games: int
    wins: int
    losses: int
    ties: int
    win_rate: float | None


class PlaceOut(Tally):
    """A player's place."""

    player_name: str
    mean_lead: float


class LeaderboardOut(BaseModel):
    """Players by the share of games that they won."""

    leaderboard: list[PlaceOut]


class GameOut(_Told):
    """A finished game."""

    game_id: str
    session_id: str
    player_name: str
    policy: str
    model_name: str | None
    bot_model_alias: str | None
    bot_model_version: int | None
    opening: str | None
    rounds: int
    user_score: float
    bot_score: float
    winner: WinnerName
    started_at: str
    finished_at: str


class GamesOut(BaseModel):
    """Games, newest first."""

    games: list[GameOut]


class PolicyTally(Tally):
    """Games against a policy."""

    policy: str


class _Totals(Tally):
    players: int
    rounds: int
    mean_rounds: float | None
    mean_lead: float | None
    moves: dict[str, int]


class StatsOut(_Totals):
    """All games together."""

    policies: list[PolicyTally]


class PolicyStatsOut(_Totals):
    """Games against a policy."""

    policy: str


class PlayerStatsOut(_Totals):
    """Games of a player."""

    player_name: str
    policies: list[PolicyTally]


class BotRate(_Told):
    """How often the bot won, by the version that played."""

    policy: str
    model_name: str | None
    model_version: int | None
    games: int
    bot_wins: int
    ties: int
    bot_win_rate: float


class BotRatesOut(BaseModel):
    """How often bots won."""

    policies: list[BotRate]


class StreakOut(BaseModel):
    """A row of won games."""

    player_name: str
    streak: int
    since: str
    until: str


class StreaksOut(BaseModel):
    """The longest of each player."""

    win_streaks: list[StreakOut]


class RoundOut(_Told):
    """A round of a finished game."""

    game_id: str
    player_name: str
    policy: str
    model_name: str | None
    bot_model_alias: str | None
    bot_model_version: int | None
    started_at: str
    winner: WinnerName
    step: int
    user_move: str
    bot_move: str
    result: str
    user_points: float
    bot_points: float
    user_score: float
    bot_score: float
    rock_points: float
    paper_points: float
    scissors_points: float
    probability_source: str
    played_at: str


class RoundsOut(BaseModel):
    """Rounds, game by game, oldest first."""

    rounds: list[RoundOut]


EXPORT_COLUMNS = tuple(RoundOut.model_fields)
"""Columns of the CSV form."""
_TALLY: dict[str, Any] = {"games": 8, "wins": 5, "losses": 2, "ties": 1, "win_rate": 0.625}
_TOTALS = {
    **_TALLY,
    "players": 1,
    "rounds": 104,
    "mean_rounds": 13.0,
    "mean_lead": 1.4,
    "moves": {"rock": 40, "paper": 34, "scissors": 30},
}
_POLICIES = [{**_TALLY, "policy": "forrest"}]
_PLAYED_BY = {"model_name": "rps.next_move.xgboost", "bot_model_alias": "Production", "bot_model_version": 7}
_GAME: dict[str, Any] = {
    "game_id": "5f0c6f1e2a9b4c7d8e3f1a2b",
    "player_name": "Ada",
    "policy": "forrest",
    **_PLAYED_BY,
    "started_at": _AT,
    "winner": "user",
}
LEADERBOARD = Shape(LeaderboardOut, {"leaderboard": [{**_TALLY, "player_name": "Ada", "mean_lead": 1.4}]})
GAMES = Shape(
    GamesOut,
    {
        "games": [
            {
                **_GAME,
                "session_id": "a1b2c3d4e5f60718",
                "opening": "razor",
                "rounds": 13,
                "user_score": 10.2,
                "bot_score": 8.8,
                "finished_at": _THEN,
            }
        ]
    },
)
STATS = Shape(StatsOut, {**_TOTALS, "policies": _POLICIES})
POLICY_STATS = Shape(PolicyStatsOut, {"policy": "forrest", **_TOTALS})
PLAYER_STATS = Shape(PlayerStatsOut, {"player_name": "Ada", **_TOTALS, "policies": _POLICIES})
BOT_WIN_RATES = Shape(
    BotRatesOut,
    {
        "policies": [
            {
                "policy": "forrest",
                "model_name": "rps.next_move.xgboost",
                "model_version": 7,
                "games": 8,
                "bot_wins": 2,
                "ties": 1,
                "bot_win_rate": 0.25,
            }
        ]
    },
)
WIN_STREAKS = Shape(
    StreaksOut,
    {"win_streaks": [{"player_name": "Ada", "streak": 3, "since": _AT, "until": "2026-11-25T12:15:00+00:00"}]},
)
EXPORT = Shape(
    RoundsOut,
    {
        "rounds": [
            {
                **_GAME,
                "step": 1,
                "user_move": "scissors",
                "bot_move": "paper",
                "result": "win",
                "user_points": 1.8,
                "bot_points": 0.0,
                "user_score": 1.8,
                "bot_score": 0.0,
                "rock_points": 1.0,
                "paper_points": 1.3,
                "scissors_points": 1.8,
                "probability_source": "gambit",
                "played_at": _AT,
            }
        ]
    },
)
