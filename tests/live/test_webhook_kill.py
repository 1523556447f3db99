"""A service that is killed while a series comes in: what is in the log afterwards is what an undisturbed one leaves."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from feeding import feed, grid_match, ids, logged, reasons
from redis import Redis

from esports_assets.adapters.grid.live import LiveSeries, transaction
from esports_assets.canonical.frames import is_frame

KILLS = 5
_SENDER = """
import sys
sys.path.insert(0, sys.argv[3])
from feeding import feed
from esports_assets.streams.connect import connect
taking = feed(connect(sys.argv[1]))
lines = open(sys.argv[2], "rb").read().splitlines()
begin = max(0, (taking.grid.turns.last("sim.5-000") or 0) - 5)  # what was not answered comes again
print("ready", flush=True)
for start in range(begin, len(lines), 7):
    taking.take(b"\\n".join(lines[start : start + 7]))
    print("taken", flush=True)
"""


def test_killed_at_random_moments_nothing_is_lost_and_nothing_twice(
    live_url: str, log_client: Redis, tmp_path: Path
) -> None:
    data = grid_match()[:500]
    file = tmp_path / "series.jsonl"
    file.write_bytes(b"\n".join(data))
    moments = random.Random(20261125)
    command = [sys.executable, "-c", _SENDER, live_url, str(file), str(Path(__file__).parent)]
    heights = []
    for _ in range(KILLS):
        sender = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"ready\n"
        for _ in range(moments.randint(2, 8)):
            assert sender.stdout.readline() == b"taken\n"
        time.sleep(moments.uniform(0.0, 0.03))  # into the next one
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        sender.stdout.close()
        heights.append(len(logged(log_client)))
    assert len(set(heights)) > KILLS // 2  # the kills fell into the series, not beside it
    feed(log_client).take(b"\n".join(data))
    series = LiveSeries()
    wanted = [event for line in data for event in series.feed(transaction(line)).events]
    found = logged(log_client)
    assert ids(found) == ids(wanted)
    assert [e for e in found if not is_frame(e)] == [e for e in wanted if not is_frame(e)]
    assert len(set(ids(wanted))) == len(wanted)
    assert reasons(log_client) == []
