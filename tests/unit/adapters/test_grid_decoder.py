"""The decoder as a live feed uses it: one message at a time, with retractions."""

from datetime import date

from grid_feed import lines, message, read

from esports_assets.adapters.grid.adapter import standing_matches
from esports_assets.adapters.grid.decoder import GridDecoder
from esports_assets.canonical.codec import content_hash
from esports_assets.canonical.vocabulary import EventType

DAY = date(1970, 1, 1)


def test_what_stands_live_is_what_the_file_says() -> None:
    for case in ("rollback", "csgo_round", "valorant_round", "simulated_cs2"):
        decoder = GridDecoder("input.jsonl", DAY)
        alive: dict[str, EventType] = {}
        for value in lines(case):
            out = decoder.feed(message(value))
            for gone in out.retracted_ids:
                del alive[gone]
            alive |= {e.event_id: e.event_type for e in out.events}
        (match,) = read(case).matches
        assert list(alive) == match.events["event_id"].to_pylist(), case
        (standing,) = standing_matches(decoder)
        assert content_hash(standing.tracking) == content_hash(match.tracking), case


def test_an_undo_retracts_and_restores() -> None:
    decoder = GridDecoder("live", DAY)
    values = lines("csgo_round")
    for value in values[:10]:
        killed = decoder.feed(message(value))
    (kill,) = [e for e in killed.events if e.event_type is EventType.KILL]
    game = decoder.games["game-one"]
    assert game.rounds[1].dead == {kill.target}
    event = values[9]["events"][1] | {"type": "player-!killed-player", "seriesStateDelta": None}
    undo = values[9] | {"sequenceNumber": 11, "events": [event]}
    assert decoder.feed(message(undo)).retracted_ids == [kill.event_id]
    assert game.rounds[1].dead == set()


def test_an_undo_that_skips_newer_events_is_remarked() -> None:
    decoder = GridDecoder("live", DAY)
    values = lines("csgo_round")
    for value in values[:10]:
        decoder.feed(message(value))
    event = values[8]["events"][0] | {"type": "player-!damaged-player", "seriesStateDelta": None}
    event["actor"] = event["actor"] | {"id": "76561190000000012"}
    decoder.feed(message(values[8] | {"sequenceNumber": 11, "occurredAt": values[9]["occurredAt"], "events": [event]}))
    decoder.feed(message(values[8] | {"sequenceNumber": 12, "occurredAt": values[9]["occurredAt"], "events": [event]}))
    assert [f.rule for f in decoder.remarks.of("grid:900002:1")] == ["undo_out_of_order"]


def test_undoing_a_won_round_takes_its_score_back() -> None:
    decoder = GridDecoder("live", DAY)
    values = lines("csgo_round")
    for value in values[:15]:
        decoder.feed(message(value))
    game = decoder.games["game-one"]
    assert game.won == {1: "grid:20"}
    event = values[14]["events"][1] | {"type": "team-!won-round", "seriesStateDelta": None}
    out = decoder.feed(message(values[14] | {"sequenceNumber": 16, "events": [event]}))
    assert [s.events[0].event_type for s in out.retracted] == [EventType.ROUND_END]
    assert (game.won, game.rounds[1].decided, game.current) == ({}, False, 1)


def test_a_game_that_starts_over_without_a_rollback_counts_once() -> None:
    decoder = GridDecoder("live", DAY)
    first, second = lines("rollback")[1], lines("rollback")[11]
    decoder.feed(message(first | {"sequenceNumber": 1}))
    out = decoder.feed(message(second | {"sequenceNumber": 2}))
    assert [s.event.type for s in out.retracted] == ["series-started-game"]
    assert list(decoder.games) == ["game-two"]
    assert [f.rule for f in decoder.remarks.of("grid:900001:1")] == ["game_restarted"]


def test_a_message_out_of_turn_is_refused() -> None:
    decoder = GridDecoder("live", DAY)
    values = lines("csgo_round")
    for value in (values[0], values[1], values[3]):
        decoder.feed(message(value))
    (refusal,) = decoder.feed(message(values[2])).refusals
    assert str(refusal) == (
        "live: live, sequence number 3: it comes after sequence number 4 was applied; feed messages by sequence number"
    )


def test_freeze_time_has_no_t_until_it_ends() -> None:
    decoder = GridDecoder("live", DAY)
    said = [event for value in lines("csgo_round")[:8] for event in decoder.feed(message(value)).events]
    assert [e.t for e in said if e.event_type in (EventType.BUY, EventType.FREEZE_END, EventType.BOMB_DROPPED)] == [
        None,
        0.0,
        5.0,
    ]
    assert {e.ingestion_meta.source for e in said} == {"grid"}
    assert said[-1].ingestion_meta.grid_seq == 8
