"""``esports serve`` hands the servers that run to the service, and starts none."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.settings import Settings


def _environment_of_the_service(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    started: list[tuple[Sequence[str], Mapping[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, environment: started.append((command, environment)))
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 0, result.output
    ((command, environment),) = started
    assert command[1:] == ["-m", "serving.app"]
    return environment


def test_the_servers_of_the_home_that_run_are_used(
    embedded_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESPORTS_HOME", str(embedded_settings.home))
    environment = _environment_of_the_service(monkeypatch)
    assert environment["DATABASE_URL"] == embedded_settings.database_url
    assert environment["REDIS_URL"] == embedded_settings.redis_url
    assert environment["API_HOST"] == "127.0.0.1"


def test_a_home_without_servers_serves_predictions_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPORTS_HOME", str(tmp_path))
    assert not {"DATABASE_URL", "REDIS_URL"} & set(_environment_of_the_service(monkeypatch))
    assert list(tmp_path.iterdir()) == []
