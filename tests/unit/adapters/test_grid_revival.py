"""A player who is revived may die again; one who is not, may not."""

from typing import Any

from grid_feed import lines, read_lines

from esports_assets.canonical.invariants import broken
from esports_assets.canonical.vocabulary import EventType


def _dying_twice(revived: bool) -> list[dict[str, Any]]:
    messages = lines("valorant_round")
    kill, spawn = messages[5], messages[6]
    again = kill | {"sequenceNumber": 100, "occurredAt": "2025-03-22T20:54:48.000Z"}
    head = [*messages[:6], spawn] if revived else messages[:6]
    return [*head, again]


def test_a_second_death_after_a_revival_is_fine() -> None:
    (match,) = read_lines(_dying_twice(revived=True)).matches
    assert match.events["event_type"].to_pylist()[-3:] == [EventType.KILL, EventType.SPAWN, EventType.KILL]
    assert broken(match) == []


def test_a_second_death_without_one_breaks_the_rule() -> None:
    (match,) = read_lines(_dying_twice(revived=False)).matches
    assert [str(finding) for finding in broken(match)] == [
        "grid:900003:1 round 1 at 8.00 s: grid:3314 dies a second time in this round [victim_was_alive]"
    ]
