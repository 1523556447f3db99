"""``grid``: series of GRID's live feed into the log, until they are over.

Belongs here: arguments and the report.
Does not belong here: the connection (``serving/grid_client.py``), what a transaction says (``adapters/grid``).
"""

import asyncio
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esports_assets.commands.console import Json, give_up, print_table, sentences
from esports_assets.commands.deadletter import redis_url
from esports_assets.commands.stopping import stoppable
from esports_assets.streams.connect import connected

if TYPE_CHECKING:
    from serving.grid_client import Followed


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(grid)


def grid(
    series: Annotated[list[str], typer.Argument(metavar="SERIES...", help="GRID's ids of series.")],
    into: Annotated[str | None, typer.Option("--into", help="Redis of the log; the platform's own by default.")] = None,
    as_json: Json = False,
) -> None:
    """Follow series of GRID's live feed into the log until they are over. Needs GRID_API_KEY; breaks are mended."""
    from serving.grid_client import GridClient
    from serving.intake import feed_of
    from serving.settings import Settings

    with sentences(), stoppable():
        settings = Settings(redis_url=redis_url(into))
        if not settings.grid_api_key.get_secret_value():
            raise give_up("GRID_API_KEY is not set, and GRID lets nobody in without a key")
        with connected(settings.redis_url) as client:
            feed, stop = feed_of(client, settings), threading.Event()
            watching = threading.Thread(target=feed.grid.run, args=(stop,), daemon=True)
            watching.start()
            try:
                found = asyncio.run(GridClient(feed, settings).follow_all(list(dict.fromkeys(series))))
            finally:
                stop.set()
                watching.join()
            rows = [_row(one, told) for one, told in zip(dict.fromkeys(series), found, strict=True)]
        print_table("Followed", rows, as_json=as_json)
        if not all(row["ended"] for row in rows):
            raise typer.Exit(1)


def _row(series: str, told: "Followed | BaseException") -> dict[str, Any]:
    if isinstance(told, BaseException):
        return {"series": series, "messages": 0, "connections": 0, "ended": False, "reason": str(told)}
    counted = {"messages": told.messages, "connections": told.connections, "ended": told.ended}
    return {"series": series, **counted, "reason": ""}
