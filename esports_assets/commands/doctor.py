"""``doctor``: what is wrong with this machine, in sentences, each with its remedy.

Belongs here: checks of Python, packages, ports, URLs, permissions and disk.
Does not belong here: mending anything.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer
from packaging.requirements import Requirement

from esports_assets.commands.children import left_over
from esports_assets.commands.console import Json, out, print_json, sentences
from esports_assets.commands.ports import is_free
from esports_assets.commands.world import ROOT
from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.objects import ObjectStore, StorageError
from esports_assets.storage.urls import without_password

_ENOUGH_GB = 2.0
_PINNED = re.compile(r"^(?P<line>[A-Za-z0-9][^\\\n]*?)\s*\\?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One check: what was looked at, whether it is well, one sentence, and what to do otherwise."""

    check: str
    well: bool
    sentence: str
    fix: str = ""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(doctor)


def doctor(as_json: Json = False) -> None:
    """Say what is wrong with ports, versions, URLs, permissions, disk and Python, and how to mend it."""
    with sentences():
        found = examine(Settings.from_env())
        if as_json:
            print_json([asdict(entry) for entry in found])
        else:
            for entry in found:
                mark = "[green]ok[/]      " if entry.well else "[bold red]problem[/] "
                out.print(f"{mark} {entry.sentence}{'' if entry.well else f' {entry.fix}'}", highlight=False)
        if not all(entry.well for entry in found):
            raise typer.Exit(1)


def examine(settings: Settings, lock: Path = ROOT / "requirements.lock") -> list[Diagnosis]:
    """Every check, in the order in which a person would want to mend things."""
    checks: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        _python,
        lambda: _packages(lock),
        lambda: _home(settings),
        lambda: _ports(settings),
        lambda: _servers(settings),
        lambda: _stores(settings),
    )
    return [diagnosis for check in checks for diagnosis in check()]


def _python() -> Iterator[Diagnosis]:
    name = ".".join(map(str, sys.version_info[:3]))
    well = (3, 11) <= sys.version_info[:2] < (3, 15)
    yield Diagnosis(
        "python", well, f"Python is {name}.", "Use 3.11 to 3.14: rm -r .venv, then make install PYTHON=python3.x."
    )


def _packages(lock: Path) -> Iterator[Diagnosis]:
    if not lock.is_file():
        yield Diagnosis("packages", False, f"{lock.name} is missing.", "Restore it: git checkout requirements.lock.")
        return
    wrong = []
    pinned = [Requirement(found["line"]) for found in _PINNED.finditer(lock.read_text())]
    for requirement in pinned:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, not {str(requirement.specifier).removeprefix('==')}")
    fix = "Install the pinned ones: rm .venv/.installed, then make install."
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        yield Diagnosis(
            "packages", False, f"Installed packages differ from {lock.name}: {', '.join(wrong[:5])}{more}.", fix
        )
    else:
        yield Diagnosis("packages", True, f"All {len(pinned)} packages are those of {lock.name}.")


def _home(settings: Settings) -> Iterator[Diagnosis]:
    there = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    well = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    state = "can be written" if well else "cannot be written by this user"
    fix = f"Give it to {os.environ.get('USER', 'this user')} (chown), or set ESPORTS_HOME to another folder."
    yield Diagnosis("home", well, f"{settings.home} {state}.", fix)
    free = shutil.disk_usage(there).free / 1e9
    fix = f"Free at least {_ENOUGH_GB:.0f} GB, or set ESPORTS_HOME to another disk."
    yield Diagnosis("disk", free >= _ENOUGH_GB, f"{free:.1f} GB are free under {settings.home}.", fix)


def _ports(settings: Settings) -> Iterator[Diagnosis]:
    ours = left_over(settings.home)
    for variable, child, host, port in (
        ("API_PORT", "api", settings.api_host, settings.api_port),
        ("DAGSTER_PORT", "dagster", settings.dagster_host, settings.dagster_port),
    ):
        if child in ours:
            yield Diagnosis(variable, True, f"Port {port} is ours: {child} runs as process {ours[child]}.")
        elif is_free(host, port):
            yield Diagnosis(variable, True, f"Port {port} is free.")
        else:
            fix = f"Stop that program, or set {variable} to a free port."
            yield Diagnosis(variable, False, f"Port {port} is in use by another program.", fix)


def _servers(settings: Settings) -> Iterator[Diagnosis]:
    ask = {"postgres": _database_answers, "valkey": _redis_answers}
    for entry in embedded.status(settings):
        if entry.embedded and not entry.running:
            yield Diagnosis(entry.name, True, f"The embedded {entry.name} does not run; it starts when it is needed.")
            continue
        url = entry.url or ""
        reason = ask[entry.name](url)
        shown = without_password(url)
        if reason is None:
            yield Diagnosis(entry.name, True, f"{entry.name} answers at {shown}.")
        else:
            variable = "DATABASE_URL" if entry.name == "postgres" else "REDIS_URL"
            fix = (
                "Stop it with 'esports down' and start again."
                if entry.embedded
                else f"Start it, or correct {variable}."
            )
            yield Diagnosis(entry.name, False, f"{entry.name} does not answer at {shown}: {reason}.", fix)


def _database_answers(url: str) -> str | None:
    import psycopg2

    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.Error as error:
        return str(error).strip().splitlines()[0]
    return None


def _redis_answers(url: str) -> str | None:
    import redis

    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        client.close()
    return None


def _stores(settings: Settings) -> Iterator[Diagnosis]:
    for name, url in (("LAKE_URL", settings.lake_url), ("BUNDLES_URL", settings.bundles_url)):
        try:
            ObjectStore(url).folders()
        except (StorageError, OSError) as error:
            fix = f"Correct {name}, or AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            yield Diagnosis(name, False, f"{url} cannot be listed: {error}.", fix)
        else:
            yield Diagnosis(name, True, f"{name} {url} can be listed.")
