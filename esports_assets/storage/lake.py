"""The lake: source files, canonical tables and what is computed from them, in a directory or on S3.

    raw/<title>/day=D/<sha12>__<name>                       source files as they came
    receipts/<sha12>__<name>.json                           which adapter version read them, and what came of it
    failures/<title>/day=D/<sha12>.json                     what was refused of them
    identities/<title>/<digest>.json                        which match of the lake is meant, whatever a file calls it
    canonical/<title>/<table>/day=D/<match>.parquet         events, tracking, rounds, players
    canonical/<title>/matches/day=D/<match>.json            the index, written last
    windows/<title>/<window>/day=D/<match>.parquet          features
    windows/<title>/<window>/matches/day=D/<match>.json     their index, written last
    predictions/<title>/<task>/<registered>/<version>/<match>.parquet

Belongs here: the three shelves side by side over one store.
Does not belong here: what the tables mean, who computes them, models and bundles (``objects.py``).
"""

from collections.abc import Collection
from datetime import date
from pathlib import Path

from esports_assets.canonical.match import MatchHeader
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.derived_shelf import DerivedShelf
from esports_assets.storage.match_shelf import MatchShelf
from esports_assets.storage.objects import KeyNotFound, ObjectStore, StorageError
from esports_assets.storage.raw_shelf import RawShelf
from esports_assets.storage.records import DerivedRecord, FailureRecord, MatchKey, MatchRecord, RawFile, Receipt

__all__ = [
    "DerivedRecord",
    "FailureRecord",
    "KeyNotFound",
    "Lake",
    "MatchKey",
    "MatchRecord",
    "RawFile",
    "Receipt",
    "StorageError",
]


class Lake(DerivedShelf, RawShelf, MatchShelf):
    """A lake at a path, ``file://`` or ``s3://bucket/prefix``; it may be sent to other processes."""

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        self.store = ObjectStore(url)

    def __repr__(self) -> str:
        return f"Lake({self.url!r})"

    def __reduce__(self) -> tuple[type["Lake"], tuple[str]]:
        return Lake, (self.url,)

    def delete_match(self, header: MatchHeader) -> bool:
        """Remove a match, index first, with everything that was computed from it; whether it was there."""
        there = self.delete_tables(header)
        self.delete_derived(header)
        return there

    def retain(self, title: Title, day: date, match_ids: Collection[str]) -> list[str]:
        """Remove the matches of a day that are not among the given ids; returns the ids that went."""
        gone = [record.header for record in self.matches(title, day) if record.header.match_id not in match_ids]
        for header in gone:
            self.delete_match(header)
        return [header.match_id for header in gone]
