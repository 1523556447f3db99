"""Which models serve now: markers are followed, a new bundle is loaded beside the old one and takes its place.

Belongs here: reading markers, loading and warming off the event loop, the atomic swap, and what was refused and why.
Does not belong here: verification of a bundle (``models.bundle``), answering (``served.py``), HTTP.

Rules: a bundle that is refused never takes the place of one that serves. A withdrawn alias marker takes its model out
of service; a lost champion marker does not, because nobody withdraws a task that way. Another champion takes over only
when its own Production is loaded.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from types import MappingProxyType
from weakref import WeakValueDictionary

from esports_assets.models.bundle import BundleError, Objects
from esports_assets.promotion.mirror import ALIASES, MarkerError, alias_key, read_alias, read_champion
from serving.derivation import Derivation
from serving.metrics import Metrics
from serving.served import Predictor, ServedModel

FingerprintOf = Callable[[str], str]
DerivationOf = Callable[[str], Derivation]
Announce = Callable[[str, ServedModel], None]
Load = Callable[[Objects, str, str, FingerprintOf | None], Predictor]
PRODUCTION = "Production"
_log = logging.getLogger("serving")


@dataclass(frozen=True, slots=True)
class TaskModels:
    """The models that serve one task: those of its champion, by alias."""

    registered: str
    by_alias: Mapping[str, ServedModel] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that does not serve, in one sentence."""

    task: str
    alias: str | None
    reason: str


class Shelf:
    """Models of one store, loaded when an alias asks for them; one that was refused is left alone for ``retry_s`` seconds.

    A version that is in use anywhere is loaded once. One thread at a time looks.
    """

    def __init__(
        self, store: Objects, *, load: Load, fingerprint_of: FingerprintOf, derivation_of: DerivationOf, retry_s: float
    ) -> None:
        self.store = store
        self._load = load
        self._fingerprint_of = fingerprint_of
        self._derivation_of = derivation_of
        self._retry_s = retry_s
        self._failed: dict[tuple[str, str], tuple[float, str]] = {}
        self._loaded: WeakValueDictionary[tuple[str, str], Predictor] = WeakValueDictionary()
        self._turn = Lock()

    def aliases(
        self, registered: str, serving: Mapping[str, ServedModel]
    ) -> tuple[dict[str, ServedModel], dict[str, str]]:
        """What the markers of a registered model ask for, by alias, and why what was refused was: the model that serves
        under such an alias stays.
        """
        models: dict[str, ServedModel] = {}
        refused: dict[str, str] = {}
        with self._turn:
            for alias in ALIASES:
                try:
                    model = self._wanted(registered, alias, serving, models)
                except (BundleError, MarkerError) as error:
                    refused[alias] = str(error)
                    model = serving.get(alias)
                if model is not None:
                    models[alias] = model
        return models, refused

    def _wanted(
        self, registered: str, alias: str, serving: Mapping[str, ServedModel], fresh: Mapping[str, ServedModel]
    ) -> ServedModel | None:
        """The model that the alias's marker asks for: the one that serves, one that is loaded anyway, or a new one."""
        version = read_alias(self.store, registered, alias)
        if version is None:
            return None
        now = serving.get(alias)
        if now is not None and now.contract.version == version:
            return now
        for other in (*fresh.values(), *serving.values()):
            if other.contract.version == version:
                return other.under(alias)
        model = self._model(registered, version)
        return ServedModel(model, alias, self._derivation_of(model.contract.window))

    def _model(self, registered: str, version: str) -> Predictor:
        key = (registered, version)
        loaded = self._loaded.get(key)
        if loaded is not None:
            return loaded
        failed = self._failed.get(key)
        if failed is not None and monotonic() < failed[0]:
            raise BundleError(failed[1])
        try:
            model = self._load(self.store, registered, version, self._fingerprint_of)
        except BundleError as error:
            self._failed[key] = (monotonic() + self._retry_s, str(error))
            raise
        self._failed.pop(key, None)
        self._loaded[key] = model
        return model


