"""People's games of plain rock-paper-scissors from studies: Parquet tables of rounds to sequences of moves.

Two layouts are read, told apart by their columns. People in pairs: ``game_id, round_index, player1_id, player2_id, player1_move,
player2_move``; such a game is two sequences, one for each player, under one ``game_id`` that splits keep whole. People against
bots: ``game_id, round_index, player_id, bot_strategy, human_move, bot_move``. Other columns are not looked at.
Wins all count the same there and nothing ends a game, so these are not games of ``games/rps/rules.py`` and become no matches;
what they can teach and judge is the next move (``RoundValues`` of such a round: ``values.FLAT``).

Belongs here: the columns, words to moves, order, and refusing rows.
Does not belong here: models, splits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from esports_assets.adapters.base import MalformedRecord, Refusal, RefusalLog, SourceFile, UnreadableFile, WrongFormat
from esports_assets.games.rps.moves import Move

NO_MOVE = "none"
"""The word for a round in which somebody did not move in time; null says the same."""
ANOTHER_PERSON = "human"
"""The opponent of people in pairs."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Columns of one sequence: who plays, against what (a column, or None for a person), and the two moves."""

    player: str
    own: str
    other: str
    opponent: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        named = (self.player, self.own, self.other, self.opponent)
        return ("game_id", "round_index", *(name for name in named if name is not None))


_PAIRS = (
    _Layout("player1_id", "player1_move", "player2_move"),
    _Layout("player2_id", "player2_move", "player1_move"),
)
_BOTS = (_Layout("player_id", "human_move", "bot_move", "bot_strategy"),)


@dataclass(frozen=True, slots=True)
class HumanRound:
    """One round from one player's side; None where that side did not move."""

    number: int
    own: Move | None
    other: Move | None


@dataclass(frozen=True)
class HumanGame:
    """The rounds of one person in one game, in order. ``opponent`` is a bot's strategy or ``ANOTHER_PERSON``."""

    game_id: str
    player: str
    opponent: str
    rounds: tuple[HumanRound, ...]

    @cached_property
    def moves(self) -> tuple[tuple[Move, Move], ...]:
        """Own and other move of every round in which both moved: what there is to predict and to predict from."""
        return tuple((told.own, told.other) for told in self.rounds if told.own is not None and told.other is not None)


@dataclass(frozen=True, slots=True)
class HumanReading:
    """The games of a file, and the rows that were refused of it."""

    games: tuple[HumanGame, ...]
    refusals: tuple[Refusal, ...] = ()


def read_human(file: SourceFile) -> HumanReading:
    """The games of a study's file, ordered by ``game_id``, a row that cannot be true refused.

    Raises UnreadableFile for bytes that are no Parquet, WrongFormat for one without the columns of either layout.
    """
    table, layouts = _table(file)
    log, games = RefusalLog(file.name), list[HumanGame]()
    for layout in layouts:
        games += _games(file, table, layout, log)
    games.sort(key=lambda game: game.game_id)
    return HumanReading(tuple(games), log.refusals)


def _table(file: SourceFile) -> tuple[pa.Table, Sequence[_Layout]]:
    try:
        parquet = pq.ParquetFile(pa.BufferReader(file.data))
        held = set(parquet.schema_arrow.names)
        for layouts in (_PAIRS, _BOTS):
            wanted = {name for layout in layouts for name in layout.columns}
            if wanted <= held:
                return parquet.read(columns=sorted(wanted)), layouts
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(file.name, "", f"not a Parquet file that can be read ({error})") from error
    both = " or ".join(", ".join(dict.fromkeys(c for layout in way for c in layout.columns)) for way in (_PAIRS, _BOTS))
    raise WrongFormat(
        file.name, "", f"a table of people's rounds has the columns {both}; this one has {', '.join(held)}"
    )


def _games(file: SourceFile, table: pa.Table, layout: _Layout, log: RefusalLog) -> Iterator[HumanGame]:
    rounds: dict[tuple[str, str, str], dict[int, HumanRound]] = {}
    for number, row in enumerate(table.select(list(layout.columns)).to_pylist()):
        place = f"row {number}"
        try:
            key, told = _round(row, layout)
        except ValueError as error:
            log.add(MalformedRecord(file.name, place, str(error)))
            continue
        game = rounds.setdefault(key, {})
        if told.number in game:
            log.add(
                MalformedRecord(file.name, place, f"round {told.number} of game {key[0]} stands in the file already")
            )
        else:
            game[told.number] = told
    for (game_id, player, opponent), game in rounds.items():
        yield HumanGame(game_id, player, opponent, tuple(game[number] for number in sorted(game)))


def _round(row: dict[str, Any], layout: _Layout) -> tuple[tuple[str, str, str], HumanRound]:
    game_id, player, index = row["game_id"], row[layout.player], row["round_index"]
    opponent = ANOTHER_PERSON if layout.opponent is None else row[layout.opponent]
    if not (game_id and player and opponent):
        raise ValueError("game, player or opponent is missing")
    if index is None or not float(index).is_integer():
        raise ValueError(f"round_index {index} is no number of a round")
    told = HumanRound(int(index), _move(row[layout.own]), _move(row[layout.other]))
    return (str(game_id), str(player), str(opponent)), told


def _move(word: Any) -> Move | None:
    if word is None or word == NO_MOVE:
        return None
    try:
        return Move(word)
    except ValueError as error:
        raise ValueError(f"{word!r} is no move; there are {', '.join(Move)} and {NO_MOVE}") from error
