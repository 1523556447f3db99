"""Records, events and back, and simulated games."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rps_games import hands

from esports_assets.canonical.codec import events_of
from esports_assets.canonical.event import decode, encode
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.payload import PAYLOAD_KEYS
from esports_assets.canonical.vocabulary import EventType
from esports_assets.games.rps.commitments import verify
from esports_assets.games.rps.events import (
    closing_events,
    events_of_game,
    game_of_events,
    match_of,
    opening_events,
    round_events,
)
from esports_assets.games.rps.gambits import gambit_named
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import (
    GameSetup,
    RecordedGame,
    RecordedRound,
    RecordError,
    ServedModel,
    broken_promises,
    final_state,
    game_of_line,
    line_of,
    played,
    secret_bytes,
)
from esports_assets.games.rps.rules import MOST_ROUNDS, GameOver, GameState
from esports_assets.games.rps.simulate import Pairing, simulate_games
from esports_assets.games.rps.values import round_values

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
NAMES = st.sampled_from(["ann", "Ann B.", "x" * 120, "a:b/c", "Ánna 猫", "  ", '"', "{}"])


@st.composite
def recorded(draw: st.DrawFn) -> RecordedGame:
    """A game that the rules allow, with whatever may be told or not."""
    setup = GameSetup(
        game_id=draw(NAMES),
        player=draw(NAMES),
        bot=draw(NAMES),
        started_at=NOON,
        session_id=draw(st.none() | NAMES),
        simulated=draw(st.booleans()),
        is_test=draw(st.booleans()),
        easy_mode=draw(st.booleans()),
        opening=draw(st.none() | st.just("razor")),
        model=draw(st.none() | st.just(ServedModel("rps.next_move.xgboost", "B", "7"))),
        secret_commitment=draw(st.none() | st.just("0f" * 32)),
    )
    state, rounds = GameState(), []
    for number, (user, bot, values) in enumerate(draw(hands), start=1):
        try:
            state, _ = state.play(user, bot, values)
        except GameOver:
            break
        moment = draw(st.none() | st.integers(1, 10**9).map(lambda us: NOON + timedelta(microseconds=us)))
        told = (draw(st.none() | st.just("ab" * 32)), draw(st.none() | st.just("cd" * 16)))
        rounds.append(RecordedRound(number, user, bot, values, moment, *told))
    secret = draw(st.none() | st.just("ef" * 32)) if state.finished else None
    return RecordedGame(setup, tuple(rounds), secret)


@settings(deadline=None, max_examples=25)
@given(recorded())
def test_a_line_and_the_events_give_the_game_back(game: RecordedGame) -> None:
    assert game_of_line(line_of(game)) == game
    match = match_of(game)
    events = events_of(match.events)
    assert game_of_events(events) == game
    assert game_of_events([decode(encode(event)) for event in events_of_game(game)]) == game
    assert broken(match) == []
    for event in events:
        assert set(event.payload) <= set(PAYLOAD_KEYS[event.event_type])


@settings(deadline=None, max_examples=25)
@given(recorded())
def test_a_running_game_tells_the_events_of_the_finished_one(game: RecordedGame) -> None:
    state, told = GameState(), list(opening_events(game.setup))
    rounds = []
    for entry in game.rounds:
        state, one = state.play(entry.user, entry.bot, entry.values)
        rounds.append(one)
        told += round_events(game.setup, entry, one)
    assert final_state(rounds) == state
    told += closing_events(game, rounds)
    assert told == list(events_of_game(game))
    assert [event.seq for event in told] == list(range(len(told)))
    assert (told[-1].event_type is EventType.MAP_END) == state.finished


def test_an_unfinished_round_is_left_out() -> None:
    (game,) = simulate_games(Pairing(OPPONENTS["ace"], OPPONENTS["cal"]), 1, 3, NOON)
    events = list(events_of_game(game))
    assert len(game_of_events(events[:8]).rounds) == 1
    assert len(game_of_events(events[:9]).rounds) == 2
    with pytest.raises(RecordError, match="the events tell no start of a game of rock-paper-scissors"):
        game_of_events(events[1:])
    spoilt = [msgspec.structs.replace(events[0], payload={}), *events[1:]]
    with pytest.raises(RecordError, match=r"the start tells no game: Expected `object`, got `null`"):
        game_of_events(spoilt)
    spoilt = [events[0], msgspec.structs.replace(events[1], payload={}), *events[2:]]
    with pytest.raises(RecordError, match="round 1 cannot be read: 'values'"):
        game_of_events(spoilt)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("xy", "a secret is told in hex digits"), ("abcd", "a secret has 64 hex digits, not 4")],
)
def test_a_secret_is_hex(text: str, sentence: str) -> None:
    with pytest.raises(RecordError, match=sentence):
        secret_bytes(text)


# --- simulated games -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_games() -> None:
    pairing = Pairing(OPPONENTS["dan"], OPPONENTS["gus"], gambits=True)
    lines = [[line_of(game) for game in simulate_games(pairing, n, seed, NOON)] for n, seed in ((6, 1), (3, 1), (6, 2))]
    assert lines[0][:3] == lines[1]
    assert not set(lines[0]) & set(lines[2])
    assert len(set(lines[0])) == 6


def test_simulated_games_keep_every_promise() -> None:
    for number, game in enumerate(
        simulate_games(Pairing(OPPONENTS["hal"], OPPONENTS["dan"], gambits=True), 40, 5, NOON)
    ):
        setup, rounds = game.setup, played(game)
        assert (setup.simulated, setup.player, setup.bot) == (True, "hal", "dan")
        assert setup.started_at == NOON + timedelta(seconds=120 * number)
        assert final_state(rounds).finished
        assert len(rounds) <= MOST_ROUNDS
        assert broken_promises(game) == []
        assert game.secret is not None
        secret = secret_bytes(game.secret)
        moments = [entry.played_at for entry in game.rounds]
        assert moments == sorted(moments)
        assert moments[0] > setup.started_at
        for entry in game.rounds:
            assert entry.values == round_values(secret, entry.step_no)
            assert verify(entry.commitment or "", entry.bot, entry.nonce or "")
            if entry.step_no <= 3:
                assert entry.bot is gambit_named(setup.opening or "").move(entry.step_no, entry.values)


def test_who_beats_whom_over_many_games() -> None:
    """Cal is deterministic: whoever always plays the highest value loses to him every time."""
    games = list(simulate_games(Pairing(OPPONENTS["ace"], OPPONENTS["cal"]), 200, 9, NOON))
    lengths = [len(game.rounds) for game in games]
    assert min(lengths) >= 6
    assert max(lengths) <= 20
    winners = Counter(final_state(played(game)).winner for game in games)
    turned = simulate_games(Pairing(OPPONENTS["cal"], OPPONENTS["ace"]), 200, 9, NOON)
    others = Counter(final_state(played(game)).winner for game in turned)
    assert abs(winners["user"] - others["bot"]) < 40  # ace wins about as often on either side
