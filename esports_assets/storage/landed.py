"""What became of source files: the report of one, and of many.

Belongs here: plain values, and what can be asked of them.
Does not belong here: bringing files in (``ingest.py``, ``landing.py``), how a command prints it.
"""

from dataclasses import dataclass, field
from datetime import date

from esports_assets.adapters.base import Refusal
from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.records import MatchRecord, RawFile


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A file that says what another one says: its match in the lake, or none where neither yields any."""

    file: str
    same_as: str
    match: MatchHeader | None = None

    def __str__(self) -> str:
        what = "has the same bytes as" if self.match is None else "holds the same match as"
        return f"{self.file} {what} {self.same_as}"


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What became of one source file: the matches that the lake holds from it, and what else is to be told.

    ``displaced`` are keys of raw files that gave a match of theirs up to it, with the header that the match has now.
    """

    file: str
    raw: str = ""
    records: tuple[MatchRecord, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    displaced: tuple[tuple[str, MatchHeader], ...] = ()
    unchanged: bool = False
    passed_over: bool = False

    @property
    def matches(self) -> tuple[MatchHeader, ...]:
        """The headers of its matches."""
        return tuple(record.header for record in self.records)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of all of them, in the order of their names."""

    files: tuple[IngestedFile, ...] = field(default=())
    passed_over: tuple[str, ...] = field(default=())
    """Files below a folder that are of no known source: licences, notes. A file that is named itself is always read."""

    @property
    def records(self) -> tuple[MatchRecord, ...]:
        """Every match that the lake holds from these files."""
        return tuple(record for file in self.files for record in file.records)

    @property
    def matches(self) -> tuple[MatchHeader, ...]:
        """The headers of these matches."""
        return tuple(record.header for record in self.records)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything that was refused."""
        return tuple(refusal for file in self.files for refusal in file.refusals)

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """What a person should know of the matches: match id and finding, those of quarantined matches too."""
        return tuple((record.header.match_id, finding) for record in self.records for finding in record.findings)

    @property
    def quarantined(self) -> tuple[MatchRecord, ...]:
        """Matches from which nothing is computed, because an invariant is broken."""
        return tuple(record for record in self.records if record.quarantined)

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """Files that hold a match which the lake holds from another one, and earlier files whose place was taken."""
        here = {file.raw for file in self.files}
        given_up = [
            Duplicate(RawFile.of_key(raw).name, RawFile.of_key(file.raw).name, header)
            for file in self.files
            for raw, header in file.displaced
            if raw not in here and RawFile.of_key(raw).name != RawFile.of_key(file.raw).name
        ]
        return (*(duplicate for file in self.files for duplicate in file.duplicates), *given_up)

    @property
    def copied(self) -> tuple[MatchHeader, ...]:
        """The matches of the lake that these files hold too."""
        return tuple(copy.match for copy in self.duplicates if copy.match is not None)

    @property
    def days(self) -> dict[Title, tuple[date, ...]]:
        """Days with matches that these files hold, per title: the partitions that they belong to."""
        found: dict[Title, set[date]] = {}
        for header in (*self.matches, *self.copied):
            found.setdefault(header.title, set()).add(header.day)
        return {title: tuple(sorted(days)) for title, days in sorted(found.items())}
