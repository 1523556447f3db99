"""All real maps: what they count, by value. They are never shipped; the tests skip where they are absent."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from esports_assets.adapters.base import Reading, SourceFile
from esports_assets.adapters.cs2_demo.mapping import END_REASONS, WEAPONS
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.batch import match_windows
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.sites import SiteBook, plants_of

pytestmark = pytest.mark.realdata

LONGEST_STEP_U = 90.0
"""How far anybody alive moves in an eighth of a second, in game units."""


@pytest.fixture(scope="module")
def readings(real_data: Path) -> list[Reading]:
    """Every real map, read once."""
    files = [*(real_data / "cs2_demos" / "amateur").glob("*.xz"), *(real_data / "cs2_demos" / "pro").glob("*.zip")]
    return [read_file(SourceFile.open(path)) for path in sorted(files)]


@pytest.fixture(scope="module")
def matches(readings: list[Reading]) -> list[CanonicalMatch]:
    return [match for reading in readings for match in reading.matches]


def test_every_map_is_read(readings: list[Reading], matches: list[CanonicalMatch]) -> None:
    assert [r for reading in readings for r in reading.refusals] == []
    assert len(matches) == 46
    assert len({match.header.match_id for match in matches}) == 46
    assert sum(match.rounds.num_rows for match in matches) == 1010
    assert {match.players.num_rows for match in matches} == {10}


def test_no_invariant_is_broken(matches: list[CanonicalMatch]) -> None:
    assert [str(finding) for match in matches for finding in broken(match)] == []


def test_rounds_end_as_the_files_say(matches: list[CanonicalMatch]) -> None:
    told = {"ct_win": 345, "t_win": 327, "bomb_defused": 168, "target_bombed": 141, "time_ran_out": 29}
    found = Counter(reason for match in matches for reason in match.rounds["end_reason"].to_pylist())
    assert found == {next(iter(END_REASONS[word].values())).value: count for word, count in told.items()}


def test_the_score_is_the_count_of_winners(matches: list[CanonicalMatch]) -> None:
    for match in matches:
        (end,) = match.events.filter(pc.equal(match.events["event_type"].cast(pa.string()), "MAP_END")).to_pylist()
        won = Counter(match.rounds["winner_team"].to_pylist())
        assert all(f'"{team}":{count}' in end["payload"] for team, count in won.items()), match.header.match_id


def test_what_happens(matches: list[CanonicalMatch]) -> None:
    found = Counter(kind for match in matches for kind in match.events["event_type"].to_pylist())
    assert found[EventType.DEATH] == 43  # 42 by the bomb, one by himself
    assert found[EventType.BOMB_PLANTED] == 567
    assert found[EventType.BOMB_DEFUSED] == 168
    assert found[EventType.ECONOMY_UPDATE] == 10_100
    assert found[EventType.GENERIC] == 0
    handled = Counter(
        (row["event_type"], row["side"])
        for match in matches
        for row in match.events.select(["event_type", "side"]).to_pylist()
        if row["event_type"] in (EventType.BOMB_PLANTED, EventType.BOMB_DEFUSED)
    )
    assert handled == {(EventType.BOMB_PLANTED, "t"): 567, (EventType.BOMB_DEFUSED, "ct"): 168}
    rules = Counter(finding.rule for match in matches for finding in match.findings)
    assert rules == {"warm_up_damage": 2, "stale_money": 8, "sides_swapped": 5, "ignored_section": 55}
    ignored = Counter(f.where.rsplit(" ", 1)[1] for m in matches for f in m.findings if f.rule == "ignored_section")
    assert ignored == {"player-stats": 46, "duels": 4, "replay.rounds[].projectiles": 5}
    swapped = [f.message.split(" is ")[0] for m in matches for f in m.findings if f.rule == "sides_swapped"]
    assert sorted(len(told.split(", ")) for told in swapped) == [4, 6, 6, 6, 6]  # the first overtime of five matches
    stale = [f.message.split(" tells")[0] for m in matches for f in m.findings if f.rule == "stale_money"]
    assert Counter(stale) == {"round 25": 6, "round 31": 2}  # the first rounds of overtimes, and no other
    weapons = {w for match in matches for w in match.tracking["weapon"].unique().to_pylist()}
    assert weapons - {None} <= WEAPONS


def test_tracks_never_jump(matches: list[CanonicalMatch]) -> None:
    for match in matches:
        table = match.tracking
        player = table["player"].combine_chunks().indices.to_numpy()
        order = np.lexsort((table["t_s"].to_numpy(), table["segment"].to_numpy(), player))
        who, segment, t_s, alive = (
            v[order] for v in (player, *(table[n].to_numpy() for n in ("segment", "t_s", "alive")))
        )
        place = np.stack([table[n].to_numpy()[order] for n in ("x_u", "y_u", "z_u")], axis=1)
        together = (np.diff(who) == 0) & (np.diff(segment) == 0) & alive[1:] & alive[:-1]
        assert np.allclose(np.diff(t_s)[together], 0.125)
        step = np.sqrt((np.diff(place, axis=0)[together] ** 2).sum(axis=1))
        assert step.max() <= LONGEST_STEP_U, match.header.match_id
        assert step.mean() > 1.0


def test_windows_keep_their_declared_bounds(matches: list[CanonicalMatch]) -> None:
    book = SiteBook.learn(plant for match in matches for plant in plants_of(match.events))
    rows = 0
    for match in matches:
        header = match.header
        table = match_windows(match, book.sites(header.map, without=header.match_id))
        rows += table.num_rows
        assert table.schema.equals(ROUND_STATE.table.arrow)
        for feature in ROUND_STATE.features:
            values = table[feature.name]
            known = values.drop_null().to_numpy()
            where = f"{feature.name} in {header.match_id}"
            assert feature.nullable or values.null_count == 0, where
            assert np.isfinite(known).all(), where
            assert feature.minimum is None or (known >= feature.minimum).all(), where
            assert feature.maximum is None or (known <= feature.maximum).all(), where
    assert rows > 100_000
