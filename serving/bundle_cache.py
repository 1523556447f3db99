"""Bundles of a distant store, kept on this machine's disk: a start reads them from there, also while the store is away.

A written bundle never changes, so its files are read once. Markers are always asked for; only a process that has not seen one
since it started takes the last one known here where the store does not answer, and says so.

Belongs here: the copy. Does not belong here: verifying a bundle (``models.bundle`` does at every load), which models serve.
"""

import logging
import re
from pathlib import Path

from esports_assets.storage.objects import ObjectStore, StorageError

_BUNDLE_FILE = re.compile(r"bundles/[^/]+/[1-9][0-9]*/[^/]+")
_FOLLOWED = "followed"
"""Stands in the copy once markers were read: one that is not there then was not in the store either."""
_log = logging.getLogger("serving")


class CachedStore:
    """An object store with a copy of what was read of it."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._copy = ObjectStore(folder)
        self._seen: set[str] = set()
        self.away: str | None = None
        """That markers of an earlier run are followed, in a sentence."""

    def find(self, key: str) -> bytes | None:
        """The bytes, or None where nothing is stored. What the store raises, unless the copy stands in."""
        if _BUNDLE_FILE.fullmatch(key):
            return self._bundle_file(key)
        try:
            data = self._store.find(key)
        except StorageError as error:
            if key in self._seen or not self._copy.exists(_FOLLOWED):
                raise
            if self.away is None:
                _log.error("the object store does not answer (%s); markers of an earlier run are followed", error)
            self.away = "The object store does not answer; models start as they last stood on this machine."
            return self._copy.find(key)
        self._seen.add(key)
        self.away = None
        self._keep(key, data)
        self._keep(_FOLLOWED, b"")
        return data

    def put(self, key: str, data: bytes) -> None:
        """Store atomically."""
        self._store.put(key, data)

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        return self._store.exists(key)

    def delete(self, key: str) -> bool:
        """Remove; whether something was there."""
        return self._store.delete(key)

    def _bundle_file(self, key: str) -> bytes | None:
        kept = self._copy.find(key)
        if kept is not None:
            return kept
        data = self._store.find(key)
        if data is not None:
            self._keep(key, data)
        return data

    def _keep(self, key: str, data: bytes | None) -> None:
        """Follow the store; a disk that takes nothing costs a later start, not this one."""
        try:
            if data is None:
                self._copy.delete(key)
            elif self._copy.find(key) != data:
                self._copy.put(key, data)
        except StorageError as error:
            _log.warning("%s is not kept on this machine: %s", key, error)


def store_of(url: str, home: str) -> ObjectStore | CachedStore:
    """The store at a URL: a directory as it is, anything distant with a copy below ``home``."""
    store = ObjectStore(url)
    return store if store.local_root is not None else CachedStore(store, Path(home) / "cache" / "bundles")
