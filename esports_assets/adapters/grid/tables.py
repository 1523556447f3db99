"""What stands of a game to the four tables of a canonical match.

Belongs here: numbering events anew, the time of freeze-time events, the macro table folded from canonical events.
Does not belong here: GRID's shapes and words; only our own events come in.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from esports_assets.adapters.grid.scene import Member, Sample
from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch, Finding, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING, Table
from esports_assets.canonical.vocabulary import EventType

Row = dict[str, Any]


def canonical_match(
    header: MatchHeader,
    events: Iterable[CanonicalEvent],
    samples: Iterable[Sample],
    members: dict[str, Member],
    findings: Sequence[Finding],
) -> CanonicalMatch:
    """A match from its standing events (in order), positions, players and remarks."""
    said = list(events)
    zeros = {e.segment: e.timestamp for e in said if e.event_type is EventType.FREEZE_END and e.t is not None}
    final = [
        msgspec.structs.replace(
            e, seq=seq, map=header.map, t=_since(zeros, e.segment, e.timestamp) if e.t is None else e.t
        )
        for seq, e in enumerate(said)
    ]
    rounds, missing = _rounds(header, final)
    return CanonicalMatch(
        header,
        events_table(final),
        _tracking(samples, zeros),
        _columns(ROUNDS, rounds),
        _players(header, members),
        (*findings, *missing),
    )


def _since(zeros: dict[int, datetime], segment: int, moment: datetime) -> float | None:
    return (moment - zeros[segment]).total_seconds() if segment in zeros else None


def _columns(table: Table, rows: list[Row]) -> pa.Table:
    return table_of(table, {name: [row[name] for row in rows] for name in table.names})


def _players(header: MatchHeader, members: dict[str, Member]) -> pa.Table:
    rows: list[Row] = [
        {"match_id": header.match_id, "player": who, "player_name": m.name, "team": m.team, "team_name": m.team_name}
        for who, m in members.items()
    ]
    return _columns(PLAYERS, rows)


def round_row(header: MatchHeader, end: CanonicalEvent) -> Row:
    """The row of a decided round, as far as its ROUND_END tells: times and equipment are unknown."""
    payload = end.payload
    scores = {side: payload[f"{side}_score"] - (side == payload["winner_side"]) for side in ("ct", "t")}
    return {
        "match_id": header.match_id,
        "series_id": header.series_id,
        "title": header.title.value,
        "source": header.source,
        "simulated": header.simulated,
        "map": header.map,
        "segment": end.segment,
        "started_at": None,
        "freeze_s": None,
        "duration_s": None,
        "ct_team": payload["ct_team"],
        "t_team": payload["t_team"],
        "ct_score_before": scores["ct"],
        "t_score_before": scores["t"],
        "ct_buy": None,
        "t_buy": None,
        "ct_equipment_value": None,
        "t_equipment_value": None,
        "winner_side": payload["winner_side"],
        "winner_team": payload["winner_team"],
        "end_reason": payload["reason"],
        "planted_t_s": None,
        "planted_site": None,
    }


def _rounds(header: MatchHeader, events: list[CanonicalEvent]) -> tuple[list[Row], list[Finding]]:
    """One row per decided round whose freeze end, teams and reason are known; the others are findings."""
    by_round: dict[int, dict[EventType, list[CanonicalEvent]]] = {}
    for event in events:
        if event.segment:
            by_round.setdefault(event.segment, {}).setdefault(event.event_type, []).append(event)
    rows, findings = [], []
    for segment in sorted(by_round):
        kinds = by_round[segment]
        if EventType.ROUND_END not in kinds:
            continue
        end = kinds[EventType.ROUND_END][0]
        freeze = next(iter(kinds.get(EventType.FREEZE_END, [])), None)
        wanted = {"reason": end.payload["reason"], "ct_team": end.payload["ct_team"], "t_team": end.payload["t_team"]}
        lacking = [name for name, value in wanted.items() if value is None] + ["freeze end"] * (freeze is None)
        if lacking or freeze is None:
            what = f"round {segment} has no row in the rounds table: {', '.join(lacking)} not told"
            findings.append(Finding("round_incomplete", f"{header.match_id} round {segment}", what))
            continue
        start = next(iter(kinds.get(EventType.ROUND_START, [])), None)
        plant = next(iter(kinds.get(EventType.BOMB_PLANTED, [])), None)
        row = round_row(header, end)
        row["started_at"] = utc_us(freeze.timestamp)
        row["freeze_s"] = max(0.0, (freeze.timestamp - start.timestamp).total_seconds()) if start else None
        row["duration_s"] = end.t if end.t is not None and end.t >= 0 else None
        row["planted_t_s"] = plant.t if plant else None
        row["planted_site"] = plant.payload["site"] if plant else None
        for side in ("ct", "t"):
            row[f"{side}_equipment_value"] = _equipment(kinds.get(EventType.ECONOMY_UPDATE, []), row[f"{side}_team"])
        rows.append(row)
    return rows, findings


def _equipment(updates: list[CanonicalEvent], team: str) -> int | None:
    values = [e.payload["equipment_value"] for e in updates if e.team == team]
    return sum(values) if values and None not in values else None


def _tracking(samples: Iterable[Sample], zeros: dict[int, datetime]) -> pa.Table:
    """One row per player and instant; of several events at one instant the last counts. Rounds without a zero have none."""
    latest: dict[tuple[int, float, str], Sample] = {}
    for sample in samples:
        t = _since(zeros, sample.segment, sample.timestamp) if sample.t is None else sample.t
        if t is not None:
            latest[sample.segment, float(np.float32(t)), sample.player] = sample
    rows: list[Row] = []
    for (segment, t, player), s in sorted(latest.items(), key=lambda item: item[0]):
        rows.append(
            {
                "match_id": s.match_id,
                "segment": segment,
                "t_s": t,
                "player": player,
                "team": s.team,
                "side": s.side.value,
                "x_u": s.pos[0],
                "y_u": s.pos[1],
                "z_u": s.pos[2],
                "yaw_deg": None,
                "pitch_deg": None,
                "health": s.health,
                "armor": s.armor,
                "money": s.money,
                "equipment_value": s.equipment_value,
                "weapon": None,
                "place": None,
                "alive": s.alive,
                "has_bomb": False,
                "has_kit": False,
            }
        )
    return _columns(TRACKING, rows)


def match_of_score_sheet(
    header: MatchHeader,
    ends: list[CanonicalEvent],
    rows: list[Row],
    members: dict[str, Member],
    findings: list[Finding],
) -> CanonicalMatch:
    """A match of which only the rounds' ends and the players are known."""
    return CanonicalMatch(
        header,
        events_table(ends),
        _tracking((), {}),
        _columns(ROUNDS, rows),
        _players(header, members),
        tuple(findings),
    )
