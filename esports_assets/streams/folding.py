"""What a match's events tell of its header, players and rounds, for sources that send no records beside them.

Belongs here: folding canonical events into rows of ROUNDS and PLAYERS: a player's name is then his id, the source is the prefix
of the match id, the day that of the first event.
Does not belong here: records that a source sends (``envelope.py``), putting a match together (``collect.py``).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import MatchHeader
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.streams.envelope import Player, RoundRow

_Kinds = dict[EventType, list[CanonicalEvent]]


def header_of(events: Sequence[CanonicalEvent]) -> MatchHeader:
    """The header as far as the events tell; there must be one."""
    first = min(events, key=lambda event: (event.seq, event.timestamp))
    return MatchHeader(
        match_id=first.match_id,
        series_id=first.series_id,
        title=first.title,
        map=first.map,
        source=first.ingestion_meta.source or first.match_id.partition(":")[0],
        day=first.timestamp.astimezone(UTC).date(),
        simulated=first.ingestion_meta.simulated,
    )


def players_of(events: Iterable[CanonicalEvent]) -> list[Player]:
    """Who was announced at the start, then whoever acts for a team, in the order of appearance."""
    teams: dict[str, str] = {}
    names: dict[str, str] = {}
    for event in events:
        if event.event_type is EventType.MAP_START:
            names |= _words(event.payload.get("teams"))
            for player, team in _words(event.payload.get("players")).items():
                teams.setdefault(player, team)
        elif event.actor is not None and event.team is not None:
            teams.setdefault(event.actor, event.team)
    return [Player(player, player, team, names.get(team, team)) for player, team in teams.items()]


def _words(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: word for name, word in pairs if isinstance(word, str)}


def rounds_of(events: Iterable[CanonicalEvent], header: MatchHeader) -> list[RoundRow]:
    """A row for every decided round whose freeze end, teams, winner and reason were told; the others have none."""
    by_round: dict[int, _Kinds] = {}
    for event in events:
        if event.segment > 0:
            by_round.setdefault(event.segment, {}).setdefault(event.event_type, []).append(event)
    rows = (_row(header, segment, by_round[segment]) for segment in sorted(by_round))
    return [row for row in rows if row is not None]


def _row(header: MatchHeader, segment: int, kinds: _Kinds) -> RoundRow | None:
    end, freeze = _first(kinds, EventType.ROUND_END), _first(kinds, EventType.FREEZE_END)
    told = end.payload if end else {}
    wanted = ("ct_team", "t_team", "ct_score", "t_score", "winner_side", "winner_team", "reason")
    if end is None or freeze is None or any(told.get(name) is None for name in wanted):
        return None
    start, plant = _first(kinds, EventType.ROUND_START), _first(kinds, EventType.BOMB_PLANTED)
    opened = start.payload if start else {}
    economy = kinds.get(EventType.ECONOMY_UPDATE, [])
    won = {side: told[f"{side.value}_score"] - (told["winner_side"] == side.value) for side in Side}
    return {
        "match_id": header.match_id,
        "series_id": header.series_id,
        "title": header.title.value,
        "source": header.source,
        "simulated": header.simulated,
        "map": header.map,
        "segment": segment,
        "started_at": utc_us(freeze.timestamp),
        "freeze_s": max(0.0, (freeze.timestamp - start.timestamp).total_seconds()) if start else None,
        "duration_s": end.t if end.t is not None and end.t >= 0 else None,
        "ct_team": told["ct_team"],
        "t_team": told["t_team"],
        "ct_score_before": won[Side.CT],
        "t_score_before": won[Side.T],
        "ct_buy": opened.get("ct_buy"),
        "t_buy": opened.get("t_buy"),
        "ct_equipment_value": _equipment(economy, told["ct_team"]),
        "t_equipment_value": _equipment(economy, told["t_team"]),
        "winner_side": told["winner_side"],
        "winner_team": told["winner_team"],
        "end_reason": told["reason"],
        "planted_t_s": plant.t if plant else None,
        "planted_site": plant.payload.get("site") if plant else None,
    }


def _first(kinds: _Kinds, kind: EventType) -> CanonicalEvent | None:
    return next(iter(kinds.get(kind, [])), None)


def _equipment(updates: Iterable[CanonicalEvent], team: str) -> int | None:
    values = [event.payload.get("equipment_value") for event in updates if event.team == team]
    known = [value for value in values if isinstance(value, int)]
    return sum(known) if known and len(known) == len(values) else None
