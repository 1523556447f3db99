"""The window ``rps/next_move_signs``: the signs of the user before each round, seen from the user's last move, and that move.

Belongs here: the declaration, one row of it from a running game, and its table from canonical matches.
Does not belong here: what the signs mean (``games/rps/experts/signs.py``), what is learned from them.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from esports_assets.canonical.codec import events_of, table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.games.rps.contract import FIRST_LABELLED_STEP
from esports_assets.games.rps.events import game_of_events
from esports_assets.games.rps.experts.signs import LEAST, SIGNS, PersonSigns
from esports_assets.games.rps.record import played
from esports_assets.windows.next_move import NEXT_MOVE_COLUMNS
from esports_assets.windows.spec import Feature, WindowSpec

LAST_MOVE = "last_move"


def _feature(name: str) -> Feature:
    if name.startswith("log_"):
        return Feature(name, "log of a share", "What a predictor of this one person expects", minimum=math.log(LEAST))
    if name == "rounds_before":
        return Feature(name, "rounds", "Number of rounds before", minimum=0)
    if name.startswith(("person_", "opponent_")):
        return Feature(name, "0 or 1", "A move of an earlier round, as steps from the last move", minimum=0, maximum=1)
    return Feature(name, "rounds", "How often this was the habit, older rounds counting less", minimum=0)


NEXT_MOVE_SIGNS = WindowSpec(
    name="rps/next_move_signs",
    version="1",
    features=(
        *(_feature(name) for name in SIGNS),
        Feature(
            LAST_MOVE, "0, 1 or 2", "The user's last move: rock, paper, scissors; 0 before it", minimum=0, maximum=2
        ),
    ),
    parameters=(("first_labelled_step", FIRST_LABELLED_STEP),),
    rows=NEXT_MOVE_COLUMNS,
    key=("match_id", "seq"),
    row_doc="one row per round from the fourth on, as of before its moves",
)
"""What experts read before a move of rock-paper-scissors."""


def signs_row(signs: PersonSigns) -> list[float]:
    """The inputs of the next round, in the window's order: what training, batch and online predictions read."""
    return [*signs.row(signs.last), float(signs.last)]


def next_move_signs_table(match: CanonicalMatch) -> pa.Table:
    """The window of a match; rows and keys are those of ``rps/next_move``."""
    return next_move_signs_tables([match])


def next_move_signs_tables(matches: Iterable[CanonicalMatch]) -> pa.Table:
    """The windows of many matches in one table, in their order."""
    table = NEXT_MOVE_SIGNS.table
    rows = [row for match in matches for row in _rows(match)]
    return table_of(table, {name: [row[name] for row in rows] for name in table.names})


def _rows(match: CanonicalMatch) -> Iterator[dict[str, Any]]:
    header, game = match.header, game_of_events(events_of(match.events))
    setup, signs, seq = game.setup, PersonSigns(), 0
    for told in played(game):
        if told.step_no >= FIRST_LABELLED_STEP:
            yield {
                "match_id": header.match_id,
                "series_id": header.series_id,
                "map": header.map,
                "simulated": header.simulated,
                "segment": told.step_no,
                "seq": seq,
                "player": setup.player,
                "bot": setup.bot,
                "is_test": setup.is_test,
                "next_move": told.user.value,
                **dict(zip(NEXT_MOVE_SIGNS.feature_names, signs_row(signs), strict=True)),
            }
            seq += 1
        signs.update(told.bot.ordinal, told.user.ordinal)
