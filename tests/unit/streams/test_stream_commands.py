"""``esports replay`` and ``esports deadletter`` from the command line."""

import json
from pathlib import Path

import pytest
import typer
from redis import Redis
from stream_samples import data_of
from tiny_match import tiny_match
from typer.testing import CliRunner

from esports_assets.commands import console, deadletter, replay
from esports_assets.storage.lake import Lake
from esports_assets.streams.collect import collected_from
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, DEAD
from esports_assets.streams.replay import from_file

DEMO = Path(__file__).parents[2] / "fixtures" / "cs2_demo" / "v3_two_rounds" / "input.zip"

app = typer.Typer()
for area in (replay, deadletter):
    area.add_to(app)
app.command()(lambda: None)  # so that there is more than one command


@pytest.fixture
def run(client: Redis, stream_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setattr(console.out, "width", 200)
    monkeypatch.setenv("REDIS_URL", stream_url)
    monkeypatch.setenv("LAKE_URL", str(tmp_path / "lake"))
    return Run()


class Run:
    """Run a command."""

    def __call__(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: str) -> object:
        return json.loads(self(*words, "--json"))


def test_a_file_and_a_match_are_played(run: Run, client: Redis, tmp_path: Path) -> None:
    match = tiny_match()
    Lake(tmp_path / "lake").write_match(match)
    told = run.json("replay", str(DEMO), match.header.match_id, "--speed", "max")
    assert isinstance(told, list)
    assert [row["match_id"] for row in told][1] == match.header.match_id
    assert [row["duplicates"] for row in told] == [0, 0]
    assert client.xlen(CANONICAL) == sum(row["appended"] for row in told)
    assert collected_from(EventLog(client), told[0]["match_id"]).verified
    assert told[0]["match_id"] in run("replay", str(DEMO), "--speed", "max", "--no-tracking")


def test_another_server_and_speed(run: Run, client: Redis, stream_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run("replay", str(DEMO), "--into", stream_url, "--speed", "1000", "--no-tracking")
    assert client.xlen(CANONICAL) == from_file(DEMO)[0].match.events.num_rows
    assert "does not answer" in run("replay", str(DEMO), "--speed", "max", code=2)


@pytest.mark.parametrize("speed", ["fast", "0", "-2", "inf", "nan"])
def test_a_speed_must_be_one(run: Run, speed: str) -> None:
    assert "neither a number above 0 nor max" in run("replay", str(DEMO), f"--speed={speed}", code=2)


def test_nothing_to_play_is_a_sentence(run: Run) -> None:
    assert "neither a file nor a match of the lake" in run("replay", "nobody:knows", code=2)


def test_dead_letters_from_the_command_line(run: Run, client: Redis, tmp_path: Path) -> None:
    assert "There are no dead letters." in run("deadletter", "list")
    assert run.json("deadletter", "list") == []
    letters = [
        client.xadd(DEAD, {"data": data, "reason": f"why {data!r}"}).decode() for data in (data_of(0), b"bad", b"x")
    ]
    listed = run.json("deadletter", "list")
    assert isinstance(listed, list)
    assert [row["id"] for row in listed] == letters
    assert listed[0]["about"] == "test:m:1 KILL"
    assert "3 dead letters" in run("deadletter", "list")
    assert "There are none after" in run("deadletter", "list", "--after", letters[2])
    shown = run.json("deadletter", "show", letters[1])
    assert isinstance(shown, dict)
    assert (shown["data"], shown["reason"]) == ("bad", "why b'bad'")
    assert "why b'bad'" in run("deadletter", "show", letters[1])

    assert run.json("deadletter", "retry", letters[0])[0]["verdict"] == "appended"  # type: ignore[index]
    assert "cannot go back: not JSON" in run("deadletter", "retry", letters[1], code=2)
    mended = tmp_path / "mended.json"
    mended.write_bytes(data_of(1))
    assert "appended" in run("deadletter", "retry", letters[1], "--data", str(mended))
    assert "for one letter" in run("deadletter", "retry", *letters, "--data", str(mended), code=2)
    assert run.json("deadletter", "drop", letters[2]) == {"dropped": [letters[2]]}
    assert "there is no dead letter" in run("deadletter", "drop", letters[2], code=2)
    assert [fields[b"data"] for _, fields in client.xrange(CANONICAL)] == [data_of(0), data_of(1)]
    assert client.xlen(DEAD) == 0
