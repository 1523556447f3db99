"""A round told by hand, for the tests of derived facts: two players a side, times in seconds since freeze end."""

from datetime import UTC, datetime, timedelta
from typing import Any

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.enrich.online import Enricher

ZERO = datetime(2026, 5, 17, tzinfo=UTC)
TEAM = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B"}
METRE_U = 1 / 0.01905
"""A metre in game units."""


def said(kind: EventType, t: float, segment: int = 1, title: Title = Title.CS2, **told: Any) -> CanonicalEvent:
    """An event; what is no field of it goes into the payload."""
    fields = {name: told.pop(name) for name in ("actor", "target", "enriched", "match_id") if name in told}
    fields.setdefault("match_id", "test:1:1")
    team = told.pop("team", TEAM.get(fields.get("actor", "")))
    if "target" in fields:
        told.setdefault("target_team", TEAM[fields["target"]])
    moment = ZERO + timedelta(seconds=t + 200 * segment)
    return CanonicalEvent(
        f"{kind}{segment}:{t}:{fields.get('actor')}:{fields.get('target')}",
        event_type=kind,
        timestamp=moment,
        team=team,
        payload=told,
        title=title,
        segment=segment,
        t=t,
        **fields,
    )


def frame(t: float, segment: int = 1, dead: str = "", **metres: float) -> CanonicalEvent:
    """A frame: each player so many metres along the x axis."""
    rows = [
        [player, x * METRE_U, 0.0, 0.0, 90.0, player != dead, "AB".index(TEAM[player]), 0 if player == dead else 100]
        for player, x in metres.items()
    ]
    return said(EventType.POSITION_UPDATE, t, segment, frame=rows, teams=[["A", "ct"], ["B", "t"]])


def facts(*events: CanonicalEvent) -> list[dict[str, Any]]:
    """The facts of the events that are no frames."""
    enricher = Enricher()
    told = [enricher.enrich(event) for event in events]
    return [event.enriched for event in told if "frame" not in event.payload]


def start(segment: int = 1) -> CanonicalEvent:
    """A round begins."""
    return said(EventType.ROUND_START, -15.0, segment)


def kill(t: float, actor: str, target: str, segment: int = 1, **payload: Any) -> CanonicalEvent:
    """A kill."""
    return said(EventType.KILL, t, segment, actor=actor, target=target, **payload)
