"""The lake's first shelf: source files as they came, what was refused of them, and receipts.

Belongs here: ``raw/``, ``failures/`` and ``receipts/``.
Does not belong here: what a source file says (adapters), tables (``match_shelf.py``).
"""

import hashlib
from collections.abc import Sequence
from datetime import date

from msgspec import ValidationError

from esports_assets.adapters.base import Refusal
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.records import (
    FailureRecord,
    RawFile,
    Receipt,
    day_folder,
    day_of_folder,
    from_json,
    safe_name,
    to_json,
)


class RawShelf:
    """Source files per title and day."""

    store: ObjectStore

    def write_raw(self, title: Title, day: date, name: str, data: bytes) -> RawFile:
        """Keep the bytes of a source file; bytes that are already there are left alone."""
        raw = RawFile(title, day, hashlib.sha256(data).hexdigest()[:12], safe_name(name))
        if not self.store.exists(raw.key):
            self.store.put(raw.key, data)
        return raw

    def raw_files(self, title: Title, day: date) -> list[RawFile]:
        """The source files of a day, by name and then hash."""
        keys = self.store.list(day_folder(f"raw/{title.value}", day))
        return sorted((RawFile.of_key(key) for key in keys), key=lambda raw: (raw.name, raw.sha12))

    def raw_days(self, title: Title) -> list[date]:
        """Days that hold source files."""
        return [day_of_folder(name) for name in self.store.folders(f"raw/{title.value}")]

    def raw_titles(self) -> list[Title]:
        """Titles that hold source files."""
        return [Title(name) for name in self.store.folders("raw")]

    def read_raw(self, raw: RawFile) -> bytes:
        """The bytes of a source file."""
        return self.store.get(raw.key)

    def delete_raw(self, raw: RawFile) -> bool:
        """Remove a source file with its receipt and failures; whether it was there. Its matches stay."""
        self.store.delete(_receipt_key(raw.sha12, raw.name))
        self.store.delete(_failure_key(raw))
        return self.store.delete(raw.key)

    def write_failures(self, raw: RawFile, refusals: Sequence[Refusal]) -> None:
        """Record what was refused of a source file; nothing refused clears an earlier record."""
        key = _failure_key(raw)
        if not refusals:
            self.store.delete(key)
            return
        data = to_json(FailureRecord(raw.key, tuple(refusals)))
        if self.store.find(key) != data:
            self.store.put(key, data)

    def failures(self, title: Title, day: date | None = None) -> list[FailureRecord]:
        """What was refused of the source files of a title, or of one of its days."""
        folder = f"failures/{title.value}" if day is None else day_folder(f"failures/{title.value}", day)
        return [from_json(self.store.get(key), FailureRecord) for key in self.store.list(folder)]

    def failure(self, raw: RawFile) -> FailureRecord | None:
        """What was refused of one source file, or None."""
        data = self.store.find(_failure_key(raw))
        return None if data is None else from_json(data, FailureRecord)

    def write_receipt(self, receipt: Receipt) -> None:
        """State that the source file was read to its end; written after everything that came of it."""
        raw = RawFile.of_key(receipt.raw)
        key, data = _receipt_key(raw.sha12, raw.name), to_json(receipt)
        if self.store.find(key) != data:
            self.store.put(key, data)

    def receipt(self, sha12: str, name: str) -> Receipt | None:
        """What the last complete reading of a source file gave, by its hash and name, or None.

        A receipt of another form than today's counts as none: it only saves reading the file again.
        """
        data = self.store.find(_receipt_key(sha12, name))
        try:
            return None if data is None else from_json(data, Receipt)
        except ValidationError:
            return None


def _failure_key(raw: RawFile) -> str:
    return f"{day_folder(f'failures/{raw.title.value}', raw.day)}/{raw.sha12}.json"


def _receipt_key(sha12: str, name: str) -> str:
    return f"receipts/{sha12}__{safe_name(name)}.json"
