"""GRID's finished series as files: one request, sent again while GRID is busy or away.

Belongs here: the request, its retries, unpacking. Does not belong here: what a file says (``adapters/grid``), which series to ask
for (``backfill.py``).
"""

import io
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException

from esports_assets.adapters.base import SourceFile

MAX_FILE_BYTES = 1024**3
"""Largest file that is taken, packed or not: several times a long series."""
_LONGEST_WAIT_S = 60.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class GridFileError(RuntimeError):
    """Why there is no file of a series, in one sentence."""


@dataclass(frozen=True, slots=True)
class GridFiles:
    """Where GRID's files are and how patiently they are asked for."""

    base: str
    key: str
    timeout_s: float = 30.0
    retries: int = 5
    backoff: float = 1.5
    sleep: Callable[[float], None] = time.sleep
    jitter: random.Random = field(default_factory=random.Random)

    def events_of(self, series: str) -> SourceFile:
        """The events of a finished series. GridFileError where GRID has none or does not give it."""
        url = f"{self.base}/file-download/events/grid/series/{urllib.parse.quote(series, safe='')}"
        return SourceFile(f"events_{series}_grid.jsonl", _unpacked(self._get(url), series))

    def _get(self, url: str) -> bytes:
        request = urllib.request.Request(url)
        request.add_unredirected_header("x-api-key", self.key)  # the store that GRID may point to must not see it
        for attempt in range(self.retries + 1):
            try:
                with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                    found: bytes = answer.read(MAX_FILE_BYTES + 1)
            except urllib.error.HTTPError as error:
                reason, after = f"GRID answers {error.code}", error.headers.get("Retry-After", "")
                error.close()
                if error.code not in _AGAIN:
                    raise GridFileError(f"{reason} for {url}") from error
            except (OSError, HTTPException) as error:
                reason, after = f"GRID cannot be reached ({error})", ""
            else:
                if len(found) > MAX_FILE_BYTES:
                    raise GridFileError(f"the file at {url} has more than {MAX_FILE_BYTES:,} bytes")
                return found
            if attempt < self.retries:
                self.sleep(self._wait_s(attempt, after))
        raise GridFileError(f"{reason} for {url}, {self.retries + 1} times")

    def _wait_s(self, attempt: int, after: str) -> float:
        """Longer each time, never the same for two that began together; as GRID says where it says so."""
        if after.isdecimal():
            return min(float(after), _LONGEST_WAIT_S)
        return min(self.backoff**attempt, _LONGEST_WAIT_S) * self.jitter.uniform(0.5, 1.0)


def _unpacked(data: bytes, series: str) -> bytes:
    """The lines of a download, which is a zip archive with a file of them."""
    if data[:2] != b"PK":
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [entry for entry in archive.infolist() if entry.filename.endswith(".jsonl")]
            if sum(entry.file_size for entry in files) > MAX_FILE_BYTES:
                raise GridFileError(f"the archive of series {series} unpacks to more than {MAX_FILE_BYTES:,} bytes")
            parts = [archive.read(entry) for entry in files]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        if isinstance(error, GridFileError):
            raise
        raise GridFileError(f"the archive of series {series} is damaged: {error}") from error
    if not parts:
        raise GridFileError(f"the archive of series {series} holds no .jsonl file")
    return b"\n".join(parts)
