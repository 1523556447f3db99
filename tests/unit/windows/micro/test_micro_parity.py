"""The comparison finds what differs, and the command reports it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from future import tiny
from micro_made import SITES
from tiny_demo import V2_NAME, V3_NAME, packed, sections
from typer.testing import CliRunner

from esports_assets.cli import app
from esports_assets.commands import parity as command
from esports_assets.windows.micro.batch import micro_rounds
from esports_assets.windows.micro.parity import Difference, Parity, compared, messages_of, shuffled
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import PLAYER_MICRO, MicroWindow
from esports_assets.windows.streamed.message import time_of

RUNNER = CliRunner()


@pytest.fixture
def told() -> list[MicroRows]:
    return list(micro_rounds(tiny(3), SITES, MicroWindow()))


def _changed(part: MicroRows, feature: str, at: int, value: float) -> MicroRows:
    values = part.values.copy()
    values[PLAYER_MICRO.feature_names.index(feature), at] = value
    return replace(part, values=values)


def test_equal_rows_are_equal(told: list[MicroRows]) -> None:
    assert compared(told, told) == Parity(290, 0, None)
    assert compared([], []) == Parity()


def test_the_last_bit_counts(told: list[MicroRows]) -> None:
    first, second = told
    at = 12
    value = first.values[PLAYER_MICRO.feature_names.index("speed_mean"), at]
    found = compared(told, [_changed(first, "speed_mean", at, np.nextafter(value, 9.0)), second])
    row = list(first.records())[at]
    assert (found.rows_compared, found.rows_different) == (290, 1)
    assert found.first_difference == Difference(
        row["match_id"], 1, row["t_s"], row["player"], "speed_mean", value, np.nextafter(value, 9.0)
    )


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_null_is_not_zero(told: list[MicroRows], value: float) -> None:
    feature = "enemy_dist_m" if np.isnan(value) else "speed_mean"
    found = compared(told, [_changed(told[0], feature, 0, value), told[1]])
    assert found.rows_different == 1
    assert found.first_difference is not None
    assert found.first_difference.column == feature
    assert None in (found.first_difference.batch, found.first_difference.online)


def test_words_are_compared_not_their_numbers(told: list[MicroRows]) -> None:
    first, second = told
    words = list(first.words)
    order = list(range(len(words)))[::-1]
    mapping = np.array([*(order.index(k) for k in range(len(words))), -1])
    renumbered = replace(
        first, words=[words[k] for k in order], place=mapping[first.place], weapon=mapping[first.weapon]
    )
    assert compared(told, [renumbered, second]).rows_different == 0
    elsewhere = replace(first, place=np.where(np.arange(len(first)) == 3, -1, first.place))
    found = compared(told, [elsewhere, second])
    assert (found.rows_different, found.first_difference and found.first_difference.column) == (1, "place")


def test_missing_repeated_and_foreign_rows_differ(told: list[MicroRows]) -> None:
    first, second = told
    assert compared(told, [second]).rows_different == len(first)
    missing = compared(told, [replace_all(first, slice(1, None)), second])
    assert (missing.rows_compared, missing.rows_different) == (290, 1)
    assert missing.first_difference is not None
    assert (missing.first_difference.column, missing.first_difference.batch, missing.first_difference.online) == (
        *("row", "1 times", "0 times"),
    )
    twice = compared(told, [first, first.only(0), second])
    assert (twice.rows_compared, twice.rows_different) == (291, 2)
    sides = replace(first, ct=tuple(not one for one in first.ct))
    swapped = compared(told, [sides, second])
    assert swapped.rows_different == len(first)
    assert swapped.first_difference is not None
    assert swapped.first_difference.column == "side"


def replace_all(part: MicroRows, at: slice) -> MicroRows:
    """Some rows of a part."""
    return replace(
        part,
        **{name: getattr(part, name)[at] for name in ("t", "player", "place", "weapon")},
        values=part.values[:, at],
    )


def test_an_arrival_keeps_to_the_lateness() -> None:
    messages = messages_of(tiny(3))
    arrival = shuffled(messages, 2.0, np.random.default_rng(1))
    assert len(arrival) > len(messages)
    times = [time_of(message)[2] for message in arrival]
    newest = np.maximum.accumulate(times)
    assert (newest - np.array(times)).max() <= 2_000_000
    assert (newest - np.array(times)).max() >= 1_000_000
    assert shuffled(messages, 2.0, np.random.default_rng(1)) == arrival


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for version, name in ((2, V2_NAME), (3, V3_NAME)):
        (tmp_path / name).write_bytes(packed(version, sections(version)))
    (tmp_path / "readme.txt").write_text("no match")
    return tmp_path


@pytest.mark.parametrize(("rate", "rows"), [("2", 580), ("full", 290)])
def test_the_command(folder: Path, rate: str, rows: int) -> None:
    result = RUNNER.invoke(app, ["parity", "--data", str(folder), "--rate", rate, "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told.pop("seconds") >= 0
    assert told == {"rows_compared": rows, "rows_different": 0, "first_difference": None, "matches": 2}


def test_the_command_for_people(folder: Path) -> None:
    result = RUNNER.invoke(app, ["parity", "--data", str(folder / V3_NAME), "--rate", "2"])
    assert result.exit_code == 0, result.stderr
    assert "cs2/player_micro: 290 rows of 1 matches" in result.stdout
    assert "all are the same" in result.stdout


def test_a_difference_is_told_and_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Parity(10, 1, Difference("m", 1, 0.5, "p", "speed_mean", 1.0, None))
    monkeypatch.setattr(command, "parity_of", lambda *_: found)
    result = RUNNER.invoke(app, ["parity", "--data", str(folder / V3_NAME), "--json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["rows_different"] == 1
    assert told["first_difference"] == {
        "match_id": "m",
        "segment": 1,
        "t_s": 0.5,
        "player": "p",
        "column": "speed_mean",
        "batch": 1.0,
        "online": None,
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rate", "often"], "--rate often"),
        (["--rate", "0"], "is no rate"),
        (["--window-s", "0"], "holds nothing"),
        (["--window", "cs2/player_form"], "no window of the stream"),
        (["--data", "/nowhere"], "/nowhere does not exist"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(folder: Path, arguments: list[str], sentence: str) -> None:
    result = RUNNER.invoke(app, ["parity", "--data", str(folder / "readme.txt"), *arguments])
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_no_match_is_no_parity(folder: Path) -> None:
    result = RUNNER.invoke(app, ["parity", "--data", str(folder / "readme.txt")])
    assert result.exit_code == 2
    assert "none of these files holds a match of cs2" in result.stderr


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["amateur/2026-05-26_de_nuke*", "pro/sample-2026-02-09_de_nuke*"])
def test_real_matches_at_full_rate(real_data: Path, name: str) -> None:
    (path,) = (real_data / "cs2_demos").glob(name)
    result = RUNNER.invoke(app, ["parity", "--data", str(path), "--json"])
    told = json.loads(result.stdout)
    assert told["rows_compared"] > 70_000
    assert (told["rows_different"], told["first_difference"]) == (0, None)
