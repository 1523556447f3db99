"""Facts for all events of a match at once, from its tables.

Belongs here: walking the events table, and the tracking table as the whereabouts.
Does not belong here: the facts themselves (``facts.py``).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from esports_assets.canonical.frames import zeros_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import EVENTS
from esports_assets.canonical.vocabulary import EventType
from esports_assets.enrich.facts import facts_of
from esports_assets.enrich.online import metres_per_unit
from esports_assets.enrich.so_far import MatchSoFar
from esports_assets.enrich.told import READ, Told
from esports_assets.enrich.whereabouts import Tracks

_loads = msgspec.json.Decoder(dict[str, Any]).decode
_dumps = msgspec.json.Encoder().encode
_NOTHING = "{}"
_COLUMNS = ("segment", "actor", "target", "team", "payload")


def enriched(match: CanonicalMatch) -> CanonicalMatch:
    """The match with the facts of its events."""
    metres = metres_per_unit(match.header.title)
    known = MatchSoFar()
    where = Tracks(match.tracking, _zeros(match))
    column = _values(match.events["enriched"])
    for row, told in _told(match.events):
        found = facts_of(told, known, where, metres)
        if found:
            before = column[row]
            column[row] = _dumps(found if before == _NOTHING else {**_loads(before), **found}).decode()
    place = match.events.schema.get_field_index("enriched")
    field = EVENTS.column("enriched").arrow
    return replace(match, events=match.events.set_column(place, field, pa.array(column, field.type)))


def _told(events: pa.Table) -> Iterator[tuple[int, Told]]:
    words = events["event_type"].combine_chunks()
    kinds = [EventType(word) for word in words.dictionary.to_pylist()]
    wanted = np.array([kind in READ for kind in kinds], dtype=bool)
    codes = words.indices.to_numpy()
    rows = np.flatnonzero(wanted[codes]) if len(kinds) else np.empty(0, np.intp)
    part = events.take(rows)
    moments = part["timestamp"].cast(pa.int64()).to_pylist()
    columns = [_values(part[name]) for name in _COLUMNS]
    for row, code, moment, segment, actor, target, team, payload in zip(
        rows.tolist(), codes[rows].tolist(), moments, *columns, strict=True
    ):
        yield row, Told(kinds[code], segment, moment, actor, target, team, _loads(payload))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python's own values, several times faster than ``to_pylist``."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        words = np.array([*array.dictionary.to_pylist(), None], dtype=object)
        return list(words[array.indices.fill_null(-1).to_numpy(zero_copy_only=False)].tolist())
    return list(array.to_numpy(zero_copy_only=False).tolist())


def _zeros(match: CanonicalMatch) -> dict[int, int]:
    """The zero of each tracked round: from the rounds table alone where that has them all."""
    starts = match.rounds["started_at"].cast(pa.int64()).to_pylist()
    told = zip(match.rounds["segment"].to_pylist(), starts, strict=True)
    known = {segment: start for segment, start in told if start is not None}
    tracked = np.unique(match.tracking["segment"].to_numpy()).tolist()
    return known if known.keys() >= set(tracked) else zeros_of(match)
