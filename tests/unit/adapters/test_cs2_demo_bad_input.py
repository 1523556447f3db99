"""Bad input gets one sentence with file and place, and never an exception."""

import copy
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_demo import V2_NAME, V3_NAME, packed, sections

from esports_assets.adapters.base import Reading, Refusal, SourceFile
from esports_assets.adapters.cs2_demo.adapter import Cs2DemoAdapter
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.windows.batch import match_windows
from esports_assets.windows.player_form import player_form_table
from esports_assets.windows.view import Sites

SITES = Sites((100.0, 200.0, 0.0), (-300.0, 50.0, 0.0))
NAMES = {2: V2_NAME, 3: V3_NAME}
GOOD = {version: sections(version) for version in (2, 3)}


def _read(version: int, data: bytes) -> Reading:
    return Cs2DemoAdapter().read(SourceFile(NAMES[version], data))


BYTES = {version: packed(version, parts) for version, parts in GOOD.items()}
GOOD_MATCH = {version: _read(version, data).matches[0] for version, data in BYTES.items()}
Change = Callable[[dict[str, Any]], None]


def _refused(version: int, data: bytes) -> Refusal:
    reading = _read(version, data)
    assert reading.matches == ()
    (refusal,) = reading.refusals
    assert refusal.file == NAMES[version]
    assert str(refusal).startswith(f"{NAMES[version]}: ")
    assert refusal.place
    assert "\n" not in str(refusal)
    return refusal


def _changed(version: int, change: Change) -> bytes:
    parts = copy.deepcopy(GOOD[version])
    change(parts)
    return packed(version, parts)


def _set(*path: Any, to: Any) -> Change:
    def change(parts: dict[str, Any]) -> None:
        node: Any = parts
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = to

    return change


def _twice(section: str) -> Change:
    return lambda parts: parts[section].append(parts[section][0])


# --- containers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_truncated_xz(kept: float) -> None:
    data = BYTES[2][: int(len(BYTES[2]) * kept)]
    refusal = _refused(2, data)
    assert refusal.kind == "UnreadableFile"
    assert refusal.place == "xz container"
    assert "truncated" in refusal.reason


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_half_a_zip(kept: float) -> None:
    refusal = _refused(3, BYTES[3][: int(len(BYTES[3]) * kept)])
    assert (refusal.kind, refusal.place) == ("UnreadableFile", "zip container")


def test_a_zip_with_a_flipped_byte_names_the_member() -> None:
    data = bytearray(BYTES[3])
    at = BYTES[3].index(b"kills.json") + 40
    data[at : at + 8] = b"\xff" * 8
    refusal = _refused(3, bytes(data))
    assert (refusal.kind, refusal.place) == ("UnreadableFile", "kills.json")


@settings(max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([2, 3]), st.sampled_from([b"", b"PK\x03\x04", b"\xfd7zXZ\x00"]))
def test_random_bytes(data: bytes, version: int, magic: bytes) -> None:
    assert _refused(version, magic + data).kind == "UnreadableFile"


def test_text_in_an_xz() -> None:
    for text in (b"hello", b"", b"\xff\xfe", b"[" * 200_000, b'{"manifest": {"schemaVersion": "cs2-demo-format/2.0", '):
        assert _refused(2, lzma.compress(text)).kind in {"UnreadableFile", "WrongFormat"}


def test_a_wrong_field_before_a_cut() -> None:
    """The parser stops at the wrong field; looking at the manifest again met the cut and raised."""
    text = json.dumps({"manifest": GOOD[2]["manifest"], "match": 5})[:-1]
    assert _refused(2, lzma.compress(text.encode())).kind == "UnreadableFile"


def test_a_decompression_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esports_assets.adapters.cs2_demo.opening.MAX_UNPACKED_BYTES", 1 << 20)
    assert "unpacks to more than 1 MiB" in _refused(2, lzma.compress(b" " * (1 << 21))).reason
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (1 << 21))
    assert "unpacks to more than 1 MiB" in _refused(3, sink.getvalue()).reason


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "change",
    [
        _set("manifest", "schemaVersion", to="cs2-demo-format/4.0"),
        _set("manifest", "schemaVersion", to="valorant-demo-format/2.0"),
        _set("manifest", to={"game": "valorant"}),
        _set("manifest", "schemaVersion", to=3),
    ],
)
def test_another_title_or_format(version: int, change: Change) -> None:
    refusal = _refused(version, _changed(version, change))
    assert refusal.kind == "WrongFormat"
    assert refusal.place.startswith("manifest")


