"""What the benchmarks of the experts say without their data, how they count, and the mixture on real people."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.rps.human import HumanGame, HumanRound, read_human
from esports_assets.games.rps.experts.simple import BestResponse, Markov
from esports_assets.games.rps.moves import MOVES

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def people() -> Iterator[ModuleType]:
    """The script as a module; it lies outside the packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import rps_people

        yield rps_people


@pytest.fixture(scope="module")
def population() -> Iterator[ModuleType]:
    """The script as a module; it lies outside the packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import rps_population

        yield rps_population


@pytest.mark.parametrize("benchmark", ["rps_people.py", "rps_population.py"])
def test_without_data_nothing_is_measured_and_that_is_said(benchmark: str, tmp_path: Path) -> None:
    """An empty folder for data, and a module that hides the bots where they are installed."""
    (tmp_path / "pyspiel.py").write_text("raise ImportError('absent')\n")
    env = {**os.environ, "ESPORTS_REAL_DATA": str(tmp_path), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / benchmark)], env=env, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip().endswith("nothing was measured.")) == (0, True), done.stderr


def test_a_standing_is_a_mean_over_bots_with_the_error_of_its_matches(population: ModuleType) -> None:
    standing = population.Standing({"a": [10, 20], "b": [-30, -30], "c": [100, 140]})
    assert standing.mean("abc") == pytest.approx((35.0, (25 + 0 + 400) ** 0.5 / 3))
    assert standing.worst("abc") == ("b", -30.0, 0.0)


class _Game:
    """Rounds of a repeated game, told by the simultaneous moves."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.told = rounds, list[list[int]]()

    def new_initial_state(self) -> "_Game":
        return self

    def is_terminal(self) -> bool:
        return len(self.told) == self.rounds

    def apply_actions(self, moves: list[int]) -> None:
        self.told.append(moves)


class _Paper:
    def step(self, state: _Game) -> int:
        return 1


def test_a_match_counts_wins_less_losses_for_the_player(population: ModuleType) -> None:
    game = _Game(60)
    gained = population.play_match(game, _Paper(), BestResponse(Markov(0)), random.Random(1))
    assert gained == sum(own == 2 for own, _ in game.told) - sum(own == 0 for own, _ in game.told)
    assert gained >= 58


def test_rows_of_a_person_know_the_rounds_before_and_no_round_in_which_somebody_did_not_move(
    people: ModuleType,
) -> None:
    rock, paper, scissors = MOVES
    game = HumanGame(
        "g",
        "p",
        "human",
        (
            HumanRound(1, paper, rock),
            HumanRound(2, None, rock),
            HumanRound(3, scissors, paper),
            HumanRound(4, rock, rock),
        ),
    )
    rows = people.rows_of([game])
    assert rows.move.tolist() == [1, 2, 0]
    assert rows.frame.tolist() == [0, 1, 2]
    assert rows.plain[1, :6].tolist() == [0, 1, 0, 1, 0, 0]
    assert rows.turned[1, :6].tolist() == [1, 0, 0, 0, 0, 1]


def test_a_fold_is_predicted_from_the_others_alone(people: ModuleType) -> None:
    x, y, fold = np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 2, 2])
    seen = []

    def learn(known: np.ndarray, moves: np.ndarray):  # type: ignore[no-untyped-def]
        seen.append((known[:, 0].tolist(), moves.tolist()))
        return lambda held_out: np.full((len(held_out), 3), known.sum())

    p = people.crossed(learn, x, y, fold)
    assert seen == [([2, 3, 4, 5], [1, 1, 2, 2]), ([0, 1, 4, 5], [0, 0, 2, 2]), ([0, 1, 2, 3], [0, 0, 1, 1])]
    assert p[:, 0].tolist() == [14, 14, 10, 10, 6, 6]


@pytest.mark.realdata
def test_the_mixture_knows_people_in_pairs_better_than_a_chain(people: ModuleType, real_data: Path) -> None:
    file = real_data / "rps_human" / "brockbank_v1_human_dyads.parquet"
    rows = people.rows_of(read_human(SourceFile.open(file)).games[:16])
    at = np.arange(len(rows.move))
    loss = {name: -np.log(p[at, rows.move]).mean() for name, p in rows.expected.items()}
    assert len(rows.move) > 4000
    assert loss["mixture"] < loss["chain_1"] - 0.01
    assert loss["mixture"] < 1.06
