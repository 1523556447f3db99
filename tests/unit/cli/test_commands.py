"""The command line: what it prints, its exit codes, and sentences instead of tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_demo import packed, sections
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
        *("evaluate", "promote", "rollback", "serve", "parity", "replay", "doctor"),
        *("grid", "land_matches", "live", "causal", "train"),
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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ingest", "{}/no[/x]"], "{}/no[/x] does not exist: give a file or a folder of source files"),
        (["run", "--data", "{}/[red]"], "DATA={}/[red] does not exist"),
        (["evaluate", "cs2.nothing", "--data", "{}"], "there is no task cs2.nothing: there are cs2.round_win"),
        (["evaluate", "[/x]", "--data", "{}"], "there is no task [/x]: there are cs2.round_win"),
        (["simulate", "--format", "csv"], "formats can be demo, grid, mixed, not csv"),
        (["promote", "cs2.nothing.xgboost"], "no version of cs2.nothing.xgboost is registered"),
        (["promote", "[/x]:/"], "'[/x]:/' is not a registered name of the form <title>.<task>.<family>"),
        (["rollback", "[red].x", "--reason", "[/x]"], "'[red].x' is not a task of the form <title>.<task>"),
        (["materialize", "[/x]"], "'[/x]' names an asset that the graph does not have"),
    ],
)
def test_names_with_brackets_and_names_of_nothing_are_told_as_they_stand(
    home: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    result = RUNNER.invoke(app, [argument.format(tmp_path) for argument in arguments])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit), result.exception
    assert f"Cannot go on: {sentence.format(tmp_path)}" in result.stderr


def test_a_wrong_variable_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "http")
    result = RUNNER.invoke(app, ["ingest", "x"])
    assert (result.exit_code, "API_PORT=http is not a port" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", [["up"], ["promote", "x.y.z"]])
def test_a_database_that_does_not_answer_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    result = RUNNER.invoke(app, command)
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert "a database does not answer, see 'esports doctor': " in result.stderr
    assert "Connection refused" in result.stderr


@pytest.mark.parametrize("variable", ["ESPORTS_HOME", "LAKE_URL", "DAGSTER_HOME"])
def test_a_folder_that_is_a_file_is_a_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    monkeypatch.setenv(variable, str(file))
    command = ["up"] if variable == "DAGSTER_HOME" else ["ingest", str(file)]
    result = RUNNER.invoke(app, command)
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit), result.exception
    assert result.stderr.startswith("Cannot go on: ")
    assert str(file) in result.stderr
    assert len(result.stderr.splitlines()) == 1


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
    assert (
        f"port {port} is in use by another program: stop that program, or set API_PORT or its host to a free one"
        in result.stderr
    )
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


def test_ingest_tells_what_is_wrong_with_a_match_and_which_files_are_copies(home: Path, tmp_path: Path) -> None:
    parts = sections(2)
    parts["kills"].insert(3, {**parts["kills"][2], "tick": parts["kills"][2]["tick"] + 64})
    folder = tmp_path / "[" / "in]"
    folder.mkdir(parents=True)
    for name in ("2026-05-17_[red].json.xz", "2026-05-17_[red]_copy.json.xz"):
        (folder / name).write_bytes(packed(2, parts))
    (folder / "package.json").write_text("{}")
    shown = RUNNER.invoke(app, ["ingest", str(folder)])
    assert shown.exit_code == 0, shown.output
    match_id = "cs2_demo:2026-05-17.alpha-team-beta:de_tiny-5eed5eed"
    assert "2 files, 1 of them read now: 1 matches on 1 days." in shown.stdout
    assert "passed over, as they are of no known source: package.json" in shown.stdout
    assert (
        f"duplicate: {folder}/2026-05-17_[red]_copy.json.xz holds the same match as 2026-05-17_[red].json.xz"
        in shown.stdout
    )
    assert f"finding: {match_id}: " in shown.stdout
    assert "damage before the first freeze end belongs to the warm-up; dropped [warm_up_damage]" in shown.stdout
    assert f"quarantined: {match_id}: {match_id} round 1 at 19.00 s: cs2_demo:p4 dies a second time" in shown.stdout
    report = json.loads(RUNNER.invoke(app, ["ingest", str(folder), "--json"]).stdout)
    assert [entry["match_id"] for entry in report["quarantined"]] == [match_id]
    assert "cs2_demo:p4 dies a second time in this round [victim_was_alive]" in report["quarantined"][0]["reason"]
    assert {"victim_was_alive", "warm_up_damage"} <= {finding["rule"] for finding in report["findings"]}
    assert [entry["same_as"] for entry in report["duplicates"]] == ["2026-05-17_[red].json.xz"]
    assert report["remark"] is None


def test_what_many_matches_have_in_common_is_told_once(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for day in (17, 18, 19):
        parts = sections(2)
        parts["manifest"]["demo"]["hash"] = f"{day}" * 6
        parts["match"]["teamB"]["name"] = f"Beta {day}"
        (folder / f"2026-05-{day}.json.xz").write_bytes(packed(2, parts))
    shown = RUNNER.invoke(app, ["ingest", str(folder)])
    assert shown.exit_code == 0, shown.output
    told = [line for line in shown.stdout.splitlines() if "[warm_up_damage]" in line]
    assert len(told) == 1
    assert "finding: warm_up_damage, 3 times (--json tells all), first cs2_demo:2026-05-17." in told[0]


@pytest.mark.parametrize(
    ("files", "remark"),
    [
        ({}, "no file is there: known are cs2_demo (.json.xz, .zip), rps (.rps.jsonl), grid (.jsonl, "),
        ({"LICENSE": "x", "package.json": "{}"}, "none of the 2 files is of a known source: known are cs2_demo ("),
        ({"a.zip": "PK"}, "no match could be read from 1 files; the first refusal: a.zip: "),
    ],
)
def test_a_folder_without_a_match_says_why(home: Path, tmp_path: Path, files: dict[str, str], remark: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    shown, as_json = (RUNNER.invoke(app, ["ingest", str(folder), *more]) for more in ([], ["--json"]))
    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert f"  {remark}" in shown.stdout
    assert json.loads(as_json.stdout)["remark"].startswith(remark)
    run = RUNNER.invoke(app, ["run", "--data", str(folder), "--once"])
    assert run.exit_code == 2
    assert f"{folder} holds no CS2 match that could be read, so there is nothing to learn from: {remark}" in run.stderr


def test_the_installed_entry_point_works(home: Path) -> None:
    command = Path(sys.executable).with_name("esports")
    shown = subprocess.run([str(command), "--help"], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "esports run" in shown.stdout


def test_open_servers_are_reused(embedded_settings: Settings) -> None:
    assert up(embedded_settings) == embedded_settings
