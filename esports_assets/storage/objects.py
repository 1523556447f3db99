"""Bytes under keys, in a local directory or in an S3 bucket, with one behaviour.

Belongs here: put, get, list, delete, exists, etag, what a key may look like, and one writer at a time for whoever asks.
Puts are atomic: a reader sees the old bytes or the new ones.
Does not belong here: what the bytes mean (``lake.py``, bundles), heavy imports (serving loads this module; S3 is
imported on first use only).
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

Keys = list[str]
"""Names in order; the stores have a method called ``list``."""

_TEMPORARY = ".tmp~"
_ATTEMPTS = 20
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


class StorageError(RuntimeError):
    """Something about stored bytes that a person can act on, in one sentence."""


class KeyNotFound(StorageError):
    """Nothing is stored under the key."""


class Backend(Protocol):
    """Where the bytes lie; keys arrive validated."""

    def put(self, key: str, data: bytes) -> None:
        """Store atomically."""

    def get(self, key: str) -> bytes | None:
        """The bytes, or None."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""

    def delete(self, key: str) -> bool:
        """Remove; whether something was there."""

    def list(self, folder: str) -> Keys:
        """All keys below a folder."""

    def folders(self, folder: str) -> Keys:
        """Names of the folders directly in a folder."""


class LocalBackend:
    """A directory of this machine; writes go through a temporary file and a rename."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> None:
        """Store atomically. A folder that another process finds empty and removes meanwhile is made again."""
        for attempt in range(_ATTEMPTS):
            try:
                self._put(self.root / key, data)
                return
            except OSError as error:
                if not isinstance(error, FileNotFoundError | FileExistsError) or attempt == _ATTEMPTS - 1:
                    raise StorageError(f"cannot write {self.root / key}: {error.strerror or error}") from error

    def _put(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(data)
            temporary.replace(target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        """The bytes, or None."""
        try:
            return (self.root / key).read_bytes()
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise StorageError(f"cannot read {self.root / key}: {error.strerror}") from error

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        try:
            return stat.S_ISREG((self.root / key).stat().st_mode)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return False
            raise StorageError(f"cannot look up {self.root / key}: {error.strerror}") from error

    def delete(self, key: str) -> bool:
        """Remove, together with folders that become empty; whether something was there."""
        target = self.root / key
        if not self.exists(key):
            return False
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot delete {target}: {error.strerror}") from error
        for parent in target.parents:
            if parent == self.root:
                break
            try:
                parent.rmdir()
            except OSError:
                break
        return True

    def list(self, folder: str) -> Keys:
        """All keys below a folder."""
        top = self.root / folder if folder else self.root
        found = []
        for directory, _, names in os.walk(top):
            relative = Path(directory).relative_to(self.root)
            found += [(relative / name).as_posix() for name in names if not name.startswith(_TEMPORARY)]
        return sorted(found)

    def folders(self, folder: str) -> Keys:
        """Names of the folders directly in a folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.root / folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
        return []


def checked_key(key: str) -> str:
    """The key, if it is relative, without ``..``, empty parts or control characters; ValueError otherwise."""
    parts = key.split("/")
    if not key or _FORBIDDEN.search(key) or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{key!r} is not a valid key: use relative parts separated by single slashes, without '..'")
    if any(part.startswith(_TEMPORARY) for part in parts):
        raise ValueError(f"{key!r} is not a valid key: names that start with {_TEMPORARY} are reserved")
    return key


class ObjectStore:
    """Objects of a local directory (``path`` or ``file://path``) or of ``s3://bucket/prefix``.

    S3 reads its endpoint and credentials from ``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``
    and ``AWS_REGION``; the bucket must exist.
    """

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        self._backend = _backend(self.url)

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    @property
    def local_root(self) -> Path | None:
        """The directory behind a local store, else None."""
        return self._backend.root if isinstance(self._backend, LocalBackend) else None

    def put(self, key: str, data: bytes) -> None:
        """Store atomically, replacing what was there."""
        self._backend.put(checked_key(key), data)

    def get(self, key: str) -> bytes:
        """The bytes; KeyNotFound where nothing is stored."""
        data = self._backend.get(checked_key(key))
        if data is None:
            raise KeyNotFound(f"nothing is stored under {key} in {self.url}")
        return data

    def find(self, key: str) -> bytes | None:
        """The bytes, or None where nothing is stored."""
        return self._backend.get(checked_key(key))

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        return self._backend.exists(checked_key(key))

    def delete(self, key: str) -> bool:
        """Remove; whether something was there. Deleting nothing is no error."""
        return self._backend.delete(checked_key(key))

    def list(self, folder: str = "") -> Keys:
        """All keys below a folder (all of them for an empty one), sorted."""
        return self._backend.list(checked_key(folder) if folder else "")

    def folders(self, folder: str = "") -> Keys:
        """Names of the folders directly in a folder, sorted."""
        return self._backend.folders(checked_key(folder) if folder else "")

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """One process or thread of this machine at a time; the lock goes with its holder, however that ends.

        It keeps no reader and no plain put out. A directory that several machines write to is locked as far as its file
        system carries ``flock``; a bucket is locked for this machine's processes only.
        """
        path = _lock_of(self)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def etag(self, key: str) -> str | None:
        """Hash of the stored bytes, or None: the same bytes give the same tag in every store.

        It reads the object (times of change are too coarse on S3 to tell two writes apart), so poll small objects.
        """
        data = self._backend.get(checked_key(key))
        return None if data is None else hashlib.sha256(data).hexdigest()


def _lock_of(store: ObjectStore) -> Path:
    if store.local_root is not None:
        return store.local_root / f"{_TEMPORARY}lock"
    told = hashlib.sha256(store.url.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"esports-{os.geteuid()}-{told}.lock"


def _backend(url: str) -> Backend:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return LocalBackend(Path(url).expanduser().absolute())
    if scheme == "file":
        return LocalBackend(Path(rest).expanduser().absolute())
    if scheme == "s3":
        from esports_assets.storage.s3 import S3Backend

        return S3Backend(rest)
    raise StorageError(f"{url} is neither a path nor an s3:// URL")
