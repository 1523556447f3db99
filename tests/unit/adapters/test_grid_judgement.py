"""What a GRID feed says that cannot stand: series it takes back, undoes of nothing, crowds, weapons nobody knows."""

import copy
from datetime import date
from typing import Any

import pytest
from grid_feed import FIXTURES, lines, message, read_lines

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.grid.adapter import GridAdapter
from esports_assets.adapters.grid.decoder import GridDecoder
from esports_assets.canonical.codec import events_of
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.vocabulary import EventType


def _after(messages: list[dict[str, Any]], kind: str, **more: Any) -> dict[str, Any]:
    """A message of the feed itself, after the last one."""
    last = messages[-1]
    verb, target = kind.split("-")[1:]
    event = {"id": kind, "type": kind, "action": verb, "includesFullState": False}
    nodes = {"actor": {"type": "grid", "id": "GRID"}, "target": {"type": target, "id": last["seriesId"]}}
    return {**last, "sequenceNumber": last["sequenceNumber"] + 1, "events": [event | nodes | more]}


def _feed(*kinds: str) -> list[dict[str, Any]]:
    messages = lines("csgo_round")
    for kind in kinds:
        messages.append(_after(messages, kind))
    return messages


def test_a_series_that_the_source_took_back_is_quarantined() -> None:
    (match,) = read_lines(_feed("grid-invalidated-series", "grid-ended-feed")).matches
    assert [str(finding) for finding in broken(match)] == [
        f"grid:900002:1 input.jsonl line {len(lines('csgo_round')) + 1}: the source invalidated the series here and has "
        "not validated it again [source_stands_by_it]"
    ]


@pytest.mark.parametrize("kinds", [(), ("grid-invalidated-series", "grid-validated-series")])
def test_a_series_that_stands_again_is_accepted(kinds: tuple[str, ...]) -> None:
    (match,) = read_lines(_feed(*kinds)).matches
    assert broken(match) == []


def test_a_state_that_says_so_takes_the_series_back_and_gives_it_back() -> None:
    for told, rules in ((False, ["source_stands_by_it"]), (True, [])):
        messages = _feed("grid-invalidated-series")
        messages.append(_after(messages, "grid-ended-feed", seriesState={"id": "900002", "valid": told}))
        (match,) = read_lines(messages).matches
        assert [finding.rule for finding in broken(match)] == rules


def test_an_end_state_that_is_not_valid_is_quarantined() -> None:
    data = (
        (FIXTURES / "end_state" / "input.json")
        .read_bytes()
        .replace(b'"id": "900004"', b'"id": "900004", "valid": false')
    )
    (match,) = GridAdapter().read(SourceFile("input.json", data)).matches
    assert [(f.rule, f.message) for f in broken(match)] == [
        ("source_stands_by_it", "the source says that it is not valid")
    ]


def test_a_stated_score_that_was_not_counted_is_quarantined() -> None:
    data = (FIXTURES / "end_state" / "input.json").read_bytes().replace(b'"score": 2', b'"score": 3')
    (match,) = GridAdapter().read(SourceFile("input.json", data)).matches
    assert [f.message for f in broken(match)] == ["the source states 3 rounds for grid:7, which won 2 of them"]


def test_an_undo_of_nothing_changes_nothing() -> None:
    """Its inverse delta had already been applied when it was refused."""
    decoder = GridDecoder("live", date(1970, 1, 1))
    values = lines("csgo_round")
    for value in values[:10]:
        decoder.feed(message(value))
    before = copy.deepcopy(decoder._state.tree)
    undo = values[9]["events"][1] | {"type": "player-!danced-player"}
    undo["seriesStateDelta"] = {"games": [{"id": "game-one", "teams": [{"id": "10", "score": -7}]}]}
    out = decoder.feed(message(values[9] | {"sequenceNumber": 11, "events": [undo]}))
    assert "there is nothing to undo" in out.refusals[0].reason
    assert decoder._state.tree == before


def _crowd(messages: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """The same feed with teams of ``size`` in every state of the game."""
    for value in messages:
        for event in value["events"]:
            for game in (event.get("seriesState") or {}).get("games", []):
                for team in game.get("teams", []):
                    players = team.get("players", [])
                    players += [{**p, "id": f"{p['id']}{i}"} for p in players[:1] for i in range(size - len(players))]
    return messages


def test_eleven_players_are_too_many() -> None:
    messages = _crowd(lines("csgo_round"), 5)
    (match,) = read_lines(messages).matches
    assert broken(match) == []
    messages = _crowd(lines("csgo_round"), 6)
    (match,) = read_lines(messages).matches
    told = {(f.rule, f.where, f.message) for f in broken(match)}
    assert ("team_size", "grid:900002:1 the start", "12 players take part; csgo has at most 10") in told
    assert {rule for rule, _, _ in told} == {"team_size"}


def test_a_weapon_that_nobody_knows_is_told_once_and_kept() -> None:
    messages = lines("csgo_round")
    for value in messages:
        for event in value["events"]:
            if event["type"] == "player-killed-player":
                event["actor"]["stateDelta"] = {"round": {"weaponKills": {"rayGun": 1}}}
    (match,) = read_lines(messages).matches
    kills = [e.payload["weapon"] for e in events_of(match.events) if e.event_type is EventType.KILL]
    assert set(kills) == {"raygun"}
    (finding,) = [f for f in match.findings if f.rule == "unknown_weapon"]
    told = "'raygun' is not among the known weapons and items of csgo; kept as written"
    assert finding.message.startswith(told)
    assert finding.where.startswith("input.jsonl line ")


def test_what_a_record_says_that_nobody_declared_is_kept_and_what_is_too_large_is_not() -> None:
    messages = _feed("grid-sampled-feed")
    event = messages[-1]["events"][0]
    event |= {"mood": "fair", "seriesState": {"id": "900002"}, "seriesStateDelta": {"pad": "x" * 20_000}}
    event["target"] |= {"state": {"id": "900002", "note": [1]}, "stateDelta": None, "colour": "blue"}
    (match,) = read_lines(messages).matches
    record = events_of(match.events)[-1].payload["raw"]
    assert record["seriesStateDelta"] == {"left_out": "20010 bytes"}
    assert record == {key: value for key, value in event.items() if key != "seriesState"} | {
        "seriesStateDelta": record["seriesStateDelta"]
    }
