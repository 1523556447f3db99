"""coverage.yaml says what the fixtures really produce: neither more nor less."""

from pathlib import Path

import yaml
from tiny_demo import FIXTURES

from esports_assets.adapters.base import RefusalLog, SourceFile
from esports_assets.adapters.cs2_demo import mapping
from esports_assets.adapters.cs2_demo.happenings import happened
from esports_assets.adapters.cs2_demo.opening import open_demo
from esports_assets.adapters.cs2_demo.roster import read_roster
from esports_assets.adapters.cs2_demo.rows import RowReader
from esports_assets.canonical.payload import PAYLOAD_KEYS
from esports_assets.canonical.vocabulary import EventType

COVERAGE: dict[str, dict[str, list[str]]] = yaml.safe_load(
    (Path(mapping.__file__).parent / "coverage.yaml").read_text(encoding="utf-8")
)
SOURCES = {
    "match": "match", "round_start": "rounds", "freeze_end": "rounds", "round_end": "rounds", "economy": "player-economies",
    "kill": "kills", "damage": "damages", "throw": "grenades", "effect": "grenades", "blind": "blinds", "clutch": "clutches",
    "shot": "shots",
}  # fmt: skip
BOMBS = {kind: f"bombs.{word}" for word, kind in mapping.BOMB_EVENTS.items()}


def test_it_is_what_the_fixtures_produce() -> None:
    produced: dict[str, dict[str, set[str]]] = {}
    for case in sorted(FIXTURES.iterdir()):
        file = SourceFile.open(next(case.glob("input.*")))
        log = RefusalLog(file.name)
        opened = open_demo(file, log)
        for row in happened(RowReader(read_roster(file, opened, log), opened, log), opened).rows:
            source = BOMBS[row.type] if row.section == "bomb" else SOURCES[row.section]
            keys = produced.setdefault(source, {}).setdefault(row.type.value, set())
            keys |= {key for key, value in row.payload.items() if value is not None}
    assert produced == {source: {kind: set(keys) for kind, keys in kinds.items()} for source, kinds in COVERAGE.items()}


def test_every_word_of_the_bomb_is_covered() -> None:
    assert {f"bombs.{word}" for word in mapping.BOMB_EVENTS} == {
        source for source in COVERAGE if source.startswith("bombs.")
    }
    for word, kind in mapping.BOMB_EVENTS.items():
        assert list(COVERAGE[f"bombs.{word}"]) == [kind.value]


def test_payload_keys_are_declared_and_sorted() -> None:
    for kinds in COVERAGE.values():
        for kind, keys in kinds.items():
            assert set(keys) <= set(PAYLOAD_KEYS[EventType(kind)])
            assert keys == sorted(keys)
    assert list(COVERAGE) == sorted(COVERAGE)
