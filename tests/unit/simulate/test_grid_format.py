"""GRID files: deltas sum to the states, and every envelope says that it is simulated."""

import json
from pathlib import Path
from typing import Any

from esports_assets.simulate.grid_state import apply

UNSUMMED = {"position", "netWorth", "currentSeconds", "updatedAt"}
"""Sampled or derived: told by states only."""


def _plain(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _plain(v) for k, v in tree.items() if k not in UNSUMMED}
    return [_plain(v) for v in tree] if isinstance(tree, list) else tree


def _messages(files: list[Path]) -> list[list[dict[str, Any]]]:
    return [[json.loads(line) for line in p.read_bytes().splitlines()] for p in files if p.suffix == ".jsonl"]


def test_envelopes(files: list[Path]) -> None:
    for messages in _messages(files):
        assert [m["sequenceNumber"] for m in messages] == list(range(1, len(messages) + 1))
        assert all(m["simulated"] is True for m in messages)
        times = [m["occurredAt"] for m in messages]
        assert times == sorted(times)
        ids = [e["id"] for m in messages for e in m["events"]] + [m["id"] for m in messages]
        assert len(set(ids)) == len(ids)
        assert any(len(m["events"]) > 1 for m in messages)


def test_deltas_sum_to_the_full_states(files: list[Path]) -> None:
    for messages in _messages(files):
        events = [e for m in messages for e in m["events"] if "seriesState" in e]
        running = json.loads(json.dumps(events[0]["seriesState"]))
        compared = 0
        for event in events[1:]:
            apply(running, event["seriesStateDelta"])
            if event["includesFullState"]:
                assert _plain(running) == _plain(event["seriesState"])
                compared += 1
        assert compared > 20


def test_event_types_of_a_whole_series(files: list[Path]) -> None:
    for messages in _messages(files):
        types = [e["type"] for m in messages for e in m["events"]]
        wins = types.count("team-won-round")
        assert wins == types.count("game-started-round") == types.count("round-ended-freezetime") >= 13
        wanted = {
            "series-started-game", "round-started-freezetime", "game-set-gameClock", "player-purchased-item",
            "player-damaged-player", "player-killed-player", "player-completed-plantBomb", "game-ended-round",
            "team-won-game", "series-ended-game",
        }  # fmt: skip
        assert wanted <= set(types)
