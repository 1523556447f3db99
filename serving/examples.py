"""What the API's document shows as input and answers: one small, coherent world for all routes.

Belongs here: example values. Does not belong here: shapes (``schemas.py``), errors (``responses.py``), examples of
predictions, which the model that serves gives itself (``openapi.py``).
"""

from collections.abc import Mapping
from typing import Any

from esports_assets.models.bundle import FORMAT_VERSION
from serving.served import POLICY

MATCH_ID = "cs2_demo:2026-02-09.one-two:de_ancient-affd22a7"
_MODEL = "cs2.round_win.xgboost"

STATES: Mapping[str, Mapping[str, float]] = {
    "cs2/round_state": {
        "ct_alive": 5, "t_alive": 5, "ct_hp": 500, "t_hp": 480, "ct_armor": 500, "t_armor": 490,
        "ct_helmets": 5, "t_helmets": 4, "ct_grenades": 14, "t_grenades": 12, "ct_rifles": 4, "t_rifles": 4,
        "ct_snipers": 1, "t_snipers": 1, "ct_other_primaries": 0, "t_other_primaries": 0,
        "ct_effective_hp": 875, "t_effective_hp": 816, "ct_start_equipment": 28000, "t_start_equipment": 25500,
        "ct_living_equipment": 28000, "t_living_equipment": 25500, "ct_carried_value": 26000, "t_carried_value": 24000,
        "ct_money": 4500, "t_money": 3200, "ct_blind": 0, "t_blind": 0, "ct_kits": 4,
        "t_s_clock": 25, "time_left_s": 90, "planted": 0, "since_plant_s": 0, "bomb_dropped": 0,
        "smokes": 1, "fires": 0, "ct_damage_5s": 20, "t_damage_5s": 0, "since_kill_s": 60, "defuse_progress": 0,
        "ct_score": 3, "t_score": 2, "round_number": 6, "ct_rating": 0, "t_rating": 0,
    }
}  # fmt: skip
"""A state of each window that keeps its laws: a full buy on both sides, half a minute in."""

HEALTH = {"status": "ok"}

READY = {
    "status": "ready",
    "tasks": {"cs2.round_win": f"{_MODEL}@Production v3"},
    "refused": [],
    "degraded": [],
    "lineage": {
        "asset": "serving/api",
        "reported": [
            {"task": "cs2.round_win", "data_version": f"{_MODEL} v3", "reported_at": "2026-02-10T10:00:00+00:00"}
        ],
        "waiting": [],
        "error": None,
    },
}

_NOTHING = "No model is promoted for cs2.round_win: its champion marker is not in the object store."
NOT_READY = {
    "status": "not_ready",
    "tasks": {"cs2.round_win": None},
    "refused": [{"task": "cs2.round_win", "alias": None, "reason": _NOTHING}],
    "degraded": [],
    "lineage": None,
}

METRICS = """# HELP predictions_total Rows predicted
# TYPE predictions_total counter
predictions_total{alias="Production",task="cs2.round_win"} 4.0
"""

VERSION = {
    "service": "esports serving",
    "version": "0.1.0",
    "bundle_format": FORMAT_VERSION,
    "policy_version": POLICY["policy_version"],
    "python": "3.12.4",
    "onnxruntime": "1.31.1",
}

MODELS = {
    "tasks": [
        {
            "task": "cs2.round_win",
            "champion": _MODEL,
            "models": [
                {
                    "alias": "Production",
                    "version": "3",
                    "derived": ["log_alive"],
                    "laws": ["ct_hp is at most 100 for each of ct_alive"],
                    "contract": {
                        "format_version": FORMAT_VERSION,
                        "registered_name": _MODEL,
                        "task": "cs2.round_win",
                        "family": "xgboost",
                        "version": "3",
                        "title": "cs2",
                        "features": [
                            {"name": "ct_alive", "unit": "players", "doc": "Living CT", "minimum": 0, "maximum": 5},
                            {"name": "ct_hp", "unit": "health points", "doc": "Health of the living CT", "minimum": 0},
                            {"name": "log_alive", "unit": "log ratio", "doc": "Log of CT's alive over T's"},
                        ],
                        "window": "cs2/round_state",
                        "window_fingerprint": "a728757a5f97fe4c",
                        "classes": ["ct", "t"],
                        "positive_class": "ct",
                        "metrics": {"log_loss": {"value": 0.47, "lo": 0.45, "hi": 0.49}},
                        "training_data": {"data_version": "d0d0d0d0", "n_matches": 46},
                    },
                }
            ],
            "refused": [],
        }
    ]
}

