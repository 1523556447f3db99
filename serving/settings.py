"""What an operator may set, read from the environment when an app is made, never at import.

Belongs here: names, defaults and limits. Does not belong here: anything that opens or connects.
"""

from typing import TYPE_CHECKING, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from serving.games_settings import GamesSettings
from serving.gate import PUBLIC_MIN_S, Policy
from serving.house_rules import policy_of, rule_of
from serving.review_terms import Rule

if TYPE_CHECKING:
    from serving.tokens import Issuer


class Settings(GamesSettings):
    """Settings of the service; every field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    esports_home: str = Field(default=".esports", description="Directory of everything that has no URL of its own.")
    bundles_url: str = Field(
        default="", description="Directory or s3:// URL of the bundles; <home>/bundles by default."
    )
    lake_url: str = Field(default="", description="Directory or s3:// URL of the lake; <home>/lake by default.")
    serving_tasks: str = Field(default="cs2.round_win", description="Comma-separated tasks that must be served.")
    api_host: str = Field(
        default="127.0.0.1", description="Address to bind; loopback unless an operator says otherwise."
    )
    api_port: int = Field(default=8000, ge=0, le=65535, description="Port to bind.")
    dagster_url: str = Field(
        default="", description="Dagster webserver that is told which version serves; nobody is told by default."
    )
    cors_origins: str = Field(
        default="", description="Comma-separated origins that browsers may call from; none by default."
    )
    max_body_bytes: int = Field(default=1024 * 1024, gt=0, description="Largest request body.")
    max_batch_body_bytes: int = Field(default=16 * 1024 * 1024, gt=0, description="Largest body of a batch request.")
    max_batch_rows: int = Field(default=10_000, gt=0, description="Most rows of a batch request.")
    body_timeout_s: float = Field(
        default=15.0, gt=0, description="Longest time that a request body may take to arrive."
    )
    poll_interval_s: float = Field(default=0.25, gt=0, description="How often the markers are read.")
    retry_refused_s: float = Field(default=5.0, gt=0, description="After how long a refused bundle is tried again.")

    database_url: str = Field(default="", description="PostgreSQL of reviews and API keys; neither exists without it.")
    redis_url: str = Field(default="", description="Redis of releases and rate limits.")
    jwt_issuer: str = Field(
        default="", description="Identity provider whose bearer tokens are accepted; none by default."
    )
    jwt_audience: str = Field(default="", description="For whom its tokens must be.")
    jwt_jwks_url: str = Field(default="", description="Where it publishes its keys.")
    jwt_clock_skew_s: float = Field(default=30.0, ge=0, le=300, description="How far its clock may be off.")
    jwt_role_claim: str = Field(default="roles", min_length=1, description="Claim of its tokens that names roles.")
    rate_per_s: float = Field(default=20.0, gt=0, description="Requests per second of one account, in the long run.")
    rate_burst: int = Field(default=60, ge=1, description="Requests of one account that may come at once.")
    predict_rate_per_s: float = Field(
        default=10_000.0,
        gt=0,
        description="Requests for predictions per second of one account, in the long run: more than one process answers.",
    )
    predict_rate_burst: int = Field(
        default=20_000, ge=1, description="Requests for predictions of one account that may come at once."
    )
    stream_retention_h: float = Field(default=24.0, gt=0, description="Hours that the log keeps entries.")
    max_event_bytes: int = Field(default=8 * 1024 * 1024, gt=0, description="Largest event or transaction.")
    grid_gap_s: float = Field(default=5.0, gt=0, description="How long a transaction waits for those before it.")
    grid_api_key: SecretStr = Field(default=SecretStr(""), description="Key of GRID; nothing is asked without it.")
    grid_ws_url: str = Field(
        default="wss://api.grid.gg/live-data-feed/series/{series}",
        description="GRID's live feed; {series} is the series, {after} the last sequence number known, where it takes one.",
    )
    grid_rest_base: str = Field(default="https://api.grid.gg", description="GRID's files are below this URL.")
    ws_ping_interval: float = Field(default=20.0, gt=0, description="Seconds between two pings of the live feed.")
    ws_ping_timeout: float = Field(default=20.0, gt=0, description="Silence after a ping that ends a connection.")
    ws_max_size: int = Field(default=4 * 1024 * 1024, gt=0, description="Largest message of the live feed, bytes.")
    http_timeout: float = Field(default=30.0, gt=0, description="Seconds that GRID may take to answer.")
    http_max_retries: int = Field(default=5, ge=0, description="How often a request to GRID is sent again.")
    http_backoff_base: float = Field(default=1.5, ge=1, description="Each wait is so many times as long as the last.")
    review_lease_s: float = Field(default=600.0, gt=0, description="How long a reviewer holds a review by default.")
    hitl_conf_threshold: float = Field(default=0.6, ge=0, le=1, description="A signal less sure than this is reviewed.")
    hitl_sensitive_intents: str = Field(
        default="plant,defuse", description="Comma-separated intents that are reviewed however sure; 'none' for none."
    )
    signal_delays_s: str = Field(
        default="MOMENTUM_SHIFT=120,STAR_PLAYER=60,ECONOMY_CRASH=90",
        description="Seconds from an event to what is said of it, by type of signal.",
    )
    signal_default_delay_s: float = Field(default=120.0, ge=0, description="The same for the types not named there.")
    state_delays_s: str = Field(
        default="EDUCATIONAL=120,COACH=120,ANALYST=0", description="Seconds until an event itself is told, by audience."
    )
    public_delay_s: float = Field(
        default=PUBLIC_MIN_S, ge=PUBLIC_MIN_S, description="Seconds until anything at all reaches the public."
    )

    room_clients: int = Field(default=1_000, ge=1, description="WebSocket clients of one process.")
    room_clients_per_match: int = Field(default=500, ge=1, description="Clients of one match in one process.")
    room_clients_per_account: int = Field(default=20, ge=1, description="Clients of one account or anonymous address.")
    room_matches: int = Field(
        default=100, ge=1, description="Matches that have clients in one process at the same time."
    )
    room_queue: int = Field(
        default=2_000, ge=1, description="Messages that may wait for a client before it is dropped."
    )
    room_stall_s: float = Field(default=20.0, gt=0, description="How long one message may take to leave.")
    room_recheck_s: float = Field(
        default=30.0, gt=0, description="How often the credentials of a client are looked at."
    )
    room_idle_s: float = Field(
        default=20.0, gt=0, description="Silence after which a client is pinged and told its place."
    )
    room_history_s: float = Field(
        default=10_800.0, ge=0, description="How much of a match a late client is told at most."
    )

    @field_validator("serving_tasks")
    @classmethod
    def _tasks_are_named(cls, value: str) -> str:
        from esports_assets.models.contract import check_task

        for task in _items(value):
            check_task(task)
        if not _items(value):
            raise ValueError("SERVING_TASKS names no task.")
        return value

    @field_validator("dagster_url")
    @classmethod
    def _webserver_is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("DAGSTER_URL must start with http:// or https://.")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg2://")):
            raise ValueError("DATABASE_URL must start with postgresql://.")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_is_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("REDIS_URL must start with redis://, rediss:// or unix://.")
        return value

    @field_validator("grid_ws_url")
    @classmethod
    def _feed_is_a_socket(cls, value: str) -> str:
        if not value.startswith(("ws://", "wss://")) or "{series}" not in value:
            raise ValueError("GRID_WS_URL must start with ws:// or wss:// and hold {series}.")
        return value

    @field_validator("grid_rest_base")
    @classmethod
    def _files_are_http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("GRID_REST_BASE must start with http:// or https://.")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _terms_are_terms(self) -> "Settings":
        _ = self.rule, self.policy
        return self

    @property
    def rule(self) -> Rule:
        """What needs a review. ValueError for a list that names no intents."""
        return rule_of(self.hitl_conf_threshold, self.hitl_sensitive_intents)

    @property
    def policy(self) -> Policy:
        """When what may leave. ValueError for delays that are none."""
        return policy_of(self.signal_delays_s, self.signal_default_delay_s, self.state_delays_s, self.public_delay_s)

    @model_validator(mode="after")
    def _issuer_is_whole(self) -> "Settings":
        _ = self.issuer
        return self

    @property
    def issuer(self) -> "Issuer | None":
        """The identity provider whose tokens are accepted, if any. ValueError for half of one."""
        if not (self.jwt_issuer or self.jwt_audience or self.jwt_jwks_url):
            return None
        from serving.tokens import Issuer

        return Issuer(self.jwt_issuer, self.jwt_audience, self.jwt_jwks_url, self.jwt_clock_skew_s, self.jwt_role_claim)

    @property
    def bundles(self) -> str:
        """Where bundles and their markers lie."""
        return self.bundles_url or f"{self.esports_home}/bundles"

    @property
    def lake(self) -> str:
        """Where the lake lies."""
        return self.lake_url or f"{self.esports_home}/lake"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that must be served."""
        return _items(self.serving_tasks)

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins that browsers may call from."""
        return _items(self.cors_origins)


Wanted = TypeVar("Wanted", bound=Settings)


def read(kind: type[Wanted]) -> Wanted:
    """The settings of the environment. SystemExit with one sentence about every value that does not fit."""
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(" ".join(_sentence(fault["loc"], fault["msg"]) for fault in error.errors())) from error


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    told = message.removeprefix("Value error, ")
    named = ".".join(str(part) for part in place).upper()
    if named and named not in told:
        told = f"{named} does not fit: {told[:1].lower()}{told[1:]}"
    told = f"{told[:1].upper()}{told[1:]}"
    return told if told.endswith(".") else f"{told}."


def _items(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
