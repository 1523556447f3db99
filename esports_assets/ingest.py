"""Source files into the lake: read with the adapter that recognises them, each match once; a bad file stops no other.

Belongs here: walking paths, files with the same bytes, two processes when there are several.
Does not belong here: one file's way into the lake (``intake.py``, ``storage/landing.py``), what a source says (adapters), Dagster.
"""

import hashlib
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import ClassVar

from esports_assets.adapters.base import Refusal, SourceFile, day_of_name
from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.vocabulary import Title
from esports_assets.intake import take_in
from esports_assets.storage.claims import Arrival, is_backed
from esports_assets.storage.lake import Lake, RawFile
from esports_assets.storage.landed import Duplicate, IngestedFile, IngestReport
from esports_assets.storage.landing import landed
from esports_assets.storage.records import safe_name

__all__ = ["IngestError", "IngestReport", "ingest_file", "ingest_paths", "reread", "reread_day", "walk"]

WORKERS = 2
_SERIAL_UP_TO = 3
"""Starting processes costs more than so many files."""


class IngestError(ValueError):
    """Input that cannot be walked at all, in one sentence."""


Progress = Callable[[int, int, IngestedFile], None]
"""Called after each file with the number done, the total, and what became of it."""


def ingest_paths(
    paths: Sequence[Path | str],
    lake: Lake,
    on_progress: Progress | None = None,
    *,
    title: Title = Title.CS2,
    workers: int = WORKERS,
) -> IngestReport:
    """Bring files, or the files below folders, into the lake.

    ``title`` is where a file is filed that yields no match. Bytes that this adapter version has read are skipped.
    Raises IngestError for a path that does not exist.
    """
    named = {Path(path) for path in paths}
    found = list(dict.fromkeys(walk(paths)))
    known = [file for file in found if file in named or _may_be_read(file)]
    seen = [_look(file, lake, named=file in named) for file in known]
    done: dict[Path, IngestedFile] = {}

    def take(path: Path, result: IngestedFile) -> None:
        done[path] = result
        if on_progress is not None:
            on_progress(len(done), len(seen), result)

    first: dict[str, _Seen] = {}
    for file in sorted(seen, key=_Seen.place):
        first.setdefault(file.sha256, file)
    for path, result in _results([file for file in seen if first[file.sha256] is file], lake, title, workers):
        take(path, result)
    for file in seen:
        if file.path not in done:
            take(file.path, _copy(file.path, done[first[file.sha256].path]))
    files = _as_they_stand(lake, list(done.values()))
    unrelated = [file.file for file in files if file.passed_over]
    return IngestReport(
        tuple(sorted((file for file in files if not file.passed_over), key=lambda file: file.file)),
        tuple(sorted([*(str(file) for file in found if file not in known), *unrelated])),
    )


def walk(paths: Iterable[Path | str]) -> Iterator[Path]:
    """The files among and below the paths, sorted, hidden ones left out; IngestError for a path that does not exist."""
    for path in map(Path, paths):
        if path.is_file():
            yield path
        elif path.is_dir():
            below = (file for file in path.rglob("*") if file.is_file())
            yield from sorted(f for f in below if not any(p.startswith(".") for p in f.relative_to(path).parts))
        else:
            raise IngestError(f"{path} does not exist: give a file or a folder of source files")


