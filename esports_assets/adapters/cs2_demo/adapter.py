"""The adapter of ``cs2-demo-format`` 2.x (xz) and 3.x (zip).

Belongs here: recognising a file, putting roster, events, tracks and rounds together, and turning errors into refusals.
Does not belong here: shapes, words, or any one table's details; they have files of their own.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from esports_assets.adapters.base import AdapterError, MalformedRecord, Reading, Refusal, SourceFile
from esports_assets.adapters.cs2_demo import mapping, raw
from esports_assets.adapters.cs2_demo.happenings import event_table
from esports_assets.adapters.cs2_demo.opening import XZ_MAGIC, ZIP_MAGIC, is_delta_coded, open_demo
from esports_assets.adapters.cs2_demo.roster import SOURCE, Roster, RoundInfo, read_roster
from esports_assets.adapters.cs2_demo.tracks import tracking_table
from esports_assets.canonical.clock import source_time_us
from esports_assets.canonical.codec import ColumnError, table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import PLAYERS, ROUNDS
from esports_assets.canonical.vocabulary import Side


class Cs2DemoAdapter:
    """Reads one exported match per file."""

    name = SOURCE
    version = "3"
    suffixes: Sequence[str] = (".json.xz", ".zip")

    def recognises(self, file: SourceFile) -> bool:
        """By ending, and by the magic bytes where the name does not tell."""
        return file.name.endswith(tuple(self.suffixes)) or file.data.startswith((XZ_MAGIC, ZIP_MAGIC))

    def read(self, file: SourceFile) -> Reading:
        """One match, or one refusal."""
        try:
            return Reading(matches=(read_match(file),))
        except AdapterError as error:
            return Reading(refusals=(Refusal.of(error),))


def read_match(file: SourceFile) -> CanonicalMatch:
    """The whole match of a file; raises ``AdapterError`` with file, place and reason."""
    demo = open_demo(file)
    roster = read_roster(file, demo)
    delta_coded = is_delta_coded(demo)
    try:
        events, findings = event_table(roster, demo, delta_coded)
        return CanonicalMatch(
            header=roster.header,
            events=events,
            tracking=tracking_table(roster, demo, delta_coded),
            rounds=_rounds_table(roster, demo),
            players=_players_table(roster),
            findings=tuple(findings),
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


def _rounds_table(roster: Roster, demo: raw.DemoFile) -> pa.Table:
    plants = {bomb.roundNumber: bomb for bomb in demo.bombs if bomb.type == "planted"}
    equipment = _equipment(roster, demo)
    rows = [_round_row(roster, info, plants.get(number), equipment) for number, info in roster.rounds.items()]
    return table_of(ROUNDS, {name: [row[name] for row in rows] for name in ROUNDS.names})


def _equipment(roster: Roster, demo: raw.DemoFile) -> dict[tuple[int, Side], int]:
    """Equipment value of each side at freeze end, summed over its players."""
    total: dict[tuple[int, Side], int] = {}
    for i, row in enumerate(demo.player_economies):
        player = roster.who(row.steamId64, row.playerIndex, f"player-economies[{i}]")
        if player is not None:
            key = (row.roundNumber, roster.side(player, row.roundNumber))
            total[key] = total.get(key, 0) + row.equipmentValue
    return total


def _round_row(
    roster: Roster, info: RoundInfo, plant: raw.Bomb | None, equipment: dict[tuple[int, Side], int]
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
        "planted_site": None if plant is None else plant.site,
    }
