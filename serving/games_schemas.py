"""The shapes of requests and answers of games, for OpenAPI only: routes build and read JSON without them.

Belongs here: one model per shape.
Does not belong here: examples (``games_examples.py``), figures (``figures_schemas.py``), what bodies mean (``games_inputs.py``).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
