"""The shapes of requests and answers of games, for OpenAPI only: routes build and read JSON without them.

Belongs here: one model per shape, with one coherent example.
Does not belong here: shapes of figures (``figures_schemas.py``), what bodies mean (``games_inputs.py``).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.shapes import Shape

GAME_ID = "5f0c6f1e2a9b4c7d8e3f1a2b"
_HASH = "9c1185a5c5e9fc54612808977ee8f548b2258d31b5a5a6f2f5f1f0a1c8c8b6d3"
_POINTS = {"rock": 1.0, "paper": 1.3, "scissors": 1.8}
SAID = {
    401: ("bad_credentials", "Send either an API key or an Authorization header, not both."),
    404: ("unknown_game", f'There is no game "{GAME_ID}"; POST /start_game begins one.'),
    409: ("round_taken", "Another request has played round 4 of this game at the same time."),
    422: ("unknown_policy", '"nobody" is no policy; policies are brian, forrest, logan, mixture, bob, cal, dan.'),
    503: ("no_database", "The database does not answer; the log of the service says why."),
}
MoveName = Literal["rock", "paper", "scissors"]
SourceName = Literal["model", "gambit", "bot", "fallback_bot"]
AliasName = Literal["Production", "B", "shadow1", "shadow2"]
ByMove = dict[MoveName, float]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Told(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class StartIn(_In):
    """A new game."""

    player_name: str | None = Field(default=None, max_length=60, description="For the leaderboard")
    policy: str = Field(default="brian", description="GET /policies lists them")
    difficulty_mode: str = Field(default="standard", description="The easy mode is retired")
    session_id: str | None = Field(default=None, description="Of earlier games of the same person")
    is_test: bool = Field(default=False, description="In no figure and no comparison")
    mark_test_game: bool = Field(default=False, description="The same")
    traffic: Literal["human", "bot", "auto_fill"] = Field(default="human", description="Who sits there")


class PlayIn(_In):
    """A move."""

    game_id: str
    user_move: MoveName
    round: int | None = Field(default=None, description="The round that the move is meant for; any other is refused")


class ModelInfoOut(_Told):
    """Who chooses the bot's moves, and where that of this round comes from."""

    policy: str
    model_type: str | None
    model_name: str | None
    model_alias: str | None
    model_version: str | None
    model_run_id: str | None
    difficulty_mode: str
    probability_source: SourceName
    sentence: str


class AssignmentOut(_Told):
    """Which version chance gave the game to."""

    alias: str
    model_key: str
    version: str
    is_variant: bool
    challenger_share: float | None


class NextRoundOut(BaseModel):
    """What may be known of a round before its moves."""

    round: int
    round_points: ByMove
    commitment: str = Field(description="SHA-256 of `<move>:<nonce>` of the bot's move")


class StartedOut(_Told):
    """A game whose first round waits for a move."""

    game_id: str
    session_id: str
    player_name: str
    bot_policy: str
    policy: str
    difficulty_mode: str
    bot_model_alias: str | None
    model_type: str | None
    status: Literal["started"]
    message: str
    is_test: bool
    traffic: Literal["human", "bot", "auto_fill"]
    secret_commitment: str = Field(description="SHA-256 of the secret from which every round's values follow")
    round: int
    round_points: ByMove
    commitment: str
    next_round: NextRoundOut
    model_info: ModelInfoOut
    ab_assignment: AssignmentOut | None
    stored: bool = Field(description="Whether it is in the database already")


class RevealOut(BaseModel):
    """What the round's commitment held."""

    move: MoveName
    nonce: str
    commitment: str


class SaidOut(BaseModel):
    """What one version had said of the player's move."""

    alias: str
    version: str
    probabilities: ByMove | None
    latency_ms: float


class DebugOut(BaseModel):
    """What was expected before the move; nulls where no model chose."""

    probabilities: ByMove | None = Field(description="Of the player's move, by the version that plays")
    move_values: ByMove | None = Field(description="Expected payoff of each move of the bot")
    bot_probabilities: ByMove | None = Field(description="With which the bot's move was drawn")
    equilibrium: ByMove | None
    features: list[float] | None
    predictions: list[SaidOut]


class ScoresOut(BaseModel):
    """Points, and how many rounds were drawn."""

    player: float
    bot: float
    ties: int


class PlayedOut(_Told):
    """A round that was played."""

    game_id: str
    round: int
    user_move: MoveName
    player_move: MoveName
    bot_move: MoveName
    result: Literal["win", "lose", "draw"]
    user_delta: float
    bot_delta: float
    user_score: float
    bot_score: float
    round_points: ByMove
    finished: bool
    winner: Literal["user", "bot", "tie"] | None
    scores: ScoresOut
    policy: str
    difficulty_mode: str
    model_info: ModelInfoOut
    ab_assignment: AssignmentOut | None
    reveal: RevealOut
    next_round: NextRoundOut | None
    secret: str | None = Field(description="Once the game is over: it gives every round's values and nonces")
    debug: DebugOut
    message: str
    stored: bool


class StandingOut(BaseModel):
    """Where a game stands."""

    game_id: str
    round: int | None
    round_points: ByMove | None
    commitment: str | None
    secret_commitment: str
    finished: bool
    winner: Literal["user", "bot", "tie"] | None
    scores: ScoresOut
    policy: str
    secret: str | None


class AliasIn(_In):
    """Which alias answers."""

    alias: AliasName = "Production"


class QuestionIn(_In):
    """A history, oldest round first."""

    policy: str = "brian"
    player_history: list[MoveName] = []
    bot_history: list[MoveName] = Field(default=[], description="May be left out where results are told")
    result_history: list[Literal["win", "lose", "draw"]] = Field(default=[], description="The player's")
    round_values: ByMove | None = Field(default=None, description="Of the round asked about; 1 each where not told")
    values_history: list[ByMove] = []
    scores: tuple[float, float] | None = Field(default=None, description="The player's and the bot's points")
    ab_assignment: AliasIn | AliasName | None = None


