"""The page of games: its assets are kept for ever under their hash, and nothing of it comes from elsewhere."""

import re

import tiny_rps as tiny
from fastapi.testclient import TestClient

from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings


def test_the_page_names_assets_by_their_hash_and_asks_nobody_else(settings: Settings, store: ObjectStore) -> None:
    with TestClient(create_app(settings)) as client:
        page = client.get("/play")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        named = re.findall(r"(?:href|src)=\"(/play/assets/[0-9a-f]{16}/play\.(?:css|js))\"", page.text)
        assert len(named) == 2
        for path in named:
            asset = client.get(path)
            assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
            foreign = re.findall(r"https?://[^\s\"']+", page.text + asset.text)
            assert set(foreign) <= {"http://www.w3.org/2000/svg"}
        assert client.get(named[0].replace("/assets/", "/assets/0")).status_code == 404


def test_games_are_counted_by_policy_source_and_alias(settings: Settings, store: ObjectStore) -> None:
    tiny.promote(store, {"Production": "1"})
    with TestClient(create_app(settings)) as client:
        for test in (False, True):
            begun = client.post("/start_game", json={"policy": "forrest", "is_test": test}).json()
            for _ in range(4):
                client.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"})
        told = client.get("/metrics").text
    assert 'rps_games_started_total{alias="Production",policy="forrest",traffic="human"} 1.0' in told
    assert 'rps_games_started_total{alias="Production",policy="forrest",traffic="test"} 1.0' in told
    assert 'rps_predictions_total{alias="Production",family="xgboost",verdict="right"} 1.0' in told
    rounds = re.findall(r"rps_rounds_total\{policy=\"forrest\",result=\"\w+\",source=\"(\w+)\"\} (\S+)", told)
    assert sum(float(count) for source, count in rounds if source == "gambit") == 6
    assert sum(float(count) for source, count in rounds if source == "model") == 2
