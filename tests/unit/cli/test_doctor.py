"""The doctor says what is wrong, where, and what to do."""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.commands.doctor import Diagnosis, examine
from esports_assets.commands.world import ROOT
from esports_assets.settings import Settings


def _examine(tmp_path: Path, lock: Path = ROOT / "requirements.lock", **environ: str) -> dict[str, Diagnosis]:
    settings = Settings.from_env({"ESPORTS_HOME": str(tmp_path / "home"), **environ})
    return {entry.check: entry for entry in examine(settings, lock)}


def test_a_taken_port_is_a_problem_with_a_fix(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = _examine(tmp_path, API_PORT=str(port))["API_PORT"]
    assert (found.well, found.sentence) == (False, f"Port {port} is in use by another program.")
    assert found.fix == "Stop that program, or set API_PORT to a free port."


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "typer==0.0.1 \\\n    --hash=sha256:00\nnot-a-package==1.0 \\\n    --hash=sha256:00\n"
        "only-there==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    found = _examine(tmp_path, lock)["packages"]
    assert not found.well
    assert "typer is " in found.sentence
    assert "not 0.0.1, not-a-package is missing." in found.sentence
    assert "only-there" not in found.sentence


def test_unreachable_servers_are_named_without_passwords(tmp_path: Path) -> None:
    found = _examine(tmp_path, DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x", REDIS_URL="redis://127.0.0.1:1/0")
    assert found["postgres"].sentence.startswith("postgres does not answer at postgresql://me:***@127.0.0.1:1/x: ")
    assert found["valkey"].sentence.startswith("valkey does not answer at redis://127.0.0.1:1/0: ")
    assert found["postgres"].fix == "Start it, or correct DATABASE_URL."
    assert "secret" not in str(found)


def test_servers_that_run_are_well(tmp_path: Path, database_url: str, redis_url: str) -> None:
    found = _examine(tmp_path, DATABASE_URL=database_url, REDIS_URL=redis_url)
    assert all(
        entry.well for name, entry in found.items() if name not in ("packages", "disk", "API_PORT", "DAGSTER_PORT")
    )
    places = {"home", "postgres", "valkey", "DAGSTER_HOME", "LAKE_URL", "BUNDLES_URL", "ARTIFACTS_URL"}
    assert places <= set(found)
    assert {"DAGSTER_PG_URL", "MLFLOW_TRACKING_URI"} & set(found) == set(), (
        "they are schemas of the database just asked"
    )


def test_looking_leaves_nothing_behind(tmp_path: Path, database_url: str, redis_url: str) -> None:
    (tmp_path / "lake").mkdir()
    _examine(tmp_path, DATABASE_URL=database_url, REDIS_URL=redis_url, LAKE_URL=str(tmp_path / "lake"))
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["lake"]


def test_too_little_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esports_assets.commands.doctor._ENOUGH_GB", 1e9)
    found = _examine(tmp_path)["disk"]
    assert not found.well
    assert found.fix.startswith("Free at least 1000000000 GB")


def test_a_missing_lock_is_told(tmp_path: Path) -> None:
    assert _examine(tmp_path, tmp_path / "no.lock")["packages"].sentence == "no.lock is missing."


@pytest.mark.parametrize(
    ("variable", "fix"),
    [
        ("LAKE_URL", "Correct LAKE_URL."),
        ("BUNDLES_URL", "Correct BUNDLES_URL."),
        ("ARTIFACTS_URL", "Correct ARTIFACTS_URL."),
        ("DAGSTER_HOME", "Give it to this user, or set DAGSTER_HOME to another folder."),
    ],
)
@pytest.mark.parametrize("where", ["below a file", "not writable"])
def test_a_place_that_takes_no_writes(tmp_path: Path, variable: str, fix: str, where: str) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    place, reason = (
        (f"{file}/place", f"{file} is no folder")
        if where == "below a file"
        else (
            "/proc/place",  # where nobody may write, root included
            "/proc: No such file or directory",
        )
    )
    found = _examine(tmp_path, **{variable: place})[variable]
    said = f"({reason})" if variable == "DAGSTER_HOME" else f": {reason}"
    assert (found.well, found.fix) == (False, fix)
    assert found.sentence == f"{variable} {place} cannot be written{'' if said[0] == ':' else ' '}{said}."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir(mode=0o500)
    found = _examine(tmp_path, LAKE_URL=str(tmp_path / "lake"))["LAKE_URL"]
    assert found.sentence.endswith("Permission denied.")


def test_a_home_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    found = _examine(tmp_path)["home"]
    assert not found.well
    assert found.sentence == (f"{tmp_path}/home cannot be written by this user ({tmp_path}/home is no folder).")
    assert found.fix.endswith("or set ESPORTS_HOME to another folder.")


@pytest.mark.parametrize(
    ("variable", "url", "said"),
    [
        ("DAGSTER_PG_URL", "postgresql://me:secret@127.0.0.1:1/x", "Dagster's database does not answer at "),
        (
            "MLFLOW_TRACKING_URI",
            "postgresql+psycopg2://me:secret@127.0.0.1:1/x",
            "MLflow's registry does not answer at ",
        ),
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:1", "MLflow's registry does not answer at http://127.0.0.1:1: "),
        ("MLFLOW_TRACKING_URI", "mlruns", "MLflow's registry does not answer at mlruns: it is neither a database"),
        (
            "MLFLOW_TRACKING_URI",
            "sqlite:////proc/x/y.db",
            "MLflow's registry does not answer at sqlite:////proc/x/y.db",
        ),
    ],
)
def test_a_dead_server_is_named_with_its_variable_and_without_its_password(
    tmp_path: Path, variable: str, url: str, said: str
) -> None:
    found = _examine(tmp_path, **{variable: url})[variable]
    assert (found.well, found.sentence.startswith(said)) == (False, True)
    assert found.fix == f"Start it, correct {variable}, or unset it to use the database of the project."
    assert "secret" not in found.sentence


def test_a_server_that_accepts_and_says_nothing_does_not_hold_the_doctor_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esports_assets.commands.probes.TIMEOUT_S", 0.3)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        started = time.monotonic()
        found = _examine(tmp_path, MLFLOW_TRACKING_URI=f"http://{place}", REDIS_URL=f"redis://{place}/0")
    assert (found["MLFLOW_TRACKING_URI"].well, found["valkey"].well) == (False, False)
    assert time.monotonic() - started < 10


def test_other_databases_that_answer_are_well(tmp_path: Path, fresh_database_url: str) -> None:
    urls = {"DAGSTER_PG_URL": fresh_database_url, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    found = _examine(tmp_path, **urls)
    assert {name: found[name].well for name in urls} == dict.fromkeys(urls, True)


def test_a_bucket_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = _examine(tmp_path, LAKE_URL="s3://lake/x")["LAKE_URL"]
    assert not found.well
    assert found.sentence.startswith("LAKE_URL s3://lake/x cannot be written: cannot write s3://lake/x/probe-")
    assert found.fix == "Correct LAKE_URL, or AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


def test_one_port_for_two_servers_and_a_foreign_host(tmp_path: Path) -> None:
    found = _examine(tmp_path, API_PORT="18321", DAGSTER_PORT="18321", API_HOST="192.0.2.1")
    assert found["ports"].sentence == "API_PORT and DAGSTER_PORT are both 18321."
    assert (
        found["API_PORT"].sentence == "Port 18321 cannot be listened on at 192.0.2.1: Cannot assign requested address."
    )
    assert found["API_PORT"].fix == "Set API_HOST to an address of this machine, or API_PORT to a free port."


def test_every_wrong_variable_is_one_finding_among_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong API_PORT was the only thing that the doctor said."""
    for name, value in (("API_PORT", "http"), ("LAKE_URL", "gs://x"), ("ESPORTS_HOME", str(tmp_path / "[/x]"))):
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    found = {(entry["check"], entry["sentence"]): entry for entry in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert not found["API_PORT", "API_PORT=http is not a port: give a number from 1 to 65535."]["well"]
    assert not found["LAKE_URL", "LAKE_URL=gs://x is neither a path nor an s3:// URL."]["well"]
    assert ("home", f"{tmp_path}/[/x] can be written.") in found
    assert ("LAKE_URL", f"LAKE_URL {tmp_path}/[/x]/lake can be written.") in found
    shown = CliRunner().invoke(app, ["doctor"])
    assert f"ok       {tmp_path}/[/x] can be written." in shown.stdout
    assert "problem  API_PORT=http is not a port: give a number from 1 to 65535. Correct API_PORT;" in shown.stdout