MATCHES = {
    "total": 1,
    "offset": 0,
    "limit": 50,
    "matches": [
        {
            "match_id": MATCH_ID,
            "series_id": "cs2_demo:2026-02-09.one-two",
            "title": "cs2",
            "map": "de_ancient",
            "day": "2026-02-09",
            "source": "cs2_demo",
            "simulated": False,
            "rounds": 21,
            "data_version": "341398cef39f2298c6c7916f1e300dcf",
            "quarantined": False,
            "reasons": [],
        }
    ],
}

_MODEL_INFO = {
    "model_name": _MODEL,
    "model_type": "xgboost",
    "model_alias": "Production",
    "model_version": "3",
    "model_run_id": "0f3c8e1d5b7a4c69a2e4d6f8b0c1d2e3",
    "data_version": "d0d0d0d0",
    "window_fingerprint": "a728757a5f97fe4c",
    "probability_source": "model",
    "asset_key": "models/cs2/round_win",
    "dagster_run_id": "7b1d2c3e-4f50-4617-8293-a4b5c6d7e8f9",
}

WIN_PROBABILITY = {
    "match_id": MATCH_ID,
    "title": "cs2",
    "map": "de_ancient",
    "simulated": False,
    "task": "cs2.round_win",
    "every": "1hz",
    "positive_class": "ct",
    "rounds": [
        {
            "segment": 1,
            "winner": "ct",
            "end_reason": "t_eliminated",
            "points": [
                {"t_s": 0.0, "p_ct": 0.5, "lo": 0.45, "hi": 0.55},
                {"t_s": 1.0, "p_ct": 0.5, "lo": 0.45, "hi": 0.55},
                {"t_s": 1.5, "p_ct": 1.0, "lo": None, "hi": None},
            ],
            "change": {"total": 0.5, "by_players": 0.5, "by_time": 0.0},
        }
    ],
    "swings": [
        {
            "segment": 1,
            "t_s": 1.5,
            "event_id": "e7",
            "event_type": "KILL",
            "actor": "cs2_demo:1",
            "target": "cs2_demo:2",
            "before": 0.5,
            "after": 1.0,
            "delta": 0.5,
        }
    ],
    "players": [
        {
            "player": "cs2_demo:1",
            "name": "One",
            "team": "cs2_demo:one",
            "added": 0.5,
            "lost": 0.0,
            "net": 0.5,
            "events": 1,
        },
        {
            "player": "cs2_demo:2",
            "name": "Two",
            "team": "cs2_demo:two",
            "added": 0.0,
            "lost": -0.5,
            "net": -0.5,
            "events": 1,
        },
    ],
    "model_info": _MODEL_INFO,
    "policy": POLICY,
}

_JSON = "application/json"
ANSWERS: Mapping[tuple[str, str], tuple[str, Any]] = {
    ("/healthz", "200"): (_JSON, HEALTH),
    ("/readyz", "200"): (_JSON, READY),
    ("/readyz", "503"): (_JSON, NOT_READY),
    ("/metrics", "200"): ("text/plain", METRICS),
    ("/version", "200"): (_JSON, VERSION),
    ("/models", "200"): (_JSON, MODELS),
    ("/api/v1/matches", "200"): (_JSON, MATCHES),
    ("/api/v1/matches/{match_id}/win-probability", "200"): (_JSON, WIN_PROBABILITY),
}
"""Path and status of a GET route to media type and example; not said at the routes, where FastAPI drops every null."""
