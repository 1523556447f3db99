"""Hypothesis strategies for canonical events."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType, Side, Title

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
optional = st.none() | text
reals = st.floats(allow_nan=False, allow_infinity=False)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | reals | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
payloads = st.dictionaries(text, json_values, max_size=4)

events = st.builds(
    CanonicalEvent,
    event_id=text,
    match_id=text,
    event_type=st.sampled_from(EventType),
    timestamp=st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),
    actor=optional,
    target=optional,
    team=optional,
    side=st.none() | st.sampled_from(Side),
    payload=payloads,
    enriched=payloads,
    title=st.sampled_from(Title),
    series_id=text,
    map=text,
    segment=st.integers(-(2**15), 2**15 - 1),
    t=st.none() | reals,
    seq=st.integers(0, 2**62),
)
