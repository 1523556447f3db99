"""``replay``: a match into the log as if it were played now.

Belongs here: arguments, progress and the report.
Does not belong here: how a match is played (``streams/replay.py``).
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from esports_assets.commands.console import Json, print_table, sentences
from esports_assets.commands.data import bars
from esports_assets.commands.deadletter import RetentionHours, redis_url
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
    into: Annotated[
        str | None, typer.Option("--into", help="Redis to play into; the platform's own by default.")
    ] = None,
    tracking: Annotated[bool, typer.Option("--tracking/--no-tracking", help="Whether positions are sent too.")] = True,
    retention_h: RetentionHours = RETENTION_H,
    as_json: Json = False,
) -> None:
    """Play matches into the log, one after the other. Events keep their source time; what is there already stays as it is."""
    factor = _factor(speed)
    with sentences(), connected(redis_url(into)) as client:
        log, done = EventLog(client, retention_h=retention_h), []
        with bars() as progress:
            for source in sources:
                for playable in _playables(source):
                    done.append(_play(log, playable, factor, tracking, progress))
        print_table("Played", [_row(played) for played in done], as_json=as_json)


def _factor(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise typer.BadParameter(f"{speed!r} is neither a number above 0 nor max", param_hint="--speed")
    return factor


def _playables(source: str) -> list[Playable]:
    path = Path(source)
    return from_file(path) if path.is_file() else [from_lake(Lake(Settings.from_env().lake_url), source)]


def _play(log: EventLog, playable: Playable, speed: float | None, tracking: bool, progress: Progress) -> Played:
    task = progress.add_task(playable.match.header.map[:12] or "replay", total=length(playable, tracking=tracking))
    return play(log, playable, speed, tracking=tracking, on_progress=lambda sent: progress.update(task, completed=sent))


def _row(played: Played) -> dict[str, Any]:
    return {
        "match_id": played.match_id,
        "sent": played.sent,
        "appended": played.appended,
        "duplicates": played.duplicates,
        "seconds": round(played.seconds, 3),
        "per_s": round(played.per_s),
    }
