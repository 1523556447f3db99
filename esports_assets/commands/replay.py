"""``replay``: a match into the log as if it were played now.

Belongs here: arguments, progress and the report.
Does not belong here: how a match is played (``streams/replay.py``).
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from esports_assets.commands.console import Json, print_table, sentences
from esports_assets.commands.data import bars
from esports_assets.commands.deadletter import RetentionHours, redis_url
from esports_assets.commands.simulated_live import Into, played_row, speed_of
from esports_assets.settings import Settings
from esports_assets.storage.lake import Lake
from esports_assets.streams.connect import connected
from esports_assets.streams.log import RETENTION_H, EventLog
from esports_assets.streams.replay import Playable, Played, from_file, from_lake, length, play


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(replay)


def replay(
    sources: Annotated[list[str], typer.Argument(metavar="FILE|MATCH...", help="Source files or match ids.")],
    speed: Annotated[str, typer.Option("--speed", help="How many times as fast as it was, or max.")] = "1",
    into: Into = None,
    tracking: Annotated[bool, typer.Option("--tracking/--no-tracking", help="Whether positions are sent too.")] = True,
    retention_h: RetentionHours = RETENTION_H,
    as_json: Json = False,
) -> None:
    """Play matches into the log, one after the other. Events keep their source time; what is there already stays as it is."""
    factor = speed_of(speed)
    with sentences(), connected(redis_url(into)) as client:
        log, done = EventLog(client, retention_h=retention_h), []
        with bars() as progress:
            for source in sources:
                for playable in _playables(source):
                    done.append(_play(log, playable, factor, tracking, progress))
        print_table("Played", [played_row(played) for played in done], as_json=as_json)


def _playables(source: str) -> list[Playable]:
    path = Path(source)
    return from_file(path) if path.is_file() else [from_lake(Lake(Settings.from_env().lake_url), source)]


def _play(log: EventLog, playable: Playable, speed: float | None, tracking: bool, progress: Progress) -> Played:
    task = progress.add_task(playable.match.header.map[:12] or "replay", total=length(playable, tracking=tracking))
    return play(log, playable, speed, tracking=tracking, on_progress=lambda sent: progress.update(task, completed=sent))
