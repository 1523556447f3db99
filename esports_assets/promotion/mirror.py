"""Markers in the object store: which version an alias means and which registered model serves a task.

Belongs here: reading and writing the markers, each one atomic put of a line of text, and their validation.
Does not belong here: the decision to promote (``policy.py``), the registry and the ledger, the bundles themselves.

``bundles/<registered>/.alias_<alias>`` holds ``{registered}@{alias} v{version}``; ``bundles/.champion_<task>`` holds
the registered name that serves the task.
"""

import re
from typing import Final

from esports_assets.models.bundle import Objects, check_registered, check_task, check_version

ALIASES: Final = ("Production", "B", "shadow1", "shadow2")
"""Every alias that a registered model may carry."""
_MARKER = re.compile(r"(?P<registered>[^@\s]+)@(?P<alias>\w+) v(?P<version>[0-9]+)\n")


class MarkerError(ValueError):
    """A marker that may not be written or does not read; the message is one sentence."""


def check_alias(alias: str) -> str:
    """The alias, if it is one of ``ALIASES``; otherwise MarkerError."""
    if alias not in ALIASES:
        raise MarkerError(f"{alias!r} is not an alias; aliases are {', '.join(ALIASES)}.")
    return alias


def alias_key(registered: str, alias: str) -> str:
    """Where the marker of an alias lies."""
    return f"bundles/{check_registered(registered)}/.alias_{check_alias(alias)}"


def champion_key(task: str) -> str:
    """Where the champion marker of a task lies."""
    return f"bundles/.champion_{check_task(task)}"


def write_alias(store: Objects, registered: str, alias: str, version: str) -> str:
    """Point an alias at a version; returns the marker's text."""
    text = f"{registered}@{alias} v{check_version(version)}\n"
    store.put(alias_key(registered, alias), text.encode())
    return text


def read_alias(store: Objects, registered: str, alias: str) -> str | None:
    """The version that an alias means; None if it means none. MarkerError for a marker that is not one."""
    key = alias_key(registered, alias)
    text = _read(store, key)
    if text is None:
        return None
    match = _MARKER.fullmatch(text)
    if match is None or (match["registered"], match["alias"]) != (registered, alias):
        raise MarkerError(f"The marker {key} holds {text[:80]!r} instead of '{registered}@{alias} v<version>'.")
    return check_version(match["version"])


def clear_alias(store: Objects, registered: str, alias: str) -> bool:
    """Withdraw an alias; whether there was one."""
    return store.delete(alias_key(registered, alias))


def aliases(store: Objects, registered: str) -> dict[str, str]:
    """Every alias that a registered model carries now, with its version, in the order of ``ALIASES``."""
    found = ((alias, read_alias(store, registered, alias)) for alias in ALIASES)
    return {alias: version for alias, version in found if version is not None}


def write_champion(store: Objects, task: str, registered: str) -> None:
    """Let a registered model serve a task; it must be a model of that task."""
    key = champion_key(task)
    _same_task(task, registered)
    store.put(key, registered.encode())


def read_champion(store: Objects, task: str) -> str | None:
    """The registered name that serves a task; None if none does. MarkerError for a marker that is not one."""
    key = champion_key(task)
    text = _read(store, key)
    if text is None:
        return None
    registered = text.strip()
    try:
        _same_task(task, registered)
    except ValueError as error:
        raise MarkerError(f"The marker {key} holds {text[:80]!r} instead of a registered name of {task}.") from error
    return registered


def _same_task(task: str, registered: str) -> None:
    if not check_registered(registered).startswith(f"{task}."):
        raise MarkerError(f"{registered} is not a model of the task {task}.")


def _read(store: Objects, key: str) -> str | None:
    data = store.find(key)
    return None if data is None else data.decode("utf-8", errors="replace")
