"""The shapes of requests and answers, for OpenAPI only: routes build and read JSON without them.

Belongs here: one model per shape, with a sentence per field where the name does not say it.
Does not belong here: validation of features (``inputs.py`` and ``served.py``, held to these shapes by a test).
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

AliasName = Literal["Production", "B", "shadow1", "shadow2"]


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs")
    message: str = Field(description="One sentence for people")


class ErrorOut(BaseModel):
    """Every answer that is not 2xx."""

    error: ErrorDetail


class PredictIn(BaseModel):
    """One row of the features that /models lists. Nullable and derived ones may be left out; laws must be kept."""

    features: dict[str, float | None]
    alias: AliasName = "Production"


class BatchIn(BaseModel):
    """Up to 10,000 rows, each an object of features."""

    rows: list[dict[str, float | None]]
    alias: AliasName = "Production"


class HealthOut(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class IntervalOut(BaseModel):
    """Interval of the positive class's probability, from match-bootstrap replicates of the model."""

    lo: float
    hi: float
    level: float


class ModelInfo(BaseModel):
    """Where an answer comes from."""

    model_name: str
    model_type: str
    model_alias: str
    model_version: str
    model_run_id: str
    data_version: str
    window_fingerprint: str
    probability_source: Literal["model", "out_of_fold"]
    asset_key: str
    dagster_run_id: str


class Policy(BaseModel):
    """What the answer may be used for."""

    label: Literal["ANALYSIS_ONLY"]
    purpose: str
    audience: str
    delay_s: float
    review_state: str
    policy_version: str


class Prediction(BaseModel):
    """Calibrated probability of every class."""

    probabilities: dict[str, float]
    interval: IntervalOut | None


class PredictOut(Prediction):
    """The answer to one row."""

    task: str
    model_info: ModelInfo
    policy: Policy


class BatchOut(BaseModel):
    """The answer to several rows, in their order."""

    task: str
    predictions: list[Prediction]
    model_info: ModelInfo
    policy: Policy


class MatchOut(BaseModel):
    """A match of the lake."""

    match_id: str
    series_id: str
    title: str
    map: str
    day: str
    source: str
    simulated: bool
    rounds: int | None
    data_version: str
    quarantined: bool = Field(description="It breaks an invariant, so nothing is computed from it")
    reasons: list[str] = Field(description="What it breaks and where; empty for an accepted match")


class MatchesOut(BaseModel):
    """One page of matches, latest day first."""

    total: int
    offset: int
    limit: int
    matches: list[MatchOut]


class RoundChange(BaseModel):
    """From the round's first probability to its outcome."""

    total: float
    by_players: float = Field(description="The part of events that somebody did")
    by_time: float = Field(description="The rest: the clock, movement, and what nobody did")


class RoundSeries(BaseModel):
    """Probability over one round."""

    segment: int
    winner: str | None = Field(description="Side that won, null if the round is not decided")
    end_reason: str | None
    points: list[dict[str, float | None]] = Field(
        description="t_s, p_<positive class>, lo, hi; the last point of a decided round is its outcome, 1 or 0 without interval"
    )
    change: RoundChange


class SwingOut(BaseModel):
    """What one event changed, in probability of the positive class; a kill includes the damage that killed."""

    segment: int
    t_s: float
    event_id: str | None
    event_type: str
    actor: str | None
    target: str | None
    before: float
    after: float = Field(description="For the event that decided a round: its outcome, 1 or 0")
    delta: float


class PlayerOut(BaseModel):
    """Win probability that a player added to his own side over the match, in rounds."""

    player: str
    name: str | None
    team: str | None
    added: float = Field(description="By all events of his own; of both sides' players this adds up to by_players")
    lost: float = Field(description="By what was done to him, negative where it hurt his side")
    net: float
    events: int


class WinProbabilityOut(BaseModel):
    """Win probability over a match."""

    match_id: str
    title: str
    map: str
    simulated: bool
    task: str
    every: Literal["1hz", "event"]
    positive_class: str
    rounds: list[RoundSeries]
    swings: list[SwingOut]
    players: list[PlayerOut]
    model_info: ModelInfo
    policy: Policy


class RefusalOut(BaseModel):
    """Something that does not serve, and why."""

    task: str
    alias: str | None
    reason: str


class ReportedOut(BaseModel):
    """A version that Dagster was told of."""

    task: str
    data_version: str
    reported_at: str


class LineageOut(BaseModel):
    """How reporting to Dagster goes; it never decides whether the service is ready."""

    asset: str
    reported: list[ReportedOut]
    waiting: list[str] = Field(description="Tasks whose version Dagster does not know yet")
    error: str | None = Field(description="Why the latest report did not arrive, in one sentence")


class ReadyOut(BaseModel):
    """Whether every task has a model; refusals name bundles that were not let in."""

    status: Literal["ready", "not_ready"]
    tasks: dict[str, str | None] = Field(description="What serves each task, null if nothing does")
    refused: list[RefusalOut]
    degraded: list[str] = Field(description="What does not work now and is made up for, a sentence each")
    lineage: LineageOut | None = Field(description="Null where DAGSTER_URL is not set")


class LoadedModel(BaseModel):
    """A model in service: its contract without the list of training matches."""

    alias: str
    version: str
    derived: list[str] = Field(description="Features that are computed here when a client leaves them out")
    laws: list[str] = Field(description="What must hold between the features of a row")
    contract: dict[str, Any]


class TaskModelsOut(BaseModel):
    """The models of a task."""

    task: str
    champion: str | None
    models: list[LoadedModel]
    refused: list[RefusalOut]


class ModelsOut(BaseModel):
    """Every task and its models."""

    tasks: list[TaskModelsOut]


class VersionOut(BaseModel):
    """What runs here."""

    service: str
    version: str
    bundle_format: int
    policy_version: str
    python: str
    onnxruntime: str
