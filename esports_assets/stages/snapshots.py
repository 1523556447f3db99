"""Stage: round snapshots of CS:GO from a table that somebody else made, and whether its labels may be believed.

Belongs here: reading the table, rebuilding matches and rounds from the order of its rows.
Does not belong here: the label check (``models/label_checks.py``), what models make of it (``benchmarks/round_snapshots.py``).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc

VARIABLE = "ROUND_SNAPSHOTS"
"""Environment variable that names the file."""

REQUIRED = ("map", "ct_score", "t_score", "time_left", "round_winner")


class SnapshotsError(ValueError):
    """A table that is not round snapshots, in one sentence."""


def read_snapshots(path: Path) -> pa.Table:
    """The table with ``match`` and ``segment`` (whole numbers from 0) and ``label`` (1 if CT won, as the source claims)."""
    if not path.is_file():
        raise SnapshotsError(f"{path.name} is not there: ROUND_SNAPSHOTS names a CSV file, plain or compressed")
    try:
        with pa.input_stream(str(path), compression=None) as raw:
            data = raw.read()
        table = pc.read_csv(pa.BufferReader(_unpacked(path, data)))
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        raise SnapshotsError(f"{path.name} cannot be read as CSV: {error}") from error
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise SnapshotsError(f"{path.name} lacks the columns {', '.join(missing)}: it holds no round snapshots")
    match, segment = rounds_of(table)
    label = np.array([winner == "CT" for winner in table["round_winner"].to_pylist()], dtype=np.int64)
    for name, values in (("match", match), ("segment", segment), ("label", label)):
        table = table.append_column(name, pa.array(values))
    return table


def rounds_of(table: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Match and round of every row: a match begins where the map changes or the score falls, a round where the score changes."""
    played = table["ct_score"].to_numpy() + table["t_score"].to_numpy()
    name = np.asarray(table["map"].to_pylist())
    fresh = np.r_[True, (name[1:] != name[:-1]) | (played[1:] < played[:-1])]
    new_round = fresh | np.r_[True, played[1:] != played[:-1]]
    return (np.cumsum(fresh) - 1).astype(np.int64), (np.cumsum(new_round) - 1).astype(np.int64)


def _unpacked(path: Path, data: bytes) -> bytes:
    if path.suffix == ".xz":
        import lzma

        try:
            return lzma.decompress(data)
        except lzma.LZMAError as error:
            raise SnapshotsError(f"{path.name} is not valid xz data ({error})") from error
    return data
