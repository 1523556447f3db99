"""``keys``: API keys from the command line.

Belongs here: arguments and reports of ``keys create|list|rotate|revoke``.
Does not belong here: what a key is and how it is kept (``serving/keys.py``).
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esports_assets.commands.console import Json, err, print_json, print_table, sentences
from esports_assets.commands.world import open_world
from serving.roles import Role, Scope

if TYPE_CHECKING:
    from serving.keys import ApiKey, Keys

_SHOWN = ("prefix", "name", "role", "scopes", "state", "expires_at", "last_used_at")
"""What a table has room for; JSON says all."""

Prefix = Annotated[str, typer.Argument(help="The key's prefix, as 'esports keys list' shows it.")]

keys = typer.Typer(
    help="API keys: make, list, replace and end them. A key is shown once; only its hash is kept.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(keys, name="keys")


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Whom it is for; stands in logs and audits.")],
    role: Annotated[Role, typer.Option("--role", help="What it may do.")] = Role.VIEWER,
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="Part of the API it reaches; may be repeated. All by default.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3650, help="How long it lives; for good by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    with sentences(), _opened() as kept:
        lifetime = None if days is None else timedelta(days=days)
        text, made = kept.create(name, role, getpass.getuser(), scopes=scope or (Scope.ALL,), lifetime=lifetime)
        _show(text, made, as_json)


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List every key that ever was, without the keys themselves."""
    with sentences(), _opened() as kept:
        _tell("API keys", kept.all(), as_json)


@keys.command()
def rotate(
    prefix: Prefix,
    overlap_h: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=24 * 90, help="How long the old key still opens.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Make the successor of a key; the old one ends after the overlap."""
    with sentences(), _opened() as kept:
        text, made = kept.rotate(prefix, getpass.getuser(), timedelta(hours=overlap_h))
        _show(text, made, as_json)


@keys.command()
def revoke(prefix: Prefix, as_json: Json = False) -> None:
    """End a key now."""
    with sentences(), _opened() as kept:
        _tell("Revoked", [kept.revoke(prefix)], as_json)


@contextmanager
def _opened() -> "Iterator[Keys]":
    from serving.database import Database
    from serving.keys import Keys

    settings = open_world()
    assert settings.database_url is not None
    database = Database(settings.database_url)
    try:
        yield Keys(database)
    finally:
        database.close()


def _show(text: str, key: "ApiKey", as_json: bool) -> None:
    if as_json:
        print_json({"key": text, **_row(key)})
        return
    typer.echo(text)
    err.print(f"Role {key.role.value}, prefix {key.prefix}. Keep it: it cannot be shown again.", highlight=False)


def _tell(title: str, found: "Sequence[ApiKey]", as_json: bool) -> None:
    rows = [_row(key) for key in found]
    if not as_json:
        rows = [{name: _short(row[name]) for name in _SHOWN} for row in rows]
    print_table(title, rows, as_json=as_json)


def _short(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value


def _row(key: "ApiKey") -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "role": key.role.value,
        "scopes": " ".join(sorted(scope.value for scope in key.scopes)),
        "state": key.state(datetime.now(UTC)),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "rotated_from": key.rotated_from,
    }
