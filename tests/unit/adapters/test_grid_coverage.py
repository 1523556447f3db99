"""coverage.yaml says what mapping.py maps and what the fixtures really produce: neither more nor less."""

from pathlib import Path
from typing import Any

import msgspec
import yaml
from grid_feed import FIXTURES, standing

from esports_assets.adapters.grid import mapping
from esports_assets.canonical.payload import PAYLOAD_KEYS
from esports_assets.canonical.vocabulary import EventType

COVERAGE: dict[str, dict[str, list[str]]] = yaml.safe_load(
    (Path(mapping.__file__).parent / "coverage.yaml").read_text(encoding="utf-8")
)


def test_it_is_what_the_fixtures_produce() -> None:
    produced: dict[str, dict[str, set[str]]] = {}
    for case in sorted(FIXTURES.iterdir()):
        for statement in standing(case.name):
            for event in statement.events:
                keys = produced.setdefault(statement.event.type, {}).setdefault(event.event_type.value, set())
                keys |= {key for key, value in event.payload.items() if value is not None}
    known = {source: kinds for source, kinds in produced.items() if source in mapping.EVENT_TYPES}
    assert known == {source: {kind: set(keys) for kind, keys in kinds.items()} for source, kinds in COVERAGE.items()}


def test_it_lists_what_is_mapped() -> None:
    assert set(COVERAGE) == set(mapping.EVENT_TYPES)
    for source, kinds in COVERAGE.items():
        assert mapping.EVENT_TYPES[source].value in kinds, source


def test_payload_keys_are_declared() -> None:
    for kinds in COVERAGE.values():
        for kind, keys in kinds.items():
            assert set(keys) <= set(PAYLOAD_KEYS[EventType(kind)])


def test_a_type_without_a_word_is_generic_and_keeps_its_record() -> None:
    (strange,) = [s for s in standing("bad_lines") if s.event.type == "player-danced-wildly"]
    (event,) = strange.events
    assert event.event_type is EventType.GENERIC
    assert event.payload["source_type"] == "player-danced-wildly"
    source = next(
        e for m in FIXTURES.joinpath("bad_lines", "input.jsonl").read_bytes().splitlines() for e in _events(m)
    )
    assert event.payload["raw"] == {key: value for key, value in source.items() if key != "seriesState"}
    assert event.payload["raw"]["target"]["state"] == {"id": "stage-1"}


def _events(line: bytes) -> list[dict[str, Any]]:
    """The events of a line that dance."""
    try:
        return [e for e in msgspec.json.decode(line)["events"] if e["type"] == "player-danced-wildly"]
    except (msgspec.DecodeError, LookupError, TypeError):
        return []
