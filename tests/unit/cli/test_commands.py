"""The command line: what it prints, its exit codes, and sentences instead of tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.settings import Settings
from esports_assets.storage.embedded import up

RUNNER = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_settings: Settings) -> Path:
    """A home of its own whose servers are those of the session."""
    folder = tmp_path / "home"
    for name, value in embedded_settings.environment().items():
        if name in ("DATABASE_URL", "REDIS_URL"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESPORTS_HOME", str(folder))
    for name in ("LAKE_URL", "BUNDLES_URL", "MLFLOW_TRACKING_URI", "DAGSTER_HOME", "DAGSTER_PG_URL", "ARTIFACTS_URL"):
        monkeypatch.setenv(name, "")
    return folder


def test_every_promised_command_is_there() -> None:
    assert {command.callback.__name__ for command in app.registered_commands if command.callback} == {
        *("up", "down", "env", "run", "ingest", "simulate", "materialize"),
        *("evaluate", "promote", "rollback", "serve", "doctor"),
    }


def test_up_reports_servers_and_prepares_dagster(home: Path) -> None:
    result = RUNNER.invoke(app, ["up", "--json"])
    assert result.exit_code == 0, result.stderr
    assert [(row["server"], row["kind"]) for row in json.loads(result.stdout)] == [
        ("postgres", "external"),
        ("valkey", "external"),
    ]
    assert "DAGSTER_PG_URL" in (home / "dagster" / "dagster.yaml").read_text()


def test_env_prints_exports_that_a_shell_takes(home: Path, embedded_settings: Settings) -> None:
    result = RUNNER.invoke(app, ["env"])
    assert result.exit_code == 0, result.stderr
    script = f'{result.stdout}\nprintf "%s" "$DATABASE_URL|$DAGSTER_HOME|$LAKE_URL"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"{embedded_settings.database_url}|{home}/dagster|{home}/lake"
    as_json = json.loads(RUNNER.invoke(app, ["env", "--json"]).stdout)
    expected = {
        "DAGSTER_HOME",
        "DAGSTER_PG_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "LAKE_URL",
        "BUNDLES_URL",
        "MLFLOW_TRACKING_URI",
    }
    assert expected <= set(as_json)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ingest", "/no/such/file"], "/no/such/file does not exist: give a file or a folder of source files"),
        (["run", "--data", "/no/such/file"], "DATA=/no/such/file does not exist"),
        (["evaluate", "cs2.round_win", "--data", "/no/such"], "/no/such does not exist"),
        (["rollback", "cs2.round_win", "--reason", "x"], "cs2.round_win has no version in production"),
    ],
)
def test_expected_failures_are_sentences(home: Path, arguments: list[str], sentence: str) -> None:
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_a_wrong_variable_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "http")
    result = RUNNER.invoke(app, ["doctor"])
    assert (result.exit_code, "API_PORT=http is not a port" in result.stderr) == (2, True)


def test_doctor_ends_with_one_when_something_is_wrong(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    result = RUNNER.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert [entry["check"] for entry in json.loads(result.stdout) if not entry["well"] and entry["check"] == "postgres"]


def test_run_refuses_a_taken_port_before_it_works(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        monkeypatch.setenv("API_PORT", str(port))
        result = RUNNER.invoke(app, ["run", "--once"])
    assert result.exit_code == 2
    assert f"port {port} is in use by another program: stop it, or set API_PORT to a free one" in result.stderr
    assert not (home / "simulated").exists()


def test_simulate_and_ingest(home: Path) -> None:
    written = RUNNER.invoke(app, ["simulate", "--matches", "1", "--seed", "5", "--json"])
    assert written.exit_code == 0, written.output
    [file] = json.loads(written.stdout)["files"]
    first = RUNNER.invoke(app, ["ingest", file, "--json"])
    assert first.exit_code == 0, first.output
    report = json.loads(first.stdout)
    assert (report["files"], report["unchanged"], len(report["matches"]), report["refusals"]) == (1, 0, 1, [])
    assert json.loads(RUNNER.invoke(app, ["ingest", file, "--json"]).stdout)["unchanged"] == 1


def test_the_installed_entry_point_works(home: Path) -> None:
    command = Path(sys.executable).with_name("esports")
    shown = subprocess.run([str(command), "--help"], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "esports run" in shown.stdout


def test_open_servers_are_reused(embedded_settings: Settings) -> None:
    assert up(embedded_settings) == embedded_settings
