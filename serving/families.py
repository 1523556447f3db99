"""Every family of a task under its aliases: for games, where each policy has a family of its own and no champion decides.

Belongs here: following the aliases of registered models, and what of them does not serve.
Does not belong here: loading (``bundles.Shelf``), champions (``bundles.Watcher``), who plays (``games_assignment.py``).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from esports_assets.promotion.mirror import alias_key
from serving.bundles import Refusal, Shelf
from serving.metrics import Metrics
from serving.served import ServedModel

_log = logging.getLogger("serving")
_NONE: Mapping[str, ServedModel] = MappingProxyType({})


class FamilyWatcher:
    """Follows the aliases of registered models. ``poll`` blocks and belongs in a thread; the rest is safe anywhere."""

    def __init__(self, shelf: Shelf, registered: Sequence[str], metrics: Metrics) -> None:
        self._shelf = shelf
        self.registered = tuple(registered)
        self._metrics = metrics
        self._current: dict[str, Mapping[str, ServedModel]] = {}
        self._refusals: dict[str, tuple[Refusal, ...]] = {}
        self.away: str | None = None
        """Why the markers could not be followed at the latest look, in a sentence."""

    def models(self, registered: str) -> Mapping[str, ServedModel]:
        """The models of a registered name by alias, as they stand now; nothing where nothing is promoted."""
        return self._current.get(registered, _NONE)

    def refusals(self) -> tuple[Refusal, ...]:
        """What was refused at the latest look."""
        return tuple(refusal for refusals in self._refusals.values() for refusal in refusals)

    async def run(self, interval_s: float) -> None:
        """Follow the markers until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            await asyncio.to_thread(self.poll)

    def poll(self) -> None:
        """Look once at every family. A store that does not answer changes nothing and is reported; nobody else is asked then."""
        away = None
        for registered in self.registered:
            try:
                models, reasons = self._shelf.aliases(registered, self.models(registered))
            except Exception as error:  # noqa: BLE001 - logged and reported; the watch must outlive a failing store
                away = f"The object store does not answer ({type(error).__name__}); models that play go on playing."
                _log.log(
                    logging.DEBUG if self.away == away else logging.ERROR, "%s: %s", registered, away, exc_info=True
                )
                break
            self._report(registered, tuple(Refusal(registered, alias, reason) for alias, reason in reasons.items()))
            self._swap(registered, models)
        self.away = away

    def _report(self, registered: str, refused: tuple[Refusal, ...]) -> None:
        for refusal in set(refused) - set(self._refusals.get(registered, ())):
            _log.warning("%s: %s", registered, refusal.reason)
            self._metrics.refused(registered.rpartition(".")[0])
        self._refusals[registered] = refused

    def _swap(self, registered: str, after: Mapping[str, ServedModel]) -> None:
        before, task = self.models(registered), registered.rpartition(".")[0]
        self._current[registered] = MappingProxyType(dict(after))
        for alias, model in before.items():
            if after.get(alias) is not model:
                self._metrics.out_of_service(task, alias, registered, model.contract.version)
        for alias, model in after.items():
            if before.get(alias) is not model:
                self._metrics.in_service(task, alias, registered, model.contract.version)
                _log.info("%s: v%s plays (%s)", registered, model.contract.version, alias_key(registered, alias))
