"""The live worker: from the shards of the log to signals, reviews and micro-actions, with nothing lost and nothing twice.

Belongs here: which shards this worker holds, the loop over them, what is done when Redis or a lease is gone, the models that
serve, and the command.
Does not belong here: what a shard does (``live_shard.py``).

Any number of workers may run: they share the shards, and what one that died was given goes to the others.
"""

import contextlib
import gc
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError

from esports_assets.models.bundle import load_bundle
from esports_assets.signals.momentum_agent import MomentumAgent
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.streams.announce import Announcer
from esports_assets.streams.commit import Committer
from esports_assets.streams.connect import connect
from esports_assets.streams.errors import LostLease, ReplayError
from esports_assets.streams.groups import ConsumerGroup, news
from esports_assets.streams.leases import TTL_S, Holdings, Lease, ShardLeases
from esports_assets.streams.names import shard_stream
from esports_assets.streams.replay import Playable, from_lake
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.sites import sites_from_json
from esports_assets.windows.view import Sites
from serving.bundles import Watcher
from serving.database import Database
from serving.derivation import derivation_of, window_fingerprint
from serving.errors import ApiError
from serving.live_intents import Intents
from serving.live_metrics import LiveMetrics
from serving.live_momentum import Momentum
from serving.live_settings import LiveSettings
from serving.live_shard import CRASHES, Parts, Shard
from serving.live_sinks import Sinks
from serving.live_states import States
from serving.metrics import Metrics
from serving.release import Releases
from serving.reviews import Reviews
from serving.served import ServedModel
from serving.settings import read

GROUP = "live"
INTENT, ROUND_WIN = "cs2.intent", "cs2.round_win"
_PRODUCTION = "Production"
_HEARTBEATS = 4
"""Heartbeats within the life of a lease."""
_TICK_MS = 100
"""How long one wait for entries lasts at most: ends of matches, retries and heartbeats are looked at in between."""
_REDIS_AWAY_S, _LONGEST_AWAY_S = 0.1, 2.0
_TIDY_MS = 600_000
_GC = (100_000, 20, 20)
_WRITERS = 4
"""Batches of so many shards may be on their way at once: the database waits more than it works."""
_log = logging.getLogger("serving.live")


class Models:
    """The promoted models, followed in a thread of their own."""

    def __init__(self, settings: LiveSettings) -> None:
        self._poll_s = settings.poll_interval_s
        self._watcher = Watcher(
            ObjectStore(settings.bundles),
            (INTENT, ROUND_WIN),
            load=load_bundle,
            fingerprint_of=window_fingerprint,
            derivation_of=derivation_of,
            metrics=Metrics(),
            announce=lambda task, model: None,
            retry_s=settings.retry_refused_s,
        )

    def start(self, stop: threading.Event) -> None:
        """Look once, then follow until stopped."""
        self._watcher.poll()
        for task in (INTENT, ROUND_WIN):
            model = self.model(task)
            known = None if model is None else f"{model.contract.registered_name} v{model.contract.version}"
            _log.info("%s: %s", task, known or "no model is promoted")
        threading.Thread(target=self._follow, args=(stop,), name="models", daemon=True).start()

    def model(self, task: str) -> ServedModel | None:
        """The model in Production now."""
        return self._watcher.model(task, _PRODUCTION)

    def sites(self, map_name: str) -> Sites:
        """Bomb sites as the promoted models saw them; unknown without a model."""
        for task in (INTENT, ROUND_WIN):
            model = self.model(task)
            if model is not None and map_name in model.contract.sites:
                return sites_from_json(model.contract.sites, map_name)
        return Sites()

    def _follow(self, stop: threading.Event) -> None:
        while not stop.wait(self._poll_s):
            self._watcher.poll()


