"""What ``cs2/round_state`` costs over the stream: messages, calls that make rows, checkpoints.

    python benchmarks/round_state.py

Data: one real match below ESPORTS_REAL_DATA (default ``../shared/data``), a simulated one where it is absent. Best of three runs,
in seconds of the processor. ``batch`` is how many messages are fed together; of single messages, the time of those is told that
make rows final.
"""

import os
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes
from esports_assets.windows.micro.parity import messages_of
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.state.online import OnlineRounds
from esports_assets.windows.streamed.message import Message, time_of
from esports_assets.windows.view import Sites

NAME = "sample-2026-02-09_de_mirage*"
ALONE = 5_000
"""Messages of a run of single ones."""


def main() -> int:
    """Print the table."""
    match = _match()
    sites = SiteBook.learn(plants_of(match.events)).sites(match.header.map)
    story = sorted(messages_of(match), key=lambda message: time_of(message)[2])
    print(f"{match.header.match_id}: {len(story)} messages.")
    for batch in (1, 64, 500):
        messages = story[:ALONE] if batch == 1 else story
        runs = [_play(messages, batch, sites) for _ in range(3)]
        seconds, making, rows, sizes = min(runs, key=lambda run: run[0])
        each = f", {1e3 * np.median(making):.1f} ms a message that makes rows" if batch == 1 else ""
        print(f"batch {batch:3d}: {len(messages) / seconds:6.0f} messages/s, {rows} rows{each}")
    print(f"checkpoint: median {np.median(sizes) / 1e3:.0f} kB, largest {max(sizes) / 1e3:.0f} kB")
    return 0


def _play(messages: Sequence[Message], batch: int, sites: Sites) -> tuple[float, list[float], int, list[int]]:
    """Seconds in all, seconds of each call that made rows, rows, and sizes of checkpoints (outside the time)."""
    online, spent, making, rows, sizes = OnlineRounds(lambda _: sites), 0.0, [], 0, []
    for begin in range(0, len(messages), batch):
        start = time.process_time()
        final = online.feed(messages[begin : begin + batch]).final
        took = time.process_time() - start
        spent += took
        making += [took] if final else []
        rows += sum(len(part) for part in final)
        if batch > 1:
            sizes += [len(online.checkpoint(match_id)) for match_id in online.matches]
    return spent, making, rows, sizes


def _match() -> CanonicalMatch:
    root = Path(os.environ.get("ESPORTS_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    found = sorted((root / "cs2_demos").glob(f"*/{NAME}"))
    source = SourceFile.open(found[0]) if found else SourceFile("2026-01-01_simulated.zip", _simulated())
    return read_file(source).matches[0]


def _simulated() -> bytes:
    return demo_bytes(simulate(1, 0), date(2026, 1, 1))


if __name__ == "__main__":
    sys.exit(main())
