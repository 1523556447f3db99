"""Games of rock-paper-scissors for tests: strategies, and hands in letters."""

from collections.abc import Sequence

from hypothesis import strategies as st

from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.rules import GameState, RoundPlayed
from esports_assets.games.rps.seat import Seat, SeatName
from esports_assets.games.rps.values import FLAT, STATES, RoundValues

LETTERS = dict(zip("RPS", MOVES, strict=True))

moves = st.sampled_from(MOVES)
states = st.sampled_from(STATES)
odd_values = st.builds(RoundValues, *[st.floats(0.1, 5.0).map(lambda value: round(value, 3))] * 3)
hands = st.lists(st.tuples(moves, moves, states | odd_values), max_size=25)


def hand(letters: str) -> list[Move]:
    """``"RPS"`` as moves."""
    return [LETTERS[letter] for letter in letters]


def game(users: Sequence[Move], bots: Sequence[Move], values: Sequence[RoundValues]) -> list[RoundPlayed]:
    """The rounds of a game, as far as it goes on."""
    state, told = GameState(), []
    for user, bot, worth in zip(users, bots, values, strict=True):
        if not state.finished:
            state, one = state.play(user, bot, worth)
            told.append(one)
    return told


def seat(own: str, other: str, values: Sequence[RoundValues] = ()) -> Seat:
    """What the user knows after these hands; everything is worth 1 where nothing else is said."""
    made = Seat(SeatName.USER)
    for one in game(hand(own), hand(other), list(values) or [FLAT] * len(own)):
        made.see(one)
    return made
