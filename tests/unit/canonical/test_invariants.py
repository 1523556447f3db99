"""Each rule of a whole match, broken alone by a tiny match, with the place in the finding."""

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from tiny_match import tiny_match

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.invariants import INVARIANTS, broken
from esports_assets.canonical.match import CanonicalMatch
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


BROKEN = {
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
