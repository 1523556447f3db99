"""Shared by the tests of the CS2 demos: reading the tiny demo, and picking events and columns of what it became."""

from collections.abc import Iterator
from typing import Any

from tiny_demo import V2_NAME, V3_NAME, packed

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType

P1, P2, P3, P4 = (f"cs2_demo:p{i}" for i in (1, 2, 3, 4))


def read(version: int, parts: dict[str, Any]) -> CanonicalMatch:
    """The match of a demo that nothing is refused of."""
    reading = read_file(SourceFile(V2_NAME if version == 2 else V3_NAME, packed(version, parts)))
    assert reading.refusals == ()
    (match,) = reading.matches
    return match


def of(events: list[CanonicalEvent], kind: EventType, segment: int) -> Iterator[CanonicalEvent]:
    """Events of a type in a round, in order."""
    return (e for e in events if e.event_type is kind and e.segment == segment)


def column(match: CanonicalMatch, name: str, segment: int, player: str) -> list[Any]:
    """A track's column of one player in one round."""
    rows = [row for row in match.tracking.to_pylist() if row["segment"] == segment and row["player"] == player]
    return [row[name] for row in rows]
