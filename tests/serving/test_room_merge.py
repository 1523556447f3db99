"""Whoever reads a room, with whatever breaks, restarts, clocks and pauses, is told the same in the same order: never early, never
twice, nothing missing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.canonical.clock import from_utc_us
from serving.gate import Audience, Pause, Policy
from serving.room_ids import NOTHING, EntryId, Position, Source, before, entry_id, entry_text, position_of, text_of
from serving.room_merge import Batch, Item, Look, Merge, Message

ZERO_MS = 1_800_000_000_000
POLICY = Policy()
DELAY_S = {Audience.PUBLIC: 180, Audience.EDUCATIONAL: 120, Audience.ANALYST: 0}
START = Position((NOTHING, NOTHING, NOTHING))


def _at(seconds: float) -> datetime:
    return from_utc_us(round((ZERO_MS + seconds * 1000) * 1000))


def _ms(seconds: int) -> int:
    return ZERO_MS + seconds * 1000


@dataclass
class Streams:
    """What a server holds in the end; a look sees what came before it, a few entries at a time."""

    state: list[Item]
    signals: list[Item]
    pauses: list[tuple[int, int]]
    at_once: int = 2
    told: list[tuple[int, Message]] = field(default_factory=list)

    def look(self, second: int, wanted: dict[Source, EntryId]) -> Look:
        batches = {}
        for source, after in wanted.items():
            items = self.state if source is Source.STATE else self.signals
            there = [item for item in items if item.entry > after and item.entry[0] <= _ms(second)]
            found = there[: self.at_once]
            read_to = found[-1].entry if found else after
            batches[source] = Batch(found, read_to, len(found) < self.at_once)
        return Look(_at(second), _ms(second), self.known(second), batches)

    def known(self, second: int) -> list[Pause]:
        """Pauses that began, with their ends if those have come."""
        begun = [(start, end) for start, end in self.pauses if start <= second]
        return [Pause(_at(start), _at(end) if end <= second else None) for start, end in begun]

    def read(self, merge: Merge, second: int) -> list[Message]:
        """Everything that may be told at an instant."""
        found: list[Message] = []
        while True:
            look = self.look(second, merge.wanted(1))
            merge.feed(look)
            new = merge.due(look, 3)
            found += new
            if not new and not merge.hungry:
                return found


def _merge(audience: Audience, position: Position = START) -> Merge:
    return Merge(audience, POLICY, position, (Source.STATE, Source.SIGNAL))


def _name(message: Message) -> tuple[int, EntryId]:
    return int(message.source), message.item.entry


times = st.integers(0, 900)
entries = st.lists(st.tuples(times, st.integers(-300, 6)), max_size=14)
worlds = st.builds(
    lambda state, signals, pauses, at_once: Streams(
        [
            Item((_ms(came), number), b"{}", "event", f"e{number}", _at(came + ahead))
            for number, (came, ahead) in enumerate(sorted(state))
        ],
        [Item((_ms(came), number), b"{}", "signal") for number, came in enumerate(sorted(signals))],
        [(start, start + length) for start, length in pauses],
        at_once,
    ),
    entries,
    st.lists(times, max_size=8),
    st.lists(st.tuples(times, st.integers(0, 200)), max_size=3),
    st.integers(1, 4),
)
steps = st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=14)


@settings(max_examples=300)
@given(worlds, steps, st.sampled_from(sorted(DELAY_S)))
def test_any_reader_is_told_the_same_never_early_and_never_twice(
    world: Streams, told: list[tuple[int, bool]], audience: Audience
) -> None:
    merge, now, found = _merge(audience), 0, []
    for wait_s, restart in [*told, (3000, False)]:
        now += wait_s
        if restart:
            merge = _merge(audience, position_of(text_of(merge.position, audience), audience))
        for message in world.read(merge, now):
            found.append(_name(message))
            assert message.item.entry[0] < _ms(now)
            if message.source is Source.STATE:
                _check_delay(world, message.item, now, audience)
    whole = [_name(message) for message in world.read(_merge(audience), now)]
    assert found == whole
    credible = [item for item in world.state if item.event_ts and item.event_ts <= _came(item) + timedelta(seconds=2)]
    assert [entry for source, entry in found if source == 0] == [item.entry for item in credible]
    assert [entry for source, entry in found if source == 1] == [item.entry for item in world.signals]


def _came(item: Item) -> datetime:
    return from_utc_us(item.entry[0] * 1000)


def _check_delay(world: Streams, item: Item, now: int, audience: Audience) -> None:
    assert item.event_ts is not None
    happened = round(item.event_ts.timestamp() - ZERO_MS / 1000)
    still = [any(start <= second < end for start, end in world.pauses) for second in range(happened, now + 1)]
    assert not still[-1]
    assert still[:-1].count(False) >= DELAY_S[audience]


@settings(max_examples=100)
@given(worlds, st.sampled_from(sorted(DELAY_S)))
def test_every_id_leads_to_exactly_the_rest(world: Streams, audience: Audience) -> None:
    whole = world.read(_merge(audience), 4000)
    for place, message in enumerate(whole):
        again = position_of(text_of(message.position, audience), audience)
        rest = world.read(_merge(audience, again), 4000)
        assert [(_name(one), one.position) for one in rest] == [
            (_name(one), one.position) for one in whole[place + 1 :]
        ]


def test_nothing_is_told_while_something_earlier_may_still_come() -> None:
    """A signal of this very millisecond waits: an event of the same could follow, and stands before it."""
    world = Streams([], [Item((_ms(5), 0), b"{}", "signal")], [])
    assert world.read(_merge(Audience.ANALYST), 5) == []
    assert len(world.read(_merge(Audience.ANALYST), 6)) == 1


def test_state_that_is_held_in_a_pause_holds_what_stands_behind_it() -> None:
    """Who comes in a pause gets nothing that stood before it, and afterwards all of it in order."""
    world = Streams(
        [Item((_ms(0), 0), b"{}", "event", "e", _at(0))], [Item((_ms(10), 0), b"{}", "signal")], [(20, 400)]
    )
    merge = _merge(Audience.ANALYST)
    assert world.read(merge, 100) == []
    assert merge.told_ms < 0
    assert merge.wait_s(world.look(100, {})) is None
    assert [_name(message)[0] for message in world.read(merge, 400)] == [0, 1]
    assert merge.told_ms == _ms(400)


def test_the_next_look_is_due_when_the_gate_opens() -> None:
    world = Streams([Item((_ms(0), 0), b"{}", "event", "e", _at(0))], [], [])
    merge = _merge(Audience.PUBLIC)
    assert world.read(merge, 100) == []
    assert merge.wait_s(world.look(100, {})) == pytest.approx(80.0)


def test_what_the_gate_never_opens_for_is_passed_over_and_counted() -> None:
    world = Streams(
        [Item((_ms(0), 0), b"{}", "event", "e", _at(9)), Item((_ms(1), 1), b"{}", "event", "f", _at(1))], [], []
    )
    merge = _merge(Audience.ANALYST)
    assert [message.item.event_id for message in world.read(merge, 50)] == ["f"]
    assert merge.refused == 1


ids = st.tuples(st.integers(0, 10**14), st.integers(0, 10**6))


@given(st.tuples(ids, ids, ids), st.from_regex(r"[A-Za-z0-9_-]{0,64}", fullmatch=True), st.sampled_from(Audience))
def test_an_id_says_where_its_holder_stands_and_nothing_else(
    place: tuple[EntryId, EntryId, EntryId], event: str, audience: Audience
) -> None:
    position = Position(place, event)
    assert position_of(text_of(position, audience), audience) == position
    other = Audience.COACH if audience is not Audience.COACH else Audience.PUBLIC
    with pytest.raises(ValueError, match="another audience"):
        position_of(text_of(position, audience), other)


@given(st.text(max_size=80))
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        position_of(text, Audience.PUBLIC)


def test_entries_are_compared_as_numbers() -> None:
    assert entry_id("10-2") > entry_id("9-10")
    assert entry_text(entry_id("10-2")) == "10-2"
    assert before(5) < (5, 0)
    assert before(0) == NOTHING
    assert _at(0).tzinfo is UTC
