"""Whatever stands in the field ``data``: what is bad is told from what is good, and nothing good is lost beside it.

What is fed is a real match with odd things in its entries, and bytes that are nothing at all. The seeds stand still.
"""

import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from redis import Redis

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.event import CanonicalEvent, WireError
from esports_assets.canonical.frames import FrameError, is_frame
from esports_assets.enrich.online import Enricher
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes
from esports_assets.streams.deadletter import DeadLetters
from esports_assets.streams.entries import Entry
from esports_assets.streams.envelope import Envelope, decode, encode
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.replay import Playable, envelopes_of
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.state.online import OnlineRounds
from esports_assets.windows.view import Sites

SITES = Sites((1000.0, 0.0, 0.0), (-1000.0, 0.0, 0.0))
LENGTH = 420
STREAM = "fuzz:entries"


def still(examples: int) -> settings:
    """Settings whose examples are the same each time."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=checks)


@cache
def good() -> tuple[Envelope, ...]:
    """The first round of a simulated match, with its frames and the records beside its events."""
    (match,) = read_file(SourceFile("2026-01-01_simulated.zip", demo_bytes(simulate(3, 0), date(2026, 1, 1)))).matches
    return tuple(envelope for envelope, _ in zip(envelopes_of(Playable(match)), range(LENGTH), strict=False))


@cache
def wire() -> tuple[bytes, ...]:
    """The same as it stands in the log."""
    return tuple(encode(envelope) for envelope in good())


_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        -1,
        0,
        1,
        2**31,
        2**63,
        2**64,
        10**30,
        -0.0,
        1e308,
        -1e308,
        5e-324,
        3.4e38,
        "",
        "\x00",
        "a" * 600,
    ]
) | st.sampled_from(
    [
        *([], {}, [[]], {"": {}}, "nan", "KILL", "POSITION_UPDATE", "MAP_START", "MAP_END", "ROUND_START", "ROUND_END"),
        *(
            "FREEZE_END",
            "cs2",
            "rps",
            "ct",
            "2026-02-30T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+23:59",
        ),
        *([1, 2, 3], [1e308, -1e308, 1e308], {"frame": [], "teams": []}, {"players": {"a": "b"}}, "2.0", "\u202e", "1"),
    ]
)


@st.composite
def _changed(draw: st.DrawFn, told: Any) -> Any:
    """A JSON value with something odd in one place, or without it."""
    if not isinstance(told, dict | list) or not told or draw(st.integers(0, 5)) == 0:
        return draw(_ODD)
    copied: Any = dict(told) if isinstance(told, dict) else list(told)
    key = draw(st.sampled_from(sorted(told) if isinstance(told, dict) else list(range(len(told)))))
    if draw(st.integers(0, 7)) == 0:
        del copied[key]
    else:
        copied[key] = draw(_changed(told[key]))
    return copied


@st.composite
def _entries(draw: st.DrawFn) -> bytes:
    """The JSON of an entry that was good before one to three things in it were changed, or bytes."""
    kind = draw(st.integers(0, 9))
    data = draw(st.sampled_from(wire()))
    if kind == 0:
        return draw(st.binary(max_size=80))
    if kind == 1:
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(max_size=6)) + data[at + draw(st.integers(0, 6)) :]
    if kind == 2:
        return draw(st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b"null", b"[]", b"{}", b'"\\ud800"', b"\xff", b""]))
    told = json.loads(data)
    for _ in range(draw(st.integers(1, 3))):
        told = draw(_changed(told))
    return json.dumps(told).encode()


def _read(entries: Sequence[bytes]) -> list[Envelope]:
    """What can be read of some entries."""
    found = []
    for data in entries:
        try:
            found.append(decode(data))
        except WireError as error:
            assert str(error).strip(), data  # noqa: PT017 - it may be read, and where it is not, a sentence says why
    return found


@still(500)
@given(_entries())
def test_an_entry_is_read_or_refused_with_a_sentence(data: bytes) -> None:
    """And what is read can be written and read again."""
    found = _read([data])
    if not found:
        return
    (envelope,) = found
    again = decode(encode(envelope))
    assert again.event == envelope.event or "frame" in envelope.event.payload
    assert (again.live_at, again.round, again.closing) == (envelope.live_at, envelope.round, envelope.closing)


@still(25)
@given(
    st.lists(_entries(), max_size=12),
    st.lists(st.integers(0, LENGTH - 1), max_size=12),
    st.randoms(use_true_random=False),
)
def test_a_group_gets_every_good_entry_and_buries_the_others(
    log_client: Redis, odd: list[bytes], picked: list[int], random: Any
) -> None:
    log_client.flushdb()
    group = ConsumerGroup(log_client, STREAM, "fuzz", "one")
    group.ensure()
    sent = [*odd, *(wire()[n] for n in picked)]
    random.shuffle(sent)
    for data in sent:
        log_client.xadd(STREAM, {"data": data})
    log_client.xadd(STREAM, {"other": b"\xff", "more": b"1"})
    entries = group.read()
    deliveries = group.deliveries(entries)
    assert [entry.data for entry in entries] == [*sent, None]
    assert [delivery.entry.data for delivery in deliveries] == [data for data in sent if _read([data])]
    letters = list(DeadLetters(log_client).all())
    assert len(letters) == len(entries) - len(deliveries)
    assert all(letter.reason.startswith("malformed: ") for letter in letters)
    group.ack([delivery.entry for delivery in deliveries])
    assert group.pending().entries == ()


def _rows(told: Sequence[MicroRows], match_id: str) -> list[dict[str, Any]]:
    return [row for rows in told for row in rows.records() if row["match_id"] == match_id]


@cache
def _undisturbed() -> tuple[list[dict[str, Any]], int]:
    micro, rounds, match_id = OnlineMicro(lambda _: SITES), OnlineRounds(lambda _: SITES), good()[0].event.match_id
    messages = [envelope.event for envelope in good()]
    final = [*micro.feed(messages).final, *micro.finish(match_id).final]
    states = [*rounds.feed(messages).final, *rounds.finish(match_id).final]
    return _rows(final, match_id), sum(len(rows) for rows in states)


@still(20)
@given(st.lists(st.tuples(st.integers(0, LENGTH), _entries()), min_size=1, max_size=12))
def test_windows_bear_odd_entries_and_other_matches_keep_their_rows(odd: list[tuple[int, bytes]]) -> None:
    """Odd entries of other matches change no row of this one."""
    match_id = good()[0].event.match_id
    rows, states = _undisturbed()
    micro, rounds = OnlineMicro(lambda _: SITES), OnlineRounds(lambda _: SITES)
    messages: list[CanonicalEvent] = []
    for n, envelope in enumerate(good()):
        told = (e.event for at, data in odd if at == n for e in _read([data]))
        messages += [replace(event, match_id="another:1") for event in told]
        messages.append(envelope.event)
    fed, stated = micro.feed(messages), rounds.feed(messages)
    assert _rows([*fed.final, *micro.finish(match_id).final], match_id) == rows
    assert (
        sum(len(r) for r in [*stated.final, *rounds.finish(match_id).final] if r.lineup.match_id == match_id) == states
    )
    for other in micro.matches:
        micro.restore(micro.checkpoint(other))
        micro.finish(other)
    for other in rounds.matches:
        rounds.restore(rounds.checkpoint(other))
        rounds.finish(other)


@still(25)
@given(st.lists(st.tuples(st.integers(0, 120), _entries()), min_size=1, max_size=15))
def test_windows_and_facts_bear_odd_entries_of_their_own_match(odd: list[tuple[int, bytes]]) -> None:
    """What an odd entry that can be read means is its sender's affair; that the next ones are taken in is ours."""
    micro, rounds, enricher = OnlineMicro(lambda _: SITES), OnlineRounds(lambda _: SITES), Enricher()
    match_id = good()[0].event.match_id
    for n, envelope in enumerate(good()[:120]):
        events = [e.event for at, data in odd if at == n for e in _read([data]) if e.event.match_id == match_id]
        for event in (*events, envelope.event):
            micro.feed([event])
            rounds.feed([event])
            _enriched(enricher, event)
    micro.finish(match_id)
    rounds.finish(match_id)
    Enricher.restored(enricher.checkpoint())


