"""Claim: bringing real demo exports into the lake costs at most twice the bare cost of unpacking and parsing these files.

Bare: decompress and ``orjson.loads`` (and, beside it, the standard library's ``json.loads``). Ours: the whole of
``ingest_file``: reading, typing, validation, canonical tables, invariants, raw bytes and Parquet in the lake. One process, file
by file in turn, so that the machine's moods hit both alike.

Run: ``python benchmarks/ingest.py [--data PATH] [--every N] [--json]``.
"""

import argparse
import gc
import io
import json
import lzma
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import orjson

from esports_assets.ingest import ingest_file
from esports_assets.storage.lake import Lake


def bare(data: bytes, name: str, loads: Callable[[bytes], object]) -> None:
    """Unpack and parse everything that the file holds."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                loads(archive.read(member))
    else:
        loads(lzma.decompress(data))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="folder of demo exports")
    parser.add_argument("--every", type=int, default=1, help="take every N-th file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root = options.data or Path(os.environ.get("ESPORTS_REAL_DATA", "../shared/data")) / "cs2_demos"
    files = sorted(f for f in root.rglob("*") if f.suffix in (".xz", ".zip"))[:: options.every]
    if not files:
        print(f"No demo exports below {root}: give a folder with --data or ESPORTS_REAL_DATA.")
        return
    sums = {"bare, orjson": [0.0, 0.0], "bare, json": [0.0, 0.0], "ingest": [0.0, 0.0]}
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        warm, lake = Lake(Path(folder) / "warm"), Lake(Path(folder) / "lake")
        ingest_file(files[0], warm)
        for file in files:
            data = file.read_bytes()
            measured = {
                "bare, orjson": seconds(lambda f=file, d=data: bare(d, f.name, orjson.loads)),
                "ingest": seconds(lambda f=file: ingest_file(f, lake)),
                "bare, json": seconds(lambda f=file, d=data: bare(d, f.name, json.loads)),
            }
            for name, (wall, cpu) in measured.items():
                sums[name][0] += wall
                sums[name][1] += cpu
            ratios.append(measured["ingest"][1] / measured["bare, orjson"][1])
    result = {
        "files": len(files),
        "seconds": {name: {"wall": round(w, 3), "cpu": round(c, 3)} for name, (w, c) in sums.items()},
        "ratio_to_orjson": {
            "wall": round(sums["ingest"][0] / sums["bare, orjson"][0], 3),
            "cpu": round(sums["ingest"][1] / sums["bare, orjson"][1], 3),
            "median_file_cpu": round(median(ratios), 3),
        },
        "ratio_to_json": {"cpu": round(sums["ingest"][1] / sums["bare, json"][1], 3)},
        "bar": 2.0,
    }
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
