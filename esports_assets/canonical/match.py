"""A whole match in the language: what every adapter returns and every batch consumer reads.

Belongs here: the header, the four tables side by side, and their common data version.
Does not belong here: how they come to be (adapters) or where they are kept (``storage/lake.py``).
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.vocabulary import Title

INVALIDATED = "invalidated_by_source"
"""Rule of an adapter's finding that the source itself does not stand by the match."""

_UNSAFE = re.compile(r"[^a-z0-9_.\-]+")
_LONGEST_PART = 80
"""Three parts and an ending fit into a file name, which has at most 255 bytes."""


def identifier(*parts: str) -> str:
    """Join parts into an id that is safe in file names, URLs and metrics: lower case, ``[a-z0-9_.-]`` between colons.

    Names in other scripts keep apart by a short hash, and so do names that are cut because they are long.
    Raises ValueError for an empty part.

    >>> identifier("grid", "2578928", "1")
    'grid:2578928:1'
    """
    if not all(parts):
        raise ValueError(f"cannot build an id from {parts!r}: a part is empty")
    return ":".join(_safe(part) for part in parts)


def _safe(part: str) -> str:
    cleaned = _UNSAFE.sub("-", part.lower()).strip("-.")
    if cleaned and part.isascii() and len(cleaned) <= _LONGEST_PART:
        return cleaned
    told = hashlib.blake2b(part.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{cleaned[: _LONGEST_PART - len(told) - 1]}-{told}".strip("-.")


@dataclass(frozen=True, slots=True)
class MatchHeader:
    """What identifies a match: ids, title, map, day partition, source, and whether it was simulated."""

    match_id: str
    series_id: str
    title: Title
    map: str
    source: str
    day: date = EPOCH_DAY
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a match that a person should know: the name of the rule, where, and one sentence."""

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class CanonicalMatch:
    """One match: header and its tables with the schemas of ``schema.py``; findings are the adapter's own remarks."""

    header: MatchHeader
    events: pa.Table
    tracking: pa.Table
    rounds: pa.Table
    players: pa.Table
    findings: tuple[Finding, ...] = field(default=())

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The four tables by their declared name."""
        return {"events": self.events, "tracking": self.tracking, "rounds": self.rounds, "players": self.players}
