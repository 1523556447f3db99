"""Which games of this platform the next move is learned from, and which of them may judge it.

Belongs here: the choice, and windows of the chosen games as aligned rows.
Does not belong here: reading the lake (``stages/move_training.py``), people's games from studies (``people_rows.py``).

People first: where there are games of people, all of them are learned from, and of games whose user is one of the scripted players
(auto-fill, row 004-24) every fifth, the newest first. These train and never judge. Where there is no game of people, simulated
games are all there is, and judge. Games marked as tests do neither. The newest games count, whole, up to ``MOST_ROWS`` rows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.games.rps.features import CLASSES
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.models.rows import Rows, TooLittleData, matrix_of
from esports_assets.windows.registry import window_spec

STRIDE = 5
"""Of scripted users' games beside people's, one in so many is kept."""
MOST_ROWS = 50_000
FOLDS = 3
KEYS = ("match_id", "map", "simulated", "segment", "seq", "player")


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """What the choice looks at: who played, when (ISO date), and how many rows the game has."""

    match_id: str
    player: str
    day: str
    rows: int
    simulated: bool
    is_test: bool

    @property
    def scripted(self) -> bool:
        """Whether no person played."""
        return self.simulated or self.player in OPPONENTS

    @property
    def group(self) -> str:
        """What a fold keeps together: all games of a person; of a scripted player each game alone."""
        return self.match_id if self.scripted else f"player {self.player}"


@dataclass(frozen=True, slots=True)
class ChosenGames:
    """Games to learn from, oldest first, and those among them that judge."""

    games: tuple[PlayedGame, ...]
    judging: frozenset[str]

    @property
    def simulated(self) -> bool:
        """Whether no person judges: a model of such games never replaces one of people's."""
        return all(game.simulated for game in self.games if game.match_id in self.judging)

    @property
    def rows(self) -> int:
        """Rows of all games together."""
        return sum(game.rows for game in self.games)


def choose_games(games: Sequence[PlayedGame], most_rows: int = MOST_ROWS) -> ChosenGames:
    """The games to learn from; the same games give the same choice, whatever their order."""
    usable = sorted((g for g in games if not g.is_test and g.rows), key=lambda g: (g.day, g.match_id), reverse=True)
    people = [game for game in usable if not game.scripted]
    scripted = [game for game in usable if game.scripted]
    judging = people or scripted
    kept = [*people, *scripted[::STRIDE]] if people else scripted
    chosen, rows = [], 0
    for game in sorted(kept, key=lambda g: (g.day, g.match_id), reverse=True):
        if rows + game.rows > most_rows:
            break
        chosen.append(game)
        rows += game.rows
    ids = {game.match_id for game in judging}
    return ChosenGames(tuple(reversed(chosen)), frozenset(g.match_id for g in chosen if g.match_id in ids))


def move_rows(chosen: ChosenGames, tables: Mapping[str, pa.Table], window: str) -> Rows:
    """The rows of the chosen games in a window, from its table of each; TooLittleData without a game."""
    if not chosen.games:
        raise TooLittleData("rps.next_move: there is no game to learn from")
    spec = window_spec(window)
    games = sorted(chosen.games, key=lambda game: game.match_id)
    parts = [tables[game.match_id].replace_schema_metadata(None) for game in games]
    sizes = [part.num_rows for part in parts]
    place = {name: number for number, name in enumerate(CLASSES)}
    labels = [word for part in parts for word in part["next_move"].cast(pa.string()).to_pylist()]
    keys = [part.select(list(KEYS)) for part in parts]
    return Rows(
        features=spec.features,
        classes=CLASSES,
        x=np.concatenate([matrix_of(part, spec.feature_names) for part in parts]),
        y=np.array([place[word] for word in labels], dtype=np.int64),
        match=np.repeat(np.arange(len(parts)), sizes),
        match_ids=tuple(game.match_id for game in games),
        match_maps=("none",) * len(parts),
        match_days=tuple(game.day for game in games),
        keys=pa.concat_tables([part.cast(_strings(part.schema)) for part in keys]),
    )


def folds_of(chosen: ChosenGames) -> dict[str, int]:
    """The fold of every game: a hash of what stays together, so that a game has the same one in every training."""
    return {
        game.match_id: hashlib.blake2b(f"rps/fold/1|{game.group}".encode(), digest_size=4).digest()[0] % FOLDS
        for game in chosen.games
    }


def fold_of_rows(rows: Rows, folds: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """The fold of every row."""
    by_match = np.array([folds[match_id] for match_id in rows.match_ids], dtype=np.int64)
    return np.asarray(by_match[rows.match])


def _strings(schema: pa.Schema) -> pa.Schema:
    """Dictionary columns as plain strings, so that tables of different games go together."""
    return pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])
