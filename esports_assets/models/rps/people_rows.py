"""People's games from studies as rows to learn the next move from and to be judged on.

Belongs here: the inputs of both windows for every round in which both moved, and who must stay together in a split.
Does not belong here: reading files (``adapters/rps/human.py``), learning, games of this platform (``training_rows.py``).

Those studies give no values to moves: the fifty inputs are those of rounds in which every move is worth the same. Games that share
a person are one group: both people of a pair, and whoever plays two games, are in one fold with all their games.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.adapters.rps.human import HumanGame
from esports_assets.games.rps.experts.signs import PREDICTORS, PersonSigns
from esports_assets.games.rps.features import CLASSES, FeatureState
from esports_assets.games.rps.values import FLAT
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS, signs_row
from esports_assets.windows.spec import WindowSpec

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeopleRows:
    """The same rows in both windows, and what each online predictor of one person expected before it."""

    by_window: dict[str, Rows]
    expected: dict[str, Floats]
    games: int

    @property
    def any(self) -> Rows:
        """Labels and groups, which are those of every window."""
        return self.by_window[NEXT_MOVE.name]


def people_rows(games: Sequence[HumanGame]) -> PeopleRows:
    """One row per person and round in which both moved; TooLittleData where there is none."""
    inputs: list[list[float]] = []
    signs: list[list[float]] = []
    expected: list[list[tuple[float, float, float]]] = []
    moves: list[int] = []
    for played in games:
        for fifty, row, said, move in _rows(played):
            inputs.append(fifty)
            signs.append(row)
            expected.append(said)
            moves.append(move)
    if not moves:
        raise TooLittleData("no round in which both moved: there is nothing to predict")
    sizes = [len(played.moves) for played in games]
    groups = groups_of(games)
    names, match = np.unique([groups[played.game_id] for played in games], return_inverse=True)
    keys = pa.table(
        {
            "match_id": np.repeat([played.game_id for played in games], sizes),
            "player": np.repeat([played.player for played in games], sizes),
            "opponent": np.repeat([played.opponent for played in games], sizes),
            "segment": np.concatenate([np.arange(size) for size in sizes]),
            "simulated": np.zeros(len(moves), dtype=bool),
        }
    )

    def of(spec: WindowSpec, x: list[list[float]]) -> Rows:
        return Rows(
            features=spec.features,
            classes=CLASSES,
            x=np.array(x, dtype=np.float32),
            y=np.array(moves, dtype=np.int64),
            match=np.repeat(match, sizes).astype(np.int64),
            match_ids=tuple(names.tolist()),
            match_maps=("",) * len(names),
            match_days=("1970-01-01",) * len(names),
            keys=keys,
        )

    told = np.array(expected)
    return PeopleRows(
        {NEXT_MOVE.name: of(NEXT_MOVE, inputs), NEXT_MOVE_SIGNS.name: of(NEXT_MOVE_SIGNS, signs)},
        {name: told[:, place] for place, name in enumerate(PREDICTORS)},
        len({played.game_id for played in games}),
    )


def _rows(
    game: HumanGame,
) -> Iterator[tuple[list[float], list[float], list[tuple[float, float, float]], int]]:
    state, signs = FeatureState(), PersonSigns()
    for own, other in game.moves:
        told = signs.predictions()
        yield state.row(FLAT), signs_row(signs), [told[name] for name in PREDICTORS], own.ordinal
        state = state.after(own, other, FLAT)
        signs.update(other.ordinal, own.ordinal)


def groups_of(games: Sequence[HumanGame]) -> dict[str, str]:
    """The group of every game: the smallest id among the games that are linked by people."""
    root = {played.game_id: played.game_id for played in games}

    def top(game_id: str) -> str:
        while root[game_id] != game_id:
            root[game_id] = root[root[game_id]]
            game_id = root[game_id]
        return game_id

    first: dict[str, str] = {}
    for played in games:
        one, other = top(first.setdefault(played.player, played.game_id)), top(played.game_id)
        root[max(one, other)] = min(one, other)
    return {game_id: top(game_id) for game_id in root}
