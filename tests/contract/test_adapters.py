"""What every adapter owes: inherited by each folder ``tests/fixtures/<adapter>/<case>/`` found on disk.

A case is an ``input.*`` and an ``expected.jsonl`` with the canonical events, one per line, of all its matches. A case that
holds no match has an empty one and is then expected to be refused.
"""

import lzma
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esports_assets.adapters.base import Reading, SourceFile, UnreadableFile
from esports_assets.adapters.registry import ADAPTERS, adapter_for, read_file
from esports_assets.canonical.codec import content_hash, events_of
from esports_assets.canonical.event import CanonicalEvent, decode
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.payload import ENRICHED_KEYS, PAYLOAD_KEYS
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import EventType

FIXTURES = Path(__file__).parents[1] / "fixtures"
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}
CASES = sorted(
    folder
    for name in BY_NAME
    for folder in (FIXTURES / name).glob("*")
    if folder.is_dir() and any(folder.glob("input.*"))
)


def _input(case: Path) -> SourceFile:
    return SourceFile.open(next(case.glob("input.*")))


@pytest.fixture(params=CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def case(request: pytest.FixtureRequest) -> Path:
    """One fixture folder."""
    return request.param


@pytest.fixture
def reading(case: Path) -> Reading:
    """What the case's adapter reads in it."""
    return BY_NAME[case.parent.name].read(_input(case))


def _events(reading: Reading) -> list[CanonicalEvent]:
    return [event for match in reading.matches for event in events_of(match.events)]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_adapter_brings_fixtures(name: str) -> None:
    assert [case.name for case in CASES if case.parent.name == name], f"tests/fixtures/{name}/ holds no case"


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(ADAPTERS)


def test_its_own_adapter_is_chosen(case: Path) -> None:
    chosen = adapter_for(_input(case))
    assert chosen is not None
    assert chosen.name == case.parent.name
    assert _input(case).name.endswith(tuple(chosen.suffixes))


def test_it_reads_what_was_expected(case: Path, reading: Reading) -> None:
    expected = [decode(line) for line in (case / "expected.jsonl").read_bytes().splitlines() if line]
    assert _events(reading) == expected
    assert reading.matches or reading.refusals, "neither a match nor a refusal: the file vanished"


def test_tables_have_the_declared_schema_and_keys(reading: Reading) -> None:
    for match in reading.matches:
        for table in CANONICAL_TABLES:
            found = match.tables[table.name]
            assert found.schema.equals(table.arrow), table.name
            rows = list(zip(*(found[name].to_pylist() for name in table.key), strict=True))
            assert len(set(rows)) == len(rows), f"{table.name}: key {table.key} is not unique"
            for column in table.columns:
                values = [v for v in found[column.name].to_pylist() if v is not None]
                assert not column.allowed or set(values) <= set(column.allowed), column.name
                assert column.minimum is None or all(v >= column.minimum for v in values), column.name
                assert column.maximum is None or all(v <= column.maximum for v in values), column.name


def test_every_table_speaks_of_its_match(reading: Reading) -> None:
    ids = [match.header.match_id for match in reading.matches]
    assert len(set(ids)) == len(ids)
    for match in reading.matches:
        header = match.header
        assert header.match_id.startswith((f"{header.source}:", f"{header.source}.sim:"))
        assert header.match_id.startswith(header.series_id)
        for name, table in match.tables.items():
            assert set(table["match_id"].to_pylist()) <= {header.match_id}, name
        assert set(match.events["map"].to_pylist()) <= {header.map}
        assert set(match.rounds["simulated"].to_pylist()) <= {header.simulated}


def test_payloads_hold_declared_keys_only(reading: Reading) -> None:
    for event in _events(reading):
        assert set(event.payload) <= set(PAYLOAD_KEYS[event.event_type]), event.event_type


def test_derived_facts_are_declared(reading: Reading) -> None:
    for event in _events(reading):
        assert set(event.enriched) <= set(ENRICHED_KEYS), event.event_type


def test_every_adapter_inherits_the_facts(reading: Reading) -> None:
    killed = [e for m in reading.matches for e in events_of(m.events) if e.event_type is EventType.KILL and e.segment]
    mates = [e for e in killed if e.team is not None and e.team == e.payload["target_team"]]
    assert all(("trade_kill" in e.enriched) != (e in mates) for e in killed)


def test_ids_carry_their_source(reading: Reading) -> None:
    for match in reading.matches:
        players = match.players.to_pylist()
        named = {row[key] for row in players for key in ("player", "team")}
        named |= {who for e in events_of(match.events) for who in (e.actor, e.target, e.team) if who is not None}
        assert all(":" in who for who in named), sorted(named)


def test_times_have_a_zone_and_order(reading: Reading) -> None:
    for match in reading.matches:
        events = events_of(match.events)
        assert [e.seq for e in events] == list(range(len(events)))
        assert all(e.timestamp.tzinfo is not None for e in events)


def test_no_invariant_is_broken(reading: Reading) -> None:
    for match in reading.matches:
        assert broken(match) == [], match.header.match_id


def test_the_same_bytes_read_the_same(case: Path, reading: Reading) -> None:
    again = BY_NAME[case.parent.name].read(_input(case))
    assert [_hashes(m) for m in again.matches] == [_hashes(m) for m in reading.matches]
    assert again.refusals == reading.refusals


def _hashes(match: CanonicalMatch) -> dict[str, str]:
    return {name: content_hash(table) for name, table in match.tables.items()}


def test_refusals_say_where_and_why(case: Path, reading: Reading) -> None:
    for refusal in reading.refusals:
        assert refusal.file == _input(case).name
        assert len(refusal.reason) > 10
        assert refusal.kind in {"UnreadableFile", "WrongFormat", "MalformedRecord"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_and_never_raises(case: Path, data: st.DataObject) -> None:
    """Cut short, or with bytes overwritten: an answer, not an exception."""
    file = _input(case)
    size = len(file.data)
    at = data.draw(st.integers(0, size - 1))
    patch = data.draw(st.binary(max_size=16))
    for damaged in (file.data[:at], file.data[:at] + patch + file.data[at + len(patch) :]):
        reading = BY_NAME[case.parent.name].read(SourceFile(file.name, damaged))
        assert reading.matches or reading.refusals


@pytest.mark.parametrize("name", sorted(BY_NAME))
@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused(name: str, data: bytes) -> None:
    adapter = BY_NAME[name]
    for suffix in adapter.suffixes:
        file = SourceFile(f"garbage{suffix}", data)
        assert adapter.recognises(file) in (True, False)
        result = adapter.read(file)
        assert result.matches == ()
        assert result.refusals, suffix


def test_a_file_of_nobody_is_refused_by_name() -> None:
    (refusal,) = read_file(SourceFile("notes.txt", b"hello")).refusals
    assert refusal.kind == "WrongFormat"
    assert "grid" in refusal.reason


def test_a_broken_container_is_not_recognised_as_content() -> None:
    broken_xz = lzma.compress(b'{"seriesId":"1"}')[:-8]
    result = BY_NAME["grid"].read(SourceFile("feed.jsonl.xz", broken_xz))
    assert [r.kind for r in result.refusals] == [UnreadableFile.__name__]
