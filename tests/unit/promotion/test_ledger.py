"""The ledger on a real PostgreSQL: append-only, once per request, and what was in production when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.standing import ROLLBACK, Event, LedgerEntry, standing
from esports_assets.promotion.terms import Alias


def event(task: str, version: int = 1, decision: str = "promote", **changes: Any) -> Event:
    plain: dict[str, Any] = {
        "task": task,
        "registered_name": f"{task}.xgboost",
        "decision": decision,
        "alias": Alias.PRODUCTION,
        "from_version": None,
        "to_version": version,
        "reason": "It is better.",
        "source": "tests",
        "actor": "somebody",
        "evidence": {"log_loss": 0.47},
        "dagster_run_id": "d1",
        "mlflow_run_id": "m1",
    }
    return Event(**(plain | changes))


def test_entries_come_back_as_they_were_written(ledger: Ledger, task: str) -> None:
    entry = ledger.append(event(task), "first")
    assert ledger.history(task) == [entry]
    assert entry.evidence["log_loss"] == 0.47
    assert entry.alias is Alias.PRODUCTION
    assert entry.created_at.tzinfo is not None
    assert (entry.label, entry.dagster_run_id, entry.mlflow_run_id) == (f"{task}.xgboost v1", "d1", "m1")


def test_one_request_is_recorded_once(ledger: Ledger, task: str) -> None:
    first = ledger.append(event(task), "request")
    assert ledger.append(event(task, reason="Said in other words."), "request") == first
    assert ledger.append(event(task, 2), "another").id > first.id
    other = f"x{task}"
    assert ledger.append(event(other), "request").task == other


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE promotion_events SET reason = 'changed'",
        "DELETE FROM promotion_events",
        "TRUNCATE promotion_events CASCADE",
    ],
)
def test_the_database_refuses_changes(ledger: Ledger, engine: Engine, task: str, statement: str) -> None:
    entry = ledger.append(event(task), "first")
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    assert ledger.history(task) == [entry]


def test_history_is_filtered_and_newest_first(ledger: Ledger, task: str) -> None:
    entries = [ledger.append(event(task, n, "retain" if n % 2 else "promote"), f"r{n}") for n in range(1, 5)]
    assert ledger.history(task) == entries[::-1]
    assert ledger.history(task, limit=1) == entries[-1:]
    assert ledger.history(task, decision="retain") == [entries[2], entries[0]]
    assert ledger.history(task, since=entries[2].created_at) == [entries[3], entries[2]]
    assert task in ledger.tasks()


def test_what_was_in_production_when(ledger: Ledger, task: str) -> None:
    assert ledger.champion(task) is None
    first = ledger.append(event(task, 1), "r1")
    ledger.append(event(task, 2, "retain"), "r2")
    third = ledger.append(event(task, 3), "r3")
    tick = timedelta(microseconds=1)
    assert ledger.production_at(task, first.created_at - tick) is None
    assert ledger.production_at(task, third.created_at - tick) == first
    assert ledger.production_at(task, third.created_at) == third
    champion = ledger.champion(task)
    assert champion is not None
    assert (champion.registered_name, champion.event_id) == (f"{task}.xgboost", third.id)


def test_a_failed_turn_leaves_nothing(ledger: Ledger, task: str) -> None:
    def interrupted() -> None:
        with ledger.turn(task) as turn:
            turn.append(event(task), "first")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ledger.history(task) == []
    assert ledger.champion(task) is None


def test_an_event_of_another_task_is_refused(ledger: Ledger, task: str) -> None:
    with ledger.turn(task) as turn, pytest.raises(ValueError, match="does not belong"):
        turn.append(event("other.task"), "first")


# The fold -------------------------------------------------------------------------------------------------------------


def entries(*moves: tuple[str, int, str]) -> list[LedgerEntry]:
    """Entries from (family, version, decision)."""
    made = []
    for number, (family, version, decision) in enumerate(moves, start=1):
        plain = event("cs2.round_win", version, decision, registered_name=f"cs2.round_win.{family}")
        fields = {name: getattr(plain, name) for name in Event.__dataclass_fields__}
        made.append(LedgerEntry(**fields, id=number, created_at=datetime(2026, 1, number)))
    return made


def test_the_replaced_version_becomes_b_and_rollbacks_go_on_back() -> None:
    log = entries(("x", 1, "promote"), ("x", 2, "promote"), ("x", 3, "retain"), ("x", 4, "promote"))
    now = standing(log)
    assert now.aliases == {"cs2.round_win.x": {Alias.PRODUCTION: 4, Alias.B: 2}}
    assert now.previous == log[1]
    log = entries(("x", 1, "promote"), ("x", 2, "promote"), ("x", 4, "promote"), ("x", 2, ROLLBACK))
    now = standing(log)
    assert now.aliases == {"cs2.round_win.x": {Alias.PRODUCTION: 2, Alias.B: 4}}
    assert (now.current, now.previous) == (log[3], log[0])


def test_each_family_keeps_its_aliases_and_the_last_move_names_the_champion() -> None:
    log = entries(("x", 1, "promote"), ("y", 1, "promote"), ("x", 2, "promote"), ("y", 1, ROLLBACK))
    now = standing(log)
    assert now.aliases["cs2.round_win.x"] == {Alias.PRODUCTION: 2, Alias.B: 1}
    assert now.aliases["cs2.round_win.y"] == {Alias.PRODUCTION: 1}
    assert now.current == log[3]
    assert now.settled("cs2.round_win.y", Alias.PRODUCTION, 1) == log[3]
    assert now.settled("cs2.round_win.x", Alias.PRODUCTION, 2) is None


decisions = st.sampled_from(["promote", "retain", "refuse"])


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), st.integers(1, 4), decisions), max_size=12))
def test_a_version_never_holds_two_aliases(moves: list[tuple[str, int, str]]) -> None:
    now = standing(entries(*moves))
    for slots in now.aliases.values():
        assert len(set(slots.values())) == len(slots)
        assert Alias.PRODUCTION in slots
    promoted = [move for move in moves if move[2] == "promote"]
    if promoted:
        assert now.current is not None
        assert (now.current.registered_name.rsplit(".", 1)[-1], now.current.to_version) == promoted[-1][:2]
