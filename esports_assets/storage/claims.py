"""Who holds a match: the lake keeps every match once, however many files tell it.

Belongs here: what makes two tellings one match, the pointers under ``identities/``, and which of two tellings stays.
Does not belong here: carrying the decision out (``landing.py``), reading files (``ingest.py``).
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.invariants import INVARIANTS
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.storage.lake import Lake
from esports_assets.storage.records import MatchKey, MatchRecord, RawFile, from_json, to_json


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file comes in: ``beside`` are the entries of all files of the same call, ``fresh`` those never ingested before."""

    beside: Collection[str] = ()
    fresh: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What decides between two files that tell the same match."""

    entry: str
    name: str
    quarantined: bool
    undated: bool
    rounds: int

    @classmethod
    def of_match(cls, match: CanonicalMatch, raw: RawFile) -> "Claim":
        """The claim of a file that was just read; the match's findings are complete."""
        quarantined = any(finding.rule in INVARIANTS for finding in match.findings)
        return cls(raw.entry, raw.name, quarantined, match.header.day == EPOCH_DAY, match.rounds.num_rows)

    @classmethod
    def of_record(cls, record: MatchRecord) -> "Claim":
        """The claim of the file that a match of the lake came from."""
        raw = RawFile.of_key(record.raw)
        undated = record.header.day == EPOCH_DAY
        return cls(raw.entry, raw.name, bool(record.quarantined), undated, record.rows["rounds"])

    def takes_over(self, held: "Claim", how: Arrival) -> bool:
        """Whether this file's telling takes the place of the one that is held.

        A file of the same name is a corrected one, unless both lie side by side. Otherwise accepted goes before quarantined,
        dated before undated, and more rounds are more of the match. Among equals what lies in the lake stays; of files that
        are new together it is the one with the shorter name, whichever was read first.
        """
        if self.corrects(held, how):
            return True
        mine, theirs = self._worth, held._worth
        return mine > theirs or (mine == theirs and held.entry in how.fresh and self._place < held._place)

    def corrects(self, held: "Claim", how: Arrival) -> bool:
        """Whether this is another version of the file that holds the match."""
        return self.name == held.name and held.entry not in how.beside

    @property
    def _worth(self) -> tuple[bool, bool, int]:
        return not self.quarantined, not self.undated, self.rounds

    @property
    def _place(self) -> tuple[int, str, str]:
        return len(self.name), self.name, self.entry


def identities(match: CanonicalMatch) -> tuple[str, ...]:
    """Keys of what a match is known by: its id, and its id without the day with its players and how each round ended.

    An id may carry the date of its file's name; the same match under another date has another id.
    """
    header = match.header
    title = header.title.value
    if not match.rounds.num_rows:
        return (_pointer(title, header.match_id),)
    dayless = header.match_id.replace(header.day.isoformat(), "")
    rounds = [match.rounds[name].to_pylist() for name in ("segment", "winner_side", "end_reason")]
    players = sorted(match.players["player"].to_pylist())
    return _pointer(title, header.match_id), _pointer(title, dayless, *players, str(rounds))


def holder(lake: Lake, identity: str) -> MatchRecord | None:
    """The match of the lake that an identity leads to, or None."""
    data = lake.store.find(identity)
    key = None if data is None else from_json(data, MatchKey)
    return None if key is None else lake.record(key.title, key.day, key.match_id)


def rivals(lake: Lake, match: CanonicalMatch, own: Collection[str]) -> list[tuple[str, MatchRecord]]:
    """The matches of the lake that are this one and came from another raw file than ``own`` (keys), each with the identity."""
    header, known_by = match.header, identities(match)
    found = [(known_by[0], lake.record(header.title, header.day, header.match_id))]
    found += [(identity, holder(lake, identity)) for identity in known_by]
    rival = {
        MatchKey.of(r.header): (identity, r) for identity, r in reversed(found) if r is not None and r.raw not in own
    }
    return list(rival.values())


def point(lake: Lake, identity: str, header: MatchHeader) -> None:
    """Let an identity lead to the match with this header."""
    data = to_json(MatchKey.of(header))
    if lake.store.find(identity) != data:
        lake.store.put(identity, data)


def is_backed(lake: Lake, record: MatchRecord) -> bool:
    """Whether the bytes that the match was read from are still there."""
    return bool(record.raw) and lake.store.exists(record.raw)


def _pointer(title: str, *words: str) -> str:
    told = hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
    return f"identities/{title}/{told}.json"
