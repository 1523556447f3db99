"""``up``, ``down`` and ``env``.

Belongs here: the embedded servers from the command line, and where things are as shell exports.
Does not belong here: how servers start (``storage/embedded.py``).
"""

import shlex
from typing import Any

import typer

from esports_assets.commands.children import LIVE_NOTES, stop_left_over
from esports_assets.commands.console import Json, print_json, print_table, say, sentences
from esports_assets.commands.world import open_world, prepare_dagster
from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.urls import without_password


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(env)


def up(as_json: Json = False) -> None:
    """Start the embedded PostgreSQL and Valkey (or find them running) and migrate the tables."""
    with sentences():
        open_world()
        print_table("Servers", server_rows(Settings.from_env()), as_json=as_json)


def down(as_json: Json = False) -> None:
    """Stop the embedded servers and whatever an earlier run left behind. Data stays."""
    with sentences():
        settings = Settings.from_env()
        stopped = [*stop_left_over(settings.home), *stop_left_over(settings.home, LIVE_NOTES), *embedded.down(settings)]
        if as_json:
            print_json({"stopped": stopped})
        else:
            say(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


def env(as_json: Json = False) -> None:
    """Print exports for a shell: after ``eval "$(esports env)"``, plain ``dagster dev -w workspace.yaml`` works."""
    with sentences():
        settings = embedded.attach(Settings.from_env())
        prepare_dagster(settings)
        exports = settings.environment()
        if as_json:
            print_json(exports)
            return
        for name, value in exports.items():
            typer.echo(f"export {name}={shlex.quote(value)}")


def server_rows(settings: Settings) -> list[dict[str, Any]]:
    """The servers as rows of a table, passwords hidden."""
    return [
        {
            "server": entry.name,
            "kind": "embedded" if entry.embedded else "external",
            "running": "yes" if entry.running else "no",
            "pid": entry.pid,
            "url": without_password(entry.url or ""),
        }
        for entry in embedded.status(settings)
    ]
