"""A canonical match of a few rows, for tests that need one and do not care what happens in it."""

from datetime import date

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch, Finding, MatchHeader
from esports_assets.canonical.schema import EVENTS, PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import Title

DAY = date(2026, 5, 17)


def tiny_match(
    match_id: str = "test:1:1", *, day: date = DAY, health: int = 100, title: Title = Title.CS2, findings: int = 0
) -> CanonicalMatch:
    """Two kills in one round, two tracked players; ``health`` changes the tracking table only."""
    series = ":".join(match_id.split(":")[:-1])
    header = MatchHeader(match_id, series, title, "de_dust2", "test", day)
    micros = (day - date(1970, 1, 1)).days * 86_400_000_000
    events = table_of(
        EVENTS,
        {
            "event_id": [f"{match_id}-a", f"{match_id}-b"],
            "match_id": [match_id] * 2,
            "series_id": [series] * 2,
            "title": [title.value] * 2,
            "map": ["de_dust2"] * 2,
            "segment": [1, 1],
            "t_s": [10.5, 20.0],
            "seq": [0, 1],
            "event_type": ["KILL", "KILL"],
            "timestamp": [micros, micros + 9_500_000],
            "actor": ["test:p1", "test:p2"],
            "target": ["test:p6", "test:p1"],
            "team": ["test:t1", None],
            "side": ["ct", None],
            "payload": ['{"weapon":"ak47"}', "{}"],
            "enriched": ["{}", "{}"],
            "schema_version": ["1.0", "1.0"],
        },
    )
    tracking = table_of(
        TRACKING,
        {
            "match_id": [match_id] * 2,
            "segment": [1, 1],
            "t_s": [0.0, 0.0],
            "player": ["test:p1", "test:p6"],
            "team": ["test:t1", "test:t2"],
            "side": ["ct", "t"],
            "x_u": [1.5, 2.5],
            "y_u": [0.0, -3.0],
            "z_u": [0.0, 0.0],
            "yaw_deg": [90.0, None],
            "pitch_deg": [None, None],
            "health": [health, 100],
            "armor": [100, None],
            "money": [800, None],
            "equipment_value": [200, None],
            "weapon": ["ak47", None],
            "place": [None, None],
            "alive": [True, True],
            "has_bomb": [False, True],
            "has_kit": [False, False],
        },
    )
    one = {
        "match_id": [match_id],
        "series_id": [series],
        "title": [title.value],
        "source": ["test"],
        "simulated": [False],
        "map": ["de_dust2"],
        "segment": [1],
        "started_at": [micros],
        "ct_team": ["test:t1"],
        "t_team": ["test:t2"],
        "ct_score_before": [0],
        "t_score_before": [0],
        "ct_buy": ["pistol"],
        "winner_side": ["ct"],
        "winner_team": ["test:t1"],
        "end_reason": ["t_eliminated"],
    }
    rounds = table_of(ROUNDS, {name: one.get(name, [None]) for name in ROUNDS.names})
    players = table_of(
        PLAYERS,
        {
            "match_id": [match_id] * 2,
            "player": ["test:p1", "test:p6"],
            "player_name": ["One", "Six"],
            "team": ["test:t1", "test:t2"],
            "team_name": ["Alpha", "Beta"],
        },
    )
    remarks = tuple(Finding("remark", match_id, f"number {n}") for n in range(findings))
    return CanonicalMatch(header, events, tracking, rounds, players, remarks)
