"""Small events, and a clock that stands until it is moved."""

from datetime import UTC, datetime, timedelta
from typing import Any

from esports_assets.canonical.event import CanonicalEvent, event_id
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope, encode
from esports_assets.streams.names import shard_of

START = datetime(2026, 5, 17, 12, tzinfo=UTC)


class StillClock:
    """Milliseconds that only the test moves."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * 1000)


def envelope(number: int, match: str = "test:m:1", **more: Any) -> Envelope:
    """The number-th kill of a match."""
    beside = {name: more.pop(name) for name in ("live_offset_s", "opening", "round", "closing") if name in more}
    event = CanonicalEvent(
        **{
            "event_id": event_id("test", match, number),
            "match_id": match,
            "event_type": EventType.KILL,
            "timestamp": START + timedelta(seconds=number),
            "actor": "test:p1",
            "payload": {"weapon": "ak47", "number": number},
            "map": "de_dust2",
            "segment": 1,
            "t": float(number),
            "seq": number,
            **more,
        }
    )
    return Envelope(event, **beside)


def data_of(number: int, match: str = "test:m:1") -> bytes:
    """Its bytes in the log."""
    return encode(envelope(number, match))


def matches_on(shard: int, count: int) -> list[str]:
    """Match ids that live on a shard."""
    found = (f"test:m:{number}" for number in range(10_000))
    return [match for match in found if shard_of(match) == shard][:count]
