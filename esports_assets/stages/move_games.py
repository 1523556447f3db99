"""Stage: games of rock-paper-scissors in the lake, simulated ones where nobody brought any, and what is learned from them.

Belongs here: the default source, bringing days up to date, and the training set with its versions.
Does not belong here: which games are chosen (``models/rps/training_rows.py``), learning (``move_training.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product

import pyarrow as pa

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import line_of
from esports_assets.games.rps.simulate import Pairing, simulate_games
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.models.rps.training_rows import ChosenGames, PlayedGame, choose_games, folds_of, move_rows
from esports_assets.stages.sources import days_of, read_day
from esports_assets.stages.windowing import WindowedDay, moves_day, shelf_of
from esports_assets.storage.lake import Lake
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS

SIMULATED_DAY = date(2026, 1, 1)
SIMULATED_SEED = 20
SIMULATED_GAMES = 8
"""Of every pairing of the scripted players."""
SPECS = (NEXT_MOVE, NEXT_MOVE_SIGNS)


@dataclass(frozen=True)
class MoveSet:
    """The chosen games, their rows in both windows, the fold of every game, and one version of all."""

    chosen: ChosenGames
    by_window: dict[str, Rows]
    folds: dict[str, int]
    versions: dict[str, str]

    @property
    def data_version(self) -> str:
        """One version of everything that is learned from."""
        return combined_hash(self.versions)


def simulated_source(lake: Lake, games: int = SIMULATED_GAMES, seed: int = SIMULATED_SEED) -> bool:
    """Where the lake holds no game at all, write simulated ones as a source file; whether it was needed."""
    if days_of(lake, Title.RPS):
        return False
    noon = datetime.combine(SIMULATED_DAY, datetime.min.time(), UTC).replace(hour=12)
    lines = [
        line_of(game)
        for user, bot in product(OPPONENTS.values(), OPPONENTS.values())
        for game in simulate_games(Pairing(user, bot, gambits=True), games, seed, noon)
    ]
    name = f"simulated-seed-{seed}-games-{games}.rps.jsonl"
    lake.write_raw(Title.RPS, SIMULATED_DAY, name, b"\n".join(lines) + b"\n")
    return True


def read_games(lake: Lake) -> list[date]:
    """Bring the games of every day up to date with their source files; the days."""
    days = days_of(lake, Title.RPS)
    for day in days:
        read_day(lake, Title.RPS, day)
    return days


def window_games(lake: Lake, days: Sequence[date]) -> list[WindowedDay]:
    """Bring both windows of these days up to date, the fifty inputs first."""
    return [moves_day(lake, day, spec) for spec in SPECS for day in days]


def move_set(lake: Lake) -> MoveSet:
    """The games that the next move is learned from; TooLittleData where there is none."""
    accepted = {r.header.match_id: r.header for r in lake.matches(Title.RPS) if not r.quarantined}
    records = {
        spec.name: {r.match_id: r for r in lake.window_records(Title.RPS, shelf_of(spec)) if r.match_id in accepted}
        for spec in SPECS
    }
    both = sorted(set(records[NEXT_MOVE.name]) & set(records[NEXT_MOVE_SIGNS.name]))
    tables = {
        spec.name: {match_id: lake.read_windows(accepted[match_id], shelf_of(spec)) for match_id in both}
        for spec in SPECS
    }
    games = [
        _played(match_id, accepted[match_id].day, accepted[match_id].simulated, table)
        for match_id, table in tables[NEXT_MOVE.name].items()
        if table.num_rows
    ]
    chosen = choose_games(games)
    if not chosen.games:
        raise TooLittleData("rps.next_move: there is no game to learn from")
    ids = [game.match_id for game in chosen.games]
    versions = {f"{name} {i}": records[name][i].version for name in records for i in ids}
    by_window = {spec.name: move_rows(chosen, tables[spec.name], spec.name) for spec in SPECS}
    return MoveSet(chosen, by_window, folds_of(chosen), versions)


def _played(match_id: str, day: date, simulated: bool, table: pa.Table) -> PlayedGame:
    return PlayedGame(
        match_id=match_id,
        player=str(table["player"][0].as_py()),
        day=day.isoformat(),
        rows=table.num_rows,
        simulated=simulated,
        is_test=bool(table["is_test"][0].as_py()),
    )
