"""Each rule of a whole match, broken alone by a tiny match, with the place in the finding."""

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from tiny_match import tiny_match

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.invariants import INVARIANTS, POSITION_IN_MAP, broken
from esports_assets.canonical.match import INVALIDATED, CanonicalMatch, Finding
from esports_assets.canonical.schema import CANONICAL_TABLES

TABLES = {table.name: table for table in CANONICAL_TABLES}


def _with(table: str, **columns: list[Any]) -> CanonicalMatch:
    match = tiny_match()
    sound = {"events": {"actor": ["test:p1", "test:p6"], "team": ["test:t1", "test:t2"]}}
    for name, changes in {**sound, table: {**sound.get(table, {}), **columns}}.items():
        old = match.tables[name]
        size = len(next(iter(changes.values()), [None] * old.num_rows))
        values = {n: changes.get(n, (old[n].to_pylist() * size)[:size]) for n in old.column_names}
        for n, column in ((c.name, c) for c in TABLES[name].columns if c.kind.value == "time"):
            values[n] = changes.get(n, (old[n].cast(pa.int64()).to_pylist() * size)[:size])
            assert column.name in values
        match = dataclasses.replace(match, **{name: table_of(TABLES[name], values)})
    return match


def _rounds(**columns: list[Any]) -> CanonicalMatch:
    """Two rounds that team t1 wins as CT."""
    two: dict[str, list[Any]] = {"segment": [1, 2], "ct_score_before": [0, 1], "duration_s": [30.0, 40.0]}
    return _with("rounds", **{**two, **columns})


def _map_end(payload: str) -> CanonicalMatch:
    """The end of a match whose only round team t1 won."""
    return _with("events", event_type=["KILL", "MAP_END"], target=["test:p6", None], payload=["{}", payload])


def _tracked(*players: str) -> CanonicalMatch:
    """Tracks of players who all play for team t1."""
    size, names = len(players), sorted({*players, "test:p1"})
    columns = {"alive": [True], "health": [100], "x_u": [0.0], "y_u": [0.0], "segment": [1], "t_s": [0.0]}
    match = _with("tracking", player=list(players), **{name: value * size for name, value in columns.items()})
    everybody = [*names, "test:p6"]
    teams = ["test:t1"] * len(names) + ["test:t2"]
    rows = {"player": everybody, "player_name": everybody, "team": teams, "team_name": teams}
    table = table_of(TABLES["players"], {"match_id": ["test:1:1"] * len(everybody), **rows})
    return dataclasses.replace(match, players=table)


def _found(rule: str) -> CanonicalMatch:
    """A match of which somebody else states a finding."""
    return dataclasses.replace(_with("events"), findings=(Finding(rule, "test:1:1 line 7", "not this one"),))


def _deserted() -> CanonicalMatch:
    """A match in which nobody does anything, and nobody is listed."""
    match = _with(
        "events", event_type=["ROUND_START", "ROUND_END"], actor=[None, None], target=[None, None], team=[None, None]
    )
    return dataclasses.replace(match, players=match.players.slice(0, 0))


BROKEN = {
    "somebody_plays": (_deserted(), "the list of players", "nobody is listed, and 1 rounds were played"),
    "declared_schema": (
        _with("tracking", health=[200, 100]),
        "round 1 at 0.00 s",
        "tracking.health = 200, more than 150 (row 0)",
    ),
    "rows_stand_once": (
        _with("tracking", player=["test:p1", "test:p1"], team=["test:t1"] * 2),
        "round 1 at 0.00 s",
        "tracking has two rows of test:p1",
    ),
    "team_size": (
        _tracked(*(f"test:q{i}" for i in range(5))),
        "round 1",
        "6 players of test:t1 take part; a team has at most 5",
    ),
    "final_score": (
        _map_end('{"score":{"test:t1":0,"test:t2":null}}'),
        "the end",
        "the source states 0 rounds for test:t1, which won 1 of them",
    ),
    "source_stands_by_it": (_found(INVALIDATED), "line 7", "not this one"),
    POSITION_IN_MAP: (_found(POSITION_IN_MAP), "line 7", "not this one"),
    "victim_was_alive": (
        _with("events", target=["test:p6", "test:p6"]),
        "round 1 at 20.00 s",
        "test:p6 dies a second time",
    ),
    "t_within_round": (
        _with("events", t_s=[-601.0, 20.0]),
        "round 1",
        "event at -601.00 s lies outside the round",
    ),
    "team_of_actor": (
        _with("events", team=["test:t2", "test:t2"]),
        "round 1",
        "test:p1 acts for test:t2 but plays for test:t1",
    ),
    "position_in_world": (_with("tracking", y_u=[0.0, -16_385.0]), "round 1 at 0.00 s", "test:p6 has y_u = -16385.0"),
    "winner_agrees_with_score": (
        _rounds(ct_score_before=[0, 0]),
        "round 2",
        "test:t1 has 0 rounds before it but won 1",
    ),
    "events_are_numbered": (_with("events", seq=[0, 2]), "events", "seq is not dense from 0"),
    "living_have_health": (_with("tracking", health=[0, 100]), "round 1 at 0.00 s", "test:p1 is alive with 0 health"),
}


def test_every_rule_has_its_case() -> None:
    assert set(BROKEN) == set(INVARIANTS)


