"""The lake's third shelf: what is computed from matches, one Parquet file per match.

Belongs here: ``windows/`` (feature tables with a small index) and ``predictions/`` (what a model version says of a
match).
Does not belong here: canonical tables (``match_shelf.py``), models (``objects.py`` keeps bundles).
"""

import io
from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from esports_assets.canonical.codec import content_hash, read_parquet
from esports_assets.canonical.match import MatchHeader
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.match_shelf import get_all, parquet_bytes
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.records import (
    DerivedRecord,
    day_folder,
    day_of_folder,
    from_json,
    match_file,
    match_of_file,
    to_json,
)


class DerivedShelf:
    """Windows and predictions per match."""

    store: ObjectStore

    def write_windows(self, header: MatchHeader, window: str, table: pa.Table, facts: Mapping[str, str]) -> str:
        """Keep the feature table of a match; returns its data version.

        ``facts`` (fingerprint, data version of the match read, ...) stand in the file and in the index. The same
        content with the same facts is left alone.
        """
        version = content_hash(table)
        record = DerivedRecord(header.match_id, header.day, version, table.num_rows, dict(facts))
        data, key = to_json(record), _window_key(header, window)
        if not (self.store.find(_window_record_key(header, window)) == data and self.store.exists(key)):
            self.store.put(key, parquet_bytes(table, {**facts, "match_id": header.match_id, "data_version": version}))
            self.store.put(_window_record_key(header, window), data)
        return version

    def window_records(self, title: Title, window: str, day: date | None = None) -> list[DerivedRecord]:
        """The index of a window's feature tables, of all days or one, without opening them."""
        folder = f"windows/{title.value}/{window}/matches"
        keys = self.store.list(folder if day is None else day_folder(folder, day))
        return [from_json(data, DerivedRecord) for data in get_all(self.store, keys)]

    def window_days(self, title: Title, window: str) -> list[date]:
        """Days that hold feature tables of a window."""
        return [day_of_folder(name) for name in self.store.folders(f"windows/{title.value}/{window}/matches")]

    def read_windows(self, header: MatchHeader, window: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The feature table of one match; KeyNotFound where it was not computed."""
        return read_parquet(io.BytesIO(self.store.get(_window_key(header, window))), columns=columns)

    def delete_windows(self, header: MatchHeader, window: str) -> bool:
        """Remove the feature table of a match; whether it was there."""
        self.store.delete(_window_record_key(header, window))
        return self.store.delete(_window_key(header, window))

    def write_predictions(
        self,
        header: MatchHeader,
        task: str,
        registered: str,
        version: int | str,
        table: pa.Table,
        facts: Mapping[str, str],
    ) -> str:
        """Keep what one model version says of a match; returns the data version."""
        data_version = content_hash(table)
        data = parquet_bytes(table, {**facts, "match_id": header.match_id, "data_version": data_version})
        key = f"{_prediction_folder(header.title, task, registered, version)}/{match_file(header.match_id)}.parquet"
        if self.store.find(key) != data:
            self.store.put(key, data)
        return data_version

    def predicted(self, title: Title, task: str, registered: str, version: int | str) -> list[str]:
        """Ids of the matches that a model version was asked about."""
        return [match_of_file(key) for key in self.store.list(_prediction_folder(title, task, registered, version))]

    def read_predictions(
        self, title: Title, task: str, registered: str, version: int | str, match_id: str
    ) -> pa.Table | None:
        """What a model version said of a match, or None; facts and data version are in the schema's metadata."""
        folder = _prediction_folder(title, task, registered, version)
        data = self.store.find(f"{folder}/{match_file(match_id)}.parquet")
        return None if data is None else read_parquet(io.BytesIO(data))

    def delete_derived(self, header: MatchHeader) -> None:
        """Remove everything that was computed from a match."""
        for window in self.store.folders(f"windows/{header.title.value}"):
            self.delete_windows(header, window)
        name = f"{match_file(header.match_id)}.parquet"
        for key in self.store.list(f"predictions/{header.title.value}"):
            if key.endswith(f"/{name}"):
                self.store.delete(key)


def _window_key(header: MatchHeader, window: str) -> str:
    folder = day_folder(f"windows/{header.title.value}/{window}", header.day)
    return f"{folder}/{match_file(header.match_id)}.parquet"


def _window_record_key(header: MatchHeader, window: str) -> str:
    folder = day_folder(f"windows/{header.title.value}/{window}/matches", header.day)
    return f"{folder}/{match_file(header.match_id)}.json"


def _prediction_folder(title: Title, task: str, registered: str, version: int | str) -> str:
    return f"predictions/{title.value}/{task}/{registered}/{version}"
