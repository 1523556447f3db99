"""Games go on while a store is away, say so, and lose nothing; they are told as events, and sampled."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pyarrow.parquet as pq
import pytest
import redis
import tiny_rps as tiny
from fastapi.testclient import TestClient
from s3_server import BUCKET, S3Server, s3_server

from esports_assets.games.rps.events import game_of_events
from esports_assets.games.rps.moves import MOVES
from esports_assets.games.rps.record import broken_promises, played
from esports_assets.promotion import mirror
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from esports_assets.streams.collect import Collector
from esports_assets.streams.log import EventLog
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS
from serving import games_rows
from serving.app import create_app
from serving.settings import Settings


@pytest.fixture
def url(fresh_database_url: str) -> str:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    return fresh_database_url


@pytest.fixture
def bus(redis_url: str) -> Iterator[tuple[str, "redis.Redis"]]:
    own = redis_url.replace("/0", "/9")
    client = redis.Redis.from_url(own)
    client.flushdb()
    yield own, client
    client.flushdb()
    client.close()


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not so within {seconds:g} s"
        time.sleep(0.02)


def begin(client: TestClient, **more: Any) -> str:
    answer = client.post("/start_game", json={"player_name": "Ada", "policy": "forrest", **more})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["game_id"]
    return found


def move(client: TestClient, game_id: str, number: int = 0) -> dict[str, Any]:
    answer = client.post("/play", json={"game_id": game_id, "user_move": MOVES[number % 3].value})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def finish(client: TestClient, game_id: str) -> int:
    """Play to the end; how many rounds that took from here."""
    for number in range(20):
        if move(client, game_id, number)["finished"]:
            return number + 1
    raise AssertionError("no game lasts longer than twenty rounds")


def degraded(client: TestClient) -> list[str]:
    found: list[str] = client.get("/readyz").json()["degraded"]
    return found


class Door:
    """A directory through which a PostgreSQL socket is reached, or not."""

    def __init__(self, url: str, folder: Path) -> None:
        self._inner = url
        parts = urlsplit(url)
        (host,) = parse_qs(parts.query)["host"]
        self._sockets = sorted(Path(host).glob(".s.PGSQL.*[0-9]"))
        self._folder = folder
        self.url = url.replace(f"host={host}", f"host={folder}")
        self.open()

    def open(self) -> None:
        """Let connections through."""
        self._folder.mkdir(exist_ok=True)
        for socket in self._sockets:
            (self._folder / socket.name).symlink_to(socket)

    def shut(self) -> None:
        """Refuse new connections and end those there are."""
        for socket in self._sockets:
            (self._folder / socket.name).unlink()
        with psycopg2.connect(self._inner) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.close()


def test_games_go_on_without_postgres_and_are_written_when_it_is_back(
    settings: Settings, store: ObjectStore, url: str, tmp_path: Path
) -> None:
    tiny.promote(store, {"Production": "1", "B": "2"})
    door = Door(url, tmp_path / "door")
    with TestClient(create_app(settings.model_copy(update={"database_url": door.url}))) as client:
        running = begin(client)
        assert move(client, running)["stored"]
        door.shut()
        assert not move(client, running, 1)["stored"]
        rounds = 2 + finish(client, running)
        late = begin(client)
        move(client, late)
        told = degraded(client)
        assert told[0] == "The database does not answer; the log of the service says why."
        assert told[1].endswith("moves of games are kept in memory until the database is back.")
        assert client.get("/leaderboard").status_code == 503
        assert client.post("/play", json={"game_id": "other", "user_move": "rock"}).status_code == 503
        door.open()
        until(lambda: not degraded(client))
        assert move(client, late, 1)["stored"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rps_rounds WHERE game_id = %s AND user_move IS NOT NULL", (running,))
        assert cursor.fetchone() == (rounds,)
        cursor.execute("SELECT result IS NOT NULL FROM promotion_games WHERE game_id = %s", (running,))
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT rounds FROM rps_games WHERE game_id = %s", (late,))
        assert cursor.fetchone() == (2,)
    connection.close()


def test_games_go_on_without_redis(settings: Settings, store: ObjectStore, url: str) -> None:
    tiny.promote(store, {"Production": "1"})
    away = {"database_url": url, "redis_url": "redis://127.0.0.1:1/0"}
    with TestClient(create_app(settings.model_copy(update=away))) as client:
        game_id = begin(client)
        answer = client.post("/play", json={"game_id": game_id, "user_move": "rock"})
        assert (answer.status_code, answer.headers["x-ratelimit-store"]) == (200, "process")
        until(lambda: len(degraded(client)) == 2)
        limits, log = degraded(client)
        assert limits == "Requests for games are counted by each process alone: Redis does not answer."
        assert log.startswith("The log of events does not answer (")


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with s3_server(tmp_path / "s3") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def test_models_play_on_without_the_object_store_and_start_from_this_machines_copy(
    settings: Settings, s3: S3Server, url: str
) -> None:
    store = ObjectStore(f"s3://{BUCKET}/games/bundles")
    tiny.promote(store, {"Production": "1", "B": "2"})
    there = settings.model_copy(update={"database_url": url, "bundles_url": store.url})
    with TestClient(create_app(there)) as client:
        game_id = begin(client)
        s3.process.terminate()
        s3.process.wait(10)
        until(lambda: any("object store does not answer" in sentence for sentence in degraded(client)), 60)
        told = [move(client, game_id, number) for number in range(4)]
        assert told[-1]["model_info"]["probability_source"] == "model"
    with TestClient(create_app(there)) as client:
        assert client.post("/start_game", json={"policy": "forrest"}).json()["model_info"]["model_version"] in (
            "1",
            "2",
        )
        assert "The object store does not answer; models start as they last stood on this machine." in degraded(client)


def test_a_promotion_reaches_new_games_within_a_second_and_running_games_keep_their_version(
    settings: Settings, store: ObjectStore
) -> None:
    tiny.promote(store, {"Production": "1"})
    with TestClient(create_app(settings.model_copy(update={"poll_interval_s": 0.25}))) as client:
        running = begin(client)
        tiny.promote(store, {"B": "2"})
        mirror.write_alias(store, tiny.XGBOOST, "Production", "2")
        mirror.clear_alias(store, tiny.XGBOOST, "B")

        def version() -> str:
            found: str = client.post("/start_game", json={"policy": "forrest"}).json()["model_info"]["model_version"]
            return found

        until(lambda: version() == "2", 1.0)
        told = [move(client, running, number) for number in range(4)][-1]
        assert (told["model_info"]["model_version"], told["model_info"]["probability_source"]) == ("1", "model")


def test_finished_games_are_in_the_log_as_they_were_played(
    settings: Settings, store: ObjectStore, url: str, bus: tuple[str, "redis.Redis"]
) -> None:
    tiny.promote(store, {"Production": "1"})
    own, log = bus[0], EventLog(bus[1])
    with TestClient(create_app(settings.model_copy(update={"database_url": url, "redis_url": own}))) as client:
        game_id = begin(client)
        rounds = finish(client, game_id)
        until(lambda: len(log.read_after()) == 2 + 4 * rounds)
        time.sleep(0.1)
    envelopes = [entry.envelope() for entry in log.read_after()]
    assert [envelope.event.seq for envelope in envelopes] == list(range(2 + 4 * rounds))
    collector = Collector(envelopes[0].event.match_id)
    for envelope in envelopes:
        collector.add(envelope)
    assert collector.missing() is None
    match = collector.collected().match
    assert (match.header.simulated, match.events.num_rows, match.players.num_rows) == (False, 2 + 4 * rounds, 2)
    game = game_of_events(envelope.event for envelope in envelopes)
    assert (game.setup.game_id, game.setup.player, len(played(game))) == (game_id, "Ada", rounds)
    assert game.secret is not None
    assert broken_promises(game) == []


def test_a_sample_holds_what_was_asked_and_answered(settings: Settings, store: ObjectStore, url: str) -> None:
    tiny.promote(store, {"Production": "1", "B": "2"})
    sampled = {"database_url": url, "rps_capture_sample_rate": 1.0}
    with TestClient(create_app(settings.model_copy(update=sampled))) as client:
        game_id = begin(client)
        told = [move(client, game_id, number) for number in range(6)]
    lake = ObjectStore(settings.lake)
    (key,) = lake.list("capture/rps/next_move")
    rows = pq.read_table(io.BytesIO(lake.get(key))).to_pylist()
    assert [(row["step"], row["alias"], row["version"]) for row in rows] == [
        (step, alias, version) for step in (4, 5, 6) for alias, version in (("Production", 1), ("B", 2))
    ]
    for row in rows:
        answer = told[row["step"] - 1]
        (said,) = (one for one in answer["debug"]["predictions"] if one["alias"] == row["alias"])
        assert row["features"] == answer["debug"]["features"]
        assert row["probabilities"] == list(said["probabilities"].values())
        assert (row["outcome"], row["window_fingerprint"]) == (answer["user_move"], NEXT_MOVE.fingerprint)


def test_rows_of_games_have_the_columns_of_the_declared_windows() -> None:
    for window in (NEXT_MOVE, NEXT_MOVE_SIGNS):
        assert games_rows.WINDOWS[window.name] == window.feature_names
