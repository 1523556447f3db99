"""Matches over HTTP: the index, and win probability with swings and totals, from the model or out of fold."""

from typing import Any

import pyarrow as pa
import pytest
import tiny_bundle as tiny
import tiny_lake as made
from fastapi.testclient import TestClient

from esports_assets.canonical.decision import DECIDED_BY, DECISIVE
from esports_assets.canonical.match import Finding
from esports_assets.canonical.vocabulary import EndReason, EventType
from esports_assets.storage.lake import Lake

OUTCOME = {"t_s": 60.0, "p_ct": 1.0, "lo": None, "hi": None}


def _win_probability(api: TestClient, match_id: str, query: str = "") -> Any:
    return api.get(f"/api/v1/matches/{match_id}/win-probability{query}")


def _said(api: TestClient, row: int) -> dict[str, Any]:
    _, _, t_s, *_, ct_alive, t_alive = made.ROWS[row]
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
    body = _win_probability(api, made.BETA.match_id).json()
    assert body["model_info"]["probability_source"] == "model"
    assert (body["match_id"], body["every"], body["positive_class"], body["map"]) == (
        made.BETA.match_id,
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
    body = _win_probability(api, made.BETA.match_id, "?every=event").json()
    assert [point["t_s"] for point in body["rounds"][0]["points"]] == [1.5, 2.5, 2.75, 60.0]
    p = [_said(api, row)["probabilities"]["ct"] for row in range(len(made.ROWS))]
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
    missing = _win_probability(api, made.ALPHA.match_id)
    assert (missing.status_code, missing.json()["error"]["code"]) == (409, "no_out_of_fold")
    stored = pa.table(
        {
            "match_id": [made.ALPHA.match_id] * 3,
            "segment": [1, 1, 1],
            "t_s": [0.0, 1.0, 1.5],
            "row_kind": ["second", "second", "event"],
            "event_id": [None, None, "e1"],
            "p_ct": [0.5, 0.55, 0.7],
            "lo": [0.4, 0.45, 0.6],
            "hi": [0.6, 0.65, 0.8],
        }
    )
    lake.write_predictions(made.ALPHA, "round_win", tiny.REGISTERED, "1", stored, {})
    body = _win_probability(api, made.ALPHA.match_id).json()
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
    answer = _win_probability(api, made.NO_WINDOWS.match_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_windows")
    lake.write_windows(made.BETA, "round_state", made.windows(made.BETA), {"fingerprint": "old"})
    answer = _win_probability(api, made.BETA.match_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_windows")
    assert "made with fingerprint old, the model reads f1f2f3" in answer.json()["error"]["message"]
    lake.write_windows(made.BETA, "round_state", made.windows(made.BETA).drop_columns(["planted_s"]), {})
    answer = _win_probability(api, made.BETA.match_id)
    assert "lacks planted_s" in answer.json()["error"]["message"]


def test_an_alias_without_model_or_of_no_kind(api: TestClient) -> None:
    assert _win_probability(api, made.BETA.match_id, "?alias=B").status_code == 503
    assert _win_probability(api, made.BETA.match_id, "?alias=latest").status_code == 422
    assert _win_probability(api, made.BETA.match_id, "?every=minute").status_code == 422


def test_a_kill_after_the_round_does_not_hide_the_one_that_decided_it(api: TestClient, lake: Lake) -> None:
    """Regression: the last decisive event of the segment was taken, and dropped because it came after the end."""
    deciding, exit_kill = made.event(made.BETA, 9, 60.0), made.event(made.BETA, 10, 61.5, actor="p:b", target="p:a")
    lake.write_match(made.match(made.BETA, [deciding, exit_kill]))
    body = _win_probability(api, made.BETA.match_id).json()
    last = body["swings"][-1]
    assert (last["event_id"], last["t_s"], last["actor"], last["after"]) == ("e9", 60.0, "p:a", 1.0)
    lake.write_match(made.match(made.BETA, [deciding]))
    assert _win_probability(api, made.BETA.match_id).json()["players"] == body["players"]


def test_who_dies_in_the_explosion_does_not_decide_the_round(api: TestClient, lake: Lake) -> None:
    events = [
        made.event(made.BETA, 9, 60.0, EventType.BOMB_EXPLODED, actor="p:b", target=None),
        made.event(made.BETA, 10, 60.0, EventType.DEATH, actor=None, target="p:a"),
    ]
    lake.write_match(made.match(made.BETA, events, end_reason="bomb_exploded"))
    last = _win_probability(api, made.BETA.match_id).json()["swings"][-1]
    assert (last["event_id"], last["event_type"]) == ("e9", "BOMB_EXPLODED")


def test_a_round_that_ran_out_of_time_was_decided_by_nobody(api: TestClient, lake: Lake) -> None:
    lake.write_match(made.match(made.BETA, [made.event(made.BETA, 9, 60.0)], end_reason="time_expired"))
    body = _win_probability(api, made.BETA.match_id).json()
    assert [swing["event_id"] for swing in body["swings"]] == ["e1", "e2"]
    assert body["rounds"][0]["points"][-1] == OUTCOME


def test_every_reason_says_what_decides() -> None:
    assert set(DECIDED_BY) == {reason.value for reason in EndReason}
    assert frozenset().union(*DECIDED_BY.values()) == DECISIVE


def test_a_match_in_quarantine_is_marked_with_its_reason_and_not_answered(api: TestClient, lake: Lake) -> None:
    broken = Finding("victim_was_alive", "demo:beta:1 round 1 at 9.00 s", "p:b dies a second time in this round")
    remark = Finding("null_position", "demo:alpha:1 round 1", "a position is missing")
    lake.write_match(made.match(made.BETA, findings=(remark, broken)))
    lake.write_match(made.match(made.ALPHA, findings=(remark,)))
    listed = {match["match_id"]: match for match in api.get("/api/v1/matches").json()["matches"]}
    sentence = "demo:beta:1 round 1 at 9.00 s: p:b dies a second time in this round [victim_was_alive]"
    assert (listed["demo:beta:1"]["quarantined"], listed["demo:beta:1"]["reasons"]) == (True, [sentence])
    assert [id for id, match in listed.items() if match["quarantined"]] == ["demo:beta:1"]
    assert listed["demo:alpha:1"]["reasons"] == []
    assert api.get("/api/v1/matches?quarantined=true").json()["total"] == 1
    assert api.get("/api/v1/matches?quarantined=false").json()["total"] == 3
    answer = _win_probability(api, made.BETA.match_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "quarantined")
    expected = f"The match demo:beta:1 is in quarantine, so nothing is computed from it: {sentence}."
    assert answer.json()["error"]["message"] == expected
