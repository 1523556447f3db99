"""The distances that the simulator's benchmark prints are right on cases that can be done by hand."""

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The script as a module; it lies outside the packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import simulator_distance

        yield simulator_distance


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"full": 6, "eco": 2}, {"full": 3, "eco": 1}, 0.0),
        ({"full": 1}, {"eco": 5}, 1.0),
        ({"full": 3, "eco": 1}, {"full": 1, "eco": 1, "force": 2}, 0.5),
    ],
)
def test_total_variation(benchmark: ModuleType, a: dict[str, int], b: dict[str, int], expected: float) -> None:
    assert benchmark.total_variation(Counter(a), Counter(b)) == pytest.approx(expected)
    assert benchmark.total_variation(Counter(b), Counter(a)) == pytest.approx(expected)


def test_the_mean_gap_of_rates_weighs_real_cases_and_leaves_out_what_one_side_lacks(benchmark: ModuleType) -> None:
    real, sim = benchmark.Measures(), benchmark.Measures()
    for measures, key, won, lost in (
        *((real, "5v4", 3, 0), (sim, "5v4", 1, 1)),
        *((real, "4v5", 0, 1), (sim, "4v5", 1, 9)),
        (real, "1v1", 1, 0),
    ):
        for outcome in (True,) * won + (False,) * lost:
            measures.wins("T wins", key, outcome)
    cases = [("T wins", key) for key in ("5v4", "4v5", "1v1")]
    assert benchmark.mean_gap(real, sim, cases) == pytest.approx((3 * 0.5 + 1 * 0.1) / 4)
    assert math.isnan(benchmark.mean_gap(real, sim, cases[2:]))


def test_matches_are_no_distance_from_themselves(
    benchmark: ModuleType, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    measures = benchmark.collect(file for file in files if file.suffix == ".zip")
    benchmark.report(measures, measures)
    said = capsys.readouterr().out
    distances = dict(
        line.rsplit(maxsplit=1) for line in said.partition("total variation")[2].splitlines() if line[:2] == "  "
    )
    assert {name.strip(): float(value) for name, value in distances.items()} == dict.fromkeys(
        (
            *("end reason", "buy t", "buy ct", "site", "weapon"),
            *("by players alive", "after a plant, by gap of players alive", "by gap of equipment"),
        ),
        0.0,
    )
    [advantage] = [line.split() for line in said.splitlines() if line.startswith("T wins: 5v4 ")]
    assert (advantage[3], advantage[-1]) == (advantage[5], "0.000")


def test_without_real_matches_it_says_so(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, str(BENCHMARKS / "simulator_distance.py")],
        env={"ESPORTS_REAL_DATA": str(tmp_path)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert (
        said == f"No real matches under {tmp_path}/cs2_demos: set ESPORTS_REAL_DATA to compare. Nothing was measured.\n"
    )
