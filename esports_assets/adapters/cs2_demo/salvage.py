"""A section of which single values do not fit its shape: the rows that do are kept, each of the others is refused.

Belongs here: typing a section row by row, with the place of every row that fails.
Does not belong here: containers and text (``opening.py``), rows that fit their shape and cannot be true (``rows.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from esports_assets.adapters.base import MalformedRecord, RefusalLog
from esports_assets.adapters.cs2_demo import raw
from esports_assets.adapters.json_fault import non_finite

_TYPES = {field.encode_name: field.type for field in msgspec.structs.fields(raw.DemoFile)}
_ROWS: dict[str, tuple[str, type]] = {
    "rounds": ("", raw.Round),
    "kills": ("", raw.Kill),
    "damages": ("", raw.Damage),
    "bombs": ("", raw.Bomb),
    "grenades": ("", raw.Grenade),
    "blinds": ("", raw.Blind),
    "player-economies": ("", raw.Economy),
    "clutches": ("", raw.Clutch),
    "positions-1s": ("", raw.Second),
    "replay": ("rounds", raw.ReplayRound),
}
"""Sections of rows: the key that the rows stand under, if any, and their type. All others are kept or refused whole."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the rows that are left of a section stood, and how many there were."""

    numbers: Sequence[int]
    total: int


def salvaged(file: str, name: str, content: Any, log: RefusalLog) -> tuple[Any, Kept | None]:
    """A section, and what is left of its rows where it has rows.

    Raises MalformedRecord where more than rows is wrong: the match cannot do without the rest of the section.
    """
    key, kind = _rows_of(name, content)
    rows = content.get(key) if key and isinstance(content, dict) else content
    if kind is None or not isinstance(rows, list):
        return _typed(file, name, content, _TYPES[name]), None
    place = f"{name}.{key}" if key else name
    kept: dict[int, Any] = {}
    for number, row in enumerate(rows):
        try:
            kept[number] = _typed(file, f"{place}[{number}]", row, kind)
        except MalformedRecord as error:
            log.add(error)
    left = Kept(tuple(kept), len(rows))
    return _around(file, name, content, key, list(kept.values())), left


def _around(file: str, name: str, content: Any, key: str, rows: list[Any]) -> Any:
    """A section of these rows: the rows alone, or what the source has around them too."""
    if not key:
        return rows
    return msgspec.structs.replace(_typed(file, name, {**content, key: []}, _TYPES[name]), **{key: rows})


def _rows_of(name: str, content: Any) -> tuple[str, type | None]:
    if name == "shots":  # rows in 2.0, columns under ``tracks`` in 3.0
        return ("", raw.Shot) if isinstance(content, list) else ("tracks", raw.ShotTrack)
    return _ROWS.get(name, ("", None))


def _typed(file: str, place: str, value: Any, kind: Any) -> Any:
    try:
        found = non_finite(value, place)
        if found is not None:
            raise MalformedRecord(file, *found)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        raise MalformedRecord(file, place + path.strip("`").removeprefix("$"), reason) from error
    except RecursionError as error:
        raise MalformedRecord(file, place, "it is nested too deep") from error
