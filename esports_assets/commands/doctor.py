"""``doctor``: what is wrong with this machine, in sentences, each with its remedy.

Belongs here: checks of Python, packages, ports, URLs, permissions and disk.
Does not belong here: how a place is tried (``probes.py``, ``ports.py``), mending anything.
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
from rich.text import Text

from esports_assets.commands.children import left_over
from esports_assets.commands.console import Json, out, print_json, sentences
from esports_assets.commands.ports import trouble_with
from esports_assets.commands.probes import (
    database_answers,
    folder_takes_writes,
    mlflow_answers,
    redis_answers,
    store_takes_writes,
)
from esports_assets.commands.world import ROOT
from esports_assets.settings import Settings, SettingsError
from esports_assets.storage import embedded
from esports_assets.storage.urls import with_schema, without_password

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
        settings, wrong = Settings.usable_from_env()
        found = [*map(_of_variable, wrong), *examine(settings)]
        if as_json:
            print_json([asdict(entry) for entry in found])
        else:
            for entry in found:
                mark = ("ok       ", "green") if entry.well else ("problem  ", "bold red")
                out.print(Text.assemble(mark, entry.sentence, "" if entry.well else f" {entry.fix}"))
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
        lambda: _databases(settings),
        lambda: _folders(settings),
        lambda: _stores(settings),
    )
    return [diagnosis for check in checks for diagnosis in check()]


def _of_variable(error: SettingsError) -> Diagnosis:
    return Diagnosis(
        error.variable, False, f"{error}.", f"Correct {error.variable}; until then its default is looked at."
    )


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
    trouble = folder_takes_writes(settings.home)
    state = "can be written" if trouble is None else f"cannot be written by this user ({trouble})"
    fix = f"Give it to {os.environ.get('USER', 'this user')} (chown), or set ESPORTS_HOME to another folder."
    yield Diagnosis("home", trouble is None, f"{settings.home} {state}.", fix)
    there = next(folder for folder in (settings.home, *settings.home.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free / 1e9
    fix = f"Free at least {_ENOUGH_GB:.0f} GB, or set ESPORTS_HOME to another disk."
    yield Diagnosis("disk", free >= _ENOUGH_GB, f"{free:.1f} GB are free under {settings.home}.", fix)


def _ports(settings: Settings) -> Iterator[Diagnosis]:
    ours = left_over(settings.home)
    for variable, child, host, port in (
        ("API_PORT", "api", settings.api_host, settings.api_port),
        ("DAGSTER_PORT", "dagster", settings.dagster_host, settings.dagster_port),
    ):
        trouble = trouble_with(host, port)
        if child in ours:
            yield Diagnosis(variable, True, f"Port {port} is ours: {child} runs as process {ours[child]}.")
        elif trouble is None:
            yield Diagnosis(variable, True, f"Port {port} is free.")
        else:
            taken = "in use" in trouble
            host_variable = variable.replace("PORT", "HOST")
            fix = "Stop that program, or set" if taken else f"Set {host_variable} to an address of this machine, or"
            fix = f"{fix} {variable} to a free port."
            yield Diagnosis(variable, False, f"Port {port} {trouble}.", fix)
    if settings.api_port == settings.dagster_port:
        sentence = f"API_PORT and DAGSTER_PORT are both {settings.api_port}."
        yield Diagnosis("ports", False, sentence, "Set one of them to another port.")


def _servers(settings: Settings) -> Iterator[Diagnosis]:
    ask = {"postgres": database_answers, "valkey": redis_answers}
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


def _databases(settings: Settings) -> Iterator[Diagnosis]:
    """Dagster's and MLflow's, where they are not schemas of the database that was just asked."""
    for variable, what, url, schema, ask in (
        ("DAGSTER_PG_URL", "Dagster's database", settings.dagster_pg_url, "dagster", database_answers),
        ("MLFLOW_TRACKING_URI", "MLflow's registry", settings.mlflow_tracking_uri, "mlflow", mlflow_answers),
    ):
        ours = settings.database_url
        if url is None or (ours is not None and url == with_schema(ours, schema)):
            continue
        reason, shown = ask(url), without_password(url)
        if reason is None:
            yield Diagnosis(variable, True, f"{what} answers at {shown}.")
        else:
            fix = f"Start it, correct {variable}, or unset it to use the database of the project."
            yield Diagnosis(variable, False, f"{what} does not answer at {shown}: {reason}.", fix)


def _folders(settings: Settings) -> Iterator[Diagnosis]:
    trouble = folder_takes_writes(settings.dagster_home)
    state = "can be written" if trouble is None else f"cannot be written ({trouble})"
    fix = "Give it to this user, or set DAGSTER_HOME to another folder."
    yield Diagnosis("DAGSTER_HOME", trouble is None, f"DAGSTER_HOME {settings.dagster_home} {state}.", fix)


def _stores(settings: Settings) -> Iterator[Diagnosis]:
    for variable, url in (
        ("LAKE_URL", settings.lake_url),
        ("BUNDLES_URL", settings.bundles_url),
        ("ARTIFACTS_URL", settings.artifacts_url),
    ):
        trouble = store_takes_writes(url)
        if trouble is None:
            yield Diagnosis(variable, True, f"{variable} {url} can be written.")
        else:
            keys = ", or AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" if url.startswith("s3:") else ""
            yield Diagnosis(
                variable, False, f"{variable} {url} cannot be written: {trouble}.", f"Correct {variable}{keys}."
            )