def test_a_sound_match_breaks_nothing() -> None:
    assert broken(_with("events")) == []
    assert broken(_rounds()) == []


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_each_rule_alone(rule: str) -> None:
    match, where, message = BROKEN[rule]
    (finding,) = broken(match)
    assert finding.rule == rule
    assert finding.where == f"test:1:1 {where}"
    assert message in finding.message
    assert str(finding).startswith("test:1:1 ")


@pytest.mark.parametrize(
    ("match", "rule", "message"),
    [
        (
            _rounds(planted_site=["a", "main"]),
            "declared_schema",
            "rounds.planted_site = 'main', not one of a, b, c (row 1)",
        ),
        (_rounds(freeze_s=[20.0, -1.0]), "declared_schema", "rounds.freeze_s = -1.0, less than 0 (row 1)"),
        (_rounds(segment=[1, 1]), "rows_stand_once", "rounds has two rows of segment 1"),
        (_tracked("test:q1", "test:q2", "test:q1"), "rows_stand_once", "tracking has two rows of test:q1"),
        (
            _with("tracking", t_s=[3.0, 3.0, 1.0, 3.0], player=["test:p1", "test:p2", "test:p1", "test:p1"]),
            "rows_stand_once",
            "tracking has two rows of test:p1",
        ),
        (
            _tracked(*(f"test:q{i:02}" for i in range(9))),
            "team_size",
            "11 players take part; cs2 has at most 10",
        ),
        (
            _with("events", payload=['{"pos":[0.0,-16400.5,0.0]}', "{}"]),
            "position_in_world",
            "KILL has pos = [0.0, -16400.5, 0.0]",
        ),
        (_with("events", payload=["{}", '{"target_pos":[1e300,0,0]}']), "position_in_world", "KILL has target_pos"),
        (_map_end('{"score":{"test:t1":1,"test:t2":3}}'), "final_score", "3 rounds for test:t2, which won 0 of them"),
        (
            _with("events", actor=["test:stranger", None]),
            "team_of_actor",
            "test:stranger acts but is not among the players",
        ),
        (_rounds(duration_s=[30.0, 3601.0]), "t_within_round", "the round lasts 3601 s"),
        (_with("events", event_id=["same", "same"]), "events_are_numbered", "two events share an id"),
        (_with("tracking", alive=[True, False]), "living_have_health", "test:p6 is dead with 100 health"),
        (_rounds(winner_team=["test:t1", "test:t2"]), "winner_agrees_with_score", "test:t2 won on side ct"),
        (_rounds(end_reason=["t_eliminated", "bomb_exploded"]), "winner_agrees_with_score", "ct cannot win a round"),
        (_rounds(duration_s=[30.0, -1.0], segment=[2, 1]), "t_within_round", "event at 20.00 s lies outside"),
    ],
)
def test_other_ways_to_break_a_rule(match: CanonicalMatch, rule: str, message: str) -> None:
    found = [finding for finding in broken(match) if finding.rule == rule]
    assert any(message in finding.message for finding in found), found


def test_a_revived_player_may_die_again() -> None:
    events: dict[str, list[Any]] = {
        "event_id": ["a", "b", "c"],
        "event_type": ["KILL", "SPAWN", "KILL"],
        "actor": ["test:p1", "test:p6", "test:p1"],
        "target": ["test:p6", None, "test:p6"],
        "team": ["test:t1", "test:t2", "test:t1"],
        "seq": [0, 1, 2],
        "t_s": [1.0, 2.0, None],
        "timestamp": [0, 1, 2],
    }
    assert broken(_with("events", **events)) == []
    events["event_type"] = ["KILL", "SHOT", "KILL"]
    (finding,) = broken(_with("events", **events))
    assert finding.where == "test:1:1 round 1"


def test_a_source_that_states_the_score_that_was_counted_or_none_is_fine() -> None:
    for payload in ('{"score":{"test:t1":1,"test:t2":0}}', '{"score":{"test:t1":null}}', "{}"):
        assert broken(_map_end(payload)) == []


def test_a_lineup_of_eleven_is_too_large_before_anybody_acts() -> None:
    lineup = ",".join(f'"test:p{i}":"test:t{1 + i % 2}"' for i in range(11))
    start = _with(
        "events",
        event_type=["KILL", "MAP_START"],
        target=["test:p6", None],
        payload=["{}", f'{{"players":{{{lineup}}}}}'],
    )
    assert [(f.rule, f.where) for f in broken(start)] == [("team_size", "test:1:1 the start")]


def test_substitutes_over_a_match_are_no_crowd() -> None:
    """Eleven players, ten of whom play each round."""
    names = [f"test:p{i}" for i in range(11)]
    teams = ["test:t1" if i % 2 else "test:t2" for i in range(11)]
    match = _with(
        "events", segment=[1, 2], target=["test:p10", "test:p8"], actor=["test:p1", "test:p3"], team=["test:t1"] * 2
    )
    rows = {"player": names, "player_name": names, "team": teams, "team_name": teams}
    assert (
        broken(dataclasses.replace(match, players=table_of(TABLES["players"], {"match_id": ["test:1:1"] * 11, **rows})))
        == []
    )


def test_five_digits_behind_the_point_are_no_distance() -> None:
    assert broken(_with("events", payload=['{"pos":[0.12345,16383.99999,1.0]}', '{"pos":null}'])) == []


def test_findings_are_few_per_rule() -> None:
    dead = ["test:p6"] * 20
    events = _with(
        "events",
        event_id=[str(i) for i in range(20)],
        seq=list(range(20)),
        target=dead,
        actor=["test:p1"] * 20,
        team=["test:t1"] * 20,
    )
    assert len(broken(events, per_rule=3)) == 3
