"""Recorded games of rock-paper-scissors: what is refused, and promises that were not kept."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import adapter_for, read_file
from esports_assets.canonical.codec import content_hash, events_of
from esports_assets.games.rps.events import game_of_events
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import line_of
from esports_assets.games.rps.simulate import Pairing, simulate_games
from esports_assets.streams.collect import gathered
from esports_assets.streams.replay import envelopes_of, from_file

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rps"
NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def test_bad_lines_are_refused_alone() -> None:
    reading = read_file(SourceFile.open(FIXTURES / "bad_lines" / "input.rps.jsonl"))
    assert [match.header.match_id for match in reading.matches] == ["rps:tie:tie", "rps:empty:empty"]
    assert [(refusal.place, refusal.reason) for refusal in reading.refusals] == [
        ("line 2", "the game rps:tie:tie stands in the file already"),
        ("line 3", "not JSON: Input data was truncated"),
        ("line 4", "game late: round 6 cannot be, the game ended after round 5 with 10 to 0: no further move counts"),
        ("line 5", "format 'esports-rps/2' is not readable here (this is esports-rps/1)"),
        ("line 6", "game gap: round 2 stands where round 1 belongs"),
        ("line 7", "not a recorded game: Invalid enum value 'well' - at `$.rounds[0].user`"),
        (
            "line 8",
            "not a recorded game: rock is worth 0.0: a move's value is a finite number above 0 - at `$.rounds[0].values`",
        ),
        ("line 9", "not a recorded game: Expected `datetime` with a timezone component - at `$.setup.started_at`"),
        ("line 10", "a time is out of the calendar: date value out of range"),
    ]


def test_headers_tell_sessions_simulations_and_days() -> None:
    games = list(
        simulate_games(Pairing(OPPONENTS["ace"], OPPONENTS["cal"]), 2, 7, datetime(2026, 5, 17, 23, 59, tzinfo=UTC))
    )
    told = games[1].setup
    person = msgspec.structs.replace(games[0], setup=msgspec.structs.replace(told, simulated=False, session_id=None))
    data = b"\n".join(line_of(game) for game in (*games, person))
    headers = [match.header for match in read_file(SourceFile("games.rps.jsonl", data)).matches]
    assert [(h.match_id, h.series_id, h.simulated, h.day) for h in headers] == [
        ("rps.sim:ace-cal-7:ace-cal-7-0", "rps.sim:ace-cal-7", True, date(2026, 5, 17)),
        ("rps.sim:ace-cal-7:ace-cal-7-1", "rps.sim:ace-cal-7", True, date(2026, 5, 18)),
        ("rps:ace-cal-7-1:ace-cal-7-1", "rps:ace-cal-7-1", False, date(2026, 5, 18)),
    ]


def test_a_file_gives_back_the_games_it_was_written_from() -> None:
    games = list(simulate_games(Pairing(OPPONENTS["dan"], OPPONENTS["gus"], gambits=True), 30, 3, NOON))
    file = SourceFile("2026.rps.jsonl", b"\n".join(map(line_of, games)))
    chosen = adapter_for(file)
    assert chosen is not None
    assert chosen.name == "rps"
    reading = chosen.read(file)
    assert reading.refusals == ()
    assert [game_of_events(events_of(match.events)) for match in reading.matches] == games
    assert [match.findings for match in reading.matches] == [()] * 30


@pytest.mark.parametrize("case", ["short_game", "revealed"])
def test_a_game_travels_the_stream_unchanged(case: str) -> None:
    for playable in from_file(FIXTURES / case / "input.rps.jsonl"):
        match = playable.match
        (collector,) = gathered(envelopes_of(playable)).values()
        again = collector.collected().match
        assert again.header == match.header
        for name, table in match.tables.items():
            assert content_hash(again.tables[name]) == content_hash(table), name


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("move", "round 2: the bot's move {bot} is not the one that was announced"),
        ("secret", "the revealed secret is not the one that was announced"),
        ("values", "round 2 was played for "),
    ],
)
def test_a_broken_promise_is_a_finding(spoil: str, sentence: str) -> None:
    (game,) = simulate_games(Pairing(OPPONENTS["ace"], OPPONENTS["cal"]), 1, 3, NOON)
    replace, second = msgspec.structs.replace, game.rounds[1]
    if spoil == "secret":
        game = replace(game, secret="ab" * 32)
    else:
        changed = {"bot": second.bot.beats} if spoil == "move" else {"values": type(second.values)(1.0, 1.1, 1.2)}
        game = replace(game, rounds=(game.rounds[0], replace(second, **changed)))
    (match,) = read_file(SourceFile("x.rps.jsonl", line_of(game))).matches
    (finding,) = match.findings
    assert finding.rule == "promises_kept"
    assert finding.message.startswith(sentence.format(bot=second.bot.beats.value))
