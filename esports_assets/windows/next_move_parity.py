"""Whether the three ways to a row of ``rps/next_move`` agree, value by value, on every row of every game.

    stateful    a state folded while the game runs, asked before each round
    stateless   what a client could tell at that instant, through JSON: moves and values so far, nothing else
    training    the window's table from the match's canonical events, through Parquet

Belongs here: making the rows and naming the first value that differs.
Does not belong here: what is compared for CS2 (``commands/parity.py``), predictions.
"""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from esports_assets.canonical.codec import read_parquet, write_parquet
from esports_assets.games.rps.contract import FEATURE_NAMES, FIRST_LABELLED_STEP
from esports_assets.games.rps.events import match_of
from esports_assets.games.rps.features import FeatureState
from esports_assets.games.rps.histories import history_of
from esports_assets.games.rps.record import RecordedGame
from esports_assets.windows.next_move import NEXT_MOVE, next_moves_table

_AT_ONCE = 500
"""So many games go through one Parquet file."""

Row = list[float]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that differs: where, which input, and what each way says."""

    game_id: str
    step_no: int
    feature: str
    stateful: float
    stateless: float
    training: float


@dataclass(frozen=True, slots=True)
class Parity:
    """How many rows were compared, in how many a value differs, and the first such value."""

    rows_compared: int = 0
    rows_different: int = 0
    first_difference: Difference | None = None


def stateful_rows(game: RecordedGame) -> Iterator[Row]:
    """Before each round from the fourth on."""
    state = FeatureState()
    for entry in game.rounds:
        if entry.step_no >= FIRST_LABELLED_STEP:
            yield state.row(entry.values, game.setup.easy_mode)
        state = state.after(entry.user, entry.bot, entry.values)


def stateless_rows(game: RecordedGame) -> Iterator[Row]:
    """The same rows from what a client tells, anew for each."""
    for number, entry in enumerate(game.rounds):
        if entry.step_no >= FIRST_LABELLED_STEP:
            before = game.rounds[:number]
            told = json.loads(
                json.dumps(
                    {
                        "user_moves": [one.user.value for one in before],
                        "bot_moves": [one.bot.value for one in before],
                        "values_now": entry.values.by_move,
                        "values_before": [one.values.by_move for one in before],
                    }
                )
            )
            yield history_of(**told).row(game.setup.easy_mode)


def training_rows(games: Iterable[RecordedGame]) -> Iterator[Row]:
    """The rows of some games as training reads them."""
    sink = io.BytesIO()
    write_parquet(next_moves_table(match_of(game) for game in games), sink)
    table = read_parquet(io.BytesIO(sink.getvalue()), NEXT_MOVE.table)
    yield from map(list, zip(*(table[name].to_pylist() for name in FEATURE_NAMES), strict=True))


def parity_of(games: Iterable[RecordedGame]) -> Parity:
    """Compare every row of the games; a row that one way has and another has not raises ValueError."""
    compared, different, first = 0, 0, None
    waiting = iter(games)
    while block := list(islice(waiting, _AT_ONCE)):
        for found in _compared(block):
            compared += 1
            if found is not None:
                different, first = different + 1, first or found
    return Parity(compared, different, first)


def _compared(games: list[RecordedGame]) -> Iterator[Difference | None]:
    where = [(game, entry.step_no) for game in games for entry in game.rounds if entry.step_no >= FIRST_LABELLED_STEP]
    ways = (
        (row for game in games for row in stateful_rows(game)),
        (row for game in games for row in stateless_rows(game)),
        training_rows(games),
    )
    for (game, step_no), *rows in zip(where, *ways, strict=True):
        yield _difference(game.setup.game_id, step_no, *rows)


def _difference(game_id: str, step_no: int, stateful: Row, stateless: Row, training: Row) -> Difference | None:
    for name, *told in zip(FEATURE_NAMES, stateful, stateless, training, strict=True):
        if not told[0] == told[1] == told[2]:
            return Difference(game_id, step_no, name, *told)
    return None
