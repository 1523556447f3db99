"""What a source takes back is no part of the match that is gathered from the log."""

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tiny_match import tiny_match

from esports_assets.canonical.codec import content_hash
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import is_frame
from esports_assets.canonical.retraction import retraction_payload
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.collect import Collector
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.replay import Playable, envelopes_of

PLAYED = [
    replace(envelope, opening=None, closing=None, round=None) for envelope in envelopes_of(Playable(tiny_match()))
]
END = replace(
    PLAYED[0].event, event_id="end", event_type=EventType.MAP_END, actor=None, target=None, seq=1_000, payload={}
)


def _like(of: CanonicalEvent, name: str, seq: int) -> Envelope:
    return Envelope(replace(of, event_id=name, seq=seq))


def _gathered(envelopes: list[Envelope]) -> dict[str, str]:
    collector = Collector(PLAYED[0].event.match_id)
    for envelope in envelopes:
        collector.add(envelope)
    return {name: content_hash(table) for name, table in collector.collected().match.tables.items()}


@given(st.randoms(use_true_random=False))
def test_in_any_order_only_what_stands_is_left(dice: random.Random) -> None:
    kill = next(envelope.event for envelope in PLAYED if not is_frame(envelope.event))
    undone = [_like(kill, "undone-1", 500), _like(kill, "undone-2", 501)]
    payload = retraction_payload(["undone-1", "undone-2"], "rolled back")
    taken_back = Envelope(replace(END, event_id="back", event_type=EventType.GENERIC, payload=payload, seq=502))
    told = [*PLAYED, *undone, taken_back, Envelope(END)]
    dice.shuffle(told)
    stands = len([envelope for envelope in PLAYED if not is_frame(envelope.event)])
    assert _gathered(told) == _gathered([*PLAYED, Envelope(replace(END, seq=stands))])
