"""Nothing lost and nothing twice: workers that are killed, a Redis that restarts, a PostgreSQL that is away."""

import multiprocessing
import random
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg2
import pytest
from live.live_world import Left, idle, left, playables, settings_of, until, work, working
from msgspec.structs import replace
from redis import ConnectionPool, Redis, RedisError
from tiny_intent import promote_intent

from esports_assets.settings import Settings
from esports_assets.stages.stream_landing import Position, land
from esports_assets.storage import database, embedded, postgres, valkey
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.server import Server
from esports_assets.streams.connect import connect
from esports_assets.streams.entries import entry_of
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, lease_key
from esports_assets.streams.replay import envelopes_of
from serving.live import GROUP

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["live.live_world"])
KILLS, MATCHES, ROUNDS = 50, 5, 6
SEED = 20261125
AWAY_S = 30.0
_WORKS_S = (0.0, 0.5)
_PLAYS_S = 150.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    promote_intent(ObjectStore(tmp_path / "bundles"))
    return tmp_path


@pytest.fixture(scope="module")
def sources(request: pytest.FixtureRequest, simulated: list[Path]) -> list[Path]:
    """Real matches; simulated ones where no real one is at hand."""
    try:
        folder: Path = request.getfixturevalue("real_data")
    except pytest.skip.Exception:
        return simulated
    return sorted((folder / "cs2_demos" / "amateur").iterdir())[:MATCHES]


def _stamped(sources: list[Path]) -> list[Envelope]:
    """The matches side by side, by time since the beginning of each, all with the offset of one replay."""
    lines = [list(envelopes_of(playable)) for playable in playables(sources, ROUNDS)]
    timed = [
        (envelope.event.timestamp - line[0].event.timestamp, n, envelope)
        for n, line in enumerate(lines)
        for envelope in line
    ]
    timed.sort(key=lambda entry: entry[:2])
    return [replace(envelope, live_offset_s=1_000.0) for _, _, envelope in timed]


def _play(log: EventLog, envelopes: list[Envelope], seconds: float, hurry: threading.Event) -> None:
    """Append everything, spread over so many seconds; a log that is away is asked again."""
    started, size = time.monotonic(), 50
    for begin in range(0, len(envelopes), size):
        hurry.wait(max(0.0, started + seconds * begin / len(envelopes) - time.monotonic()))
        while True:
            try:
                log.append(envelopes[begin : begin + size])
                break
            except RedisError:
                time.sleep(0.1)


@contextmanager
def _playing(url: str, envelopes: list[Envelope], seconds: float) -> Iterator[threading.Event]:
    """A producer beside; leaving the block lets it finish at full speed."""
    hurry, client = threading.Event(), connect(url)
    thread = threading.Thread(target=_play, args=(EventLog(client), envelopes, seconds, hurry))
    thread.start()
    try:
        yield hurry
    finally:
        hurry.set()
        thread.join()
        client.close()


def _worker(home: Path, database_url: str, url: str) -> BaseProcess:
    """A worker process, forked from one that has imported everything: it works within a few hundredths of a second."""
    process = _FORKS.Process(target=work, args=(str(home), database_url, url))
    process.start()
    return process


def _at_work(client: Redis, workers: list[BaseProcess]) -> list[BaseProcess]:
    """Workers that hold the shard of a match in progress."""
    now_ms = time.time() * 1000
    busy = [key.decode().rsplit(":", 1)[1] for key in client.scan_iter(f"esports:checkpoint:{GROUP}:*")]
    leases = [client.hmget(lease_key(GROUP, int(shard)), "holder", "until") for shard in busy]
    pids = {int(holder.split(b"-")[-2]) for holder, until_ms in leases if holder and float(until_ms) > now_ms}
    return [worker for worker in workers if worker.pid in pids]


def _landed(client: Redis, folder: Path) -> dict[str, bytes]:
    """The lake that comes of a log: every object by its key."""
    lake, position = Lake(str(folder)), Position()
    while True:
        step = land(EventLog(client), lake, position)
        position = step.position
        if not step.read and not step.landed:
            return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _undisturbed(client: Redis, url: str, home: Path, database_url: str) -> tuple[Left, dict[str, bytes]]:
    """What one worker leaves that nobody disturbs, of the same entries in a log of its own, and the lake that comes of it."""
    number = ConnectionPool.from_url(url).connection_kwargs["db"] + 1
    other_url = f"{url.rsplit('/', 1)[0]}/{number}"
    other = connect(other_url)
    other.flushdb()
    log = EventLog(other)
    entries = [entry_of(CANONICAL, (i, [b"data", fields[b"data"]])) for i, fields in client.xrange(CANONICAL)]
    for begin in range(0, len(entries), 500):
        log.append([entry.envelope() for entry in entries[begin : begin + 500]])
    with working(settings_of(home, database_url, other_url)):
        until(lambda: idle(other), 120)
    found = left(other, database_url), _landed(other, home / "undisturbed")
    other.flushdb()
    other.close()
    return found


