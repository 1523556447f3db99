"""``land``: matches that ended in the stream go into the lake, without Dagster.

Belongs here: arguments, where the command remembers how far it is, and the report.
Does not belong here: landing (``stages/stream_landing.py``), the sensor that does the same and requests the days of the graph
(``defs/stream_sensor.py``).
"""

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from redis import Redis, RedisError

from esports_assets.commands.console import Json, err, out, print_json, say, sentences
from esports_assets.commands.deadletter import redis_url
from esports_assets.commands.stopping import stoppable
from esports_assets.settings import Settings
from esports_assets.stages.stream_landing import Landed, Position, Stage, keep_position, land, load_position
from esports_assets.storage.lake import Lake
from esports_assets.streams.connect import connect, connected
from esports_assets.streams.log import EventLog

PROBLEMS = 1


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(name="land")(land_matches)


def land_matches(
    follow: Annotated[
        bool, typer.Option("--follow/--once", help="Go on until it is stopped, or end with the stream.")
    ] = False,
    from_oldest: Annotated[
        bool, typer.Option("--from-oldest", help="Forget how far it was read; what the lake has is not landed again.")
    ] = False,
    every_s: Annotated[float, typer.Option("--every-s", min=0.01, help="Seconds between looks with --follow.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Land matches that ended in the stream in the lake. Ends with 1 where one makes no match or its beginning is gone."""
    with sentences():
        url, lake = redis_url(), Lake(Settings.from_env().lake_url)
        with connected(url) as client:
            if from_oldest:
                keep_position(client, Position())
            if not follow:
                raise typer.Exit(_report(list(_steps(client, lake)), as_json))
        with stoppable():
            try:
                _follow(url, lake, every_s, as_json)
            except KeyboardInterrupt:
                err.print("Stopping.")


def _steps(client: Redis, lake: Lake) -> Iterator[Landed]:
    """Steps until nothing is left to read or to land; the position is kept after each."""
    log = EventLog(client)
    while True:
        step = land(log, lake, load_position(client))
        keep_position(client, step.position)
        yield step
        if not step.read and not any(place.stage is Stage.DUE for place in step.position.matches.values()):
            return


def _follow(url: str, lake: Lake, every_s: float, as_json: bool) -> None:
    """Look again and again, also after the server was away for a while."""
    client = connect(url)
    while True:
        try:
            for step in _steps(client, lake):
                if step.landed or step.refused or step.lost:
                    _tell(_facts([step]), as_json)
        except RedisError as error:
            err.print(f"The server does not answer, trying again: {error}", markup=False)
        time.sleep(every_s)


def _report(steps: list[Landed], as_json: bool) -> int:
    facts = _facts(steps)
    _tell(facts, as_json)
    return PROBLEMS if facts["refused"] or facts["lost"] else 0


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    for match_id in facts["landed"]:
        say(f"landed {match_id}")
    for sentence in (*facts["refused"].values(), *facts["lost"].values()):
        say(sentence, "red")
    lag = facts["lag"]
    out.print(
        f"{facts['read']} entries read, {facts['malformed']} of them malformed; {len(facts['landed'])} matches landed, "
        f"{len(facts['repeated'])} were there; {len(facts['waiting'])} wait for their end; {lag['entries']} entries behind."
    )


def _facts(steps: list[Landed]) -> dict[str, Any]:
    """What steps did together, as plain values."""
    last = steps[-1]
    days = sorted({(title.value, day.isoformat()) for step in steps for title, d in step.days.items() for day in d})
    return {
        "read": sum(step.read for step in steps),
        "malformed": sum(step.malformed for step in steps),
        "landed": sorted({match_id for step in steps for match_id in step.landed}),
        "repeated": sorted({match_id for step in steps for match_id in step.repeated}),
        "days": [{"title": title, "day": day} for title, day in days],
        "refused": {told.match_id: told.sentence for step in steps for told in step.refused},
        "lost": {told.match_id: told.sentence for step in steps for told in step.lost},
        "waiting": last.position.waiting,
        "last": last.position.last,
        "lag": {"entries": last.lag.entries, "seconds": last.lag.seconds, "at_least": last.lag.at_least},
    }
