"""Claims: the log costs a small factor of the bare commands, and a match is played at tens of thousands of events per second.

On one Valkey of its own, with the envelopes of one match (events and frames with ten players), round by round in turn, so that the
machine's moods hit all alike:

    append   bare: XADD into one stream, and into two, pipelines of 500 of the same bytes; ours: encode, both streams, ids that
             enter once, retention, one atomic call per 500
    read     bare: XREADGROUP 500, ``json.loads``, XACK; ours: gap check, decode to typed events with checked frames, XACK
    commit   bare: one pipeline of XADD twice, HSET, XACK per 50 entries; ours: fenced, atomic, signals once
    replay   a match at ``--speed max`` from its tables to the log

Processor time counts this process and the server; ratios above 1 mean that ours is faster.

Run: ``python benchmarks/streams.py [--data FILE] [--rounds N] [--json]``.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from redis import Redis

from esports_assets.canonical.vocabulary import Title
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage import valkey
from esports_assets.streams.commit import Committer, Output
from esports_assets.streams.connect import connect
from esports_assets.streams.envelope import Envelope, encode
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import ShardLeases
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, MOTION, SIGNALS, shard_of, shard_stream
from esports_assets.streams.replay import Playable, envelopes_of, from_file, play

BATCH = 500
COMMIT = 50


class Bench:
    """One match's envelopes and a server."""

    def __init__(self, client: Redis, playable: Playable) -> None:
        self.client = client
        self.playable = playable
        self.envelopes = list(envelopes_of(playable))
        self.data = [encode(envelope) for envelope in self.envelopes]
        self.shard = shard_of(playable.match.header.match_id)

    def batches(self, size: int = BATCH) -> list[list[Envelope]]:
        """The envelopes in batches."""
        return [self.envelopes[start : start + size] for start in range(0, len(self.envelopes), size)]

    def seconds(self, work: Callable[[], object]) -> tuple[float, float]:
        """Wall seconds, and processor seconds of this process and the server together."""
        server, cpu, wall = self._server_cpu(), time.process_time(), time.perf_counter()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return wall, cpu + self._server_cpu() - server

    def _server_cpu(self) -> float:
        told = self.client.info("cpu")
        return float(told["used_cpu_sys"] + told["used_cpu_user"])

    def bare_xadd(self, *streams: str) -> None:
        """The same bytes with nothing around them."""
        for start in range(0, len(self.data), BATCH):
            pipe = self.client.pipeline(transaction=False)
            for data in self.data[start : start + BATCH]:
                for stream in streams:
                    pipe.xadd(stream, {"data": data})
            pipe.execute()

    def append(self) -> None:
        """Ours."""
        log = EventLog(self.client)
        for batch in self.batches():
            log.append(batch)

    def bare_read(self) -> None:
        """What the simplest consumer does."""
        self.client.xgroup_create(CANONICAL, "bare", "0")
        while got := self.client.xreadgroup("bare", "c", {CANONICAL: ">"}, count=BATCH):
            entries = got[0][1]
            for _, fields in entries:
                json.loads(fields[b"data"])
            self.client.xack(CANONICAL, "bare", *[entry for entry, _ in entries])

    def read(self) -> None:
        """Ours."""
        group = ConsumerGroup(self.client, CANONICAL, "ours", "c")
        group.ensure()
        while entries := group.read(BATCH):
            group.deliveries(entries)
            group.ack(entries)

    def bare_commit(self) -> None:
        """One pipeline per batch, neither atomic nor fenced nor once."""
        stream = shard_stream(self.shard)
        self.client.xgroup_create(stream, "bare", "0")
        number = 0
        while got := self.client.xreadgroup("bare", "c", {stream: ">"}, count=COMMIT):
            number += 1
            pipe = self.client.pipeline(transaction=False)
            for out in (MOTION, SIGNALS):
                pipe.xadd(out, {"data": b"x" * 600})
            pipe.hset("state", "match", b"y" * 4_000)
            pipe.xack(stream, "bare", *[entry for entry, _ in got[0][1]])
            pipe.execute()

    def commit(self) -> None:
        """Ours."""
        match_id = self.playable.match.header.match_id
        lease = ShardLeases(self.client, "ours", "w").heartbeat().held[self.shard]
        group, committer = (
            ConsumerGroup(self.client, shard_stream(self.shard), "ours", "w"),
            Committer(self.client, "ours"),
        )
        group.ensure()
        number = 0
        while entries := group.read(COMMIT):
            number += 1
            output = Output(f"signal {number}", match_id, b"x" * 600)
            committer.commit(lease, entries, outputs=[output], checkpoint={match_id: b"y" * 4_000})

    def replay(self) -> None:
        """Ours, from tables."""
        play(EventLog(self.client), self.playable, None)


def measured(bench: Bench, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds of everything, round by round."""
    found: dict[str, list[tuple[float, float]]] = {}

    def run(name: str, work: Callable[[], object], *, fresh: bool) -> None:
        if fresh:
            bench.client.flushdb()
        found.setdefault(name, []).append(bench.seconds(work))

    for _ in range(rounds):
        run("bare xadd", lambda: bench.bare_xadd("x"), fresh=True)
        run("bare xadd twice", lambda: bench.bare_xadd("x", "y"), fresh=True)
        run("append", bench.append, fresh=True)
        run("bare read", bench.bare_read, fresh=False)
        run("read", bench.read, fresh=False)
        run("bare commit", bench.bare_commit, fresh=False)
        run("commit", bench.commit, fresh=False)
        run("replay", bench.replay, fresh=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None, help="a source file; a simulated match by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="esports-bench-"))
    server = valkey.ensure(folder / "valkey")
    try:
        path = options.data or simulate_matches(folder / "simulated", 1, 1)[0]
        playable = next(p for p in from_file(path) if p.match.header.title is Title.CS2)
        bench = Bench(connect(server.url), playable)
        found = measured(bench, options.rounds)
    finally:
        valkey.stop(folder / "valkey", server)
        shutil.rmtree(folder, ignore_errors=True)
    count = len(bench.data)
    pairs = {
        "append": ("append", "bare xadd twice"),
        "append_to_one_stream": ("append", "bare xadd"),
        "read": ("read", "bare read"),
        "commit": ("commit", "bare commit"),
    }
    result = {
        "match": playable.match.header.match_id,
        "entries": count,
        "bytes_per_entry": round(sum(map(len, bench.data)) / count),
        "per_s": {name: round(count / median(wall for wall, _ in times)) for name, times in found.items()},
        "cpu_us_per_entry": {
            name: round(median(c for _, c in times) / count * 1e6, 1) for name, times in found.items()
        },
        "ratio_to_bare": {
            name: {
                kind: round(median(b[i] / o[i] for o, b in zip(found[ours], found[bare], strict=True)), 3)
                for i, kind in enumerate(("wall", "cpu"))
            }
            for name, (ours, bare) in pairs.items()
        },
    }
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
