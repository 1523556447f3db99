"""``ingest``, ``simulate`` and ``materialize``: data into the lake and through the graph.

Belongs here: arguments and progress of the three.
Does not belong here: playing live (``simulated_live.py``), the report of ingest (``ingest_report.py``), reading files,
simulating, the graph.
"""

import logging
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from esports_assets.canonical.vocabulary import Title
from esports_assets.commands.console import Json, err, give_up, print_json, say, sentences
from esports_assets.commands.deadletter import RetentionHours
from esports_assets.commands.ingest_report import as_report, tell
from esports_assets.commands.simulated_live import Into, play_live, speed_of
from esports_assets.commands.world import open_world
from esports_assets.ingest import ingest_paths
from esports_assets.settings import Settings
from esports_assets.storage.lake import Lake
from esports_assets.storage.landed import IngestedFile
from esports_assets.streams.log import RETENTION_H

_INTERRUPTED = "DagsterExecutionInterruptedError"
Matches = Annotated[int, typer.Option("--matches", min=1, help="How many matches to simulate.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Which matches: the same seed gives the same ones.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(ingest)
    app.command()(simulate)
    app.command()(materialize)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Source files, or folders of them.")],
    title: Annotated[Title, typer.Option(help="Where a file is filed that yields no match.")] = Title.CS2,
    as_json: Json = False,
) -> None:
    """Bring source files into the lake. Files that are there already are skipped; refusals are told and recorded."""
    with sentences():
        lake = Lake(Settings.from_env().lake_url)
        with bars() as progress:
            task = progress.add_task("ingest", total=None)

            def advance(done: int, total: int, _: IngestedFile) -> None:
                progress.update(task, completed=done, total=total)

            report = ingest_paths(paths, lake, advance, title=title)
        if as_json:
            print_json(as_report(report))
        else:
            tell(report)
        if not report.days:
            raise typer.Exit(1)


def simulate(
    matches: Annotated[
        int | None, typer.Option("--matches", min=1, help="How many; 12 by default, without an end with --live.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Which matches; 1 by default, others every time with --live.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Folder for the source files.")] = None,
    formats: Annotated[list[str] | None, typer.Option("--format", help="demo, grid or mixed; may be repeated.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Play them into the log now instead of writing files.")] = False,
    speed: Annotated[str, typer.Option("--speed", help="With --live: how many times as fast as played, or max.")] = "1",
    concurrent: Annotated[int, typer.Option("--concurrent", min=1, max=64, help="With --live: how many at once.")] = 1,
    into: Into = None,
    retention_h: RetentionHours = RETENTION_H,
    as_json: Json = False,
) -> None:
    """Write simulated matches as source files, or play them live; marked as simulated in every record."""
    if live:
        if to is not None or formats:
            raise typer.BadParameter("with --live nothing is written: leave out --out and --format")
        play_live(matches, seed, speed_of(speed), concurrent, into, retention_h, as_json)
        return
    with sentences():
        matches, seed = matches or 12, 1 if seed is None else seed
        folder = to or simulated_folder(Settings.from_env(), matches, seed)
        files = simulated_files(folder, matches, seed, tuple(formats or ("demo",)))
        if as_json:
            print_json({"folder": folder, "seed": seed, "files": files})
        else:
            say(f"{len(files)} files of seed {seed} are in {folder}.")


def materialize(
    selection: Annotated[
        str | None, typer.Argument(help="Dagster asset selection; the whole graph by default.")
    ] = None,
    days: Annotated[list[datetime] | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Only these days.")] = None,
    as_json: Json = False,
) -> None:
    """Materialize assets in one run of the Dagster graph."""
    with sentences():
        settings = open_world()
        result = run_graph(settings, selection, [moment.date() for moment in days] if days else None)
        if as_json:
            print_json(result)
        else:
            verdict = "is complete" if result["success"] else "failed"
            say(f"Run {result['run_id']} {verdict}: {len(result['steps'])} steps, {result['seconds']:.1f} s.")
            tell_checks(result)
        if not result["success"]:
            raise give_up(failure_of(result))


def bars() -> Progress:
    """Progress bars on standard error, silent where that is no terminal."""
    columns = (
        TextColumn("{task.description:<12}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def simulated_folder(settings: Settings, matches: int, seed: int) -> Path:
    """Where the simulated source files of a seed lie."""
    return settings.home / "simulated" / f"seed-{seed}-matches-{matches}"


def simulated_files(folder: Path, matches: int, seed: int, formats: tuple[str, ...] = ("demo",)) -> list[Path]:
    """Simulate into a folder, showing progress."""
    from esports_assets.simulate.write import simulate_matches

    with bars() as progress:
        task = progress.add_task("simulate", total=matches)
        return simulate_matches(
            folder,
            matches,
            seed,
            formats=formats,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def run_graph(settings: Settings, selection: str | None, days: list[date] | None) -> dict[str, Any]:
    """One run of the graph over the given days (all days with source files by default), with a bar over its steps."""
    from esports_assets.orchestrate import instance_of_environment
    from esports_assets.orchestrate import materialize as orchestrate

    logging.getLogger("dagster").setLevel(logging.ERROR)  # the whole log is in the Dagster UI
    with bars() as progress, instance_of_environment() as instance:
        task = progress.add_task("graph", total=0)
        started, ended = 0, 0

        def on_step(step: str, what: str, _: float) -> None:
            nonlocal started, ended
            started += what == "start"
            ended += what in ("success", "failure")
            progress.update(task, completed=ended, total=started, description=step[-40:])

        result = orchestrate(Lake(settings.lake_url), instance, selection, days, on_step)
    if any(_INTERRUPTED in error for error in result.errors):
        raise KeyboardInterrupt  # Dagster takes Ctrl-C for the failure of the step that was running
    return asdict(result)


def failure_of(graph: dict[str, Any]) -> str:
    """Why a run of the graph failed, in one line."""
    reasons = [reason.splitlines()[0] for reason in (*graph["errors"], *graph["failed_checks"]) if reason.strip()]
    return "; ".join(reasons) or f"run {graph['run_id']} failed: its log is in the Dagster UI"


def tell_checks(graph: dict[str, Any]) -> None:
    """The checks that failed in a run, one line each."""
    for check in graph["failed_checks"]:
        say(f"  check: {check.splitlines()[0]}", "yellow")
