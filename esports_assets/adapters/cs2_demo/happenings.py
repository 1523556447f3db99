"""Rows of a demo to canonical events, in order.

Belongs here: walking the sections, the order of events at one tick, and the table of events.
Does not belong here: what one kind of row becomes (``frame.py``, ``deeds.py``), positions at a sampling rate (``tracks.py``).
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from esports_assets.adapters.cs2_demo import raw
from esports_assets.adapters.cs2_demo.deeds import Deeds
from esports_assets.adapters.cs2_demo.frame import economies, map_and_rounds
from esports_assets.adapters.cs2_demo.opening import Opened
from esports_assets.adapters.cs2_demo.roster import SOURCE, Roster
from esports_assets.adapters.cs2_demo.rows import Happening, RowReader
from esports_assets.canonical.clock import source_time_us
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.event import SCHEMA_VERSION, event_id
from esports_assets.canonical.payload import EVENT_RANK
from esports_assets.canonical.schema import EVENTS
from esports_assets.canonical.vocabulary import EventType

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Happened:
    """Everything that happens in a match, in order, and the rows of the bomb that it came from."""

    rows: list[Happening]
    bombs: list[raw.Bomb]


def happened(reader: RowReader, opened: Opened) -> Happened:
    """Walk the sections; refusals and remarks are with the reader."""
    demo, deeds, numbered = opened.demo, Deeds(reader), opened.numbered
    tracks_or_rows = demo.shots
    if isinstance(tracks_or_rows, list):
        shots = numbered("shots", tracks_or_rows)
    else:
        shots = enumerate(deeds.unrolled(tracks_or_rows, opened.is_delta_coded))
    rows = [
        *map_and_rounds(reader, demo.match),
        *economies(reader, demo.player_economies),
        *reader.each("kills", numbered("kills", demo.kills), deeds.kill),
        *reader.each("damages", numbered("damages", demo.damages), deeds.damage),
        *reader.each("bombs", numbered("bombs", demo.bombs), deeds.bomb),
        *reader.each("grenades", numbered("grenades", demo.grenades), deeds.grenade),
        *reader.each("blinds", numbered("blinds", demo.blinds), deeds.blind),
        *reader.each("clutches", numbered("clutches", demo.clutches), deeds.clutch),
        *reader.each("shots", shots, deeds.shot),
    ]
    rows.sort(key=lambda r: (r.segment if r.type is not EventType.MAP_END else 1 << 15, r.tick, EVENT_RANK[r.type]))
    return Happened(rows, deeds.bombs)


def event_table(roster: Roster, rows: list[Happening]) -> pa.Table:
    """The EVENTS table of a match."""
    header, clocks = roster.header, {number: info.clock for number, info in roster.rounds.items()}
    size = len(rows)
    players, team_of, teams = roster.players, roster.team_of, roster.teams
    team: list[str | None] = []
    side: list[str | None] = []
    sides_in = {number: [side.value for side in info.sides] for number, info in roster.rounds.items()}
    for r in rows:
        if r.actor is None:
            team.append(r.team)
            side.append(r.side.value if r.side else None)
        else:
            team.append(teams[team_of[r.actor]])
            sides = sides_in.get(r.segment)
            side.append(sides[team_of[r.actor]] if sides else None)
    same, words = np.zeros(size, np.int32), {kind: kind.value for kind in EventType}
    return table_of(
        EVENTS,
        {
            "event_id": [event_id(SOURCE, header.match_id, r.section, r.row) for r in rows],
            "match_id": (same, [header.match_id]),
            "series_id": (same, [header.series_id]),
            "title": (same, [header.title.value]),
            "map": (same, [header.map]),
            "segment": [r.segment for r in rows],
            "t_s": [clocks[r.segment].t_s(r.tick) if r.segment else None for r in rows],
            "seq": np.arange(size),
            "event_type": [words[r.type] for r in rows],
            "timestamp": [source_time_us(header.day, r.tick, roster.ticks_per_s) for r in rows],
            "actor": [None if r.actor is None else players[r.actor] for r in rows],
            "target": [None if r.target is None else players[r.target] for r in rows],
            "team": team,
            "side": side,
            "payload": [_encode(r.payload).decode() for r in rows],
            "enriched": ["{}"] * size,
            "schema_version": (same, [SCHEMA_VERSION]),
        },
    )
