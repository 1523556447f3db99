"""The adapter of ``cs2-demo-format`` 2.x (xz) and 3.x (zip).

Belongs here: recognising a file, putting roster, events, tracks and rounds together, and turning errors into refusals.
Does not belong here: shapes, words, or any one table's details; they have files of their own.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from esports_assets.adapters.base import AdapterError, MalformedRecord, Reading, RefusalLog, SourceFile
from esports_assets.adapters.cs2_demo import mapping
from esports_assets.adapters.cs2_demo.happenings import event_table, happened
from esports_assets.adapters.cs2_demo.opening import XZ_MAGIC, ZIP_MAGIC, looks_like_a_demo, open_demo
from esports_assets.adapters.cs2_demo.roster import SOURCE, Roster, RoundInfo, read_roster
from esports_assets.adapters.cs2_demo.rows import Happening, RowReader
from esports_assets.adapters.cs2_demo.tracks import tracking_table
from esports_assets.canonical.clock import source_time_us
from esports_assets.canonical.codec import ColumnError, table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import PLAYERS, ROUNDS
from esports_assets.canonical.vocabulary import EventType, Side


class Cs2DemoAdapter:
    """Reads one exported match per file."""

    name = SOURCE
    version = "4"
    suffixes: Sequence[str] = (".json.xz", ".zip")

    def recognises(self, file: SourceFile) -> bool:
        """A zip by name or magic bytes; an xz by what its first bytes unpack to, by name where they unpack to nothing."""
        if file.name.endswith(".zip") or file.data.startswith(ZIP_MAGIC):
            return True
        by_name = file.name.endswith(".json.xz")
        if not (by_name or file.data.startswith(XZ_MAGIC)):
            return False
        found = looks_like_a_demo(file)
        return (by_name or not file.name.endswith(".xz")) if found is None else found

    def read(self, file: SourceFile) -> Reading:
        """One match and the rows that were refused of it, or why there is no match."""
        log = RefusalLog(file.name)
        try:
            match = read_match(file, log)
        except AdapterError as error:
            log.add(error)
            return Reading(refusals=log.refusals)
        return Reading((match,), log.refusals)


def read_match(file: SourceFile, log: RefusalLog) -> CanonicalMatch:
    """The match of a file; rows that cannot be true go to ``log``.

    Raises ``AdapterError`` with file, place and reason where there can be no match.
    """
    opened = open_demo(file, log)
    roster = read_roster(file, opened, log)
    reader = RowReader(roster, opened, log)
    reader.remark_ignored()
    try:
        what = happened(reader, opened)
        return CanonicalMatch(
            header=roster.header,
            events=event_table(roster, what.rows),
            tracking=tracking_table(reader, what.bombs),
            rounds=_rounds_table(roster, what.rows),
            players=_players_table(roster),
            findings=reader.findings(),
        )
    except ColumnError as error:
        raise MalformedRecord(file.name, error.place, error.reason) from error


def _players_table(roster: Roster) -> pa.Table:
    indexes = range(len(roster.players))
    return table_of(
        PLAYERS,
        {
            "match_id": [roster.header.match_id for _ in indexes],
            "player": list(roster.players),
            "player_name": list(roster.names),
            "team": [roster.team(i) for i in indexes],
            "team_name": [roster.team_names[roster.team_of[i]] for i in indexes],
        },
    )


def _rounds_table(roster: Roster, rows: Sequence[Happening]) -> pa.Table:
    plants = {row.segment: row for row in rows if row.type is EventType.BOMB_PLANTED}
    equipment = _equipment(roster, rows)
    made = [_round_row(roster, info, plants.get(number), equipment) for number, info in roster.rounds.items()]
    return table_of(ROUNDS, {name: [row[name] for row in made] for name in ROUNDS.names})


def _equipment(roster: Roster, rows: Sequence[Happening]) -> dict[tuple[int, Side], int]:
    """Equipment value of each side at freeze end, summed over its players."""
    total: dict[tuple[int, Side], int] = {}
    for row in rows:
        if row.type is EventType.ECONOMY_UPDATE and row.actor is not None:
            key = (row.segment, roster.side(row.actor, row.segment))
            total[key] = total.get(key, 0) + row.payload["equipment_value"]
    return total


def _round_row(
    roster: Roster, info: RoundInfo, plant: Happening | None, equipment: dict[tuple[int, Side], int]
) -> dict[str, Any]:
    entry, header = info.raw, roster.header
    ct = 0 if info.sides[0] is Side.CT else 1
    teams = {Side.CT: roster.teams[ct], Side.T: roster.teams[1 - ct]}
    buys = [mapping.BUYS.get(name or "") for name in (entry.teamAEconomy, entry.teamBEconomy)]
    return {
        "match_id": header.match_id,
        "series_id": header.series_id,
        "title": header.title.value,
        "source": header.source,
        "simulated": header.simulated,
        "map": header.map,
        "segment": entry.roundNumber,
        "started_at": source_time_us(header.day, entry.freezeEndTick, roster.ticks_per_s),
        "freeze_s": (entry.freezeEndTick - entry.startTick) / roster.ticks_per_s,
        "duration_s": info.clock.t_s(entry.endTick),
        "ct_team": teams[Side.CT],
        "t_team": teams[Side.T],
        "ct_score_before": info.score(Side.CT),
        "t_score_before": info.score(Side.T),
        "ct_buy": buys[ct],
        "t_buy": buys[1 - ct],
        "ct_equipment_value": equipment.get((entry.roundNumber, Side.CT)),
        "t_equipment_value": equipment.get((entry.roundNumber, Side.T)),
        "winner_side": info.reason.winner.value,
        "winner_team": teams[info.reason.winner],
        "end_reason": info.reason.value,
        "planted_t_s": None if plant is None else info.clock.t_s(plant.tick),
        "planted_site": None if plant is None else plant.payload["site"],
    }
