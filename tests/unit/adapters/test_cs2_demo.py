"""What the tiny demo becomes, by value, in both formats."""

import json

import pytest
from cs2_readings import P1, P2, P3, P4, of, read
from tiny_demo import CASES, FIXTURES, defused, packed, sections, unpacked

from esports_assets.adapters.base import SourceFile, day_of_name
from esports_assets.adapters.cs2_demo.mapping import weapon
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.codec import events_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Side

A, B = "cs2_demo:alpha-team", "cs2_demo:beta"


@pytest.fixture(params=[2, 3], ids=["v2", "v3"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def match(version: int) -> CanonicalMatch:
    return read(version, sections(version))


@pytest.fixture
def events(match: CanonicalMatch) -> list[CanonicalEvent]:
    return events_of(match.events)


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_committed_inputs_are_what_the_builder_writes(case: str) -> None:
    number, name, content = CASES[case]
    assert unpacked(number, (FIXTURES / case / name).read_bytes()) == content


def test_a_defuse_ends_the_round() -> None:
    match = read(2, defused())
    events = events_of(match.events)
    (defuse,) = of(events, EventType.BOMB_DEFUSED, 2)
    assert (defuse.t, defuse.actor, defuse.side, defuse.payload["site"]) == (26.0, P1, Side.CT, "b")
    assert match.rounds["end_reason"].to_pylist() == ["ct_eliminated", "bomb_defused"]
    assert match.rounds["winner_team"].to_pylist() == [A, A]
    assert events[-1].payload == {"score": {A: 2, B: 0}, "winner_team": A}
    assert next(of(events, EventType.KILL, 1)).payload["flash_assister"] == P2
    assert next(of(events, EventType.DAMAGE, 1)).payload["target_pos"] == [5.0, 6.0, 7.0]


def test_identity(match: CanonicalMatch) -> None:
    assert match.header.match_id == "cs2_demo:2026-05-17.alpha-team-beta:de_tiny-5eed5eed"
    assert match.header.series_id == "cs2_demo:2026-05-17.alpha-team-beta"
    assert (match.header.day.isoformat(), match.header.simulated, match.header.map) == ("2026-05-17", False, "de_tiny")
    assert match.players.to_pylist()[2] == {
        "match_id": match.header.match_id,
        "player": P3,
        "player_name": "player P3",
        "team": B,
        "team_name": "Beta",
    }


def test_rounds(match: CanonicalMatch) -> None:
    first, second = match.rounds.to_pylist()
    told = (
        "segment",
        "freeze_s",
        "duration_s",
        "ct_team",
        "t_team",
        "ct_score_before",
        "t_score_before",
        "ct_buy",
        "t_buy",
    )
    assert [first[k] for k in told] == [1, 10.0, 20.0, B, A, 0, 0, "pistol", "pistol"]
    assert [second[k] for k in told] == [2, 10.0, 30.0, A, B, 1, 0, "pistol", "eco"]
    ended = ("winner_side", "winner_team", "end_reason", "planted_t_s", "planted_site")
    assert [first[k] for k in ended] == ["t", A, "ct_eliminated", 12.5, "a"]
    assert [second[k] for k in ended] == ["t", B, "bomb_exploded", 10.0, "b"]
    assert (first["ct_equipment_value"], first["t_equipment_value"]) == (852 + 853, 850 + 851)
    assert (second["ct_equipment_value"], second["t_equipment_value"]) == (3200 + 851, 852 + 853)
    assert first["started_at"].isoformat() == "2026-05-17T00:00:25.625000+00:00"


def test_ticks_become_seconds_since_freeze_end(events: list[CanonicalEvent]) -> None:
    (picked,) = of(events, EventType.BOMB_PICKED_UP, 1)
    (planted,) = of(events, EventType.BOMB_PLANTED, 1)
    (start,) = of(events, EventType.ROUND_START, 2)
    (frozen,) = of(events, EventType.FREEZE_END, 2)
    assert [e.t for e in (picked, planted, start, frozen)] == [-8.4375, 12.5, -10.0, 0.0]
    assert picked.timestamp.isoformat() == "2026-05-17T00:00:17.187500+00:00"
    assert (planted.actor, planted.team, planted.side, planted.payload) == (
        P1, A, Side.T, {"site": "a", "pos": [100.0, 200.0, 0.0]},
    )  # fmt: skip
    assert (start.payload["ct_team"], start.payload["ct_score"], start.payload["t_buy"]) == (A, 1, "eco")


def test_the_order_is_by_round_time_and_cause(events: list[CanonicalEvent]) -> None:
    assert events[0].event_type is EventType.MAP_START
    assert events[-1].event_type is EventType.MAP_END
    assert events[-1].payload == {"score": {A: 1, B: 1}, "winner_team": None}
    at_six = [e.event_type for e in events if e.segment == 1 and e.t == 6.0]
    assert at_six == [EventType.DAMAGE, EventType.KILL]
    inside = [(e.segment, e.t) for e in events if e.segment]
    assert inside == sorted(inside, key=lambda pair: (pair[0], pair[1] or 0.0))


def test_warm_up_damage_is_dropped_with_a_finding(match: CanonicalMatch, events: list[CanonicalEvent]) -> None:
    first, second = of(events, EventType.DAMAGE, 1)
    assert (first.t, first.actor, first.target) == (5.0, P1, P3)
    assert first.payload["damage"] == 27
    assert (first.payload["health_after"], first.payload["armor_after"]) == (73, 97)
    assert (second.t, second.payload["health_after"]) == (6.0, 0)  # 80 of the 73 that were left
    (finding,) = [f for f in match.findings if f.rule == "warm_up_damage"]
    assert finding.where.endswith("damages[0]")


def test_kills(events: list[CanonicalEvent]) -> None:
    first, strange, last = of(events, EventType.KILL, 1)
    assert (first.actor, first.target, first.team, first.side) == (P1, P3, A, Side.T)
    assert first.payload == {
        "weapon": "ak47", "target_pos": [5.0, 6.0, 7.0], "target_team": B, "target_side": "ct", "hindsight": {"traded": True},
        "pos": [1.0, 2.0, 3.0], "headshot": True, "trade": False, "through_smoke": False, "no_scope": False, "wallbang": 0,
        "assister": P2, "flash_assister": None,
    }  # fmt: skip
    assert (strange.payload["trade"], strange.payload["through_smoke"], last.payload["wallbang"]) == (True, True, 1)


def test_an_unknown_weapon_is_kept_and_reported(match: CanonicalMatch, events: list[CanonicalEvent]) -> None:
    (kill,) = [e for e in of(events, EventType.KILL, 1) if e.actor == P4]
    assert kill.payload["weapon"] == "raygun"
    (finding,) = [f for f in match.findings if f.rule == "unknown_weapon"]
    assert finding.where.endswith("kills[1]")
    assert "'raygun'" in finding.message


def test_a_team_kill_is_kept(events: list[CanonicalEvent]) -> None:
    (kill,) = of(events, EventType.KILL, 2)
    assert (kill.actor, kill.target, kill.team, kill.payload["target_team"]) == (P4, P3, B, B)


def test_the_bombs_victim_has_no_killer(events: list[CanonicalEvent]) -> None:
    """3.0 may name the planter as the killer: it is still the bomb's doing, and no kill of his."""
    (death,) = of(events, EventType.DEATH, 2)
    assert (death.t, death.actor, death.target, death.team) == (29.0, None, P1, None)
    assert (death.payload["cause"], death.payload["weapon"]) == ("bomb", "planted_c4")


def test_the_round_end_belongs_to_the_winner(events: list[CanonicalEvent]) -> None:
    (end,) = of(events, EventType.ROUND_END, 2)
    assert (end.t, end.actor, end.team, end.side) == (30.0, None, B, Side.T)
    assert (end.payload["winner_team"], end.payload["reason"]) == (B, "bomb_exploded")
    assert (end.payload["ct_score"], end.payload["t_score"]) == (1, 1)


def test_economy(match: CanonicalMatch, events: list[CanonicalEvent], version: int) -> None:
    one = next(of(events, EventType.ECONOMY_UPDATE, 1))
    grenades = ["smoke"] if version == 3 else None
    assert one.t == 0.0
    assert one.payload == {
        "money": 150, "start_money": 800, "spent": 650, "equipment_value": 850, "armor": True, "helmet": False, "kit": False,
        "primary": None, "secondary": "usp_silencer", "grenades": grenades, "grenade_count": 1, "buy": "pistol",
    }  # fmt: skip
    rich = next(of(events, EventType.ECONOMY_UPDATE, 2))
    assert (rich.payload["primary"], rich.payload["helmet"], rich.payload["kit"]) == ("ak47", True, True)


def test_money_from_before_overtime_is_unknown(match: CanonicalMatch, events: list[CanonicalEvent]) -> None:
    """In the first round of an overtime half both formats tell the money from before its reset: some spend more than they have.

    The real 3.0 files show it: their frames hold 10000 minus what was spent. The whole round's money is then unknown.
    """
    assert [e.payload["money"] for e in of(events, EventType.ECONOMY_UPDATE, 2)] == [None] * 4
    (finding,) = [f for f in match.findings if f.rule == "stale_money"]
    assert "round 2" in finding.message


def test_grenades_and_blinds(events: list[CanonicalEvent]) -> None:
    (thrown,) = of(events, EventType.UTILITY, 1)
    (effect,) = of(events, EventType.UTILITY_EFFECT, 1)
    (blind,) = of(events, EventType.BLIND, 1)
    assert (thrown.t, thrown.actor, thrown.payload["pos"]) == (1.0, P3, [1.0, 2.0, 3.0])
    assert (effect.t, effect.payload) == (3.0, {"grenade": "smoke", "grenade_id": "7-1704", "pos": [40.0, 50.0, 6.0]})
    assert (blind.actor, blind.target, blind.payload["duration_s"], blind.payload["target_side"]) == (P2, P3, 1.5, "ct")


def test_what_a_clutch_became_stands_in_hindsight(events: list[CanonicalEvent]) -> None:
    (clutch,) = of(events, EventType.CLUTCH, 1)
    assert clutch.payload == {"opponents": 1, "hindsight": {"won": True, "survived": True, "kills": 1}}


def test_shots_are_unrolled(events: list[CanonicalEvent]) -> None:
    first, second = of(events, EventType.SHOT, 1)
    assert (first.t, first.actor) == (5.0, P1)
    assert first.payload == {"weapon": "ak47", "pos": [10.0, 20.0, 30.0], "yaw_deg": 90.0, "pitch_deg": -1.0}
    assert (second.t, second.payload["pos"], second.payload["yaw_deg"], second.payload["weapon"]) == (
        5.5, [14.0, 20.0, 30.0], 85.0, "knife",
    )  # fmt: skip


def test_both_formats_tell_the_same_story() -> None:
    two, three = (events_of(read(v, sections(v)).events) for v in (2, 3))
    assert [(e.event_type, e.segment, e.t, e.actor, e.target) for e in two] == [
        (e.event_type, e.segment, e.t, e.actor, e.target) for e in three
    ]


def test_an_unknown_bomb_event_becomes_generic_with_all_that_the_source_says(version: int) -> None:
    parts = sections(version)
    parts["bombs"][1] |= {"type": "kissed", "siteId": "434", "tenderly": {"times": [1, 2]}}
    match = read(version, parts)
    (event,) = of(events_of(match.events), EventType.GENERIC, 1)
    assert (event.t, event.actor, event.payload["source_type"]) == (9.0, P1, "bomb.kissed")
    assert event.payload["raw"] == parts["bombs"][1]
    assert "unknown_bomb_event" in {f.rule for f in match.findings}


def test_a_raw_record_beyond_the_bound_tells_its_size() -> None:
    parts = sections(2)
    parts["bombs"][1] |= {"type": "kissed", "letter": "x" * 20_000}
    (event,) = of(events_of(read(2, parts).events), EventType.GENERIC, 1)
    size = len(json.dumps(parts["bombs"][1], separators=(",", ":")))
    assert event.payload["raw"] == {"left_out": f"{size} bytes"}


def test_a_shot_outside_its_round_is_dropped_with_a_finding() -> None:
    for tick in (10, 3304):  # before the first round; after the next has begun
        parts = sections(2)
        parts["shots"][0]["tick"] = tick
        match = read(2, parts)
        assert len(list(of(events_of(match.events), EventType.SHOT, 1))) == 1
        assert "shot_outside_round" in {f.rule for f in match.findings}


def test_a_simulated_demo_says_so() -> None:
    parts = sections(3)
    parts["manifest"]["simulated"] = True
    match = read(3, parts)
    assert match.header.match_id == "cs2_demo:sim.2026-05-17.alpha-team-beta:de_tiny-5eed5eed"
    assert match.rounds["simulated"].to_pylist() == [True, True]


def test_a_score_that_its_rounds_do_not_count_breaks_the_match(version: int) -> None:
    parts = sections(version)
    parts["match"]["teamB"]["score"] = 13
    (finding,) = broken(read(version, parts))
    assert (finding.rule, finding.message) == (
        "final_score",
        "the source states 13 rounds for cs2_demo:beta, which won 1 of them",
    )


def test_sections_that_are_not_read_are_named(version: int) -> None:
    parts = sections(version)
    parts |= {"player-stats": [{"kills": 3}], "duels": {"windows": []}}
    parts["replay"]["rounds"][1]["projectiles"] = [{"grenade": "smoke"}]
    told = [(f.where.split(" ", 1)[1], f.message) for f in read(version, parts).findings if f.rule == "ignored_section"]
    assert told == [
        (name, f"{name} has no place in the language and is not read; it stays in the raw file")
        for name in ("duels", "player-stats", "replay.rounds[].projectiles")
    ]


def test_teams_of_one_name_and_teams_in_other_scripts_keep_apart() -> None:
    for a, b in (("Alpha", "alpha"), ("天禄", "虎牙")):
        parts = sections(2)
        parts["match"]["teamA"]["name"], parts["match"]["teamB"]["name"] = a, b
        match = read(2, parts)
        assert len(set(match.players["team"].to_pylist())) == 2
        assert match.players["team_name"].to_pylist()[0] == a


def test_an_xz_file_is_known_by_its_first_bytes() -> None:
    reading = read_file(SourceFile("upload", packed(2, sections(2))))
    assert len(reading.matches) == 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("weapon_ak47", "ak47"),
        ("M4A1-S", "m4a1_silencer"),
        ("weapon_knife_widowmaker", "knife"),
        ("karambit", "knife"),
        ("AWP", "awp"),
    ],
)
def test_weapon_names(theirs: str, ours: str) -> None:
    assert weapon(theirs) == ours


def test_days_of_names() -> None:
    assert day_of_name("2026-02-30_x_2026-03-01.zip").isoformat() == "2026-03-01"
    assert day_of_name("demo.zip").isoformat() == "1970-01-01"
