"""Retractions: what one names, and that nothing else is taken for one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from esports_assets.canonical.event import CanonicalEvent, decode, encode
from esports_assets.canonical.retraction import retracted_by, retraction_payload
from esports_assets.canonical.vocabulary import EventType


def event(payload: dict[str, Any], kind: EventType = EventType.GENERIC) -> CanonicalEvent:
    return CanonicalEvent("r", "m", kind, datetime(2026, 1, 1, tzinfo=UTC), payload=payload)


def test_what_is_taken_back_survives_the_wire() -> None:
    told = event(retraction_payload(["a", "b"], "player-!killed-player"))
    assert retracted_by(decode(encode(told))) == ("a", "b")
    assert told.payload == {
        "source_type": "retraction",
        "raw": {"retracts": ["a", "b"], "because": "player-!killed-player"},
    }


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"source_type": "game-set-clock", "raw": {"retracts": ["a"]}},
        {"source_type": "retraction"},
        {"source_type": "retraction", "raw": ["a"]},
        {"source_type": "retraction", "raw": {"retracts": "abc"}},
        {"source_type": "retraction", "raw": {"retracts": [1, None]}},
    ],
)
def test_nothing_else_takes_anything_back(payload: dict[str, Any]) -> None:
    assert retracted_by(event(payload)) == ()
    assert retracted_by(event(retraction_payload(["a"], "x"), EventType.KILL)) == ()
