"""Shared by the GRID tests: reading a fixture or lines, and what each source event became."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from esports_assets.adapters.base import Reading, SourceFile
from esports_assets.adapters.grid.adapter import GridAdapter
from esports_assets.adapters.grid.decoder import GridDecoder
from esports_assets.adapters.grid.ledger import Statement
from esports_assets.adapters.grid.raw import Message
from esports_assets.adapters.grid.reading import Reader, message_of

FIXTURES = Path(__file__).parents[2] / "fixtures" / "grid"


def fixture(case: str) -> SourceFile:
    """The input of a case."""
    return SourceFile.open(next((FIXTURES / case).glob("input.*")))


def read(case: str) -> Reading:
    """The reading of a case."""
    return GridAdapter().read(fixture(case))


def lines(case: str) -> list[dict[str, Any]]:
    """The messages of a case as plain objects, to be changed and read again."""
    return [msgspec.json.decode(line) for line in fixture(case).data.splitlines()]


def read_lines(messages: Iterable[Any], name: str = "input.jsonl") -> Reading:
    """The reading of messages; bytes stand for themselves."""
    data = b"\n".join(m if isinstance(m, bytes) else msgspec.json.encode(m) for m in messages)
    return GridAdapter().read(SourceFile(name, data))


def message(value: dict[str, Any]) -> Message:
    """One message as a live feed hands it over."""
    return message_of(msgspec.json.encode(value), "live")


def standing(case: str) -> list[Statement]:
    """Every statement that stands at the end of a case."""
    decoders: dict[str, GridDecoder] = {}
    for record in Reader(fixture(case)).records():
        if isinstance(record, Message):
            decoders.setdefault(record.series, GridDecoder("input.jsonl", date(1970, 1, 1))).feed(record)
    return [statement for decoder in decoders.values() for statement in decoder.ledger]
