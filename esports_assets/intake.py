"""One source file, from its bytes to its receipt in the lake, whatever goes wrong with it.

Belongs here: whether it must be read at all, reading it with its adapter, where it is filed, and the one boundary where any
failure becomes a refusal.
Does not belong here: many files (``ingest.py``), how a reading becomes part of the lake (``storage/landing.py``).
"""

import gc
import logging
import traceback
from dataclasses import replace
from pathlib import Path

from esports_assets.adapters.base import Reading, Refusal, SourceFile, day_of_name
from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.claims import Arrival
from esports_assets.storage.lake import Lake, RawFile
from esports_assets.storage.landed import IngestedFile
from esports_assets.storage.landing import holds, land, land_failure, landed

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 300


def take_in(
    lake: Lake,
    name: str,
    file: SourceFile,
    raw: RawFile | None,
    title: Title,
    how: Arrival | None,
    *,
    force: bool = False,
    named: bool = True,
) -> IngestedFile:
    """One file from its bytes to its receipt, filed as ``raw`` or else where its matches belong."""
    filed = raw or RawFile(title, day_of_name(file.name), file.sha256[:12], file.name)
    reading = Reading()
    try:
        reader = _reader_of(file)
        if not named and reader == _NOBODY and _is_plainly_unrelated(file):
            return IngestedFile(name, passed_over=True)
        receipt = lake.receipt(filed.sha12, filed.name)
        if receipt is not None and not force and holds(lake, receipt, reader, how):
            return landed(lake, name, receipt)
        reading = _read(file)
        if raw is None:
            filed = _shelf_of(reading, filed)
        return land(lake, name, file, reading, filed, reader, how)
    except Exception as error:
        # The one boundary where everything is caught, because here it hides nothing: the failure is recorded with the file
        # and told like any refusal, and the other files go on. A lake that cannot record it raises again from below.
        logger.debug("%s could not be taken in", file.name, exc_info=True)
        return land_failure(lake, name, file, (*reading.refusals, _unexpected(file, error)), filed)


def _unexpected(file: SourceFile, error: Exception) -> Refusal:
    last = traceback.extract_tb(error.__traceback__)[-1]
    message = next(iter(str(error).splitlines()), "")
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[: _LONGEST_MESSAGE // 2]} ... {message[-_LONGEST_MESSAGE // 2 :]}"
    reason = f"could not be taken in: {type(error).__name__}: {message} ({Path(last.filename).name}:{last.lineno})"
    return Refusal(file.name, "", reason, "UnexpectedFailure")


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


def _shelf_of(reading: Reading, filed: RawFile) -> RawFile:
    """Where a file belongs: with its first match, of the wanted title if it holds one."""
    headers = [match.header for match in reading.matches]
    first = next((header for header in headers if header.title is filed.title), headers[0] if headers else None)
    return filed if first is None else replace(filed, title=first.title, day=first.day)


_NOBODY = ("", "")


def _reader_of(file: SourceFile) -> tuple[str, str]:
    from esports_assets.adapters.registry import adapter_for

    adapter = adapter_for(file)
    return _NOBODY if adapter is None else (adapter.name, adapter.version)


def _is_plainly_unrelated(file: SourceFile) -> bool:
    """Readable text without a date in its name, that no adapter knows: somebody's ``package.json``, and no damaged match."""
    if day_of_name(file.name) != EPOCH_DAY:
        return False
    try:
        return bool(file.data.decode().strip())
    except UnicodeDecodeError:
        return False
