"""``esports land`` from the command line, killed and started again like anything else."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from stream_samples import envelope
from typer.testing import CliRunner

from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.cli import app
from esports_assets.ingest import ingest_paths
from esports_assets.stages.stream_landing import load_position
from esports_assets.storage.lake import Lake
from esports_assets.streams.log import EventLog
from esports_assets.streams.replay import envelopes_of, from_file, play

FIXTURES = Path(__file__).parents[2] / "fixtures"
PATHS = sorted([*FIXTURES.glob("cs2_demo/v3*/input.*"), *FIXTURES.glob("grid/*cs*/input.*")])
LAND = [sys.executable, "-c", "from esports_assets.cli import app; app()", "land"]


@pytest.fixture
def lake(client: Redis, stream_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("REDIS_URL", stream_url)
    monkeypatch.setenv("LAKE_URL", str(tmp_path / "lake"))
    return Lake(tmp_path / "lake")


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["land", "--json", *words], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def play_all(log: EventLog) -> list[str]:
    played = [playable for path in PATHS for playable in from_file(path)]
    for playable in played:
        play(log, playable, None)
    return sorted({playable.match.header.match_id for playable in played})


def held(lake: Lake) -> list[str]:
    return sorted(record.header.match_id for title in lake.titles() for record in lake.matches(title))


def canonical(lake: Lake) -> dict[str, bytes]:
    return {key: lake.store.get(key) for key in lake.store.list("canonical") if "/matches/" not in key}


def test_what_ended_is_landed_once(client: Redis, lake: Lake) -> None:
    names = play_all(EventLog(client))
    told = run()
    assert (told["landed"], told["waiting"], told["lag"]["entries"]) == (names, [], 0)
    assert told["read"] > 100
    assert {"title": "cs2", "day": "1970-01-01"} in told["days"]
    assert held(lake) == names
    again = run()
    assert (again["read"], again["landed"], again["repeated"]) == (0, [], [])
    over = run("--from-oldest")
    assert (over["landed"], over["repeated"]) == ([], names)


def test_a_match_that_makes_none_ends_the_command_with_1(client: Redis, lake: Lake) -> None:
    EventLog(client).append([envelope(0, "../escaped", event_type=EventType.MAP_END, title=Title.CS2)])
    told = run(code=1)
    assert list(told["refused"]) == ["../escaped"]
    assert run()["refused"] == {}


def test_a_gap_is_a_sentence(client: Redis, lake: Lake) -> None:
    log = EventLog(client)
    log.append([envelope(0)])
    run()
    client.delete("events:canonical")
    result = CliRunner().invoke(app, ["land"], env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert run("--from-oldest")["read"] == 0


def test_killed_at_random_moments_it_leaves_the_lake_of_an_undisturbed_run(
    client: Redis, lake: Lake, tmp_path: Path
) -> None:
    from_files = Lake(tmp_path / "files")
    ingest_paths(PATHS, from_files)
    log, chance = EventLog(client), random.Random(7)
    envelopes = [list(envelopes_of(playable)) for path in PATHS for playable in from_file(path)]
    command = [*LAND, "--follow", "--every-s", "0.01"]
    for batch in envelopes:
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                log.append(part)
                time.sleep(0.5 + chance.random())
                process.kill()
    run()
    assert canonical(lake) == canonical(from_files)
    assert load_position(client).waiting == []


def test_following_ends_when_it_is_told_to(client: Redis, lake: Lake) -> None:
    with subprocess.Popen(
        [*LAND, "--follow", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        names = play_all(EventLog(client))
        until = time.monotonic() + 60
        while held(lake) != names and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, held(lake)) == (0, names)
    assert said.decode() == "Stopping.\n"
