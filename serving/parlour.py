"""Games of one service, put together from its settings, with the loops that carry them on.

Belongs here: which parts exist with which settings, start and stop, and what of them does not work now.
Does not belong here: what a part does.
"""

from typing import Any

from starlette.requests import HTTPConnection

from serving import games_answers as answers
from serving.bundles import Shelf
from serving.database import Database
from serving.desk import Desk
from serving.families import FamilyWatcher
from serving.games import Games
from serving.games_assignment import unfit
from serving.games_figures import Figures
from serving.games_policies import POLICIES, REGISTERED, Policy
from serving.loops import Loops
from serving.metrics import Metrics
from serving.settings import Settings


class Parlour:
    """One app's games."""

    def __init__(self, settings: Settings, shelf: Shelf, metrics: Metrics, desk: Desk) -> None:
        self._access = desk.access
        self._since = settings.metrics_since_date
        self._database = Database(settings.database_url, size=4) if settings.database_url else None
        self.families = FamilyWatcher(shelf, REGISTERED, metrics)
        self.games = Games(settings, self.families, self._database)
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

    def stop(self) -> None:
        """Write what waits, end the loops and close what is open."""
        self._loops.stop()
        if self._database is not None:
            self._database.close()

    def policies(self) -> list[dict[str, Any]]:
        """Every policy, who plays for it, and why not another."""
        return [self._described(policy) for policy in POLICIES.values()]

    def degraded(self) -> list[str]:
        """What does not work now, a sentence each."""
        found = [self.families.away, self.games.writer.away]
        kept = self.games.writer.kept
        if self.games.writer.away is not None:
            found.append(f"{kept} moves of games are kept in memory until the database is back.")
        return [sentence for sentence in found if sentence is not None]

    def _described(self, policy: Policy) -> dict[str, Any]:
        if policy.registered is None:
            return answers.described(policy, {}, [])
        models = self.families.models(policy.registered)
        refusals = [refusal.reason for refusal in self.families.refusals() if refusal.task == policy.registered]
        faults = {alias: unfit(model) for alias, model in models.items()}
        versions = {alias: model.contract.version for alias, model in models.items() if faults[alias] is None}
        return answers.described(policy, versions, [*refusals, *(fault for fault in faults.values() if fault)])