def test_a_zip_of_something_else() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("notes.txt", "hello")
    refusal = _refused(3, sink.getvalue())
    assert refusal.kind == "WrongFormat"
    assert "manifest.json" in refusal.reason


@pytest.mark.parametrize("section", ["players", "kills", "replay", "player-economies"])
def test_a_missing_section(section: str) -> None:
    refusal = _refused(3, _changed(3, lambda parts: parts.pop(section)))
    assert (refusal.kind, refusal.place) == ("MalformedRecord", f"{section}.json")
    assert f"`{section}`" in _refused(2, _changed(2, lambda parts: parts.pop(section))).reason


# --- records without which there is no match ------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("version", [2, 3])
def test_a_score_that_is_no_number(version: int, word: str) -> None:
    refusal = _refused(version, _changed(version, _set("match", "teamA", "score", to=float(word))))
    assert (refusal.kind, refusal.place) == ("MalformedRecord", "match.teamA.score")
    assert refusal.reason == f"{word} is not a number that a match can hold"


ESSENTIAL: dict[str, tuple[Change, str, str]] = {
    "no rounds": (_set("rounds", to=[]), "rounds", "no rounds"),
    "a player twice": (_twice("players"), "players", "twice"),
    "a player twice in other letters": (_set("players", 1, "steamId64", to="p1"), "players", "share an id"),
    "a player without id": (_set("players", 0, "steamId64", to=""), "players[0].steamId64", "no id"),
    "a player of no team": (_set("players", 0, "teamKey", to="teamC"), "players[0].teamKey", "'teamC'"),
    "a player that is none": (_set("players", 0, to=7), "players[0]", "Expected `object`, got `int`"),
    "no clock": (_set("match", "tickrate", to=0), "match.tickrate", "no clock"),
    "an endless clock": (_set("match", "tickrate", to=1e-300), "match.tickrate", "no clock"),
    "no map": (_set("match", "mapName", to=""), "match", "map name"),
    "a section that is none": (_set("kills", to=5), "kills", "Expected `array`, got `int`"),
}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("case", sorted(ESSENTIAL))
def test_a_record_without_which_there_is_no_match(case: str, version: int) -> None:
    change, place, reason = ESSENTIAL[case]
    refusal = _refused(version, _changed(version, change))
    assert (refusal.kind, refusal.place) == ("MalformedRecord", place)
    assert reason in refusal.reason


# --- rows that are refused alone -------------------------------------------------------------------------------------


def _one_refused(version: int, change: Change) -> tuple[CanonicalMatch, Refusal]:
    """The match that lands although one thing in it is refused."""
    reading = _read(version, _changed(version, change))
    (match,) = reading.matches
    (refusal,) = reading.refusals
    assert (refusal.kind, refusal.file) == ("MalformedRecord", NAMES[version])
    return match, refusal


def _lost(match: CanonicalMatch, version: int) -> list[str]:
    """What the match lacks beside the sound one; all else stands as it stood."""
    sound = GOOD_MATCH[version]
    kinds = dict(zip(sound.events["event_id"].to_pylist(), sound.events["event_type"].to_pylist(), strict=True))
    left = match.events["event_id"].to_pylist()
    assert set(left) <= set(kinds)
    lost = [kind for event_id, kind in kinds.items() if event_id not in left]
    rounds = set(sound.tracking["segment"].to_pylist()) - set(match.tracking["segment"].to_pylist())
    return lost + [f"frames of round {number}" for number in sorted(rounds)]


_TRACK = ("replay", "rounds", 0, "players", 0)
_FRAMES = ["frames of round 1"]
_BOTH_THROWS = ["UTILITY", "UTILITY_EFFECT"]

