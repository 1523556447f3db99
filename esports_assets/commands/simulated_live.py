"""Playing into the log: what ``replay`` and ``simulate --live`` share, and simulated matches without an end.

Belongs here: arguments, progress and reports of playing.
Does not belong here: how a match is played (``streams/replay.py``), which are simulated (``live_simulation.py``).
"""

import secrets
import threading
from collections import deque
from typing import Annotated, Any

import typer

from esports_assets.commands.console import err, print_table, sentences
from esports_assets.commands.deadletter import redis_url
from esports_assets.commands.stopping import stoppable
from esports_assets.streams.connect import connected
from esports_assets.streams.log import EventLog
from esports_assets.streams.replay import Played

Into = Annotated[str | None, typer.Option("--into", help="Redis to play into; the platform's own by default.")]
_MOST_ROWS = 200


def play_live(
    matches: int | None,
    seed: int | None,
    speed: float | None,
    concurrent: int,
    into: str | None,
    retention_h: float,
    as_json: bool,
) -> None:
    """Play simulated matches into the log, without an end where their number is not given, until Ctrl-C."""
    from esports_assets.live_simulation import Programme, play_programme

    chosen = secrets.randbelow(2**31) if seed is None else seed
    done: deque[Played] = deque(maxlen=_MOST_ROWS)
    stop = threading.Event()

    def tell(played: Played) -> None:
        done.append(played)
        err.print(f"{played.match_id}: {played.sent} events and frames", highlight=False)

    with sentences(), stoppable(), connected(redis_url(into)) as client:
        err.print(f"Playing simulated matches of seed {chosen}; Ctrl-C ends it.", highlight=False)
        try:
            programme = Programme(chosen, matches, concurrent, speed)
            play_programme(EventLog(client, retention_h=retention_h), programme, stop, tell)
        except KeyboardInterrupt:
            err.print("Stopping.")
        print_table("Played", [played_row(played) for played in done], as_json=as_json)


def speed_of(speed: str) -> float | None:
    """A speed as it is written; None for as fast as the log takes it."""
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise typer.BadParameter(f"{speed!r} is neither a number above 0 nor max", param_hint="--speed")
    return factor


def played_row(played: Played) -> dict[str, Any]:
    """What became of a match, as a row."""
    return {
        "match_id": played.match_id,
        "sent": played.sent,
        "appended": played.appended,
        "duplicates": played.duplicates,
        "seconds": round(played.seconds, 3),
        "per_s": round(played.per_s),
    }
