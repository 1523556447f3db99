"""``live``: workers on the shards of the log, until Ctrl-C.

Belongs here: starting and stopping worker processes with the servers that they need.
Does not belong here: what a worker does (``serving/live.py``).
"""

import sys
from typing import Annotated

import typer

from esports_assets.commands.children import LIVE_NOTES, Children
from esports_assets.commands.console import err, sentences
from esports_assets.commands.stopping import stay, stoppable
from esports_assets.commands.world import ROOT, open_world
from esports_assets.settings import Settings
from esports_assets.storage import embedded

COMMAND = [sys.executable, "-m", "serving.live"]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(live)


def live(
    workers: Annotated[int, typer.Option("--workers", min=1, max=16, help="How many processes share the shards.")] = 1,
) -> None:
    """Read the log and say what players are about to do, until Ctrl-C: signals, reviews and micro-actions, each once.

    Any number of workers may run, here or elsewhere on the same Redis and PostgreSQL; what a dead one leaves goes to the others.
    """
    with sentences():
        given = Settings.from_env()
        ran_before = any(entry.running for entry in embedded.status(given))
        try:
            with stoppable(), Children(given.home, ROOT, LIVE_NOTES) as children:
                settings = open_world()
                started = [children.start(f"live-{n}", COMMAND, settings.environment()) for n in range(1, workers + 1)]
                for child in started:
                    err.print(f"{child.name} works; its log is {child.log}", highlight=False)
                stay(children)
        finally:
            if not ran_before:
                embedded.down(given)