class QuestionsIn(_In):
    """Up to 1,000 questions."""

    requests: list[QuestionIn]


class AnsweredBy(_Told):
    """Which version answered."""

    policy: str
    model_type: str
    model_name: str
    model_alias: str
    model_version: str
    model_run_id: str
    difficulty_mode: str
    probability_source: Literal["model"]


class PredictedOut(_Told):
    """What the model says of the player's next move."""

    prediction: MoveName
    probabilities: ByMove
    policy: str
    model_info: AnsweredBy
    features_used: dict[str, float]
    assumed: list[str] = Field(description="What was not told and is filled in")


class PredictedAllOut(BaseModel):
    """One answer for each question."""

    predictions: list[PredictedOut]


class PolicyOut(_Told):
    """Somebody to play against."""

    policy: str
    model_type: str | None
    model_name: str | None
    bot: str = Field(description="The scripted bot that plays, or stands in where no model does")
    versions: dict[str, str] = Field(description="By alias")
    plays: Literal["model", "bot", "fallback_bot"]
    reasons: list[str] = Field(description="Why versions do not play")


class PoliciesOut(BaseModel):
    """Whom one can play against."""

    policies: list[PolicyOut]


_INFO: dict[str, Any] = {
    "policy": "forrest",
    "model_type": "xgboost",
    "model_name": "rps.next_move.xgboost",
    "model_alias": "Production",
    "model_version": "7",
    "model_run_id": "0f3c9d2a",
    "difficulty_mode": "standard",
}
_GAMBIT = {
    **_INFO,
    "probability_source": "gambit",
    "sentence": "The bot opens with a gambit; its model plays from round 4 on.",
}
_CHANCE = {
    "alias": "Production",
    "model_key": "rps.next_move.xgboost@Production",
    "version": "7",
    "is_variant": False,
    "challenger_share": 0.5,
}
_NEXT = {"round": 1, "round_points": _POINTS, "commitment": _HASH}
START = Shape(StartIn, {"player_name": "Ada", "policy": "forrest"})
STARTED = Shape(
    StartedOut,
    {
        "game_id": GAME_ID,
        "session_id": "a1b2c3d4e5f60718",
        "player_name": "Ada",
        "bot_policy": "forrest",
        "policy": "forrest",
        "difficulty_mode": "standard",
        "bot_model_alias": "Production",
        "model_type": "xgboost",
        "status": "started",
        "message": f"Round 1 waits for your move against forrest. {_GAMBIT['sentence']}",
        "is_test": False,
        "traffic": "human",
        "secret_commitment": _HASH,
        **_NEXT,
        "next_round": _NEXT,
        "model_info": _GAMBIT,
        "ab_assignment": _CHANCE,
        "stored": True,
    },
)
PLAY = Shape(PlayIn, {"game_id": GAME_ID, "user_move": "scissors", "round": 1})
PLAYED = Shape(
    PlayedOut,
    {
        "game_id": GAME_ID,
        "round": 1,
        "user_move": "scissors",
        "player_move": "scissors",
        "bot_move": "paper",
        "result": "win",
        "user_delta": 1.8,
        "bot_delta": 0.0,
        "user_score": 1.8,
        "bot_score": 0.0,
        "round_points": _POINTS,
        "finished": False,
        "winner": None,
        "scores": {"player": 1.8, "bot": 0.0, "ties": 0},
        "policy": "forrest",
        "difficulty_mode": "standard",
        "model_info": _GAMBIT,
        "ab_assignment": _CHANCE,
        "reveal": {"move": "paper", "nonce": "8c1f0d7b2e4a6f9031c5d7e8a9b0c1d2", "commitment": _HASH},
        "next_round": {**_NEXT, "round": 2},
        "secret": None,
        "debug": {
            "probabilities": None,
            "move_values": None,
            "bot_probabilities": None,
            "equilibrium": None,
            "features": None,
            "predictions": [],
        },
        "message": f"You win 1.8 with scissors against paper. {_GAMBIT['sentence']}",
        "stored": True,
    },
)
STANDING = Shape(
    StandingOut,
    {
        "game_id": GAME_ID,
        **_NEXT,
        "secret_commitment": _HASH,
        "finished": False,
        "winner": None,
        "scores": {"player": 0.0, "bot": 0.0, "ties": 0},
        "policy": "forrest",
        "secret": None,
    },
)
QUESTION = Shape(
    QuestionIn,
    {
        "policy": "forrest",
        "player_history": ["rock", "rock", "paper"],
        "bot_history": ["paper", "scissors", "rock"],
        "round_values": _POINTS,
    },
)
QUESTIONS = Shape(QuestionsIn, {"requests": [QUESTION.example]})
PREDICTED = Shape(
    PredictedOut,
    {
        "prediction": "rock",
        "probabilities": {"rock": 0.48, "paper": 0.31, "scissors": 0.21},
        "policy": "forrest",
        "model_info": {**_INFO, "probability_source": "model"},
        "features_used": {"user_tend_rock": 0.6666666666666666, "step_no": 4.0},
        "assumed": ["values_before", "scores"],
    },
)
PREDICTED_ALL = Shape(PredictedAllOut, {"predictions": [PREDICTED.example]})
POLICIES = Shape(
    PoliciesOut,
    {
        "policies": [
            {
                "policy": "forrest",
                "model_type": "xgboost",
                "model_name": "rps.next_move.xgboost",
                "bot": "cal",
                "versions": {"Production": "7", "B": "8"},
                "plays": "model",
                "reasons": [],
            }
        ]
    },
)
