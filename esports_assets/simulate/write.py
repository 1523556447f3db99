"""Simulated matches as files on disk: the same seed gives the same bytes.

Belongs here: file names, days, zip with fixed times, the choice of formats.
Does not belong here: contents (``demo_format.py``, ``grid_format.py``).
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from esports_assets.simulate.demo_format import demo_files
from esports_assets.simulate.grid_format import grid_lines
from esports_assets.simulate.match import SimulatedMatch, simulate

FORMATS = ("demo", "grid", "mixed")
"""``mixed``: every match in one format only, one of ``GRID_EVERY`` as a GRID feed, the others as demo exports."""
GRID_EVERY = 6
MATCHES_PER_DAY = 4
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_encoder = msgspec.json.Encoder()


class SimulateError(ValueError):
    """Something that cannot be simulated, in one sentence."""


def match_day(index: int, start_day: date) -> date:
    """The day of a match."""
    return start_day + timedelta(days=index // MATCHES_PER_DAY)


def file_stem(match: SimulatedMatch, day: date) -> str:
    """``2026-01-03_de_simtown_SIM03-13_SIM07-9_m005``: day, map, teams with score, number."""
    first, second = (f"{team.name}-{score}" for team, score in zip(match.teams, match.score, strict=True))
    return f"{day.isoformat()}_{match.map}_{first}_{second}_m{match.index:03d}"


def demo_bytes(match: SimulatedMatch, day: date) -> bytes:
    """The match as a ``cs2-demo-format/3.0`` archive."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in demo_files(match, day).items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, _encoder.encode(content), compresslevel=4)
    return sink.getvalue()


def simulate_matches(
    out: Path,
    matches: int,
    seed: int,
    *,
    formats: Sequence[str] = ("demo",),
    on_progress: Callable[[int, int], None] | None = None,
    start_day: date = date(2026, 1, 1),
) -> list[Path]:
    """Simulate matches and write each in the given formats; returns the files in order.

    ``on_progress`` is called with (done, total) after every match. Match ``i`` of a seed is the same however many are written.
    Raises SimulateError for a format that does not exist.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown or matches < 0:
        raise SimulateError(
            f"formats can be {', '.join(FORMATS)}, not {', '.join(unknown)}"
            if unknown
            else f"{matches} matches: give 0 or more"
        )
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for index in range(matches):
        match = simulate(seed, index)
        day = match_day(index, start_day)
        told_by_grid = "mixed" in formats and index % GRID_EVERY == GRID_EVERY - 1
        if "demo" in formats or ("mixed" in formats and not told_by_grid):
            path = out / f"{file_stem(match, day)}.zip"
            path.write_bytes(demo_bytes(match, day))
            written.append(path)
        if "grid" in formats or told_by_grid:
            path = out / f"{file_stem(match, day)}.jsonl"
            path.write_bytes(b"\n".join(grid_lines(match, day, index % MATCHES_PER_DAY)) + b"\n")
            written.append(path)
        if on_progress is not None:
            on_progress(index + 1, matches)
    return written
