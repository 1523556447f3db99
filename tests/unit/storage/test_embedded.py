"""The embedded servers are real, are reused, survive a kill and stop when told."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
import redis

from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.embedded import EmbeddedError


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A home of its own, without servers yet."""
    folder = Path(tempfile.mkdtemp(prefix="esports-test-"))
    wanted = Settings.from_env({"ESPORTS_HOME": str(folder / "home")})
    yield wanted
    embedded.down(wanted)
    shutil.rmtree(folder, ignore_errors=True)


def _pids(settings: Settings) -> dict[str, int | None]:
    return {entry.name: entry.pid for entry in embedded.status(settings)}


def test_start_reuse_kill_restart_stop(settings: Settings) -> None:
    first = embedded.up(settings)
    assert first.database_url is not None
    assert first.redis_url is not None
    client = redis.Redis.from_url(first.redis_url, decode_responses=True)
    client.xadd("events:canonical", {"data": "{}"}, id="1-1")
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    with psycopg2.connect(first.database_url) as connection:
        connection.cursor().execute("CREATE TABLE kept (a int)")
    connection.close()
    pids = _pids(settings)

    started = time.monotonic()
    assert embedded.up(settings) == first
    assert time.monotonic() - started < 2
    assert _pids(settings) == pids
    assert embedded.attach(settings) == first

    time.sleep(1.1)  # appendfsync everysec
    for pid in pids.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    again = embedded.up(settings)
    assert again.database_url == first.database_url
    assert not set(_pids(settings).values()) & {*pids.values(), None}
    assert redis.Redis.from_url(again.redis_url or "", decode_responses=True).xlen("events:canonical") == 1
    with psycopg2.connect(again.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (0,)
    connection.close()

    assert embedded.down(settings) == ["valkey", "postgres"]
    assert embedded.down(settings) == []
    assert [entry.running for entry in embedded.status(settings)] == [False, False]
    with pytest.raises(EmbeddedError, match=r"embedded postgres of .* does not run: start it with 'esports up'"):
        embedded.attach(settings)


def test_given_urls_start_nothing(settings: Settings, database_url: str, redis_url: str) -> None:
    given = replace(settings, database_url=database_url, redis_url=redis_url)
    assert embedded.up(given).redis_url == redis_url
    assert not settings.home.exists()
    assert [(entry.embedded, entry.url) for entry in embedded.status(given)] == [
        (False, database_url),
        (False, redis_url),
    ]


def test_dagster_and_mlflow_get_schemas_of_their_own(embedded_settings: Settings) -> None:
    for url, schema in (
        (embedded_settings.dagster_pg_url, "dagster"),
        (embedded_settings.mlflow_tracking_uri, "mlflow"),
    ):
        connection = psycopg2.connect(url)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            assert cursor.fetchone() == (schema,)
        connection.close()


def test_a_foreign_server_on_the_remembered_port_is_not_taken_for_ours(settings: Settings, redis_url: str) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "state.json").write_text(f'{{"valkey": {{"pid": {os.getpid()}, "url": "{redis_url}"}}}}')
    assert [entry.running for entry in embedded.status(settings)] == [False, False]
    assert embedded.down(settings) == []
    assert embedded.up(settings).redis_url != redis_url
    assert redis.Redis.from_url(redis_url).ping()


def test_a_damaged_state_file_is_no_obstacle(settings: Settings) -> None:
    first = embedded.up(settings)
    (settings.home / "state.json").write_text('{"postgres": {"pi')
    assert embedded.up(settings) == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run under another user")
def test_the_server_stops_though_its_user_cannot_reach_the_folder_any_more(settings: Settings) -> None:
    """Somebody closed a folder above meanwhile: pg_ctl under that user failed, and the server outlived its run."""
    embedded.up(settings)
    pid = _pids(settings)["postgres"]
    settings.home.parent.chmod(0o700)
    assert embedded.down(settings) == ["valkey", "postgres"]
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()
