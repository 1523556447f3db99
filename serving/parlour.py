"""Games of one service, put together from its settings, with the loops that carry them on.

Belongs here: which parts exist with which settings, start and stop, and what of them does not work now.
Does not belong here: what a part does.
"""

from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from esports_assets.storage.objects import ObjectStore
from serving import games_answers as answers
from serving.bundle_cache import CachedStore
from serving.bundles import Shelf
from serving.database import Database
from serving.desk import Desk
from serving.families import FamilyWatcher
from serving.games import Games
from serving.games_assignment import unfit
from serving.games_capture import Capture
from serving.games_figures import Figures
from serving.games_metrics import GameMetrics
from serving.games_policies import POLICIES, REGISTERED, Policy
from serving.games_turns import Setup, Turn
from serving.loops import Loops
from serving.metrics import Metrics
from serving.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

    from serving.games_events import Teller


class Parlour:
    """One app's games."""

    def __init__(self, settings: Settings, shelf: Shelf, metrics: Metrics, desk: Desk) -> None:
        self._access = desk.games
        self._spare = desk.spare
        self._shelf = shelf
        self._since = settings.metrics_since_date
        self._database = Database(settings.database_url, size=4) if settings.database_url else None
        self.families = FamilyWatcher(shelf, REGISTERED, metrics)
        self._capture = None
        if settings.rps_capture_sample_rate > 0:
            store, rate = ObjectStore(settings.lake), settings.rps_capture_sample_rate
            self._capture = Capture(store, rate, settings.rps_capture_flush_s)
        self.games = Games(settings, self.families, self._database, begun=self._begun, played=self._played)
        self._metrics = GameMetrics(metrics.registry, lambda: self.games.writer.kept)
        self._redis_url, self._retention_h = settings.redis_url, settings.stream_retention_h
        self._redis: Redis | None = None
        self._teller: Teller | None = None
        self._loops = Loops()

    @property
    def figures(self) -> Figures:
        """What answers questions about many games; ApiError 503 without a database."""
        return Figures(self.games.database, self._since)

    async def admit(self, request: HTTPConnection) -> None:
        """Let a request pass within the limit of its account or address; ApiError 401, 403, 429."""
        await self._access.admit_prediction(request)

    def start(self) -> None:
        """Look for models once, and carry on what waits."""
        self.families.poll()
        if self._database is not None:
            self._loops.start(self.games.writer.run)
        if self._database is not None and self._redis_url:
            from esports_assets.streams.connect import connect
            from serving.games_events import Teller

            self._redis = connect(self._redis_url)
            self._teller = Teller(self._database, self._redis, self._retention_h)
            self._loops.start(self._teller.run)
        if self._capture is not None:
            self._loops.start(self._capture.run)

    def stop(self) -> None:
        """Write what waits, end the loops and close what is open."""
        self._loops.stop()
        if self._database is not None:
            self._database.close()
        if self._redis is not None:
            self._redis.close()

    def policies(self) -> list[dict[str, Any]]:
        """Every policy, who plays for it, and why not another."""
        return [self._described(policy) for policy in POLICIES.values()]

    def degraded(self) -> list[str]:
        """What does not work now, a sentence each."""
        found = [self.families.away, self.games.writer.away]
        if isinstance(self._shelf.store, CachedStore):
            found.append(self._shelf.store.away)
        found += [part.away for part in (self._spare, self._teller, self._capture) if part is not None]
        if self._capture is not None and self._capture.dropped:
            found.append(f"{self._capture.dropped} captured rounds were dropped for want of room.")
        kept = self.games.writer.kept
        if self.games.writer.away is not None:
            found.append(f"{kept} moves of games are kept in memory until the database is back.")
        return [sentence for sentence in found if sentence is not None]

    def _begun(self, setup: Setup) -> None:
        self._metrics.started(setup)

    def _played(self, turn: Turn) -> None:
        self._metrics.played(turn)
        if self._capture is not None:
            self._capture.take(turn)

    def _described(self, policy: Policy) -> dict[str, Any]:
        if policy.registered is None:
            return answers.described(policy, {}, [])
        models = self.families.models(policy.registered)
        refusals = [refusal.reason for refusal in self.families.refusals() if refusal.task == policy.registered]
        faults = {alias: unfit(model) for alias, model in models.items()}
        versions = {alias: model.contract.version for alias, model in models.items() if faults[alias] is None}
        return answers.described(policy, versions, [*refusals, *(fault for fault in faults.values() if fault)])
