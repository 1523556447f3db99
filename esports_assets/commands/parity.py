"""``parity``: whether the stream's windows are the batch's, on real files.

Belongs here: arguments, progress and report.
Does not belong here: the comparison (``windows/micro/parity.py``).
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import Title
from esports_assets.commands.console import Json, give_up, out, print_json, sentences
from esports_assets.commands.data import bars
from esports_assets.ingest import walk
from esports_assets.windows.micro.online import LATENESS_S
from esports_assets.windows.micro.parity import Parity, parity_of
from esports_assets.windows.micro.spec import PLAYER_MICRO, WINDOW_S, MicroWindow
from esports_assets.windows.sites import SiteBook, plants_of

EVERY_FRAME = "full"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(parity)


def parity(
    data: Annotated[list[Path], typer.Option("--data", help="Source files, or folders of them.")],
    rate: Annotated[str, typer.Option("--rate", help="Rows per second and player; 'full' for every frame.")] = "full",
    window_s: Annotated[float, typer.Option("--window", help="Length of the window in seconds.")] = WINDOW_S,
    lateness_s: Annotated[float, typer.Option("--lateness", min=0.0, help="Lateness in seconds.")] = LATENESS_S,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the order of arrival.")] = 1,
    as_json: Json = False,
) -> None:
    """Compare the rows of cs2/player_micro from whole matches with those from the same matches as a shuffled stream."""
    with sentences():
        window = _window(window_s, rate)
        started = time.perf_counter()
        total, matches = Parity(), 0
        for match in _matches(data):
            matches += 1
            total.add(_compared(match, window, seed, lateness_s))
        if not matches:
            raise give_up("none of these files holds a match of cs2")
        seconds = time.perf_counter() - started
        if as_json:
            print_json(asdict(total) | {"matches": matches, "seconds": round(seconds, 1)})
        else:
            _say(total, matches, seconds)
        if total.rows_different:
            raise typer.Exit(1)


def _window(window_s: float, rate: str) -> MicroWindow:
    try:
        return MicroWindow(window_s, None if rate == EVERY_FRAME else float(rate))
    except ValueError as error:
        raise give_up(f"--rate {rate} or --window {window_s} cannot be used: {error}") from error


def _matches(paths: list[Path]) -> Iterator[CanonicalMatch]:
    """One match after another, with a bar over the files."""
    files = list(walk(paths))
    with bars() as progress:
        task = progress.add_task("parity", total=len(files))
        for path in files:
            for match in read_file(SourceFile.open(path)).matches:
                if match.header.title is Title.CS2:
                    yield match
            progress.advance(task)


def _compared(match: CanonicalMatch, window: MicroWindow, seed: int, lateness_s: float) -> Parity:
    sites = SiteBook.learn(plants_of(match.events)).sites(match.header.map)  # both get the same: any would do
    return parity_of(match, sites, window, np.random.default_rng(seed), lateness_s)


def _say(total: Parity, matches: int, seconds: float) -> None:
    found: Any = total.first_difference
    verdict = "all are the same" if not total.rows_different else f"{total.rows_different} differ, first {found}"
    out.print(
        f"{PLAYER_MICRO.name}: {total.rows_compared} rows of {matches} matches in {seconds:.0f} s: {verdict}.",
        highlight=False,
    )
