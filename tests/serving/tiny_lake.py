"""A lake of small matches of one round each, with windows that the tiny bundle's features are read from.

Belongs here: building matches, windows and the events around the round's end. Does not belong here: any assertion.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch, Finding, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Title

ALPHA = MatchHeader("demo:alpha:1", "demo:alpha", Title.CS2, "de_one", "cs2_demo", date(2025, 6, 1))
"""In the training data of the tiny bundle."""
BETA = MatchHeader("demo:beta:1", "demo:beta", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 2))
GAMMA = MatchHeader("sim:gamma:1", "sim:gamma", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 2), simulated=True)
NO_WINDOWS = MatchHeader("demo:delta:1", "demo:delta", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 3))


def match(
    header: MatchHeader,
    events: Sequence[CanonicalEvent] | None = None,
    end_reason: str = "t_eliminated",
    findings: tuple[Finding, ...] = (),
) -> CanonicalMatch:
    """A match of one round of 60 s that CT wins; without ``events`` a kill at its last instant ends it."""
    round_1: dict[str, Any] = {
        "match_id": header.match_id, "series_id": header.series_id, "title": "cs2", "source": header.source,
        "simulated": header.simulated, "map": header.map, "segment": 1, "started_at": midnight(header), "freeze_s": None,
        "duration_s": 60.0, "ct_team": "team:x", "t_team": "team:y", "ct_score_before": 0, "t_score_before": 0,
        "ct_buy": None, "t_buy": None, "ct_equipment_value": None, "t_equipment_value": None, "winner_side": "ct",
        "winner_team": "team:x", "end_reason": end_reason, "planted_t_s": None, "planted_site": None,
    }  # fmt: skip
    players = [("p:a", "team:x"), ("p:b", "team:y")]
    return CanonicalMatch(
        header,
        events=events_table([event(header, 9, 60.0)] if events is None else events),
        tracking=table_of(TRACKING, {name: [] for name in TRACKING.names}),
        rounds=table_of(ROUNDS, {name: [value] for name, value in round_1.items()}),
        players=table_of(
            PLAYERS,
            {
                "match_id": [header.match_id] * 2,
                "player": [player for player, _ in players],
                "player_name": ["A", "B"],
                "team": [team for _, team in players],
                "team_name": ["X", "Y"],
            },
        ),
        findings=findings,
    )


def event(
    header: MatchHeader,
    seq: int,
    t_s: float,
    kind: EventType = EventType.KILL,
    actor: str | None = "p:a",
    target: str | None = "p:b",
) -> CanonicalEvent:
    """An event of the round, by default a kill; ``seq`` gives its id."""
    return CanonicalEvent(
        event_id=f"e{seq}", match_id=header.match_id, series_id=header.series_id, title=Title.CS2, map=header.map,
        segment=1, t=t_s, seq=seq, event_type=kind, timestamp=midnight(header), actor=actor, target=target,
    )  # fmt: skip


def midnight(header: MatchHeader) -> datetime:
    """The start of the match's day."""
    return datetime(header.day.year, header.day.month, header.day.day, tzinfo=UTC)


# segment, seq, t_s, kind, event_id, event_type, actor, target, ct_alive, t_alive
ROWS = [
    (1, 0, 0.0, "second", None, None, None, None, 5, 5),
    (1, 1, 1.0, "second", None, None, None, None, 5, 5),
    (1, 2, 1.5, "event", "e1", "KILL", "p:a", "p:b", 5, 4),
    (1, 3, 2.0, "second", None, None, None, None, 5, 4),
    (1, 4, 2.5, "event", "e2", "BOMB_PLANTED", "p:b", None, 5, 4),
    (1, 5, 2.75, "event", "e3", "DAMAGE", "p:a", "p:b", 5, 4),
]


def windows(header: MatchHeader) -> pa.Table:
    """The rows of ``cs2/round_state`` before the round's end, with the features that the tiny bundle takes."""
    names = ("segment", "seq", "t_s", "row_kind", "event_id", "event_type", "actor", "target", "ct_alive", "t_alive")
    columns: dict[str, Any] = {name: [row[i] for row in ROWS] for i, name in enumerate(names)}
    columns["match_id"] = [header.match_id] * len(ROWS)
    columns["planted_s"] = pa.array([None] * len(ROWS), pa.float64())
    table = pa.table(columns)
    for name in ("row_kind", "actor", "target"):
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    return table
