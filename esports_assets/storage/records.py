"""The small JSON records of the lake, and where each thing lies in it.

Belongs here: dataclasses of the index (raw files, matches, derived tables, failures, receipts), their JSON, and keys.
Does not belong here: reading and writing (``lake.py``), columns (``canonical/schema.py``).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import msgspec

from esports_assets.adapters.base import Refusal, day_of_name
from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.invariants import INVARIANTS
from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.vocabulary import Title

_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]+")
_ENDINGS = re.compile(r"(\.[A-Za-z0-9]{1,8}){0,2}$")
_LONGEST_NAME = 180
"""With day, hash and ending around it, it fits into a file name, which has at most 255 bytes."""
T = TypeVar("T")

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class RawFile:
    """A source file in the lake: its bytes never change, the key holds the start of their hash."""

    title: Title
    day: date
    sha12: str
    name: str

    @property
    def entry(self) -> str:
        """Bytes and name in one word, wherever they are filed."""
        return f"{self.sha12}__{self.name}"

    @property
    def key(self) -> str:
        """Where the bytes lie."""
        return f"{day_folder(f'raw/{self.title.value}', self.day)}/{self.entry}"

    @classmethod
    def of_key(cls, key: str) -> "RawFile":
        """The inverse of ``key``; ValueError for a foreign key."""
        parts = key.split("/")
        if len(parts) != 4 or parts[0] != "raw" or "__" not in parts[3]:
            raise ValueError(f"{key} is not the key of a raw file")
        sha12, _, name = parts[3].partition("__")
        return cls(Title(parts[1]), day_of_folder(parts[2]), sha12, name)


@dataclass(frozen=True, slots=True)
class MatchKey:
    """Where a match stands in the lake."""

    title: Title
    day: date
    match_id: str

    @classmethod
    def of(cls, header: MatchHeader) -> "MatchKey":
        """The key of a match with this header."""
        return cls(header.title, header.day, header.match_id)


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """What the lake knows of a match without opening a table.

    ``versions`` holds the content hash of every table; ``raw`` is the key of the raw file that it was read from.
    """

    header: MatchHeader
    versions: Mapping[str, str]
    rows: Mapping[str, int]
    adapter_version: str = ""
    raw: str = ""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def quarantined(self) -> tuple[Finding, ...]:
        """The broken invariants for which nothing is computed from this match; empty for an accepted one."""
        return tuple(finding for finding in self.findings if finding.rule in INVARIANTS)

    @property
    def data_version(self) -> str:
        """One version of the match's tables together."""
        return combined_hash(self.versions)


@dataclass(frozen=True, slots=True)
class DerivedRecord:
    """A table computed from one match: its version, rows, and facts such as the fingerprint of the features."""

    match_id: str
    day: date
    version: str
    rows: int
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """What was refused of one raw file."""

    raw: str
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The last thing written for a source file: which adapter version read it to the end, and what came of it.

    ``matches`` are those that the lake holds from this file; ``copies`` are identities of matches that it holds too and the
    lake has from other files. A file of copies alone leaves a receipt and no bytes.
    """

    raw: str
    adapter: str
    adapter_version: str
    matches: tuple[MatchKey, ...]
    refusals: int
    copies: tuple[str, ...] = field(default=())


def to_json(record: Any) -> bytes:
    """A record as JSON with sorted keys: equal records give equal bytes."""
    return _encode(record)


def from_json(data: bytes, kind: type[T]) -> T:
    """The inverse of ``to_json``."""
    return msgspec.json.decode(data, type=kind)


def safe_name(name: str) -> str:
    """A file name with ``[A-Za-z0-9_.-]`` only, short enough, with the same endings and the same day as the original.

    What is cut or has no safe letter keeps apart by a short hash; a safe name stays as it is.
    """
    cleaned = _UNSAFE.sub("-", name)
    if not cleaned.strip("-."):
        cleaned = f"unnamed-{_told(name)}"
    if len(cleaned) > _LONGEST_NAME:
        found = _ENDINGS.search(cleaned)
        endings = found[0] if found else ""
        cleaned = f"{cleaned[: _LONGEST_NAME - len(endings) - 20]}_{_told(name)}{endings}"
    day = day_of_name(name)
    return cleaned if day_of_name(cleaned) == day else f"{day.isoformat()}_{cleaned}"


def _told(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def day_folder(folder: str, day: date) -> str:
    """The folder of a day partition."""
    return f"{folder}/day={day.isoformat()}"


def day_of_folder(name: str) -> date:
    """The inverse of ``day_folder`` for the folder's own name."""
    return date.fromisoformat(name.removeprefix("day="))


def match_file(match_id: str) -> str:
    """The file stem of a match: its id with ``:`` as ``~``."""
    return match_id.replace(":", "~")


def match_of_file(key: str) -> str:
    """The match id of a key that ends in a match file."""
    return key.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("~", ":")
