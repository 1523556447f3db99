"""What an adapter is: raw bytes of one file in, canonical matches and refusals out.

Belongs here: the protocol, the error tree, and what every adapter shares (opening, recording refusals, day from a name).
Does not belong here: words of a source (``<source>/mapping.py``), network, Dagster, Redis, the lake.

    AdapterError
    ├── UnreadableFile    the bytes are not what their container says (truncated xz, broken zip, not JSON)
    ├── WrongFormat       readable, but not this source's format or title
    └── MalformedRecord   the right format with a record that cannot be true; only that row, message or match is refused
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.match import CanonicalMatch


class AdapterError(ValueError):
    """A refusal in one sentence: file, place in it, and reason."""

    def __init__(self, file: str, place: str, reason: str) -> None:
        super().__init__(f"{file}: {place}: {reason}" if place else f"{file}: {reason}")
        self.file = file
        self.place = place
        self.reason = reason


class UnreadableFile(AdapterError):
    """The bytes are not what their container says."""


class WrongFormat(AdapterError):
    """Readable, but not of this source or title."""


class MalformedRecord(AdapterError):
    """The right format with a record that cannot be true."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read: its name (for ids, dates and messages) and its bytes."""

    name: str
    data: bytes

    @classmethod
    def open(cls, path: Path) -> "SourceFile":
        """Read a file of this machine; the name is the file's own, without its folders."""
        return cls(path.name, path.read_bytes())

    @property
    def sha256(self) -> str:
        """Content hash of the raw bytes: the data version of the raw asset."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that did not become a match or an event: which file, where in it, why. Recorded in the lake."""

    file: str
    place: str
    reason: str
    kind: str = "MalformedRecord"

    @classmethod
    def of(cls, error: AdapterError) -> "Refusal":
        """The record of an error."""
        return cls(error.file, error.place, error.reason, type(error).__name__)

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.reason}" if self.place else f"{self.file}: {self.reason}"


MAX_REFUSALS = 1000
"""Refusals of one file that are recorded one by one."""


class RefusalLog:
    """The refusals of one file as they are found; beyond ``MAX_REFUSALS`` one sentence stands for the rest."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._refusals: list[Refusal] = []

    def add(self, found: Refusal | AdapterError) -> None:
        """Record a refusal."""
        refusal = found if isinstance(found, Refusal) else Refusal.of(found)
        if len(self._refusals) == MAX_REFUSALS:
            reason = "from here on, further refusals are not recorded"
            self._refusals.append(Refusal(self._file, refusal.place, reason))
        elif len(self._refusals) < MAX_REFUSALS:
            self._refusals.append(refusal)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What was refused so far, in order."""
        return tuple(self._refusals)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: complete matches, and what was refused of it."""

    matches: tuple[CanonicalMatch, ...] = ()
    refusals: tuple[Refusal, ...] = field(default=())


class Adapter(Protocol):
    """One source format. Pure: the same bytes give the same reading, and nothing else is touched."""

    @property
    def name(self) -> str:
        """Prefix of match, player and team ids."""

    @property
    def version(self) -> str:
        """Code version: bump it when the same bytes give another reading."""

    @property
    def suffixes(self) -> Sequence[str]:
        """File name endings that it may recognise."""

    def recognises(self, file: SourceFile) -> bool:
        """Whether the file looks like this source, judged by name and first bytes only."""

    def read(self, file: SourceFile) -> Reading:
        """Everything the file says. Never raises for bad content: it is refused in the reading."""


_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")


def day_of_name(name: str) -> date:
    """The first ISO date in a file name, else 1970-01-01: the day partition of a source that tells no date.

    >>> day_of_name("2026-05-17_de_ancient_m02.json.xz").isoformat()
    '2026-05-17'
    """
    for found in _DATE.finditer(name):
        try:
            return date(*(int(part) for part in found.groups()))
        except ValueError:
            continue
    return EPOCH_DAY