def _may_be_read(file: Path) -> bool:
    from esports_assets.adapters.registry import ADAPTERS

    return file.name.endswith(tuple(suffix for adapter in ADAPTERS for suffix in adapter.suffixes))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file before it is read: the hash of its bytes, its name in the lake, and whether it was ingested before."""

    path: Path
    sha256: str
    name: str
    named: bool
    before: bool

    @property
    def entry(self) -> str:
        return f"{self.sha256[:12]}__{self.name}"

    def place(self) -> tuple[bool, bool, int, str, str]:
        """Which of the files with the same bytes is read: known before new, dated before undated, the shorter name."""
        return not self.before, day_of_name(self.name) == EPOCH_DAY, len(self.name), self.name, str(self.path)


def _look(path: Path, lake: Lake, *, named: bool) -> _Seen:
    name = safe_name(path.name)
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:  # reading it will say why
        return _Seen(path, f"unreadable {path}", name, named, before=False)
    return _Seen(path, digest, name, named, lake.receipt(digest[:12], name) is not None)


def _copy(path: Path, of: IngestedFile) -> IngestedFile:
    """What becomes of a file with the same bytes as one that was read."""
    same = Path(of.file).name
    told = [Duplicate(str(path), same, header) for header in of.matches]
    told += [replace(duplicate, file=str(path)) for duplicate in of.duplicates]
    return IngestedFile(
        str(path),
        duplicates=tuple(told or [Duplicate(str(path), same)]),
        unchanged=True,
        passed_over=of.passed_over,
    )


def _as_they_stand(lake: Lake, files: list[IngestedFile]) -> list[IngestedFile]:
    """The files with what they hold now that all are in: one may have taken a match from another meanwhile."""
    displaced = {raw for file in files for raw, _ in file.displaced}
    return [
        _now(lake, file) if file.raw and (file.raw in displaced or (displaced and file.duplicates)) else file
        for file in files
    ]


def _now(lake: Lake, file: IngestedFile) -> IngestedFile:
    raw = RawFile.of_key(file.raw)
    receipt = lake.receipt(raw.sha12, raw.name)
    if receipt is None:
        return file
    now = landed(lake, file.file, receipt)
    return replace(now, refusals=file.refusals, displaced=file.displaced, unchanged=file.unchanged)


def _results(files: Sequence[_Seen], lake: Lake, title: Title, workers: int) -> Iterator[tuple[Path, IngestedFile]]:
    how = Arrival(
        beside=frozenset(file.entry for file in files), fresh=frozenset(f.entry for f in files if not f.before)
    )
    if len(how.fresh) <= _SERIAL_UP_TO or workers < 2:
        for file in files:
            yield file.path, ingest_file(file.path, lake, title, how, named=file.named)
        return
    others = set(active_children())
    with ProcessPoolExecutor(workers, get_context("spawn"), _Reader.begin, (lake, title, how)) as pool:
        try:
            with _interrupts_held():
                pending = {pool.submit(_Reader.read, file.path, file.named): file.path for file in files}
            for future in as_completed(pending):
                yield pending[future], future.result()
        except BrokenProcessPool as error:
            raise IngestError(
                "a reading process died, often for lack of memory: run the same again to go on"
            ) from error
        except BaseException:
            for child in set(active_children()) - others:
                child.terminate()
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends; a process that starts meanwhile never sees it, not even while it starts.

    It reaches every process of a terminal, and the parent ends its readers itself. The mask is for the processes, which
    inherit it; this one holds back by its handler, as a library's thread may take the signal in spite of the mask.
    """
    held: list[tuple[int, FrameType | None]] = []
    ours = current_thread() is main_thread()  # only there may handlers be set, and only there is it raised
    handler = signal.signal(signal.SIGINT, lambda *call: held.append(call)) if ours else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if ours:
            signal.signal(signal.SIGINT, handler)
        if held and callable(handler):
            handler(*held[0])


class _Reader:
    """A reading process: what all its files share is sent to it once."""

    lake: ClassVar[Lake]
    title: ClassVar[Title]
    how: ClassVar[Arrival]

    @classmethod
    def begin(cls, lake: Lake, title: Title, how: Arrival) -> None:
        """Get ready."""
        cls.lake, cls.title, cls.how = lake, title, how

    @classmethod
    def read(cls, path: Path, named: bool) -> IngestedFile:
        """Bring one file in."""
        return ingest_file(path, cls.lake, cls.title, cls.how, named=named)


def ingest_file(
    path: Path, lake: Lake, title: Title = Title.CS2, how: Arrival | None = None, *, named: bool = True
) -> IngestedFile:
    """Bring one file into the lake. One that is not ``named`` and plainly is of no source is passed over."""
    try:
        data = path.read_bytes()
    except OSError as error:
        refusal = Refusal(path.name, "", f"cannot be read: {error.strerror}", "UnreadableFile")
        return IngestedFile(str(path), refusals=(refusal,))
    file = SourceFile(safe_name(path.name), data)
    found = take_in(lake, str(path), file, None, title, how or Arrival(), named=named)
    told = tuple(replace(r, file=path.name) if r.file == file.name else r for r in found.refusals)
    return replace(found, refusals=told)


def reread(lake: Lake, raw: RawFile, *, force: bool = False) -> IngestedFile:
    """Bring a raw file's matches up to date from the lake's own bytes; no work where the receipt holds."""
    return take_in(lake, raw.name, SourceFile(raw.name, lake.read_raw(raw)), raw, raw.title, None, force=force)


def reread_day(lake: Lake, title: Title, day: date, *, force: bool = False) -> IngestReport:
    """Bring a day up to date from its raw files, and drop matches that none of them holds any more."""
    done = tuple(reread(lake, raw, force=force) for raw in lake.raw_files(title, day))
    backed = {r.header.match_id for r in lake.matches(title, day) if not r.raw or is_backed(lake, r)}
    lake.retain(title, day, backed)
    return IngestReport(done)
