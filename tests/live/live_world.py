"""A small world for the worker: matches of a few rounds, a log of its own, and what a worker left behind."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from redis import Redis

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.streams.names import MOTION, PROVISIONAL, SIGNALS, WIN_PROBABILITY
from esports_assets.streams.replay import Playable, from_file
from serving.gate import Audience
from serving.live import GROUP, Models, worker_of
from serving.live_settings import LiveSettings
from serving.release import _lists

VOLATILE = ("generated_at",)
"""What differs from run to run by its nature."""


def short(match: CanonicalMatch, rounds: int) -> CanonicalMatch:
    """The first rounds of a match, and its end."""
    events = match.events
    kept = pc.or_(pc.less_equal(events["segment"], rounds), pc.equal(events["event_type"].cast("string"), "MAP_END"))
    events = events.filter(kept)
    seq = events.schema.get_field_index("seq")
    events = events.set_column(seq, events.schema.field("seq"), pa.array(range(events.num_rows), events["seq"].type))
    return replace(
        match,
        events=events,
        tracking=match.tracking.filter(pc.less_equal(match.tracking["segment"], rounds)),
        rounds=match.rounds.filter(pc.less_equal(match.rounds["segment"], rounds)),
    )


def playables(files: list[Path], rounds: int | None = None) -> list[Playable]:
    """The matches of source files, shortened."""
    found = [playable for path in files for playable in from_file(path)]
    if rounds is None:
        return found
    return [Playable(short(playable.match, rounds)) for playable in found]


def settings_of(home: Path, database_url: str, redis_url: str, **more: Any) -> LiveSettings:
    """Settings of a worker that sees only this world."""
    return LiveSettings(
        esports_home=str(home),
        database_url=database_url,
        redis_url=redis_url,
        bundles_url=str(home / "bundles"),
        lake_url=str(home / "lake"),
        lease_s=1.0,
        dagster_url="",
        **more,
    )


@contextmanager
def working(settings: LiveSettings, **options: Any) -> Iterator[Callable[[str], float]]:
    """A worker in a thread; gives a reader of its metrics."""
    stop = threading.Event()
    models = Models(settings)
    models.start(stop)
    worker, metrics = worker_of(settings, models, **options)
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield lambda name: metrics.registry.get_sample_value(name) or 0.0
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def work(home: str, database_url: str, redis_url: str) -> None:
    """A worker in a process of its own, until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = settings_of(Path(home), database_url, redis_url)
    models = Models(settings)
    models.start(stop)
    worker_of(settings, models)[0].run(stop)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition; AssertionError where it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def idle(client: Redis) -> bool:
    """Whether every entry was handled and every match has left."""
    for key in client.scan_iter("events:canonical:*"):
        for group in client.xinfo_groups(key):
            if group["pending"] or group["lag"]:
                return False
        if client.exists(f"esports:checkpoint:{GROUP}:{key.decode().rsplit(':', 1)[1]}"):
            return False
        if not client.xinfo_groups(key) and client.xlen(key):
            return False
    return True


@dataclass(frozen=True)
class Left:
    """What a worker left behind, without what differs by its nature."""

    signals: list[dict[str, Any]]
    motion: list[dict[str, Any]]
    winprob: list[dict[str, Any]]
    provisional: list[dict[str, Any]]
    reviews: list[tuple[Any, ...]]
    actions: list[tuple[Any, ...]]
    late: list[tuple[Any, ...]]
    waiting: dict[str, list[str]]
    dead: int


def left(client: Redis, database_url: str) -> Left:
    """Everything that the sinks hold, in an order that does not depend on when it came."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT review_id, kind, agent_name, reasons, subject, status FROM human_reviews ORDER BY 1")
        reviews = [(*row[:4], _plain(row[4]), row[5]) for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM human_review_audit WHERE event = 'review.created'")
        assert cursor.fetchone() == (len(reviews),)
        columns = "signal_id, match_id, map, segment, t_s, player, team, intent, confidence, features, probabilities"
        cursor.execute(f"SELECT {columns}, model_version, probability_source, event_ts FROM micro_actions ORDER BY 1")
        actions = cursor.fetchall()
        cursor.execute("SELECT event_id, match_id, event_ts, data, reason FROM late_events ORDER BY 1")
        late = cursor.fetchall()
    return Left(
        *(_entries(client, name) for name in (SIGNALS, MOTION, WIN_PROBABILITY, PROVISIONAL)),
        *(reviews, actions, late),
        {a.value: sorted(n.decode() for n in client.zrange(_lists(a)[0], 0, -1)) for a in Audience},
        client.xlen("events:dead"),
    )


def _entries(client: Redis, stream: str) -> list[dict[str, Any]]:
    found = [_plain(msgspec.json.decode(fields[b"data"])) for _, fields in client.xrange(stream)]
    return sorted(found, key=lambda entry: (entry.get("signal_id") or entry["event_id"], str(entry)))


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in VOLATILE}
