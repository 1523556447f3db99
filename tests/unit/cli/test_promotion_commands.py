"""``esports promotion``: what it prints, and what it says to numbers that cannot be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.settings import Settings

runner = CliRunner()


def test_simulate_prints_four_measured_values() -> None:
    told = runner.invoke(
        app, ["promotion", "simulate", "--effect", "0.2", "--games", "1500", "--trials", "100", "--json"]
    )
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert set(found) == {"trials", "swap_rate", "rollback_rate", "games_to_decision"}
    assert (found["trials"], found["rollback_rate"]) == (100, 0.0)
    assert found["swap_rate"] > 0.95
    games = found["games_to_decision"]
    assert 100 <= games["p10"] < games["median"] < games["p90"] < 1000


def test_simulate_tells_people_the_rule_it_measured() -> None:
    told = runner.invoke(app, ["promotion", "simulate", "--effect", "-0.1", "--games", "150", "--trials", "20"])
    assert told.exit_code == 0
    assert "alpha 0.03, minimum effect 0.05, futility 0.03, horizon 5000 games" in told.stdout


def test_simulate_takes_terms_of_a_file(tmp_path: Path) -> None:
    terms = tmp_path / "terms.json"
    terms.write_text(json.dumps({"alpha": 0.5, "minimum_effect": 0.1, "minimum_games": 10}))
    line = f"promotion simulate --effect 0 --games 400 --trials 200 --json --terms {terms}".split()
    assert json.loads(runner.invoke(app, line).stdout)["swap_rate"] > 0.2
    terms.write_text(json.dumps({"alpa": 0.5}))
    told = runner.invoke(app, line)
    assert told.exit_code == 2
    assert "holds no terms of a comparison" in told.stderr
    assert "alpa" in told.stderr


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--effect 0.6", "an effect of 0.6 on a win rate of 0.5 gives 1.1, which is no win rate"),
        ("--effect nan", "which is no win rate"),
        ("--effect 0 --games 0", "there must be a game and a trial, not 0 games and 2000 trials"),
        ("--effect 0 --trials -1", "not 5000 games and -1 trials"),
        ("--effect 0 --share 1", "share of games lies between 0 and 1, and 1 does not"),
        ("--effect 0 --terms /nowhere/terms.json", "/nowhere/terms.json: No such file"),
    ],
)
def test_numbers_that_cannot_be_get_one_sentence(line: str, sentence: str) -> None:
    told = runner.invoke(app, ["promotion", "simulate", *line.split()])
    assert told.exit_code == 2
    assert sentence in told.stderr.replace("\n", " ")
    assert told.stderr.count("Cannot go on") == 1


@pytest.fixture
def database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_settings: Settings, fresh_database_url: str
) -> str:
    """The commands work on a database of their own."""
    environment = {
        "ESPORTS_HOME": str(tmp_path / "home"),
        "DATABASE_URL": fresh_database_url,
        "REDIS_URL": embedded_settings.redis_url or "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("LAKE_URL", "BUNDLES_URL", "MLFLOW_TRACKING_URI", "DAGSTER_HOME", "DAGSTER_PG_URL", "ARTIFACTS_URL"):
        monkeypatch.setenv(name, "")
    return fresh_database_url


def test_the_ledger_comes_and_goes_as_lines(database: str, tmp_path: Path) -> None:
    entry = {
        "created_at": "2026-03-01T00:00:00Z",
        "task": "a.b",
        "registered_name": "a.b.c",
        "decision": "promote",
        "reason": "r",
        "source": "s",
        "actor": "x",
        "alias": "Production",
        "to_version": 1,
    }
    lines = tmp_path / "ledger.ndjson"
    lines.write_text(json.dumps(entry) + "\n")
    for new in (1, 0):
        told = runner.invoke(app, ["promotion", "import", str(lines), "--json"])
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout) == {"lines": 1, "new": new, "known": 1 - new}
    printed = runner.invoke(app, ["promotion", "export", "--task", "a.b"])
    assert printed.exit_code == 0
    found = [json.loads(line) for line in printed.stdout.splitlines()]
    assert [(line["task"], line["to_version"], line["created_at"]) for line in found] == [
        ("a.b", 1, entry["created_at"])
    ]
    assert runner.invoke(app, ["promotion", "export", "--task", "other"]).stdout == ""
    copy = tmp_path / "copy.ndjson"
    runner.invoke(app, ["promotion", "export", str(copy)])
    assert copy.read_text() == printed.stdout
    lines.write_text("{}\n")
    told = runner.invoke(app, ["promotion", "import", str(lines)])
    assert told.exit_code == 2
    assert "line 1 is no entry of the ledger" in told.stderr
