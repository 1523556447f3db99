"""Simulated matches as a live source, and the commands that feed the log."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from feeding import logged
from redis import Redis
from test_grid_client import KEY, SERIES, Server, told, transactions
from typer.testing import CliRunner

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import is_frame
from esports_assets.canonical.invariants import broken
from esports_assets.cli import app
from esports_assets.live_simulation import Programme, play_programme, simulated
from esports_assets.streams.collect import collected_from
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL
from esports_assets.streams.replay import Played, WallClock

NOW = datetime(2026, 11, 25, 21, 30, 15, 250_000, tzinfo=UTC)


class Clock:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self, at: datetime) -> None:
        self.at = at.timestamp()
        self.slept = 0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.at += seconds


def test_a_simulated_match_begins_when_it_is_played() -> None:
    match = simulated(77, 0, NOW).match
    moments = match.events["timestamp"].to_pylist()
    assert min(moments) == NOW
    assert match.header.simulated
    assert match.header.day == NOW.date()
    assert ".2026-11-25." in match.header.match_id
    assert broken(match) == []
    zero = match.rounds["started_at"].to_pylist()[0]
    freeze_end = next(
        m for m, kind in zip(moments, match.events["event_type"].to_pylist(), strict=True) if kind == "FREEZE_END"
    )
    assert zero == freeze_end


def test_several_at_once_as_fast_as_the_log_takes_them(log_client: Redis) -> None:
    done: list[Played] = []
    log = EventLog(log_client)
    play_programme(log, Programme(9, 2, 2, None), threading.Event(), done.append, Clock(NOW))  # type: ignore[arg-type]
    assert len({played.match_id for played in done}) == len(done) == 2
    collected = collected_from(log, done[0].match_id)
    assert (collected.verified, collected.match.header.simulated) == (True, True)
    assert sum(played.appended for played in done) == log_client.xlen(CANONICAL)


def test_at_a_speed_the_wall_clock_and_the_source_are_told_apart(log_client: Redis) -> None:
    clock = Clock(NOW)
    stop = threading.Event()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.at - NOW.timestamp() > 6:
            stop.set()

    done: list[Played] = []
    programme = Programme(9, None, 1, 20.0)
    play_programme(EventLog(log_client), programme, stop, done.append, WallClock(clock.now, sleep))
    assert done == []  # it was stopped in the middle of the first match
    entries = EventLog(log_client).read_after(None, 100_000, CANONICAL)
    envelopes = [entry.envelope() for entry in entries]
    assert envelopes[0].event.timestamp == envelopes[0].live_at == NOW
    for envelope in envelopes:
        played_s = (envelope.event.timestamp - NOW).total_seconds() / 20
        assert abs((envelope.live_at - NOW).total_seconds() - played_s) < 1e-3
    assert 5 < (envelopes[-1].live_at - NOW).total_seconds() <= 6.3
    assert envelopes[-1].event.timestamp - NOW > timedelta(seconds=100)


def test_without_a_number_there_is_no_end() -> None:
    assert list(itertools.islice(Programme(1).indices(), 3)) == [0, 1, 2]
    assert list(Programme(1, 2).indices()) == [0, 1]


def test_the_command_plays_and_reports(log_client: Redis, live_url: str) -> None:
    done = CliRunner().invoke(
        app, ["simulate", "--live", "--matches", "1", "--seed", "4", "--speed", "max", "--into", live_url, "--json"]
    )
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    events: list[CanonicalEvent] = logged(log_client)
    assert row["sent"] == row["appended"] == len(events)
    assert any(is_frame(event) for event in events)
    assert abs((datetime.now(UTC) - events[0].timestamp).total_seconds()) < 120
    refused = CliRunner().invoke(app, ["simulate", "--live", "--out", "somewhere"])
    assert refused.exit_code == 2


def test_the_endless_command_ends_with_ctrl_c(log_client: Redis, live_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "esports_assets", "simulate", "--live", "--concurrent", "2", "--into", live_url]
    command[1:3] = ["-c", "from esports_assets.cli import app; app()"]
    playing = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while len({event.match_id for event in logged(log_client)}) < 2:
        assert time.monotonic() < deadline
        assert playing.poll() is None
        time.sleep(0.2)
    playing.send_signal(signal.SIGINT)
    _, told_to = playing.communicate(timeout=30)
    assert playing.returncode == 0
    assert b"Stopping." in told_to
    assert all(event.ingestion_meta.simulated for event in logged(log_client))


def test_the_grid_command_follows_to_the_end(log_client: Redis, live_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = transactions(60)
    server, listening, over = Server(data, [25]), threading.Event(), threading.Event()
    address: list[str] = []

    async def listen() -> None:
        async with server.running() as url:
            address.append(url)
            listening.set()
            await asyncio.to_thread(over.wait, 60)

    running = threading.Thread(target=asyncio.run, args=(listen(),))
    running.start()
    assert listening.wait(30)
    monkeypatch.setenv("GRID_WS_URL", address[0])
    monkeypatch.delenv("GRID_API_KEY", raising=False)
    refused = CliRunner().invoke(app, ["grid", SERIES, "--into", live_url])
    assert (refused.exit_code, "GRID_API_KEY is not set" in refused.output) == (2, True)
    monkeypatch.setenv("GRID_API_KEY", KEY)
    done = CliRunner().invoke(app, ["grid", SERIES, SERIES, "--into", live_url, "--json"])
    over.set()
    running.join()
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == [
        {"series": SERIES, "messages": len(data), "connections": 2, "ended": True, "reason": ""}
    ]
    assert [event.event_id for event in logged(log_client)] == told(data)
