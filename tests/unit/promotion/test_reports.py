"""Reports of cycles in the ledger: once per request, beside moves, read back in columns, moved between databases."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import psycopg2
import pytest
from psycopg2.extras import RealDictCursor
from sqlalchemy import Engine
from test_scores import game

from esports_assets.promotion.guardrails import Health
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.reports import (
    AliasAssignment,
    AliasRanking,
    Report,
    ReportError,
    SinceSwap,
    event_totals,
    history,
    pooled_z,
    record_report,
    report_of,
    since_swap,
)
from esports_assets.promotion.scores import Traffic, record_game
from esports_assets.promotion.sequential import Arm, Evidence, Ruling, judge
from esports_assets.promotion.standing import ROLLBACK, Event
from esports_assets.promotion.terms import Alias
from esports_assets.promotion.transfer import TransferError, export_lines, import_lines
from esports_assets.storage.database import connect, migrate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIT = Health(rounds=500, ece=0.03, brier=0.6, latency_p95_ms=8.0, error_rate=0.0)


@pytest.fixture(params=["tuples", "dictionaries"])
def cursor(engine: Engine, promotion_url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """What is written is committed, so that the ledger sees it; tests have tasks of their own. ``engine`` has migrated."""
    connection = psycopg2.connect(promotion_url)
    connection.autocommit = True
    with connection.cursor(cursor_factory=RealDictCursor if request.param == "dictionaries" else None) as found:
        yield found
    connection.close()


@pytest.fixture
def other(fresh_database_url: str) -> Iterator[Any]:
    """A cursor on another migrated database."""
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    connection = psycopg2.connect(fresh_database_url)
    with connection.cursor() as found:
        yield found
    connection.close()


def report(task: str, **changes: Any) -> Report:
    told: dict[str, Any] = {
        "model_type": f"{task}.xgboost",
        "decision": "continue",
        "reason": "Nothing is shown yet.",
        "source": "cycle",
        "production_version": 3,
        "b_version": 4,
        "production_wins": 10.5,
        "production_total_games": 21,
        "b_wins": 12.0,
        "b_total_games": 20,
        "z_statistic": 0.64,
        "p_value": 0.9,
    }
    return Report(**(told | changes))


def move(task: str, version: int, decision: str = "promote") -> Event:
    return Event(
        task, f"{task}.xgboost", decision, Alias.PRODUCTION, None, version, "It is better.", "tests", "somebody"
    )


def test_a_request_is_reported_once_and_read_in_columns(cursor: Any, ledger: Ledger, task: str) -> None:
    ranked = (
        AliasRanking(alias=Alias.SHADOW1, rank=2, source_alias=Alias.B, accuracy=None),
        AliasRanking(alias=Alias.B, rank=1, source_alias=Alias.SHADOW1, accuracy=0.5, total_predictions=400),
    )
    told = report(task, alias_rankings=ranked, reorder_applied=True, payload={"note": "a"})
    number, new = record_report(cursor, told, request_key="k", actor="trainer")
    assert new
    assert record_report(cursor, told, request_key="k", actor="trainer") == (number, False)
    (row,) = history(cursor, model_type=told.model_type)
    assert (row["id"], row["decision"], row["production_version"], row["b_version"]) == (number, "continue", 3, 4)
    assert (row["production_win_rate"], row["b_win_rate"]) == (0.5, 0.6)
    assert (row["z_statistic"], row["p_value"], row["reorder_applied"], row["actor"]) == (0.64, 0.9, True, "trainer")
    assert row["rank1_summary"] == "B from shadow1: 0.5000 of 400"
    assert (row["rank2_summary"], row["rank3_summary"]) == ("shadow1 from B: not measured of 0", None)
    assert (row["step2_order"], row["step2_accuracy"]) == (["B", "shadow1"], [0.5, None])
    assert row["payload"]["payload"] == {"note": "a"}


def test_reports_move_nothing_and_moves_stand_beside_them(cursor: Any, ledger: Ledger, task: str) -> None:
    ledger.append(move(task, 3), "m1")
    record_report(cursor, report(task, decision="swap_production_b"), request_key="r1", actor="trainer")
    assert ledger.standing(task).version(f"{task}.xgboost", Alias.PRODUCTION) == 3
    assert [entry.decision for entry in ledger.history(task)] == ["swap_production_b", "promote"]
    rows = history(cursor, model_type=f"{task}.xgboost")
    assert [(row["decision"], row["b_version"], row["p_value"]) for row in rows] == [
        ("swap_production_b", 4, 0.9),
        ("promote", 3, None),
    ]
    assert rows[1]["production_win_rate"] is None
    with pytest.raises(ReportError, match="'rollback' is not reported"):
        report(task, decision=ROLLBACK)
    same_key = ledger.append(move(task, 4), "r1")
    assert same_key.decision == "swap_production_b"


def test_without_a_challenger_none_is_told(cursor: Any, task: str) -> None:
    alone = report(task, decision="insufficient_data", b_version=None, b_wins=None, b_total_games=None)
    record_report(cursor, alone, request_key="k", actor="t")
    (row,) = history(cursor, model_type=alone.model_type)
    assert (row["production_version"], row["b_version"], row["b_win_rate"]) == (3, None, None)


def test_history_and_totals_are_asked_for_within_bounds(cursor: Any, task: str) -> None:
    for k, decision in enumerate(["continue", "continue", "retain_production"]):
        at = NOW + timedelta(days=k)
        record_report(cursor, report(task, decision=decision, created_ts_utc=at), request_key=str(k), actor="t")
    name = f"{task}.xgboost"
    assert [row["decision"] for row in history(cursor, model_type=name, limit=2)] == ["retain_production", "continue"]
    assert len(history(cursor, model_type=name, decision="continue")) == 2
    assert len(history(cursor, model_type=name, since=NOW + timedelta(days=1))) == 2
    mine = [row for row in event_totals(cursor, now=NOW + timedelta(days=2), days=2) if row["model_type"] == name]
    assert [(row["decision"], row["events"]) for row in mine] == [("continue", 1), ("retain_production", 1)]
    for wrong in (0, 201):
        with pytest.raises(ReportError, match="limit lies between 1 and 200"):
            history(cursor, limit=wrong)
    with pytest.raises(ReportError, match="days lie between 1 and 90"):
        event_totals(cursor, now=NOW, days=91)


def test_games_and_cycles_count_since_the_last_move(cursor: Any, ledger: Ledger, task: str) -> None:
    name = f"{task}.xgboost"
    assert since_swap(cursor, name, 3, 4) == SinceSwap(None, 0, 0, 0)
    record_report(cursor, report(task), request_key="before", actor="t")
    swap = ledger.append(move(task, 3), "m")
    played = ((-5, False, "human"), (5, False, "human"), (6, True, "human"), (7, True, "human"), (8, True, "bot"))
    for number, (minutes, second, traffic) in enumerate(played):
        begun = swap.created_at + timedelta(minutes=minutes)
        ended = begun + timedelta(hours=1)
        one = replace(game(name, number, second), started_at=begun, ended_at=ended, traffic=Traffic(traffic))
        record_game(cursor, one)
    record_report(cursor, report(task), request_key="after", actor="t")
    assert since_swap(cursor, name, 3, 4) == SinceSwap(swap.created_at, 1, 2, 1)
    assert since_swap(cursor, name, 3, None).b_games == 0


def test_a_judgement_becomes_a_report(cursor: Any, task: str) -> None:
    rng = np.random.default_rng(0)
    second = rng.random(1000) < 0.5
    results = (rng.random(1000) < np.where(second, 0.7, 0.4)).astype(float)
    name = f"{task}.xgboost"
    games = Evidence(name, 3, 4, second, results, np.full(1000, 0.5))
    found = judge(games, production_health=FIT, challenger_health=FIT)
    told = report_of(
        *(name, found, SinceSwap(NOW, 7, 8, 9)),
        source="cycle",
        alias_assignments=(AliasAssignment(alias=Alias.PRODUCTION, version=4, previous_version=3, changed=True),),
    )
    assert told.decision == Ruling.SWAP
    assert told.p_value is not None
    assert 0 < told.p_value <= 0.03
    assert (told.production_games_since_swap, told.promotion_cycles_since_swap) == (7, 9)
    record_report(cursor, told, request_key="k", actor="t")
    (row,) = history(cursor, model_type=name)
    assert row["b_win_rate"] == pytest.approx(found.challenger.mean)
    assert row["payload"]["payload"]["judgement"]["lift"] == pytest.approx(found.lift)
    assert row["alias_assignments"][0]["previous_version"] == 3


def test_the_pooled_z_by_hand() -> None:
    assert pooled_z(Arm(1, 3, 1.0), Arm(2, 3, 2.0)) == pytest.approx((1 / 3) / math.sqrt(0.25 * 2 / 3))
    assert pooled_z(Arm(1, 3, 3.0), Arm(2, 3, 3.0)) is None
    assert pooled_z(Arm(1, 0, 0.0), Arm(2, 3, 3.0)) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"b_wins": 21.0}, "b cannot have won 21 of 20 games"),
        ({"production_wins": -1.0}, "production cannot have won -1 of 21"),
        ({"p_value": 1.5}, "a p-value lies between 0 and 1"),
        ({"reason": ""}, "says its reason"),
        ({"model_type": "xgboost"}, "'xgboost' is no registered name"),
        ({"created_ts_utc": datetime(2026, 3, 1)}, "needs its time zone"),
    ],
)
def test_a_report_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ReportError, match=sentence):
        report("rps.next_move", **changes)


def test_the_ledger_goes_to_another_database_once(cursor: Any, other: Any, ledger: Ledger, task: str) -> None:
    ledger.append(move(task, 1), "m1")
    ledger.append(move(task, 2), "m2")
    record_report(cursor, report(task), request_key="r1", actor="t")
    cursor.execute(
        "INSERT INTO promotion_events (task, registered_name, decision, reason, source, actor)"
        " VALUES (%s, %s, 'retain', 'Without a key.', 'tests', 'somebody')",
        (task, f"{task}.xgboost"),
    )
    lines = list(export_lines(cursor, task))
    assert [json.loads(line)["decision"] for line in lines] == ["promote", "promote", "continue", "retain"]
    taken = import_lines(other, lines)
    assert (taken.lines, taken.new, taken.known) == (4, 4, 0)
    assert import_lines(other, [*lines, b"\n"]).known == 4
    assert import_lines(cursor, lines).known == 4
    other.execute("SELECT registered_name, since, event_id FROM champions WHERE task = %s", (task,))
    champion = other.fetchone()
    moved = [json.loads(line) for line in lines][1]
    assert (champion[0], champion[1].isoformat()) == (
        f"{task}.xgboost",
        datetime.fromisoformat(moved["created_at"]).isoformat(),
    )
    again = [json.loads(line) for line in export_lines(other)]
    assert [{**line, "evidence": None} for line in again] == [
        {**json.loads(line), "evidence": None} for line in map(bytes.decode, lines)
    ]


def test_moves_continue_a_ledger_and_never_change_its_past(cursor: Any, other: Any, ledger: Ledger, task: str) -> None:
    ledger.append(move(task, 1), "m1")
    ledger.append(move(task, 2), "m2")
    record_report(cursor, report(task, created_ts_utc=NOW), request_key="old", actor="t")
    first, second, told = export_lines(cursor, task)
    import_lines(other, [second])
    with pytest.raises(TransferError, match="can only continue it, not change its past"):
        import_lines(other, [first])
    assert import_lines(other, [told]).new == 1
    import_lines(cursor, [second])
    assert ledger.standing(task).version(f"{task}.xgboost", Alias.PRODUCTION) == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "line 2 is no entry of the ledger"),
        (b'{"task": "a.b"}', "line 2 is no entry of the ledger: .*missing required field"),
        (b'{"a": 1}\xff', "line 2 is no entry"),
    ],
)
def test_lines_that_are_none_are_named_and_nothing_is_taken(other: Any, line: bytes, sentence: str) -> None:
    good = {
        "created_at": NOW.isoformat(),
        "task": "a.b",
        "registered_name": "a.b.c",
        "decision": "retain",
        "reason": "r",
        "source": "s",
        "actor": "x",
        "alias": "Production",
        "to_version": 1,
    }
    with pytest.raises(TransferError, match=sentence):
        import_lines(other, [msgspec.json.encode(good), line])
    assert list(export_lines(other)) == []
