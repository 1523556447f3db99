"""``esports keys``: made once, listed without the key, replaced with an overlap, ended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.settings import Settings
from serving.database import Database
from serving.errors import ApiError
from serving.keys import Keys

RUNNER = CliRunner()
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_settings: Settings, fresh_database_url: str) -> Run:
    """Run ``esports keys`` on a database of its own; its JSON."""
    environment = {
        "ESPORTS_HOME": str(tmp_path),
        "DATABASE_URL": fresh_database_url,
        "REDIS_URL": embedded_settings.redis_url or "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("LAKE_URL", "BUNDLES_URL", "MLFLOW_TRACKING_URI", "DAGSTER_HOME", "DAGSTER_PG_URL", "ARTIFACTS_URL"):
        monkeypatch.setenv(name, "")

    def ran(*arguments: str, code: int = 0) -> Any:
        result = RUNNER.invoke(app, ["keys", *arguments])
        assert result.exit_code == code, result.output
        return result

    return ran


def test_the_life_of_a_key(run: Run, fresh_database_url: str) -> None:
    database = Database(fresh_database_url)
    kept = Keys(database)
    made = json.loads(
        run("create", "ann", "--role", "reviewer", "--scope", "reviews", "--scope", "read", "--json").stdout
    )
    assert (made["role"], made["scopes"], made["state"]) == ("reviewer", "read reviews", "active")
    assert kept.principal(made["key"]).name == "ann"
    replaced = json.loads(run("rotate", made["prefix"], "--overlap-hours", "1", "--json").stdout)
    assert replaced["rotated_from"] == made["prefix"]
    assert {kept.principal(text).name for text in (made["key"], replaced["key"])} == {"ann"}
    run("revoke", replaced["prefix"], "--json")
    with pytest.raises(ApiError, match="unknown, expired or revoked"):
        kept.principal(replaced["key"])
    listed = run("list", "--json").stdout
    assert [(row["prefix"], row["state"]) for row in json.loads(listed)] == [
        (made["prefix"], "active"),
        (replaced["prefix"], "revoked"),
    ]
    assert made["key"] not in listed
    database.close()


def test_people_get_the_key_alone_on_standard_output(run: Run, fresh_database_url: str) -> None:
    result = run("create", "ann")
    database = Database(fresh_database_url)
    assert Keys(database).principal(result.stdout.strip()).role.value == "viewer"
    database.close()
    assert "cannot be shown again" in result.stderr
    assert "ann" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("revoke", "aaaaaaaaaa"), "There is no key"),
        (("rotate", "nonsense"), "There is no key"),
        (("create", "a@b"), "name has up to"),
        (("create", "ann", "--days", "0"), "--days"),
        (("create", "ann", "--days", "4000"), "--days"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in run(*arguments, code=2).stderr


def test_a_name_is_taken_once(run: Run) -> None:
    run("create", "ann")
    assert "rotate or revoke" in run("create", "ann", code=2).stderr
