"""Source files into the lake: read with the adapter that recognises them, keep the bytes, the matches and the refusals.

Belongs here: walking paths, one file at a time, two processes when there are several; a bad file stops no other.
Does not belong here: what a source says (adapters), where things lie (``storage/lake.py``), Dagster.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from esports_assets.adapters.base import Reading, Refusal, SourceFile, day_of_name
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import MatchHeader
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import Lake, RawFile, Receipt
from esports_assets.storage.records import safe_name

WORKERS = 2
_SERIAL_UP_TO = 3
"""Starting processes costs more than so many files."""


class IngestError(ValueError):
    """Input that cannot be walked at all, in one sentence."""


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What became of one source file."""

    file: str
    raw: str = ""
    matches: tuple[MatchHeader, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of all of them, in the order of their names."""

    files: tuple[IngestedFile, ...] = field(default=())
    passed_over: tuple[str, ...] = field(default=())
    """Files below a folder whose ending no adapter knows: licences, notes. A file that is named itself is always read."""

    @property
    def matches(self) -> tuple[MatchHeader, ...]:
        """Every match that is now in the lake through these files."""
        return tuple(header for file in self.files for header in file.matches)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything that was refused."""
        return tuple(refusal for file in self.files for refusal in file.refusals)

    @property
    def days(self) -> dict[Title, tuple[date, ...]]:
        """Days with matches, per title: the partitions that they belong to."""
        found: dict[Title, set[date]] = {}
        for header in self.matches:
            found.setdefault(header.title, set()).add(header.day)
        return {title: tuple(sorted(days)) for title, days in sorted(found.items())}


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
    files: list[Path] = []
    passed_over: list[Path] = []
    for file in walk(paths):
        named = any(Path(path) == file for path in paths)
        (files if named or _may_be_read(file) else passed_over).append(file)
    done: list[IngestedFile] = []
    for number, result in enumerate(_results(files, lake, title, workers), start=1):
        done.append(result)
        if on_progress is not None:
            on_progress(number, len(files), result)
    return IngestReport(tuple(sorted(done, key=lambda entry: entry.file)), tuple(str(file) for file in passed_over))


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


def _results(files: Sequence[Path], lake: Lake, title: Title, workers: int) -> Iterator[IngestedFile]:
    if len(files) <= _SERIAL_UP_TO or workers < 2:
        for file in files:
            yield ingest_file(file, lake, title)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(ingest_file, file, lake, title) for file in files]
        for future in as_completed(pending):
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise IngestError(
                    "a reading process died, often for lack of memory: run the same again to go on"
                ) from error


def ingest_file(path: Path, lake: Lake, title: Title = Title.CS2) -> IngestedFile:
    """Bring one file into the lake."""
    try:
        data = path.read_bytes()
    except OSError as error:
        refusal = Refusal(path.name, "", f"cannot be read: {error.strerror}", "UnreadableFile")
        return IngestedFile(str(path), refusals=(refusal,))
    file = SourceFile(safe_name(path.name), data)
    receipt = lake.receipt(file.sha256[:12], file.name)
    if receipt is not None and _holds(lake, receipt, file):
        return _unchanged(str(path), lake, receipt)
    reading = _read(file)
    raw = lake.write_raw(*_shelf_of(reading, file, title), file.name, data)
    return _keep(str(path), lake, raw, file, reading)


def reread(lake: Lake, raw: RawFile, *, force: bool = False) -> IngestedFile:
    """Bring a raw file's matches up to date from the lake's own bytes; no work where the receipt holds."""
    file = SourceFile(raw.name, lake.read_raw(raw))
    receipt = lake.receipt(raw.sha12, raw.name)
    if receipt is not None and not force and _holds(lake, receipt, file):
        return _unchanged(raw.name, lake, receipt)
    return _keep(raw.name, lake, raw, file, _read(file))