ROWS: dict[str, tuple[Change, str, str, list[str]]] = {
    "a kill before all rounds": (_set("kills", 0, "tick", to=-5), "kills[0]", "tick -5 lies outside round 1", ["KILL"]),
    "a kill before its round": (_set("kills", 3, "tick", to=2000), "kills[3]", "2000 lies outside round 2", ["KILL"]),
    "a kill after its round": (
        _set("kills", 0, "tick", to=3304),
        "kills[0]",
        "lies outside round 1 (from 1000 to 3304)",
        ["KILL"],
    ),
    "a kill after the match": (_set("kills", 4, "tick", to=1 << 50), "kills[4]", "lies outside round 2", ["DEATH"]),
    "a kill in no round": (_set("kills", 0, "roundNumber", to=7), "kills[0]", "round 7 is not in the match", ["KILL"]),
    "a bomb before its round": (_set("bombs", 0, "tick", to=0), "bombs[0]", "clock is wrong", ["BOMB_PICKED_UP"]),
    "a grenade backwards": (_set("grenades", 0, "effectTick", to=1700), "grenades[0]", "before its throw", _BOTH_THROWS),
    "a grenade after its round": (_set("grenades", 0, "effectTick", to=9999), "grenades[0]", "outside", _BOTH_THROWS),
    "money of no round": (
        _set("player-economies", 0, "roundNumber", to=0),
        "player-economies[0]",
        "round 0",
        ["ECONOMY_UPDATE"],
    ),
    "a string for a number": (_set("kills", 0, "tick", to="soon"), "kills[0].tick", "Expected `int`, got `str`", ["KILL"]),
    "a number for a string": (_set("kills", 0, "weapon", to=7), "kills[0].weapon", "Expected `str`, got `int`", ["KILL"]),
    "a fraction for a tick": (_set("kills", 0, "tick", to=2000.5), "kills[0].tick", "Expected `int`", ["KILL"]),
    "a row that is none": (_set("blinds", 0, to=None), "blinds[0]", "Expected `object`, got `null`", ["BLIND"]),
    "a number beyond all": (_set("damages", 1, "healthDamage", to=1 << 60), "damages[1].healthDamage", "<=", ["DAMAGE"]),
    "a place that is no number": (
        _set("kills", 1, "victimPosition", "y", to=float("nan")),
        "kills[1].victimPosition.y",
        "NaN is not a number",
        ["KILL"],
    ),
    "a plant outside the world": (
        _set("bombs", 2, "position", "z", to=1e308),
        "bombs[2].position.z",
        "16384",
        ["BOMB_PLANTED"],
    ),
    "frames of no round": (_set("replay", "rounds", 0, "roundNumber", to=9), "replay round 9", "no such round", _FRAMES),
    "frames twice": (
        _set("replay", "rounds", 1, "roundNumber", to=1),
        "replay round 1",
        "stands twice",
        ["frames of round 2"],
    ),
    "frames of another clock": (_set("replay", "rounds", 0, "startTick", to=100), "replay round 1", "clock", _FRAMES),
    "a step of nothing": (_set("replay", "rounds", 0, "tickStep", to=0), "replay round 1", "clock", _FRAMES),
    "a short column": (_set(*_TRACK, "hp", to=[100]), "replay round 1 ", "1 values for 24 frames", _FRAMES),
    "frames without end": (_set("replay", "rounds", 0, "frameCount", to=10**12), "replay round 1", "values for", _FRAMES),
    "no tracks": (_set("replay", "rounds", 0, "players", to=[]), "replay round 1", "0 tracks", _FRAMES),
    "a track twice": (
        lambda p: p["replay"]["rounds"][0]["players"].append(p["replay"]["rounds"][0]["players"][0]),
        "replay round 1",
        "5 tracks of 4 players",
        _FRAMES,
    ),
    "health beyond range": (_set(*_TRACK, "hp", 3, to=70_000), "replay round 1.hp", "out of range", _FRAMES),
    "a weapon of no dictionary": (_set(*_TRACK, "weapon", 3, to=99), "replay round 1.weapon", "4 weapons", _FRAMES),
    "a position that is no number": (
        _set(*_TRACK, "x", 5, to=float("nan")),
        "replay.rounds[0].players[0].x[5]",
        "NaN is not a number",
        _FRAMES,
    ),
    "a position beyond the world of floats": (
        _set(*_TRACK, "x", 0, to=1 << 60),
        "replay.rounds[0].players[0].x[0]",
        "<=",
        _FRAMES,
    ),
    "a scale of nothing": (
        _set("replay", "meta", "coordScale", to=0),
        "replay.meta",
        "scales",
        [*_FRAMES, "frames of round 2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("case", sorted(ROWS))
def test_a_row_that_cannot_be_true_is_refused_alone(case: str, version: int) -> None:
    change, place, reason, lost = ROWS[case]
    match, refusal = _one_refused(version, change)
    assert refusal.place.startswith(place)
    assert reason in refusal.reason
    assert _lost(match, version) == lost


ONLY_3: dict[str, tuple[Change, str, str, list[str]]] = {
    "a player index out of range": (_set("kills", 0, "victimIndex", to=4), "kills[0]", "player index 4 is not one of 4", ["KILL"]),
    "a negative player index": (_set("kills", 0, "killerIndex", to=-1), "kills[0]", "player index -1", ["KILL"]),
    "a track of nobody": (_set(*_TRACK, "playerIndex", to=11), "replay round 1 player 0", "player index 11", _FRAMES),
    "shots of unequal columns": (
        _set("shots", "tracks", 0, "yaw", to=[1]),
        "shots.tracks[0]",
        "different length",
        ["SHOT", "SHOT"],
    ),
    "a weapon beyond the shots' dictionary": (
        _set("shots", "tracks", 0, "weapon", to=[0, 9]),
        "shots.tracks[0].weapon",
        "9",
        ["SHOT", "SHOT"],
    ),
    "a negative weapon": (_set("shots", "tracks", 0, "weapon", to=[0, -1]), "shots.tracks[0].weapon", "-1", ["SHOT"] * 2),
    "a track of shots that is no row": (_set("shots", "tracks", 0, "tick", to=7), "shots.tracks[0].tick", "array", ["SHOT"] * 2),
    "a shot scale of nothing": (_set("shots", "meta", "angleScale", to=0), "shots.meta", "scales", ["SHOT", "SHOT"]),
    "a place of no dictionary": (_set(*_TRACK, "place", 0, to=5), "replay round 1.place", "2 places", _FRAMES),
    "a short money column": (_set(*_TRACK, "money", to=[]), "replay round 1 0.money", "0 values for 24 frames", _FRAMES),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(ONLY_3))
def test_a_row_of_format_3_that_cannot_be_true(case: str) -> None:
    change, place, reason, lost = ONLY_3[case]
    match, refusal = _one_refused(3, change)
    assert refusal.place.startswith(place)
    assert reason in refusal.reason
    assert _lost(match, 3) == lost


def test_rows_behind_a_refused_one_keep_their_place_and_identity() -> None:
    """Row 0 cannot be typed, row 1 cannot be true: both are told by the number under which they stand in the file."""

    def both(parts: dict[str, Any]) -> None:
        parts["kills"][0]["tick"], parts["kills"][1]["tick"] = "soon", -5

    for version in (2, 3):
        reading = _read(version, _changed(version, both))
        assert [refusal.place for refusal in reading.refusals] == ["kills[0].tick", "kills[1]"]
        assert _lost(reading.matches[0], version) == ["KILL", "KILL"]


def test_a_plant_that_is_refused_stands_in_no_table() -> None:
    for version in (2, 3):
        match, _ = _one_refused(version, _set("bombs", 2, "tick", to=5))
        assert match.rounds["planted_t_s"].to_pylist() == [None, 10.0]


def test_refusals_without_end_are_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esports_assets.adapters.base.MAX_REFUSALS", 3)
    reading = _read(2, _changed(2, lambda parts: [row.update(tick=-1) for row in parts["kills"]]))
    assert [refusal.place for refusal in reading.refusals] == ["kills[0]", "kills[1]", "kills[2]", "kills[3]"]
    assert reading.refusals[-1].reason == "from here on, further refusals are not recorded"


# --- rounds that are refused whole -----------------------------------------------------------------------------------

ROUNDS: dict[str, tuple[Change, str, str]] = {
    "clock backwards in a round": (_set("rounds", 0, "freezeEndTick", to=900), "rounds[0]", "clock runs backwards"),
    "clock backwards between rounds": (_set("rounds", 1, "startTick", to=2000), "rounds[1]", "clock runs backwards"),
    "a tick beyond time": (_set("rounds", 1, "endTick", to=1 << 52), "rounds[1]", "clock"),
    "a round without end": (_set("rounds", 1, "endTick", to=1 << 40), "rounds[1]", "no round does"),
    "rounds out of order": (_set("rounds", 0, "roundNumber", to=2), "rounds[0]", "round 2 stands where round 1 is due"),
    "sides alike": (_set("rounds", 0, "teamASide", to="ct"), "rounds[0]", "are not ct and t"),
    "no such winner": (_set("rounds", 0, "winnerTeamKey", to="nobody"), "rounds[0].winnerTeamKey", "neither"),
    "winner on the other side": (_set("rounds", 0, "winnerSide", to="ct"), "rounds[0]", "winning side is 'ct'"),
    "impossible end": (_set("rounds", 0, "endReason", to="bomb_defused"), "rounds[0].endReason", "cannot end"),
    "a score beyond counting": (_set("rounds", 1, "teamAScoreBefore", to=70_000), "rounds[1]", "70000:0"),
    "a round that is no record": (_set("rounds", 1, to="lost"), "rounds[1]", "Expected `object`, got `str`"),
}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("case", sorted(ROUNDS))
def test_a_round_that_cannot_be_true_is_refused_with_its_rows(case: str, version: int) -> None:
    """The other round lands, and the score tells that something is missing: nothing is computed from the match."""
    change, place, reason = ROUNDS[case]
    match, refusal = _one_refused(version, change)
    assert (refusal.place, reason in refusal.reason) == (place, True)
    gone = 1 if place.startswith("rounds[0]") else 2
    assert match.rounds["segment"].to_pylist() == [3 - gone]
    assert set(match.events["segment"].to_pylist()) == {0, 3 - gone}
    assert set(match.tracking["segment"].to_pylist()) == {3 - gone}
    assert {f.rule for f in broken(match)} & {"final_score", "winner_agrees_with_score"}
    (finding,) = [f for f in match.findings if f.rule == "round_left_out"]
    rows = {1: 19, 2: 13}[gone]
    assert finding.message == f"round {gone} was refused, so its rows are left out with it ({rows} times)"


def test_eleven_players() -> None:
    extra = [{"steamId64": f"X{i}", "name": "x", "teamKey": "teamA"} for i in range(7)]
    for version in (2, 3):
        refusal = _refused(version, _changed(version, lambda parts: parts["players"].extend(extra)))
        assert (refusal.place, refusal.reason) == ("players", "11 players; a match has at most 10")


def test_a_stranger_in_format_2() -> None:
    match, refusal = _one_refused(2, _set("kills", 0, "killerSteamId64", to="P9"))
    assert (refusal.place, "'P9'" in refusal.reason, _lost(match, 2)) == ("kills[0]", True, ["KILL"])
    match, refusal = _one_refused(2, _set("positions-1s", 1, "steamId64", to="P9"))
    assert (refusal.place, "'P9'" in refusal.reason, _lost(match, 2)) == ("positions-1s[1]", True, [])


def test_an_unknown_weapon_is_no_reason_to_refuse() -> None:
    for version in (2, 3):
        reading = _read(version, _changed(version, _set("kills", 0, "weapon", to="banana")))
        (match,) = reading.matches
        assert any("'banana'" in f.message for f in match.findings)


def test_one_bad_file_leaves_the_others_alone() -> None:
    files = [SourceFile(V2_NAME, BYTES[2]), SourceFile("broken.zip", b"PK"), SourceFile(V3_NAME, BYTES[3])]
    readings = [read_file(file) for file in files]
    assert [len(r.matches) for r in readings] == [1, 0, 1]


# --- anything at all ------------------------------------------------------------------------------------------------

_JUNK = (None, True, -1, 0, 3, 1 << 40, 1 << 70, 0.5, 1e308, float("nan"), "", "x", "P1", [], [1], {}, {"x": 1})


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node[:6]) if isinstance(node, list) else ()
    for key, child in items:
        yield from _paths(child, (*path, key))


PATHS = {version: list(_paths(parts)) for version, parts in GOOD.items()}


@settings(max_examples=250)
@given(st.data(), st.sampled_from([2, 3]))
def test_any_mutation_gives_a_match_or_a_sentence(data: st.DataObject, version: int) -> None:
    parts = copy.deepcopy(GOOD[version])
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(PATHS[version]))
        node: Any = parts
        try:
            for key in way:
                node = node[key]
            node[last]
        except (LookupError, TypeError):
            continue  # an earlier mutation took it away
        if data.draw(st.booleans()):
            node[last] = copy.deepcopy(data.draw(st.sampled_from(_JUNK)))
        else:
            del node[last]
    reading = _read(version, packed(version, parts))
    assert len(reading.matches) <= 1
    assert reading.matches or reading.refusals
    for match in reading.matches:
        if not broken(match):  # what breaks an invariant is quarantined, everything else becomes finite features
            assert match_windows(match, SITES).num_rows
            assert player_form_table(match).num_rows
    for refusal in reading.refusals:
        assert refusal.file == NAMES[version]
        assert refusal.place
        assert refusal.reason
        assert "\n" not in str(refusal)