class Worker:
    """One worker. ``run`` returns when ``stop`` is set, with everything given back."""

    def __init__(self, client: Redis, parts: Parts, *, name: str, group: str = GROUP, ttl_s: float = TTL_S) -> None:
        self._client, self._parts, self._group, self._name = client, parts, group, name
        self._leases = ShardLeases(client, group, name, ttl_s=ttl_s)
        self._every_s = ttl_s / _HEARTBEATS
        self._shards: dict[int, Shard] = {}
        self._beat_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until stopped. While Redis is away, nothing is held and it is asked again."""
        away_s = _REDIS_AWAY_S
        while not stop.is_set():
            try:
                self._turn()
                away_s = _REDIS_AWAY_S
            except RedisError as error:
                _log.warning("Redis does not answer, everything begins again from the checkpoints: %s", error)
                self._let_go()
                self._beat_at = 0.0
                stop.wait(away_s)
                away_s = min(2 * away_s, _LONGEST_AWAY_S)
        self._let_go()
        with contextlib.suppress(RedisError):
            self._leases.leave()

    def _turn(self) -> None:
        """One look at every shard."""
        if self._parts.monotonic() >= self._beat_at:
            self._heartbeat()
        told = news([shard.group for shard in self._shards.values() if shard.awaits_news])
        done = 0
        for number, shard in list(self._shards.items()):
            try:
                done += shard.step(shard.group.stream in told, calm=not told)
            except LostLease as error:
                _log.warning("%s", error)
                self._shards.pop(number, None)
            if self._parts.monotonic() >= self._beat_at:
                self._heartbeat()
        if not done:
            self._wait()

    def _let_go(self) -> None:
        """Hold nothing any more, once what is being written has ended in one way or the other."""
        writing = [future for shard in self._shards.values() if (future := shard.writing) is not None]
        wait_for(writing)
        self._shards.clear()

    def _wait(self) -> None:
        """Wait for entries, or for what is being written."""
        writing = [future for shard in self._shards.values() if (future := shard.writing) is not None]
        if writing:
            wait_for(writing, _TICK_MS / 1000, FIRST_COMPLETED)
            return
        free = [shard.group for shard in self._shards.values() if shard.awaits_news]
        if free:
            news(free, _TICK_MS)
        else:
            time.sleep(_TICK_MS / 1000)

    def _heartbeat(self) -> None:
        holdings = self._leases.heartbeat()
        self._beat_at = self._parts.monotonic() + self._every_s
        for number in holdings.lost:
            self._shards.pop(number, None)
        for number, lease in holdings.held.items():
            if number not in self._shards or self._shards[number].lease != lease:
                self._shards[number] = self._opened(lease)
        for number in holdings.surplus:
            self._give_back(holdings, number)
        self._parts.metrics.holding(len(self._shards), sum(shard.matches for shard in self._shards.values()))

    def _opened(self, lease: Lease) -> Shard:
        stream = shard_stream(lease.shard)
        group = ConsumerGroup(self._client, stream, self._group, self._name, max_deliveries=CRASHES)
        shard = Shard(lease, group, self._parts)
        group.tidy(_TIDY_MS)
        return shard

    def _give_back(self, holdings: Holdings, number: int) -> None:
        """Nothing of a shard is in hand between two steps; work that waits is done again by who comes next."""
        self._shards.pop(number, None)
        self._leases.release(holdings.held[number])


def worker_of(
    settings: LiveSettings,
    models: Models,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Worker, LiveMetrics]:
    """A worker with everything that it needs, from settings."""
    redis, metrics = connect(settings.redis_url), LiveMetrics(GROUP)
    database, lake = Database(settings.database_url), Lake(settings.lake)
    intents = Intents(lambda: models.model(INTENT))
    window = MicroWindow(window_s=settings.window_s)

    def states() -> States:
        return States(
            intents,
            lambda: Momentum(MomentumAgent(lambda: models.model(ROUND_WIN), models.sites, settings.lateness_s)),
            lambda: OnlineMicro(models.sites, window, settings.lateness_s),
            lambda provisional: metrics.announced(sinks.announce(provisional)),
            time.monotonic,
        )

    sinks = Sinks(
        Committer(redis, GROUP, retention_h=settings.stream_retention_h),
        Releases(redis, settings.policy),
        database,
        Reviews(database),
        Announcer(redis, retention_h=settings.stream_retention_h),
    )
    parts = Parts(
        *(states, settings.rule, sinks, metrics, lambda match_id: _of_lake(lake, match_id)),
        *(ThreadPoolExecutor(_WRITERS, "writer"), time.monotonic, now),
    )
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    return Worker(redis, parts, name=name, ttl_s=settings.lease_s), metrics


def _of_lake(lake: Any, match_id: str) -> Playable | None:
    try:
        return from_lake(lake, match_id)
    except ReplayError:
        return None
    except OSError as error:
        raise ApiError(503, "no_lake", f"The lake does not answer: {error}") from error


def main() -> None:
    """Work until SIGTERM or Ctrl-C, with the settings of the environment."""
    import signal

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings, stop = read(LiveSettings), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    models = Models(settings)
    models.start(stop)
    worker, metrics = worker_of(settings, models)
    if settings.live_metrics_port:
        from prometheus_client import start_http_server

        start_http_server(settings.live_metrics_port, settings.api_host, metrics.registry)
    _collect_rarely()
    _log.info("the worker is ready")
    worker.run(stop)


def _collect_rarely() -> None:
    """Batches make many objects that hold no cycles: the collector would look through them in vain, for a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC)


if __name__ == "__main__":
    main()
