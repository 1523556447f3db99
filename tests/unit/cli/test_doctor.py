"""The doctor says what is wrong, where, and what to do."""

import socket
from pathlib import Path

import pytest

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
    assert (found["postgres"].well, found["valkey"].well, found["home"].well, found["LAKE_URL"].well) == (True,) * 4


def test_too_little_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esports_assets.commands.doctor._ENOUGH_GB", 1e9)
    found = _examine(tmp_path)["disk"]
    assert not found.well
    assert found.fix.startswith("Free at least 1000000000 GB")


def test_a_missing_lock_is_told(tmp_path: Path) -> None:
    assert _examine(tmp_path, tmp_path / "no.lock")["packages"].sentence == "no.lock is missing."