def _enriched(enricher: Enricher, event: CanonicalEvent) -> None:
    try:
        told = enricher.enrich(event)
    except FrameError:
        assert is_frame(event)
        return
    decode(encode(Envelope(told)))


def test_the_match_that_is_fuzzed_says_something() -> None:
    rows, states = _undisturbed()
    assert len(rows) > 200
    assert states > 20
    kinds = {envelope.event.event_type.value for envelope in good()}
    assert {"MAP_START", "ROUND_START", "FREEZE_END", "POSITION_UPDATE", "KILL", "ECONOMY_UPDATE"} <= kinds
    refused = [data for data in (b"{}", b"", b"[" * 5000) if not _read([data])]
    assert len(refused) == 3


@pytest.mark.realdata
def test_real_entries_with_odd_things_are_read_or_refused(real_data: Path) -> None:
    path = min((real_data / "cs2_demos" / "pro").glob("*.zip"), key=lambda p: p.stat().st_size)
    (match,) = read_file(SourceFile.open(path)).matches
    entries = [encode(envelope) for envelope, _ in zip(envelopes_of(Playable(match)), range(3000), strict=False)]

    @still(150)
    @given(st.sampled_from(entries).flatmap(lambda data: _changed(json.loads(data))))
    def read(told: Any) -> None:
        entry = Entry(STREAM, "1-0", json.dumps(told).encode())
        assert isinstance(_read([entry.data or b""]), list)

    read()
