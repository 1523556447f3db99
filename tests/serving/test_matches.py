"""Matches over HTTP: the index, and win probability with swings and totals, from the model or out of fold."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient

from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings

ALPHA = MatchHeader("demo:alpha:1", "demo:alpha", Title.CS2, "de_one", "cs2_demo", date(2025, 6, 1))
"""In the training data of the tiny bundle."""
BETA = MatchHeader("demo:beta:1", "demo:beta", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 2))
GAMMA = MatchHeader("sim:gamma:1", "sim:gamma", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 2), simulated=True)
OUTCOME = {"t_s": 60.0, "p_ct": 1.0, "lo": None, "hi": None}
NO_WINDOWS = MatchHeader("demo:delta:1", "demo:delta", Title.CS2, "de_two", "cs2_demo", date(2025, 6, 3))


def _match(header: MatchHeader) -> CanonicalMatch:
    midnight = datetime(header.day.year, header.day.month, header.day.day, tzinfo=UTC)
    round_1: dict[str, Any] = {
        "match_id": header.match_id, "series_id": header.series_id, "title": "cs2", "source": header.source,
        "simulated": header.simulated, "map": header.map, "segment": 1, "started_at": midnight, "freeze_s": None,
        "duration_s": 60.0, "ct_team": "team:x", "t_team": "team:y", "ct_score_before": 0, "t_score_before": 0,
        "ct_buy": None, "t_buy": None, "ct_equipment_value": None, "t_equipment_value": None, "winner_side": "ct",
        "winner_team": "team:x", "end_reason": "t_eliminated", "planted_t_s": None, "planted_site": None,
    }  # fmt: skip
    players = [("p:a", "team:x"), ("p:b", "team:y")]
    return CanonicalMatch(
        header,
        events=events_table([_last_kill(header, midnight)]),
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
    )


def _last_kill(header: MatchHeader, midnight: datetime) -> CanonicalEvent:
    """Ends the round: it stands at the round's last instant, where the window has no row any more."""
    return CanonicalEvent(
        event_id="e9", match_id=header.match_id, series_id=header.series_id, title=Title.CS2, map=header.map, segment=1,
        t=60.0, seq=9, event_type=EventType.KILL, timestamp=midnight, actor="p:a", target="p:b",
    )  # fmt: skip


# segment, seq, t_s, kind, event_id, event_type, actor, target, ct_alive, t_alive
_ROWS = [
    (1, 0, 0.0, "second", None, None, None, None, 5, 5),
    (1, 1, 1.0, "second", None, None, None, None, 5, 5),
    (1, 2, 1.5, "event", "e1", "KILL", "p:a", "p:b", 5, 4),
    (1, 3, 2.0, "second", None, None, None, None, 5, 4),
    (1, 4, 2.5, "event", "e2", "BOMB_PLANTED", "p:b", None, 5, 4),
    (1, 5, 2.75, "event", "e3", "DAMAGE", "p:a", "p:b", 5, 4),
]


def _windows(header: MatchHeader) -> pa.Table:
    names = ("segment", "seq", "t_s", "row_kind", "event_id", "event_type", "actor", "target", "ct_alive", "t_alive")
    columns: dict[str, Any] = {name: [row[i] for row in _ROWS] for i, name in enumerate(names)}
    columns["match_id"] = [header.match_id] * len(_ROWS)
    columns["planted_s"] = pa.array([None] * len(_ROWS), pa.float64())
    table = pa.table(columns)
    for name in ("row_kind", "actor", "target"):
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    return table


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for header in (ALPHA, BETA, GAMMA, NO_WINDOWS):
        lake.write_match(_match(header))
        if header is not NO_WINDOWS:
            lake.write_windows(header, "round_state", _windows(header), {"fingerprint": tiny.FINGERPRINT})
    return lake


@pytest.fixture
def api(settings: Settings, promoted: ObjectStore, lake: Lake) -> Iterator[TestClient]:
    with TestClient(create_app(settings, fingerprint_of=tiny.fingerprint_of)) as client:
        yield client


def _win_probability(api: TestClient, match_id: str, query: str = "") -> Any:
    return api.get(f"/api/v1/matches/{match_id}/win-probability{query}")


def _said(api: TestClient, row: int) -> dict[str, Any]:
    _, _, t_s, *_, ct_alive, t_alive = _ROWS[row]
    features = {"ct_alive": ct_alive, "t_alive": t_alive, "t_s": t_s}
    body: dict[str, Any] = api.post(f"/api/v1/predict/{tiny.TASK}", json={"features": features}).json()
    return body


