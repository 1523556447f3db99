"""``esports evaluate rps.next_move`` on files of people's games."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from esports_assets.cli import app

MOVES = np.array(["rock", "paper", "scissors"])


def _people(path: Path, people: int = 4, rounds: int = 40) -> Path:
    """People who mostly play what beats their last move, against a bot that plays at random."""
    rng, rows = np.random.default_rng(3), []
    for person in range(people):
        own = 0
        for number in range(rounds):
            own = (own + (1 if rng.random() < 0.8 else 2)) % 3
            told = {"game_id": f"g{person}", "round_index": number, "player_id": f"p{person}", "bot_strategy": "chance"}
            rows.append({**told, "human_move": MOVES[own], "bot_move": MOVES[rng.integers(3)]})
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ESPORTS_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "BUNDLES_URL", "LAKE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_every_family_stands_beside_the_chosen_one(home: Path) -> None:
    file = _people(home / "people.parquet")
    done = CliRunner().invoke(app, ["evaluate", "rps.next_move", "--data", str(file), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["task"], report["games"], report["people"], report["rows"]) == ("rps.next_move", 4, 4, 160)
    assert set(report["families"]) == {
        *("experts", "experts_regression", "xgboost", "multinomial_logistic", "feedforward_nn"),
    }
    assert set(report["baselines"]) == {"uniform", "markov1", "longest_match", "mixture"}
    assert 0.68 < report["metrics"]["accuracy"]["value"] < 0.9
    assert report["metrics"]["log_loss"]["lo"] < report["metrics"]["log_loss"]["value"] < np.log(3)
    assert report["promoted"] is None
    assert report["refusals"] == []


@pytest.mark.parametrize("people", [0, 2])
def test_one_sentence_for_what_cannot_be_judged(home: Path, people: int) -> None:
    file = home / "people.parquet"
    if people:
        _people(file, people)
    else:
        pq.write_table(pa.table({"move": ["rock"]}), file)
    done = CliRunner().invoke(app, ["evaluate", "rps.next_move", "--data", str(file), "--json"])
    assert done.exit_code == 2
    expected = "judging needs 3 or more games whose people differ, there are 2" if people else "has the columns game_id"
    assert expected in done.output.replace("\n", " ")
