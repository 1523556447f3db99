"""``esports promotion``: what it prints, and what it says to numbers that cannot be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esports_assets.cli import app

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