def test_matches_are_listed_latest_first_and_filtered(api: TestClient) -> None:
    body = api.get("/api/v1/matches").json()
    ids = [match["match_id"] for match in body["matches"]]
    assert ids == ["demo:delta:1", "demo:beta:1", "sim:gamma:1", "demo:alpha:1"]
    assert (body["total"], body["offset"], body["limit"]) == (4, 0, 50)
    assert body["matches"][3]["rounds"] == 1
    page = api.get("/api/v1/matches?offset=1&limit=1").json()
    assert ([m["match_id"] for m in page["matches"]], page["total"]) == (["demo:beta:1"], 4)
    for query, total in (
        ("title=cs2", 4),
        ("title=rps", 0),
        ("day=2025-06-02", 2),
        ("simulated=true", 1),
        ("simulated=false", 3),
    ):
        assert api.get(f"/api/v1/matches?{query}").json()["total"] == total, query


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=-1", "day=yesterday", "simulated=perhaps"])
def test_bad_filters_are_named(api: TestClient, query: str) -> None:
    answer = api.get(f"/api/v1/matches?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(f'"{query.split("=")[0]}" does not fit: ')


def test_a_match_it_was_not_trained_on_is_answered_by_the_model(api: TestClient) -> None:
    body = _win_probability(api, BETA.match_id).json()
    assert body["model_info"]["probability_source"] == "model"
    assert (body["match_id"], body["every"], body["positive_class"], body["map"]) == (
        BETA.match_id,
        "1hz",
        "ct",
        "de_two",
    )
    points = body["rounds"][0]["points"]
    assert [point["t_s"] for point in points] == [0.0, 1.0, 2.0, 60.0]
    assert points.pop() == OUTCOME
    for point, row in zip(points, (0, 1, 3), strict=True):
        said = _said(api, row)
        expected = {"t_s": point["t_s"], "p_ct": said["probabilities"]["ct"]}
        assert point == pytest.approx(expected | {k: said["interval"][k] for k in ("lo", "hi")}, abs=1e-6)


def test_swings_and_what_each_player_added(api: TestClient) -> None:
    body = _win_probability(api, BETA.match_id, "?every=event").json()
    assert [point["t_s"] for point in body["rounds"][0]["points"]] == [1.5, 2.5, 2.75, 60.0]
    p = [_said(api, row)["probabilities"]["ct"] for row in range(len(_ROWS))]
    kill, plant, last = body["swings"]
    assert (kill["event_type"], kill["actor"], kill["target"]) == ("KILL", "p:a", "p:b")
    assert (kill["before"], kill["after"]) == pytest.approx((p[1], p[2]), abs=1e-6)
    assert kill["delta"] == pytest.approx(p[2] - p[1], abs=1e-6)
    assert plant["delta"] == pytest.approx(p[4] - p[3], abs=1e-6)
    assert (last["event_id"], last["t_s"], last["actor"], last["after"]) == ("e9", 60.0, "p:a", 1.0)
    assert last["before"] == pytest.approx(p[5], abs=1e-6)
    damage = p[5] - p[4]
    a, b = body["players"]
    assert (a["player"], a["name"], a["team"], a["events"]) == ("p:a", "A", "team:x", 3)
    assert (b["player"], b["name"], b["team"], b["events"]) == ("p:b", "B", "team:y", 4)
    gained = kill["delta"] + damage + last["delta"]
    assert (a["added"], a["lost"], a["net"]) == pytest.approx((gained, 0.0, gained), abs=1e-6)
    assert (b["added"], b["lost"]) == pytest.approx((-plant["delta"], -gained), abs=1e-6)
    assert body["rounds"][0]["winner"] == "ct"
    assert body["rounds"][0]["end_reason"] == "t_eliminated"
    change = body["rounds"][0]["change"]
    assert change["total"] == pytest.approx(1.0 - p[0], abs=1e-6)
    assert change["by_players"] == pytest.approx(a["added"] - b["added"], abs=1e-6)
    assert change["by_players"] + change["by_time"] == pytest.approx(change["total"], abs=1e-9)


def test_a_match_it_was_trained_on_is_answered_out_of_fold(api: TestClient, lake: Lake) -> None:
    missing = _win_probability(api, ALPHA.match_id)
    assert (missing.status_code, missing.json()["error"]["code"]) == (409, "no_out_of_fold")
    stored = pa.table(
        {
            "match_id": [ALPHA.match_id] * 3,
            "segment": [1, 1, 1],
            "t_s": [0.0, 1.0, 1.5],
            "row_kind": ["second", "second", "event"],
            "event_id": [None, None, "e1"],
            "p_ct": [0.5, 0.55, 0.7],
            "lo": [0.4, 0.45, 0.6],
            "hi": [0.6, 0.65, 0.8],
        }
    )
    lake.write_predictions(ALPHA, "round_win", tiny.REGISTERED, "1", stored, {})
    body = _win_probability(api, ALPHA.match_id).json()
    assert body["model_info"]["probability_source"] == "out_of_fold"
    assert len(body["rounds"]) == 1
    assert body["rounds"][0]["points"] == [
        {"t_s": 0.0, "p_ct": 0.5, "lo": 0.4, "hi": 0.6},
        {"t_s": 1.0, "p_ct": 0.55, "lo": 0.45, "hi": 0.65},
        OUTCOME,
    ]
    change = {"total": 0.5, "by_players": 0.45, "by_time": 0.05}
    assert body["rounds"][0]["change"] == pytest.approx(change)
    assert [swing["delta"] for swing in body["swings"]] == pytest.approx([0.15, 0.3])


@pytest.mark.parametrize("match_id", ["demo:nothing:1", "..", "a%2Fb", "DEMO:ALPHA:1", "%00", "x" * 150])
def test_an_unknown_match_is_a_sentence(api: TestClient, match_id: str) -> None:
    answer = _win_probability(api, match_id)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].endswith(".")


def test_missing_and_stale_windows_are_said(api: TestClient, lake: Lake) -> None:
    answer = _win_probability(api, NO_WINDOWS.match_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_windows")
    lake.write_windows(BETA, "round_state", _windows(BETA), {"fingerprint": "old"})
    answer = _win_probability(api, BETA.match_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_windows")
    assert "made with fingerprint old, the model reads f1f2f3" in answer.json()["error"]["message"]
    lake.write_windows(BETA, "round_state", _windows(BETA).drop_columns(["planted_s"]), {})
    answer = _win_probability(api, BETA.match_id)
    assert "lacks planted_s" in answer.json()["error"]["message"]


def test_an_alias_without_model_or_of_no_kind(api: TestClient) -> None:
    assert _win_probability(api, BETA.match_id, "?alias=B").status_code == 503
    assert _win_probability(api, BETA.match_id, "?alias=latest").status_code == 422
    assert _win_probability(api, BETA.match_id, "?every=minute").status_code == 422
