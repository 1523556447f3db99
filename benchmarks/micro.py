"""What ``cs2/player_micro`` costs: rows of whole matches, messages of the stream, checkpoints.

    python benchmarks/micro.py

Data: one real match below ESPORTS_REAL_DATA (default ``../shared/data``), a simulated one where it is absent. Best of three
runs each, on one core. ``matches`` play side by side, message by message in turn, each the same match under another id;
``batch`` is how many messages are fed together, and the time of one feed is told where it is one message.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes
from esports_assets.windows.micro.batch import micro_rounds
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.micro.parity import messages_of
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.streamed.message import Message, time_of

NAME = "sample-2026-02-09_de_mirage*"
MOST = 20_000
"""Messages of one run."""
RATES = (("2 Hz", MicroWindow()), ("full rate", MicroWindow(rate_hz=None)))


def main() -> int:
    """Print the table."""
    match = _match()
    sites = SiteBook.learn(plants_of(match.events)).sites(match.header.map)
    print(f"{match.header.match_id}: {match.tracking.num_rows} tracked rows, {match.events.num_rows} events.")
    for name, window in RATES:
        seconds, rows = _best(lambda window=window: sum(len(part) for part in micro_rounds(match, sites, window)))
        print(f"whole match, {name:9s}: {rows:7d} rows, {rows / seconds:9.0f} rows/s")
    story = sorted(messages_of(match), key=lambda message: time_of(message)[2])
    for name, window in RATES:
        for matches, batch in ((1, 1), (1, 64), (1, 512), (16, 64), (16, 512)):
            messages = _side_by_side(story, matches)[: MOST if batch > 1 else MOST // 10]

            def play(messages: Sequence[Message] = messages, window: MicroWindow = window, batch: int = batch) -> int:
                online = OnlineMicro(lambda _: sites, window)
                fed = (online.feed(messages[k : k + batch]) for k in range(0, len(messages), batch))
                return sum(len(rows) for one in fed for rows in (*one.final, *one.provisional))

            seconds, rows = _best(play)
            each = f", {1e3 * seconds / len(messages):.2f} ms a message" if batch == 1 else ""
            rate = f"{len(messages) / seconds:8.0f} messages/s, {rows / seconds:8.0f} rows/s{each}"
            print(f"stream, {name:9s}, {matches:2d} matches, batch {batch:3d}: {rate}")
        _checkpoints(story, OnlineMicro(lambda _: sites, window), name)
    return 0


def _match() -> CanonicalMatch:
    root = Path(os.environ.get("ESPORTS_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    found = sorted((root / "cs2_demos").glob(f"*/{NAME}"))
    source = SourceFile.open(found[0]) if found else SourceFile("2026-01-01_simulated.zip", _simulated())
    return read_file(source).matches[0]


def _simulated() -> bytes:
    return demo_bytes(simulate(1, 0), date(2026, 1, 1))


def _side_by_side(story: Sequence[Message], matches: int) -> list[Message]:
    return [
        msgspec.structs.replace(message, match_id=f"{message.match_id}:{k}") if matches > 1 else message
        for message in story[: MOST // matches]
        for k in range(matches)
    ]


def _best(run: Callable[[], int]) -> tuple[float, int]:
    times, rows = [], 0
    for _ in range(3):
        start = time.perf_counter()
        rows = run()
        times.append(time.perf_counter() - start)
    return min(times), rows


def _checkpoints(story: Sequence[Message], online: OnlineMicro, name: str) -> None:
    sizes, seconds = [], []
    for begin in range(0, MOST, 64):
        online.feed(story[begin : begin + 64])
        for match_id in online.matches:
            start = time.perf_counter()
            sizes.append(len(online.checkpoint(match_id)))
            seconds.append(time.perf_counter() - start)
    told = (
        f"median {np.median(sizes) / 1e3:.0f} kB, largest {max(sizes) / 1e3:.0f} kB, {1e3 * np.median(seconds):.2f} ms"
    )
    print(f"checkpoint, {name:9s}: {told}")


if __name__ == "__main__":
    sys.exit(main())