def _same(found: Left, expected: Left) -> None:
    """Equal in everything of record; provisional statements at most once each."""
    assert len(expected.signals) > 100
    for name in ("signals", "motion", "winprob", "reviews", "actions", "late", "waiting", "dead"):
        assert getattr(found, name) == getattr(expected, name), name
    early = [signal["signal_id"] for signal in found.provisional]
    assert len(set(early)) == len(early)


@pytest.fixture
def second_database(database_url: str) -> Iterator[str]:
    """Another migrated database."""
    name, server = f"test_{uuid.uuid4().hex[:12]}", psycopg2.connect(database_url)
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name}")
    url = database_url.replace("/postgres?", f"/{name}?", 1)
    engine = database.connect(url)
    database.migrate(engine)
    engine.dispose()
    yield url
    server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def test_workers_killed_at_fifty_moments_leave_what_an_undisturbed_one_leaves(
    home: Path, live_database: str, second_database: str, live_url: str, log_client: Redis, sources: list[Path]
) -> None:
    envelopes, dice = _stamped(sources), random.Random(SEED)
    workers = [_worker(home, live_database, live_url) for _ in range(3)]
    try:
        with _playing(live_url, envelopes, _PLAYS_S) as hurry:
            for _ in range(KILLS):
                until(lambda: _at_work(log_client, workers) != [])
                time.sleep(dice.uniform(*_WORKS_S))
                doomed = dice.choice(_at_work(log_client, workers) or workers)
                doomed.kill()
                doomed.join()
                assert doomed.exitcode == -signal.SIGKILL, "it had ended before"
                workers.remove(doomed)
                workers.append(_worker(home, live_database, live_url))
            assert not hurry.is_set()
        until(lambda: idle(log_client), 120)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
    expected, lake = _undisturbed(log_client, live_url, home, second_database)
    _same(left(log_client, live_database), expected)
    assert len(lake) > len({envelope.event.match_id for envelope in envelopes})
    assert _landed(log_client, home / "disturbed") == lake


def _restart_valkey(home: Path, known: Server) -> None:
    data = home / "valkey"
    assert valkey.stop(data, known)
    time.sleep(0.5)
    assert valkey.ensure(data).url == known.url


def _away_postgres(home: Path, url: str, seconds: float) -> None:
    data = home / "postgres"
    assert postgres.stop(data)
    time.sleep(seconds)
    assert postgres.ensure(data).url == url


@pytest.fixture
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Valkey and a PostgreSQL of this test alone."""
    wanted = Settings.from_env({"ESPORTS_HOME": str(tmp_path_factory.mktemp("own") / "home")})
    try:
        settings = embedded.up(wanted)
        assert settings.database_url is not None
        engine = database.connect(settings.database_url)
        database.migrate(engine)
        engine.dispose()
        yield settings
    finally:
        embedded.down(wanted)


def test_a_redis_that_restarts_and_a_postgres_that_is_away_lose_nothing(
    home: Path, own_servers: Settings, second_database: str, live_url: str, log_client: Redis, sources: list[Path]
) -> None:
    assert own_servers.redis_url is not None
    assert own_servers.database_url is not None
    envelopes = _stamped(sources)
    worker = _worker(home, own_servers.database_url, own_servers.redis_url)
    client = connect(own_servers.redis_url)
    valkey_pid = next(entry.pid for entry in embedded.status(own_servers) if entry.name == "valkey")
    assert valkey_pid is not None
    try:
        with _playing(own_servers.redis_url, envelopes, 30.0):
            until(lambda: client.xlen("agent.signals") > 20, 60)
            _restart_valkey(own_servers.home, Server(valkey_pid, own_servers.redis_url))
            before = client.xlen("agent.signals")
            until(lambda: client.xlen("agent.signals") > before + 20, 60)
            _away_postgres(own_servers.home, own_servers.database_url, AWAY_S)
        until(lambda: idle(client), 120)
        assert worker.is_alive()
    finally:
        worker.terminate()
        worker.join()
    expected, lake = _undisturbed(client, own_servers.redis_url, home, second_database)
    _same(left(client, own_servers.database_url), expected)
    assert _landed(client, home / "disturbed") == lake
    client.close()
