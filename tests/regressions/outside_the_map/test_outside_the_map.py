"""A match far outside its map was only remarked: its positions became features, its plants moved the sites of the others."""

import dataclasses
from pathlib import Path

import pytest
from tiny_match import tiny_match

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import EVENTS, TRACKING
from esports_assets.canonical.vocabulary import Title
from esports_assets.stages.maps import BEYOND_U, learn_maps, load_maps
from esports_assets.storage.lake import Lake

FAR = BEYOND_U * 3


def _changed(match: CanonicalMatch, table: str, **columns: list[object]) -> CanonicalMatch:
    old = match.tables[table]
    declared = {"events": EVENTS, "tracking": TRACKING}[table]
    return dataclasses.replace(
        match, **{table: table_of(declared, dict(zip(old.column_names, old.columns, strict=True)) | columns)}
    )


def _planted(name: str, x: float) -> CanonicalMatch:
    """Nothing happens but a plant at A."""
    payload = [f'{{"pos":[{x},0.0,0.0],"site":"a"}}', "{}"]
    return _changed(tiny_match(f"test:{name}:1"), "events", event_type=["BOMB_PLANTED", "SHOT"], payload=payload)


def _tracked(name: str, x: float) -> CanonicalMatch:
    return _changed(_planted(name, 0.0), "tracking", x_u=[x, 0.0])


def _quarantined(lake: Lake) -> dict[str, list[str]]:
    return {
        record.header.match_id: [str(finding) for finding in record.quarantined]
        for record in lake.matches(Title.CS2)
        if record.quarantined
    }


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two matches that play in one place."""
    lake = Lake(tmp_path)
    for name, x in (("one", 10.0), ("two", 20.0)):
        lake.write_match(_planted(name, x), adapter_version="7", raw=f"raw/{name}")
    return lake


@pytest.mark.parametrize("match", [_tracked("far", FAR), _planted("far", -FAR)], ids=["tracks", "events"])
def test_it_is_quarantined_and_nothing_is_learned_from_it(lake: Lake, match: CanonicalMatch) -> None:
    lake.write_match(match, adapter_version="7", raw="raw/far")
    maps = learn_maps(lake, Title.CS2)
    [(match_id, told)] = _quarantined(lake).items()
    assert match_id == "test:far:1"
    assert told[0].startswith("test:far:1 de_dust2: a position lies 30")
    assert told[0].endswith("units outside de_dust2 as 2 other matches show it [position_in_map]")
    assert maps.outside() == [f"test:far:1: {told[0].split(': ', 1)[1].removesuffix(' [position_in_map]')}"]
    assert maps.book.sites("de_dust2").a == (15.0, 0.0, 0.0)
    record = lake.find(Title.CS2, match_id)
    assert record is not None
    assert (record.adapter_version, record.raw) == ("7", "raw/far")


def test_learning_again_writes_nothing(lake: Lake) -> None:
    lake.write_match(_tracked("far", FAR))
    before = learn_maps(lake, Title.CS2)
    tags = {key: lake.store.etag(key) for key in lake.store.list()}
    assert learn_maps(lake, Title.CS2).data_version == before.data_version == load_maps(lake, Title.CS2).data_version
    assert {key: lake.store.etag(key) for key in lake.store.list()} == tags


def test_windows_hear_of_it(lake: Lake) -> None:
    """The version of the maps is what makes windows be computed again."""
    before = learn_maps(lake, Title.CS2)
    lake.write_match(_changed(_tracked("far", FAR), "events", event_type=["SHOT", "SHOT"]))
    assert learn_maps(lake, Title.CS2).data_version != before.data_version


def test_it_is_released_when_others_play_there_too(lake: Lake) -> None:
    lake.write_match(_tracked("far", FAR))
    learn_maps(lake, Title.CS2)
    assert list(_quarantined(lake)) == ["test:far:1"]
    for name in ("there", "also"):
        lake.write_match(_tracked(name, FAR))
    learn_maps(lake, Title.CS2)
    assert _quarantined(lake) == {}


def test_two_with_the_same_fault_do_not_excuse_each_other(lake: Lake) -> None:
    for name, x in (("three", 15.0), ("far", FAR), ("far2", FAR)):
        lake.write_match(_tracked(name, x))
    learn_maps(lake, Title.CS2)
    assert sorted(_quarantined(lake)) == ["test:far2:1", "test:far:1"]


def test_what_breaks_another_rule_shows_nothing_of_the_map(lake: Lake) -> None:
    bad = dataclasses.replace(_tracked("far", FAR), findings=tiny_match(findings=1).findings)
    bad = dataclasses.replace(bad, findings=(dataclasses.replace(bad.findings[0], rule="team_size"),))
    lake.write_match(bad)
    assert "test:far:1" not in learn_maps(lake, Title.CS2).extents["de_dust2"]
    assert [told.split("[")[-1] for told in _quarantined(lake)["test:far:1"]] == ["team_size]"]
