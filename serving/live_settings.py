"""What an operator may set of the live worker, beside what holds for the whole service.

Belongs here: names, defaults and limits. Does not belong here: anything that opens or connects.
"""

from pydantic import Field, model_validator

from esports_assets.streams.leases import TTL_S
from esports_assets.windows.micro.spec import WINDOW_S
from esports_assets.windows.streamed.online import LATENESS_S
from serving.settings import Settings


class LiveSettings(Settings):
    """Settings of the worker; every field is an environment variable of the same name in capitals."""

    window_s: float = Field(
        default=WINDOW_S, gt=0, le=60, description="Length of the window of a player; models know one length only."
    )
    lateness_s: float = Field(
        default=LATENESS_S, ge=0, le=60, description="Event time that a message may come after a later one."
    )
    lease_s: float = Field(default=TTL_S, ge=1, le=300, description="Silence after which a worker counts as dead.")
    live_metrics_port: int = Field(default=0, ge=0, le=65535, description="Port of the worker's metrics; 0 for none.")

    @model_validator(mode="after")
    def _both_stores_are_named(self) -> "LiveSettings":
        for name in ("database_url", "redis_url"):
            if not getattr(self, name):
                raise ValueError(f"the live worker needs {name.upper()}: 'esports live' starts the embedded servers")
        return self
