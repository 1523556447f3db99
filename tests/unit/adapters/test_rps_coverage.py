"""coverage.yaml says what the fixtures really produce: neither more nor less."""

from pathlib import Path

import yaml

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.rps import adapter
from esports_assets.canonical.codec import events_of
from esports_assets.canonical.payload import PAYLOAD_KEYS
from esports_assets.canonical.vocabulary import EventType

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rps"
COVERAGE: dict[str, dict[str, list[str]]] = yaml.safe_load(
    (Path(adapter.__file__).parent / "coverage.yaml").read_text(encoding="utf-8")
)
PARTS = {EventType.MAP_START: "setup", EventType.MAP_END: "end"}
"""The part of a record that an event comes from, where that is not a round."""


def test_it_is_what_the_fixtures_produce() -> None:
    produced: dict[str, dict[str, set[str]]] = {}
    for case in sorted(FIXTURES.iterdir()):
        for match in adapter.RpsAdapter().read(SourceFile.open(next(case.glob("input.*")))).matches:
            for event in events_of(match.events):
                part = produced.setdefault(PARTS.get(event.event_type, "rounds"), {})
                keys = part.setdefault(event.event_type.value, set())
                keys |= {key for key, value in event.payload.items() if value is not None}
    assert produced == {part: {kind: set(keys) for kind, keys in kinds.items()} for part, kinds in COVERAGE.items()}


def test_payload_keys_are_declared_and_sorted() -> None:
    for kinds in COVERAGE.values():
        for kind, keys in kinds.items():
            assert set(keys) <= set(PAYLOAD_KEYS[EventType(kind)])
            assert keys == sorted(keys)
    assert list(COVERAGE) == sorted(COVERAGE)