def reread_day(lake: Lake, title: Title, day: date, *, force: bool = False) -> IngestReport:
    """Bring a day up to date from its raw files, and drop matches that none of them holds any more."""
    done = tuple(reread(lake, raw, force=force) for raw in lake.raw_files(title, day))
    if done:
        lake.retain(
            title, day, {record.header.match_id for record in lake.matches(title, day) if _backed(lake, record.raw)}
        )
    return IngestReport(done)


def _read(file: SourceFile) -> Reading:
    """The reading of a file. Its values hold no cycles, so the cyclic collector would search in vain: an eighth of the time."""
    from esports_assets.adapters.registry import read_file

    collecting = gc.isenabled()
    gc.disable()
    try:
        return read_file(file)
    finally:
        if collecting:
            gc.enable()


def _backed(lake: Lake, raw: str) -> bool:
    return not raw or lake.store.exists(raw)


def _shelf_of(reading: Reading, file: SourceFile, title: Title) -> tuple[Title, date]:
    if reading.matches:
        first = reading.matches[0].header
        return first.title, first.day
    return title, day_of_name(file.name)


def _keep(name: str, lake: Lake, raw: RawFile, file: SourceFile, reading: Reading) -> IngestedFile:
    adapter, version = _adapter_of(file)
    replaced: set[str] = set()
    for match in reading.matches:
        header = match.header
        earlier = lake.record(header.title, header.day, header.match_id)
        if earlier is not None and earlier.raw not in ("", raw.key):
            replaced.add(earlier.raw)
        checked = replace(match, findings=(*match.findings, *broken(match)))
        lake.write_match(checked, adapter_version=version, raw=raw.key)
    lake.write_failures(raw, reading.refusals)
    before = lake.receipt(raw.sha12, raw.name)
    headers = tuple(match.header for match in reading.matches)
    pairs = tuple((header.day, header.match_id) for header in headers)
    for day, match_id in set(before.matches) - set(pairs) if before else ():
        gone = lake.record(raw.title, day, match_id)
        if gone is not None and gone.raw == raw.key:
            lake.delete_match(gone.header)
    lake.write_receipt(Receipt(raw.key, adapter, version, pairs, len(reading.refusals)))
    for key in replaced:
        _drop_if_empty(lake, RawFile.of_key(key))
    return IngestedFile(name, raw.key, headers, reading.refusals)


def _drop_if_empty(lake: Lake, raw: RawFile) -> None:
    """A corrected file replaces the earlier one once none of the matches comes from that any more."""
    receipt = lake.receipt(raw.sha12, raw.name)
    for day, match_id in receipt.matches if receipt else ():
        record = lake.record(raw.title, day, match_id)
        if record is not None and record.raw == raw.key:
            return
    lake.delete_raw(raw)


def _adapter_of(file: SourceFile) -> tuple[str, str]:
    from esports_assets.adapters.registry import adapter_for

    adapter = adapter_for(file)
    return ("", "") if adapter is None else (adapter.name, adapter.version)


def _holds(lake: Lake, receipt: Receipt, file: SourceFile) -> bool:
    """Whether this adapter version has read the bytes to the end and everything that came of them is still there."""
    if (receipt.adapter, receipt.adapter_version) != _adapter_of(file) or not lake.store.exists(receipt.raw):
        return False
    title = RawFile.of_key(receipt.raw).title
    records = [lake.record(title, day, match_id) for day, match_id in receipt.matches]
    return all(record is not None and record.raw == receipt.raw for record in records)


def _unchanged(name: str, lake: Lake, receipt: Receipt) -> IngestedFile:
    raw = RawFile.of_key(receipt.raw)
    records = [lake.record(raw.title, day, match_id) for day, match_id in receipt.matches]
    headers = tuple(record.header for record in records if record is not None)
    failure = lake.failure(raw)
    return IngestedFile(name, raw.key, headers, failure.refusals if failure else (), unchanged=True)
