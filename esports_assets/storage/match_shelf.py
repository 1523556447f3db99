"""The lake's second shelf: canonical tables of matches, one Parquet file per table and match, and their index.

Belongs here: ``canonical/`` of a title. The index record of a match is written last: a match without one does not
exist.
Does not belong here: source files (``raw_shelf.py``), what is computed from matches (``derived_shelf.py``).
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pyarrow as pa

from esports_assets.canonical.codec import content_hash, read_parquet, write_parquet
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.records import MatchRecord, day_folder, day_of_folder, from_json, match_file, to_json

DECLARED = {table.name: table for table in CANONICAL_TABLES}


class MatchShelf:
    """Canonical tables per title, day and match."""

    store: ObjectStore

    def write_match(self, match: CanonicalMatch, *, adapter_version: str = "", raw: str = "") -> dict[str, str]:
        """Keep a match; returns the data version of every table.

        A table whose content did not change is not touched, nor is the index record when nothing in it changed.
        """
        header = match.header
        versions = {name: content_hash(table) for name, table in match.tables.items()}
        known = self.record(header.title, header.day, header.match_id)
        for name, table in match.tables.items():
            key = table_key(header, name)
            same = known is not None and known.header == header and known.versions.get(name) == versions[name]
            if not (same and self.store.exists(key)):
                facts = {**_facts(header), "adapter_version": adapter_version, "data_version": versions[name]}
                self.store.put(key, parquet_bytes(table, facts))
        record = MatchRecord(
            header=header,
            versions=versions,
            rows={name: table.num_rows for name, table in match.tables.items()},
            adapter_version=adapter_version,
            raw=raw,
            findings=match.findings,
        )
        data = to_json(record)
        if known is None or to_json(known) != data:
            self.store.put(_record_key(header.title, header.day, header.match_id), data)
        return versions

    def record(self, title: Title, day: date, match_id: str) -> MatchRecord | None:
        """What the index says of one match, or None."""
        data = self.store.find(_record_key(title, day, match_id))
        return None if data is None else from_json(data, MatchRecord)

    def matches(self, title: Title, day: date | None = None) -> list[MatchRecord]:
        """Every match of a title, or of one of its days, by day and id, without opening a table."""
        folder = f"canonical/{title.value}/matches"
        keys = self.store.list(folder if day is None else day_folder(folder, day))
        return [from_json(data, MatchRecord) for data in get_all(self.store, keys)]

    def find(self, title: Title, match_id: str) -> MatchRecord | None:
        """The match of that id on whatever day it was played, or None."""
        for day in self.days(title):
            record = self.record(title, day, match_id)
            if record is not None:
                return record
        return None

    def days(self, title: Title) -> list[date]:
        """Days that hold matches."""
        return [day_of_folder(name) for name in self.store.folders(f"canonical/{title.value}/matches")]

    def titles(self) -> list[Title]:
        """Titles that hold matches."""
        return [Title(name) for name in self.store.folders("canonical")]

    def read(self, table: str, header: MatchHeader, columns: Sequence[str] | None = None) -> pa.Table:
        """One table of one match with its declared types; KeyNotFound where the match is not in the lake."""
        return read_parquet(io.BytesIO(self.store.get(table_key(header, table))), DECLARED[table], columns)

    def load(self, header: MatchHeader) -> CanonicalMatch:
        """The whole match as its adapter gave it."""
        record = self.record(header.title, header.day, header.match_id)
        tables = {name: self.read(name, header) for name in DECLARED}
        return CanonicalMatch(header, **tables, findings=record.findings if record else ())

    def read_day(self, table: str, title: Title, day: date, columns: Sequence[str] | None = None) -> pa.Table:
        """One table of every match of a day, matches in the order of their ids; empty where there are none."""
        declared = DECLARED[table]
        parts = [self.read(table, record.header, columns) for record in self.matches(title, day)]
        if not parts:
            empty = declared.arrow.empty_table()
            return empty.select(list(columns)) if columns else empty
        return pa.concat_tables(part.replace_schema_metadata(None) for part in parts).unify_dictionaries()

    def delete_tables(self, header: MatchHeader) -> bool:
        """Remove the canonical tables of a match, index first; whether it was there."""
        there = self.store.delete(_record_key(header.title, header.day, header.match_id))
        for name in DECLARED:
            self.store.delete(table_key(header, name))
        return there


def table_key(header: MatchHeader, table: str) -> str:
    """Where a canonical table of a match lies."""
    folder = day_folder(f"canonical/{header.title.value}/{DECLARED[table].name}", header.day)
    return f"{folder}/{match_file(header.match_id)}.parquet"


def parquet_bytes(table: pa.Table, facts: Mapping[str, str]) -> bytes:
    """A table as Parquet with facts beside its schema."""
    sink = io.BytesIO()
    write_parquet(table, sink, facts)
    return sink.getvalue()


def get_all(store: ObjectStore, keys: Sequence[str]) -> Iterable[bytes]:
    """Many small objects, several at a time where each costs a round trip."""
    if store.local_root is not None or len(keys) < 4:
        return [store.get(key) for key in keys]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(store.get, keys))


def _record_key(title: Title, day: date, match_id: str) -> str:
    return f"{day_folder(f'canonical/{title.value}/matches', day)}/{match_file(match_id)}.json"


def _facts(header: MatchHeader) -> dict[str, str]:
    return {
        "match_id": header.match_id,
        "series_id": header.series_id,
        "title": header.title.value,
        "day": header.day.isoformat(),
        "map": header.map,
        "source": header.source,
        "simulated": "true" if header.simulated else "false",
    }
