"""The window ``rps/next_move``: the fifty inputs before each round of a game, and what the user then played.

Belongs here: the declaration, and its table from canonical matches: what training and batch predictions read.
Does not belong here: what the fifty mean (``games/rps/contract.py``) and how they are computed (``games/rps/features.py``).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from esports_assets.canonical.codec import events_of, table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import EVENTS, ROUNDS, Column, Kind
from esports_assets.games.rps.contract import CONTRACT_VERSION, FIRST_LABELLED_STEP, INPUTS
from esports_assets.games.rps.events import game_of_events
from esports_assets.games.rps.features import CLASSES, labelled_rows
from esports_assets.games.rps.record import played
from esports_assets.windows.spec import Feature, WindowSpec

NEXT_MOVE_COLUMNS: tuple[Column, ...] = (
    *(EVENTS.column(name) for name in ("match_id", "series_id", "map")),
    ROUNDS.column("simulated"),
    ROUNDS.column("segment"),
    Column("seq", Kind.INTEGER, "Order of the row within the match, dense from 0", minimum=0),
    Column("player", Kind.TEXT, "The user, as the game records the name"),
    Column("bot", Kind.CATEGORY, "The policy that the bot played"),
    Column("is_test", Kind.FLAG, "Whether the game is marked as a test: it never judges a model"),
    Column("next_move", Kind.CATEGORY, "Label: what the user played in the round", allowed=CLASSES),
)
"""What identifies a row, whose traffic it is, and its label."""

NEXT_MOVE = WindowSpec(
    name="rps/next_move",
    version=CONTRACT_VERSION,
    features=tuple(
        Feature(entry.name, entry.unit, entry.doc, minimum=entry.minimum, maximum=entry.maximum) for entry in INPUTS
    ),
    parameters=(("first_labelled_step", FIRST_LABELLED_STEP),),
    rows=NEXT_MOVE_COLUMNS,
    key=("match_id", "seq"),
    row_doc="one row per round from the fourth on, as of before its moves",
)
"""What comes before a move of rock-paper-scissors."""


def next_move_table(match: CanonicalMatch) -> pa.Table:
    """The window of a match: a row per round from the fourth on; none for a shorter game.

    Raises ``games.rps.record.RecordError`` for a match that is no game of rock-paper-scissors.
    """
    return next_moves_table([match])


def next_moves_table(matches: Iterable[CanonicalMatch]) -> pa.Table:
    """The windows of many matches in one table, in their order: games are short, and a table costs more than its rows."""
    table = NEXT_MOVE.table
    rows = [row for match in matches for row in _rows(match)]
    return table_of(table, {name: [row[name] for row in rows] for name in table.names})


def _rows(match: CanonicalMatch) -> Iterator[dict[str, Any]]:
    header, game = match.header, game_of_events(events_of(match.events))
    setup = game.setup
    for seq, (step_no, features, label) in enumerate(labelled_rows(played(game), setup.easy_mode)):
        yield {
            "match_id": header.match_id,
            "series_id": header.series_id,
            "map": header.map,
            "simulated": header.simulated,
            "segment": step_no,
            "seq": seq,
            "player": setup.player,
            "bot": setup.bot,
            "is_test": setup.is_test,
            "next_move": label.value,
            **dict(zip(NEXT_MOVE.feature_names, features, strict=True)),
        }