class Watcher:
    """Follows the markers of some tasks. ``poll`` blocks and belongs in a thread; ``current`` is safe anywhere."""

    def __init__(
        self,
        store: Objects,
        tasks: Sequence[str],
        *,
        load: Load,
        fingerprint_of: FingerprintOf,
        derivation_of: DerivationOf,
        metrics: Metrics,
        announce: Announce,
        retry_s: float,
    ) -> None:
        self.shelf = Shelf(
            store, load=load, fingerprint_of=fingerprint_of, derivation_of=derivation_of, retry_s=retry_s
        )
        self.tasks = tuple(tasks)
        self._metrics = metrics
        self._announce = announce
        self._current: dict[str, TaskModels] = {}
        self._refusals: dict[str, tuple[Refusal, ...]] = {}

    def current(self, task: str) -> TaskModels | None:
        """The models that serve a task now."""
        return self._current.get(task)

    def model(self, task: str, alias: str) -> ServedModel | None:
        """The model that answers for a task under an alias now."""
        models = self._current.get(task)
        return None if models is None else models.by_alias.get(alias)

    def refusals(self, task: str) -> tuple[Refusal, ...]:
        """What was refused at the latest look."""
        return self._refusals.get(task, ())

    async def run(self, interval_s: float) -> None:
        """Follow the markers until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            await asyncio.to_thread(self.poll)

    def poll(self) -> None:
        """Look once at every task. A store that does not answer changes nothing and is reported."""
        for task in self.tasks:
            try:
                refused = tuple(self._follow(task))
            except Exception as error:  # noqa: BLE001 - logged and reported; the watch must outlive a failing store
                reason = f"The object store does not answer ({type(error).__name__}); what serves goes on serving."
                refused = (Refusal(task, None, reason),)
                level = logging.DEBUG if self._refusals.get(task) == refused else logging.ERROR
                _log.log(level, "task %s: the markers could not be followed", task, exc_info=True)
            self._report(task, refused)

    def _report(self, task: str, refused: tuple[Refusal, ...]) -> None:
        for refusal in set(refused) - set(self._refusals.get(task, ())):
            _log.warning("task %s: %s", task, refusal.reason)
            self._metrics.refused(task)
        self._refusals[task] = refused

    def _follow(self, task: str) -> list[Refusal]:
        before = self._current.get(task)
        try:
            champion = read_champion(self.shelf.store, task)
        except MarkerError as error:
            return [Refusal(task, None, str(error))]
        if champion is None:
            return [
                Refusal(task, None, f"No model is promoted for {task}: its champion marker is not in the object store.")
            ]
        serving = before.by_alias if before is not None and before.registered == champion else {}
        models, reasons = self.shelf.aliases(champion, serving)
        refused = [Refusal(task, alias, reason) for alias, reason in reasons.items()]
        if PRODUCTION not in models and PRODUCTION not in reasons:
            refused.append(Refusal(task, PRODUCTION, f"{champion} has no version under {PRODUCTION}."))
        if before is not None and before.registered != champion and PRODUCTION not in models:
            return refused
        self._swap(task, before, TaskModels(champion, MappingProxyType(models)))
        return refused

    def _swap(self, task: str, before: TaskModels | None, after: TaskModels) -> None:
        old = {} if before is None else before.by_alias
        gone = [model for alias, model in old.items() if after.by_alias.get(alias) is not model]
        come = [model for alias, model in after.by_alias.items() if old.get(alias) is not model]
        if not gone and not come and before is not None and before.registered == after.registered:
            return
        self._current[task] = after
        for model in gone:
            self._metrics.out_of_service(task, model.alias, model.contract.registered_name, model.contract.version)
        for model in come:
            self._metrics.in_service(task, model.alias, model.contract.registered_name, model.contract.version)
            self._announce(task, model)
            marker = alias_key(model.contract.registered_name, model.alias)
            _log.info("task %s: %s v%s serves (%s)", task, model.alias, model.contract.version, marker)
