"""What an operator may set about games of rock-paper-scissors.

Belongs here: names, defaults and limits. Does not belong here: anything that opens or connects.
"""

from datetime import UTC, datetime

from pydantic import Field
from pydantic_settings import BaseSettings

_SHARE = "Share of the games of its policy that B plays; AB_SPLIT_RATIO where it is not set."


class GamesSettings(BaseSettings):
    """Settings of games; every field is an environment variable of the same name in capitals."""

    enable_ab_testing: bool = Field(default=True, description="Whether chance gives some games to B.")
    ab_split_ratio: float = Field(default=0.5, ge=0, le=1, description="Share of games that B plays.")
    ab_split_ratio_feedforward_nn: float | None = Field(default=None, ge=0, le=1, description=_SHARE)
    ab_split_ratio_xgboost: float | None = Field(default=None, ge=0, le=1, description=_SHARE)
    ab_split_ratio_multinomial_logistic: float | None = Field(default=None, ge=0, le=1, description=_SHARE)
    ab_split_ratio_experts: float | None = Field(default=None, ge=0, le=1, description=_SHARE)
    rps_force_model_fallbacks: bool = Field(
        default=False, description="Let the scripted bots play for every policy, whatever is promoted."
    )
    rps_capture_sample_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of predicted rounds whose features and probabilities are captured."
    )
    rps_capture_flush_s: float = Field(default=60.0, gt=0, description="After how long captured rounds are written.")
    rps_write_wait_s: float = Field(
        default=2.0, gt=0, description="How long a move waits for the database before the game goes on without it."
    )
    metrics_since_date: datetime = Field(
        default=datetime(2000, 1, 1, tzinfo=UTC), description="Games that began earlier are in no figure."
    )

    def challenger_share(self, family: str) -> float:
        """The share of games of a family that B plays."""
        own: float | None = getattr(self, f"ab_split_ratio_{family}", None)
        return self.ab_split_ratio if own is None else own
