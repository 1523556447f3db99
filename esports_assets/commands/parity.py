"""``parity``: whether the stream's windows are the batch's, on real files.

Belongs here: arguments, progress and report.
Does not belong here: the comparisons (``windows/micro/parity.py``, ``windows/state/parity.py``).
"""

import time
from collections.abc import Callable, Iterator
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
from esports_assets.windows.micro.parity import Parity, parity_of
from esports_assets.windows.micro.spec import PLAYER_MICRO, WINDOW_S, MicroWindow
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.state.parity import state_parity_of
from esports_assets.windows.streamed.online import LATENESS_S
from esports_assets.windows.view import Sites

EVERY_FRAME = "full"

Comparison = Callable[[CanonicalMatch, Sites, np.random.Generator, float], Parity]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(parity)


def parity(
    data: Annotated[list[Path], typer.Option("--data", help="Source files, or folders of them.")],
    rate: Annotated[str, typer.Option("--rate", help="Rows per second and player; 'full' for every frame.")] = "full",
    window: Annotated[
        str, typer.Option("--window", help="Which window: cs2/player_micro or cs2/round_state.")
    ] = PLAYER_MICRO.name,
    window_s: Annotated[
        float, typer.Option("--window-s", help="Length of the window of cs2/player_micro in seconds.")
    ] = WINDOW_S,
    lateness_s: Annotated[float, typer.Option("--lateness", min=0.0, help="Lateness in seconds.")] = LATENESS_S,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the order of arrival.")] = 1,
    as_json: Json = False,
) -> None:
    """Compare the rows of a window from whole matches with those from the same matches as a shuffled stream."""
    with sentences():
        comparison = _comparison(window, window_s, rate)
        started = time.perf_counter()
        total, matches = Parity(), 0
        for match in _matches(data):
            matches += 1
            sites = SiteBook.learn(plants_of(match.events)).sites(match.header.map)  # both get the same: any would do
            total.add(comparison(match, sites, np.random.default_rng(seed), lateness_s))
        if not matches:
            raise give_up("none of these files holds a match of cs2")
        seconds = time.perf_counter() - started
        if as_json:
            print_json(asdict(total) | {"matches": matches, "seconds": round(seconds, 1)})
        else:
            _say(window, total, matches, seconds)
        if total.rows_different:
            raise typer.Exit(1)


def _comparison(name: str, window_s: float, rate: str) -> Comparison:
    if name == ROUND_STATE.name:
        return state_parity_of
    if name != PLAYER_MICRO.name:
        raise give_up(f"--window {name} is no window of the stream: {PLAYER_MICRO.name} or {ROUND_STATE.name}")
    try:
        window = MicroWindow(window_s, None if rate == EVERY_FRAME else float(rate))
    except ValueError as error:
        raise give_up(f"--rate {rate} or --window-s {window_s} cannot be used: {error}") from error
    return lambda match, sites, rng, lateness_s: parity_of(match, sites, window, rng, lateness_s)


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


def _say(window: str, total: Parity, matches: int, seconds: float) -> None:
    found: Any = total.first_difference
    verdict = "all are the same" if not total.rows_different else f"{total.rows_different} differ, first {found}"
    out.print(
        f"{window}: {total.rows_compared} rows of {matches} matches in {seconds:.0f} s: {verdict}.",
        highlight=False,
    )
