"""Publishing twice is publishing once, live and batch rows share a table without disturbing each other. On a real PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import RealDictCursor

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.signal import AgentSignal, SignalType
from esports_assets.canonical.vocabulary import EventType, Intent, Title
from esports_assets.storage import publish
from esports_assets.storage.database import connect, migrate

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MATCH = "test:series:1"


@pytest.fixture(params=["tuples", "dictionaries"])
def cursor(fresh_database_url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    connection = psycopg2.connect(fresh_database_url)
    kind = RealDictCursor if request.param == "dictionaries" else None
    with connection.cursor(cursor_factory=kind) as found:
        yield found
    connection.close()


def action(number: int, version: str = "3", **changes: Any) -> AgentSignal:
    told: dict[str, Any] = {
        "signal_id": f"{version}-{number:04d}",
        "type": SignalType.MOTION_SYNTHESIS,
        "match_id": MATCH,
        "series_id": "test:series",
        "event_ts": NOW + timedelta(seconds=number),
        "map": "de_mill",
        "segment": 1 + number // 10,
        "t": float(number),
        "team": "test:red",
        "player_id": f"test:p{number % 5}",
        "intent": Intent.PLANT,
        "confidence": 0.75,
        "features": {"speed_u_s": 12.5, "probabilities": {"plant": 0.75, "hold": 0.25}},
        "model_info": {"model_name": "cs2.intent.xgboost", "model_version": version, "probability_source": "model"},
        "window_fingerprint": "abc",
        "generated_at": NOW,
    }
    return AgentSignal(**(told | changes))


def rows(cursor: Any, table: str, order: str) -> list[dict[str, Any]]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY {order}")
    names = [column.name for column in cursor.description]
    return [dict(row) if isinstance(row, dict) else dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def round_row(segment: int, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "match_id": MATCH,
        "series_id": "test:series",
        "title": "cs2",
        "source": "test",
        "simulated": True,
        "map": "de_mill",
        "segment": segment,
        "started_at": NOW + timedelta(minutes=segment),
        "freeze_s": 15.0,
        "duration_s": None,
        "ct_team": "test:blue",
        "t_team": "test:red",
        "ct_score_before": 0,
        "t_score_before": segment - 1,
        "ct_buy": None,
        "t_buy": "full",
        "ct_equipment_value": 4000,
        "t_equipment_value": 20000,
        "winner_side": "t",
        "winner_team": "test:red",
        "end_reason": "bomb_exploded",
        "planted_t_s": 40.5,
        "planted_site": "a",
        "data_version": "v1",
    }
    return told | changes


def outcome(segment: int, team: str, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "match_id": MATCH,
        "map": "de_mill",
        "segment": segment,
        "team": f"test:{team}",
        "side": "t" if team == "red" else "ct",
        "round_win": team == "red",
        "site_executed": True,
        "econ_delta": -500,
        "outcome_meta": {"end_reason": "bomb_exploded"},
    }
    return told | changes


def match(segments: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    every = range(1, segments + 1)
    return [round_row(s) for s in every], [outcome(s, team) for s in every for team in ("red", "blue")]


def test_an_action_is_kept_with_everything_that_was_said(cursor: Any) -> None:
    assert publish.upsert_micro_actions(cursor, [action(7, artifact_url="s3://clips/7.glb")]) == 1
    assert rows(cursor, "micro_actions", "signal_id") == [
        {
            "signal_id": "3-0007",
            "match_id": MATCH,
            "series_id": "test:series",
            "title": "cs2",
            "map": "de_mill",
            "segment": 1,
            "t_s": 7.0,
            "player": "test:p2",
            "team": "test:red",
            "intent": "plant",
            "confidence": 0.75,
            "probabilities": {"hold": 0.25, "plant": 0.75},
            "features": {"speed_u_s": 12.5},
            "model_name": "cs2.intent.xgboost",
            "model_version": "3",
            "probability_source": "model",
            "window_fingerprint": "abc",
            "artifact_url": "s3://clips/7.glb",
            "event_ts": NOW + timedelta(seconds=7),
            "generated_at": NOW,
            "live": True,
            "batch": False,
        }
    ]


def test_said_again_an_action_stays_as_it_was_first_said(cursor: Any) -> None:
    publish.upsert_micro_actions(cursor, [action(1)])
    before = rows(cursor, "micro_actions", "signal_id")
    later = action(1, generated_at=NOW + timedelta(hours=1))
    assert publish.upsert_micro_actions(cursor, [later, later]) == 0
    assert rows(cursor, "micro_actions", "signal_id") == before


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=8))
def test_however_actions_are_batched_and_repeated_the_table_holds_each_once(
    cursor: Any, batches: list[list[int]]
) -> None:
    cursor.execute("DELETE FROM micro_actions")
    written = sum(publish.upsert_micro_actions(cursor, [action(n) for n in batch]) for batch in batches)
    expected = sorted({f"3-{n:04d}" for batch in batches for n in batch})
    assert written == len(expected)
    assert [row["signal_id"] for row in rows(cursor, "micro_actions", "signal_id")] == expected


def test_many_actions_go_in_pages(cursor: Any) -> None:
    assert publish.upsert_micro_actions(cursor, [action(n) for n in range(1201)]) == 1201
    assert publish.upsert_micro_actions(cursor, [action(n) for n in range(1203)]) == 2


def test_a_newer_version_replaces_what_the_older_said_in_batch(cursor: Any) -> None:
    other = action(1, signal_id="other", match_id="test:series:2")
    publish.replace_micro_actions(cursor, "test:series:2", [other])
    assert publish.replace_micro_actions(cursor, MATCH, [action(n) for n in range(4)]) == 4
    assert publish.replace_micro_actions(cursor, MATCH, [action(n) for n in range(4)]) == 0
    assert publish.replace_micro_actions(cursor, MATCH, [action(n, "4") for n in range(3)]) == 7
    found = rows(cursor, "micro_actions", "signal_id")
    assert [row["signal_id"] for row in found] == ["4-0000", "4-0001", "4-0002", "other"]


@pytest.mark.parametrize("live_first", [True, False])
def test_what_was_said_live_stays_whoever_comes_first(cursor: Any, live_first: bool) -> None:
    def live() -> None:
        publish.upsert_micro_actions(cursor, [action(1), action(2)])

    def batch() -> None:
        publish.replace_micro_actions(cursor, MATCH, [action(2), action(3)])

    for step in (live, batch) if live_first else (batch, live):
        step()
    marks = {row["signal_id"]: (row["live"], row["batch"]) for row in rows(cursor, "micro_actions", "signal_id")}
    assert marks == {"3-0001": (True, False), "3-0002": (True, True), "3-0003": (False, True)}

    publish.replace_micro_actions(cursor, MATCH, [action(9, "4")])
    marks = {row["signal_id"]: (row["live"], row["batch"]) for row in rows(cursor, "micro_actions", "signal_id")}
    assert marks == {"3-0001": (True, False), "3-0002": (True, False), "4-0009": (False, True)}


def test_batch_rows_of_matches_that_went_go_and_live_ones_stay(cursor: Any) -> None:
    publish.replace_micro_actions(cursor, MATCH, [action(1)])
    publish.upsert_micro_actions(cursor, [action(2)])
    publish.replace_micro_actions(cursor, "test:other", [action(3, match_id="test:other")])
    assert publish.matches_with_actions(cursor, "cs2") == ["test:other", MATCH]
    assert publish.matches_with_actions(cursor, "valorant") == []
    publish.withdraw_micro_actions(cursor, ["test:other", MATCH])
    assert publish.matches_with_actions(cursor, "cs2") == []
    assert [row["signal_id"] for row in rows(cursor, "micro_actions", "signal_id")] == ["3-0002"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": SignalType.MOMENTUM_SHIFT}, "no micro-action"),
        ({"intent": None}, "no micro-action"),
        ({"model_info": {"probability_source": "labels"}}, "'labels' is no probability source"),
        ({"model_info": {}}, "None is no probability source"),
    ],
)
def test_what_is_no_micro_action_is_refused(cursor: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        publish.upsert_micro_actions(cursor, [action(1, **changes)])
    assert rows(cursor, "micro_actions", "signal_id") == []


def test_actions_of_another_match_are_refused(cursor: Any) -> None:
    with pytest.raises(ValueError, match="are none of test:other"):
        publish.replace_micro_actions(cursor, "test:other", [action(1)])


def test_a_match_is_published_with_both_teams_of_every_round(cursor: Any) -> None:
    rounds, outcomes = match(3)
    assert publish.replace_match(cursor, MATCH, rounds, outcomes) == 9
    before = rows(cursor, "rounds", "segment"), rows(cursor, "macro_outcomes", "segment, team")
    assert publish.replace_match(cursor, MATCH, rounds, outcomes) == 0
    assert (rows(cursor, "rounds", "segment"), rows(cursor, "macro_outcomes", "segment, team")) == before
    assert [(row["segment"], row["team"], row["round_win"]) for row in before[1]][:2] == [
        (1, "test:blue", False),
        (1, "test:red", True),
    ]
    assert {name: before[0][0][name] for name in round_row(1)} == round_row(1)


def test_a_corrected_match_replaces_what_changed_and_what_went(cursor: Any) -> None:
    publish.replace_match(cursor, MATCH, *match(3))
    rounds, outcomes = match(2)
    rounds[1] |= {"winner_side": "ct", "winner_team": "test:blue", "data_version": "v2"}
    outcomes[2] |= {"round_win": False, "outcome_meta": {"end_reason": "t_eliminated"}}
    assert (
        publish.replace_match(cursor, MATCH, rounds, outcomes) == 3
    )  # a round gone with its outcomes, two rows changed
    assert [row["winner_team"] for row in rows(cursor, "rounds", "segment")] == ["test:red", "test:blue"]
    told = [(row["segment"], row["team"], row["round_win"]) for row in rows(cursor, "macro_outcomes", "segment, team")]
    assert told == [
        *((1, "test:blue", False), (1, "test:red", True)),
        *((2, "test:blue", False), (2, "test:red", False)),
    ]


def test_two_maps_of_one_match_id_do_not_collide(cursor: Any) -> None:
    rounds = [round_row(1), round_row(1, map="de_yard")]
    assert publish.upsert_rounds(cursor, rounds) == 2
    assert [row["map"] for row in rows(cursor, "rounds", "map")] == ["de_mill", "de_yard"]


def test_rounds_of_matches_that_went_go_with_their_outcomes(cursor: Any) -> None:
    publish.replace_match(cursor, MATCH, *match(2))
    publish.withdraw_rounds(cursor, ["test:other"])
    assert publish.matches_with_rounds(cursor, "cs2") == [MATCH]
    publish.withdraw_rounds(cursor, [MATCH])
    assert publish.matches_with_rounds(cursor, "cs2") == []
    assert rows(cursor, "rounds", "segment") == rows(cursor, "macro_outcomes", "segment") == []


def late(number: int, **changes: Any) -> CanonicalEvent:
    told: dict[str, Any] = {
        "event_id": f"e{number:03d}",
        "match_id": MATCH,
        "event_type": EventType.KILL,
        "timestamp": NOW,
        "payload": {"weapon": "ak47"},
        "title": Title.CS2,
    }
    return CanonicalEvent(**(told | changes))


def test_a_late_event_is_kept_once_with_its_first_reason(cursor: Any) -> None:
    assert publish.upsert_late_events(cursor, [(late(1), "5.0 s late"), (late(2), "6.0 s late")]) == 2
    assert publish.upsert_late_events(cursor, [(late(1), "9.0 s late"), (late(3), "7.0 s late")]) == 1
    found = rows(cursor, "late_events", "event_id")
    assert [(row["event_id"], row["reason"]) for row in found] == [
        *(("e001", "5.0 s late"), ("e002", "6.0 s late"), ("e003", "7.0 s late"))
    ]
    assert msgspec.convert(found[0]["data"], CanonicalEvent) == late(1)
    assert found[0]["event_ts"] == NOW
    assert found[0]["received_at"] is not None


@pytest.mark.parametrize("text", ["a\0b", "🎯", "'; DROP TABLE late_events; --", "%s", "{}"])
def test_any_text_of_a_stranger_can_be_kept(cursor: Any, text: str) -> None:
    stranger = late(1, event_id=text, match_id=text, actor=text, payload={text: [text]})
    assert publish.upsert_late_events(cursor, [(stranger, f"late: {text}")]) == 1
    assert publish.upsert_late_events(cursor, [(stranger, f"late: {text}")]) == 0
    cursor.execute("SELECT data::text AS told FROM late_events")
    (row,) = cursor.fetchall()
    told = row["told"] if isinstance(row, dict) else row[0]
    assert msgspec.json.decode(told.encode(), type=CanonicalEvent) == stranger
    assert publish.upsert_micro_actions(cursor, [action(1, player_id=text, match_id=text, features={text: text})]) == 1
    cursor.execute("SELECT player, features FROM micro_actions")
    (row,) = cursor.fetchall()
    stored = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert (tuple(row.values()) if isinstance(row, dict) else row) == (stored, {stored: stored})


def test_batch_and_worker_that_write_one_match_at_once_take_turns(fresh_database_url: str) -> None:
    """Rows in opposite orders: without turns one of them would be the victim of a deadlock."""
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()

    def write(number: int) -> None:
        connection = psycopg2.connect(fresh_database_url)
        with connection, connection.cursor() as cursor:
            if number % 2:
                publish.upsert_micro_actions(cursor, [action(n) for n in range(number, 600)])
            else:
                publish.replace_micro_actions(cursor, MATCH, [action(n) for n in range(600 - number)])
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    connection = psycopg2.connect(fresh_database_url)
    with connection.cursor() as cursor:
        assert len(rows(cursor, "micro_actions", "signal_id")) == 600
    connection.close()


def test_nothing_is_nothing(cursor: Any) -> None:
    assert publish.upsert_micro_actions(cursor, []) == publish.upsert_late_events(cursor, []) == 0
    assert publish.upsert_rounds(cursor, []) == publish.upsert_macro_outcomes(cursor, []) == 0
