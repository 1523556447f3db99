"""A match of two teams of two by hand, for tests of round features: three rounds whose figures can be counted by eye.

Round 1: Alpha (a1, a2) defends; a1 hits b1 at 10 s and kills him at 20 s; b2 throws a smoke at 5 s and a flash at 30 s that
blinds a2 for 2 s and his own mate for 1 s; Alpha wins after 40 s. Until 10 s a1 walks 100 u/s along x, the others stand.
Round 2: nobody meets anybody; Beta plants at 50 s and wins after 90 s; no tracks. Round 3: sides change; a1 hits b1 before freeze
end, b1 kills a1 at 8 s; Beta (now CT) wins after 30 s; the source tells no economy and no tracks.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from esports_assets.analytics.rounds_actions import actions_of_rows
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import EVENTS, PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import Title

MATCH = "test:made:1"
DAY = date(2026, 5, 17)
ZERO_US = 1_778_976_000_000_000
TEAM = {"a1": "alpha", "a2": "alpha", "b1": "beta", "b2": "beta"}
PLACE = {"a1": (0.0, 0.0), "a2": (0.0, 300.0), "b1": (5000.0, 0.0), "b2": (5400.0, 0.0)}


def _event(segment: int, t: float, kind: str, actor: str | None, target: str | None = None, **payload: Any) -> tuple:
    return segment, t, kind, actor, target, payload


def _economy(segment: int, player: str, **told: Any) -> tuple:
    return _event(segment, 0.0, "ECONOMY_UPDATE", player, **told)


STORY = [
    _event(1, -5.0, "DAMAGE", "b1", "a1", health_after=90),
    _economy(
        1, "a1", start_money=800, money=100, equipment_value=4000, armor=True, helmet=True, kit=True, grenade_count=2
    ),
    _economy(
        1, "a2", start_money=900, money=50, equipment_value=1000, armor=True, helmet=False, kit=False, grenade_count=1
    ),
    _economy(1, "b1", money=None, equipment_value=800, armor=False, helmet=False, kit=False, grenade_count=0),
    _economy(1, "b2", money=10, equipment_value=700, armor=True, helmet=False, kit=False, grenade_count=2),
    _event(1, 5.0, "UTILITY", "b2", grenade="smoke"),
    _event(1, 10.0, "DAMAGE", "a1", "b1", health_after=40),
    _event(1, 20.0, "KILL", "a1", "b1", weapon="ak47"),
    _event(1, 30.0, "UTILITY", "b2", grenade="flashbang"),
    _event(1, 31.0, "BLIND", "b2", "a2", duration_s=2.0),
    _event(1, 31.0, "BLIND", "b2", "b1", duration_s=1.0),
    _event(2, 50.0, "BOMB_PLANTED", "b1", site="a", pos=[1.0, 2.0, 3.0]),
    _event(3, -1.0, "DAMAGE", "a1", "b1", health_after=90),
    _event(3, 8.0, "KILL", "b1", "a1", weapon="awp"),
]


def made_match(**header: Any) -> CanonicalMatch:
    """The match."""
    told = {
        "match_id": MATCH,
        "series_id": "test:made",
        "title": Title.CS2,
        "map": "de_mill",
        "source": "test",
        "day": DAY,
    }
    head = MatchHeader(**(told | header))
    return CanonicalMatch(head, _events(head), _tracking(head), _rounds(head), _players(head))


def actions(*said: Mapping[str, Any]) -> pa.Table:
    """Statements of intent with defaults: of a1 in round 1 at 3 s."""
    default = {"match_id": MATCH, "map": "de_mill", "segment": 1, "t_s": 3.0, "player": "a1", "team": "alpha"}
    return actions_of_rows([{**default, "intent": "advance", "confidence": 0.5, **one} for one in said])


def _events(head: MatchHeader) -> pa.Table:
    n = len(STORY)
    sides = [
        None if actor is None else ("ct" if (TEAM[actor] == "alpha") == (s < 3) else "t")
        for s, _, _, actor, *_ in STORY
    ]
    return table_of(
        EVENTS,
        {
            "event_id": [f"e{i}" for i in range(n)],
            "match_id": [head.match_id] * n,
            "series_id": [head.series_id] * n,
            "title": [head.title.value] * n,
            "map": [head.map] * n,
            "segment": [row[0] for row in STORY],
            "t_s": [row[1] for row in STORY],
            "seq": list(range(n)),
            "event_type": [row[2] for row in STORY],
            "timestamp": [ZERO_US + i for i in range(n)],
            "actor": [row[3] for row in STORY],
            "target": [row[4] for row in STORY],
            "team": [None if row[3] is None else TEAM[row[3]] for row in STORY],
            "side": sides,
            "payload": [json.dumps(row[5]) for row in STORY],
            "enriched": ["{}"] * n,
            "schema_version": ["1.0"] * n,
        },
    )


def _tracking(head: MatchHeader) -> pa.Table:
    """Round 1, twice a second up to 39.5 s; b1 is dead from 20 s on."""
    rows = [(k / 2, player) for k in range(80) for player in TEAM]
    n = len(rows)
    x = [PLACE[p][0] + (100.0 * min(t, 10.0) if p == "a1" else 0.0) for t, p in rows]
    return table_of(
        TRACKING,
        {
            **{name: [None] * n for name in TRACKING.names},
            "match_id": [head.match_id] * n,
            "segment": [1] * n,
            "t_s": [t for t, _ in rows],
            "player": [p for _, p in rows],
            "team": [TEAM[p] for _, p in rows],
            "side": ["ct" if TEAM[p] == "alpha" else "t" for _, p in rows],
            "x_u": x,
            "y_u": [PLACE[p][1] for _, p in rows],
            "z_u": [0.0] * n,
            "health": [100] * n,
            "alive": [not (p == "b1" and t >= 20.0) for t, p in rows],
            "has_bomb": [False] * n,
            "has_kit": [False] * n,
        },
    )


def _rounds(head: MatchHeader) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "match_id": [head.match_id] * 3,
        "series_id": [head.series_id] * 3,
        "title": [head.title.value] * 3,
        "source": ["test"] * 3,
        "simulated": [head.simulated] * 3,
        "map": [head.map] * 3,
        "segment": [1, 2, 3],
        "started_at": [ZERO_US] * 3,
        "duration_s": [40.0, 90.0, 30.0],
        "ct_team": ["alpha", "alpha", "beta"],
        "t_team": ["beta", "beta", "alpha"],
        "ct_score_before": [0, 1, 1],
        "t_score_before": [0, 0, 1],
        "ct_buy": ["full", "eco", None],
        "t_buy": ["eco", "full", None],
        "ct_equipment_value": [5000, 9000, None],
        "t_equipment_value": [1500, 20000, None],
        "winner_side": ["ct", "t", "ct"],
        "winner_team": ["alpha", "beta", "beta"],
        "end_reason": ["t_eliminated", "bomb_exploded", "t_eliminated"],
        "planted_t_s": [None, 50.0, None],
    }
    return table_of(ROUNDS, {name: columns.get(name, [None] * 3) for name in ROUNDS.names})


def _players(head: MatchHeader) -> pa.Table:
    return table_of(
        PLAYERS,
        {
            "match_id": [head.match_id] * 4,
            "player": list(TEAM),
            "player_name": [p.upper() for p in TEAM],
            "team": list(TEAM.values()),
            "team_name": list(TEAM.values()),
        },
    )
