"""Stage: days whose source files the graph has not taken in, and how often it was asked to.

Belongs here: comparing what lies in the lake with what was recorded, and how far to go on asking after failures.
Does not belong here: runs and their states (the sensor of ``defs/``), versions of files (``sources.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from esports_assets.canonical.codec import combined_hash
from esports_assets.stages.sources import NOTHING

ATTEMPTS = 3
"""Runs that are asked for the same files of a day before a person must look."""


class Asked(msgspec.Struct, frozen=True):
    """The last request for a day: for which version of its files, for which time, and the key of its run."""

    version: str
    attempt: int
    run_key: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the graph recorded last of a day: the version of its files, and the event that says so."""

    version: str
    event: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What to ask for now (attempt by day), which days have a run under way, and which are given up."""

    ask: Mapping[str, int]
    under_way: tuple[str, ...]
    given_up: tuple[str, ...]


def arrivals(
    found: Mapping[str, str],
    recorded: Mapping[str, Recorded],
    asked: Mapping[str, Asked],
    under_way: Callable[[str], bool],
) -> Arrivals:
    """Compare the versions of days as they lie in the lake with those recorded.

    ``under_way`` says of a run key whether its run has not ended. A run that is over and did not record the files was in
    vain, whatever became of it.
    """
    ask: dict[str, int] = {}
    waiting, given_up = [], []
    for day in sorted({*found, *recorded}):
        version, last = found.get(day, NOTHING), asked.get(day)
        if day in recorded and recorded[day].version == version:
            continue
        if last is not None and under_way(last.run_key):
            waiting.append(day)
        elif last is None or last.version != version:
            ask[day] = 1
        elif last.attempt < ATTEMPTS:
            ask[day] = last.attempt + 1
        else:
            given_up.append(day)
    return Arrivals(ask, tuple(waiting), tuple(given_up))


def run_key_of(days: Mapping[str, str], recorded: Mapping[str, Recorded], attempt: int) -> str:
    """The key of a run over days with the versions that they have now.

    Dagster runs a key once for ever, so it names the attempt, and the events that the run starts from: files that change
    and change back are asked for anew.
    """
    since = {day: f"{version} after {recorded[day].event if day in recorded else 0}" for day, version in days.items()}
    return f"{min(days)} to {max(days)} {combined_hash(since)[:12]} attempt {attempt}"
