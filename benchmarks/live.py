"""Claims about the live worker, each as a ratio or a figure of one run on the same stream.

    throughput   the worker handles at least .25 of what a bare XREADGROUP with the standard library's JSON decoder reads
    latency      from XADD to the published provisional statement, 99th percentile at half of that load, at most 50 ms
    memory       flat over a million entries of a hundred matches
    scaling      two workers handle at least 1.6 times what one does: everything on one core against two, and with the servers
                 free to use the other core beside the one worker

The worker is a process of its own with the promoted models of ``--bundles``, writing to a real Valkey and a real PostgreSQL of
this benchmark. It has one core to itself; both servers, and whoever appends, share the other. The matches are those of
``--data`` (demo exports), under new ids where more are wanted than there are.

Run: ``python benchmarks/live.py --bundles .esports/bundles [--data PATH] [--matches 6] [--part NAME]``.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from redis import Redis

from esports_assets.canonical.vocabulary import EventType
from esports_assets.settings import Settings
from esports_assets.storage import database, embedded
from esports_assets.streams.connect import connect
from esports_assets.streams.envelope import Envelope, decode
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, PROVISIONAL, SHARDS, lease_key, shard_stream
from esports_assets.streams.replay import envelopes_of, from_file

ROOT = Path(__file__).parents[1]
GROUP = "live"
Report = dict[str, Any]


def envelopes(root: Path, matches: int) -> list[list[Envelope]]:
    """So many matches; beyond those of the folder, the same ones under other ids."""
    files = sorted(f for f in root.rglob("*") if f.suffix in (".xz", ".zip"))[: min(matches, 12)]
    own = [list(envelopes_of(playable)) for path in files for playable in from_file(path)]
    return [own[n] if n < len(own) else renamed(own[n % len(own)], n) for n in range(matches)]


def renamed(line: Sequence[Envelope], number: int) -> list[Envelope]:
    """A match under another id."""
    changed = msgspec.structs.replace
    found = []
    for envelope in line:
        event = envelope.event
        other = changed(event, match_id=f"{event.match_id}-{number}", event_id=f"{event.event_id}-{number}")
        found.append(changed(envelope, event=other, opening=None, closing=None, round=None))
    return found


def fill(client: Redis, lines: Sequence[Sequence[Envelope]]) -> int:
    """Append matches side by side, as when they are played at the same time; how many entries."""
    log, total, size = EventLog(client), 0, 100
    for begin in range(0, max(map(len, lines)), size):
        now = time.time()
        batch = [
            msgspec.structs.replace(e, live_offset_s=now - e.event.timestamp.timestamp())
            for line in lines
            for e in line[begin : begin + size]
        ]
        for at in range(0, len(batch), 1000):
            log.append(batch[at : at + 1000])
        total += len(batch)
    return total


@contextmanager
def servers() -> Iterator[Settings]:
    """A Valkey and a PostgreSQL of their own."""
    home = Path(tempfile.mkdtemp(prefix="esports-live-")) / "home"
    wanted = Settings.from_env({"ESPORTS_HOME": str(home)})
    try:
        yield embedded.up(wanted)
    finally:
        embedded.down(wanted)
        shutil.rmtree(home.parent, ignore_errors=True)


def fresh(settings: Settings) -> Redis:
    """An empty log and empty tables."""
    import psycopg2

    assert settings.redis_url is not None
    assert settings.database_url is not None
    client = connect(settings.redis_url)
    client.flushall()
    with psycopg2.connect(settings.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine = database.connect(settings.database_url)
    database.migrate(engine)
    engine.dispose()
    return client


@contextmanager
def workers(settings: Settings, bundles: Path, cores: Sequence[int]) -> "Iterator[list[subprocess.Popen[bytes]]]":
    """One worker on each of these cores."""
    more = {"BUNDLES_URL": str(bundles.absolute()), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "serving.live"]
    started = []
    for core in cores:
        environment = {**os.environ, **settings.environment(), **more}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.sched_setaffinity(process.pid, {core})
        started.append(process)
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def handled(client: Redis) -> int:
    """Entries that were given to the group and acknowledged."""
    found = 0
    for shard in range(SHARDS):
        if client.exists(shard_stream(shard)):
            for group in client.xinfo_groups(shard_stream(shard)):
                if group["name"] == GROUP.encode():
                    found += (group["entries-read"] or 0) - group["pending"]
    return found


def rate(client: Redis, total: int, workers: int = 1, until: float = 1.0) -> float:
    """Entries a second between the first twentieth, once the shards are shared evenly, and this part of all entries."""
    marks: list[tuple[float, int]] = []
    even_at = 0
    while not marks or marks[-1][1] < total * until:
        time.sleep(0.05)
        marks.append((time.monotonic(), handled(client)))
        if not even_at and shared(client) == [SHARDS // workers] * workers:
            even_at = marks[-1][1]
    start = next(mark for mark in marks if mark[1] >= max(total / 20, even_at))
    return (marks[-1][1] - start[1]) / (marks[-1][0] - start[0])


def shared(client: Redis) -> list[int]:
    """How many shards each worker holds."""
    holders = [client.hget(lease_key(GROUP, shard), "holder") for shard in range(SHARDS)]
    return list(Counter(holder for holder in holders if holder is not None).values())


def pin(client: Redis, settings: Settings, cores: set[int]) -> None:
    """Keep both servers on these cores."""
    import psycopg2

    assert settings.database_url is not None
    with psycopg2.connect(settings.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone() or (0,)
        postmaster = psutil.Process(own).parent()
    assert postmaster is not None
    processes = [postmaster, *postmaster.children(recursive=True), psutil.Process(client.info("server")["process_id"])]
    for process in processes:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def bare(client: Redis, total: int) -> float:
    """Entries a second of a reader that decodes with the standard library and acknowledges, on the core of the worker."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    streams = [name for n in range(SHARDS) if client.exists(name := shard_stream(n))]
    for name in streams:
        client.xgroup_create(name, "bare", id="0")
    started, done = time.monotonic(), 0
    while done < total:
        for name in streams:
            for _, entries in client.xreadgroup("bare", "reader", {name: ">"}, count=500) or []:
                for _, fields in entries:
                    json.loads(fields[b"data"])
                client.xack(name, "bare", *(entry for entry, _ in entries))
                done += len(entries)
    seconds = time.monotonic() - started
    os.sched_setaffinity(0, before)
    return total / seconds


def throughput(settings: Settings, bundles: Path, lines: Sequence[Sequence[Envelope]]) -> Report:
    """The worker beside a bare reader, three times in turn."""
    found = []
    for _ in range(3):
        client = fresh(settings)
        total = fill(client, lines)
        pin(client, settings, {1})
        plain = bare(client, total)
        with workers(settings, bundles, [0]):
            ours = rate(client, total)
        found.append((ours, plain, ours / plain))
    ours, plain, ratio = (statistics.median(values) for values in zip(*found, strict=True))
    return {"entries": total, "worker_per_s": round(ours), "bare_per_s": round(plain), "ratio": round(ratio, 3)}


def latency(settings: Settings, bundles: Path, lines: Sequence[Sequence[Envelope]], per_s: float) -> Report:
    """From the entry that makes a row known to its provisional statement, while entries come at so many a second."""
    client = fresh(settings)
    pin(client, settings, {1})
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    with workers(settings, bundles, [0]):
        while not client.exists(f"esports:workers:{GROUP}"):
            time.sleep(0.05)
        paced(client, lines, per_s)
        time.sleep(3)
    os.sched_setaffinity(0, before)
    times = delays(client)
    cuts = statistics.quantiles(times, n=100)
    return {
        "load_per_s": round(per_s),
        "statements": len(times),
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
        "worst_ms": max(times),
    }


def paced(client: Redis, lines: Sequence[Sequence[Envelope]], per_s: float) -> None:
    """Append entries one after the other, matches in turn, at a steady rate in steps of five milliseconds."""
    log, step_s = EventLog(client), 0.005
    order = [line[n] for n in range(max(map(len, lines))) for line in lines if n < len(line)]
    started, sent = time.monotonic(), 0
    while sent < len(order):
        due = min(len(order), int((time.monotonic() - started) * per_s) + 1)
        if due > sent:
            now = time.time()
            batch = order[sent : min(due, sent + 1000)]
            log.append([msgspec.structs.replace(e, live_offset_s=now - e.event.timestamp.timestamp()) for e in batch])
            sent += len(batch)
        time.sleep(step_s)


def delays(client: Redis) -> list[float]:
    """Milliseconds from the first entry at or after a statement's instant to the statement."""
    arrived: dict[str, list[tuple[float, int]]] = {}
    for entry, fields in client.xrange(CANONICAL):
        event = decode(fields[b"data"]).event
        if event.t is not None and event.segment > 0:
            arrived.setdefault(event.match_id, []).append((event.timestamp.timestamp(), int(entry.split(b"-")[0])))
    found = []
    for entry, fields in client.xrange(PROVISIONAL):
        signal = json.loads(fields[b"data"])
        at = time_of(signal["event_ts"])
        cause = next((ms for moment, ms in arrived[signal["match_id"]] if moment >= at - 1e-6), None)
        if cause is not None:
            found.append(float(int(entry.split(b"-")[0]) - cause))
    return found


def time_of(text: str) -> float:
    """Seconds since 1970."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def cut(line: Sequence[Envelope], entries: int) -> list[Envelope]:
    """The beginning of a match and its end."""
    end = next(envelope for envelope in reversed(line) if envelope.event.event_type is EventType.MAP_END)
    return [*(envelope for envelope in line[:entries] if envelope is not end), end]


def memory(settings: Settings, bundles: Path, lines: Sequence[Sequence[Envelope]], entries: int) -> Report:
    """Resident memory of one worker while it handles so many entries of a hundred matches, in waves of ten matches."""
    lines = [cut(line, entries // 100) for line in lines]
    client, marks, total = fresh(settings), [], 0
    with workers(settings, bundles, [0]) as (process,):
        for wave in range(10_000):
            own = [renamed(line, 1000 + wave * len(lines) + n) for n, line in enumerate(lines)]
            total += fill(client, own)
            while handled(client) < total:
                time.sleep(0.1)
            time.sleep(2.5)
            marks.append((total, psutil.Process(process.pid).memory_info().rss / 1e6))
            if total >= 0.99 * entries:
                break
    first = next(mb for done, mb in marks if done >= entries / 5)
    return {
        "entries": total,
        "matches": len(lines) * len(marks),
        "mb_after_a_fifth": round(first, 1),
        "mb_at_the_end": round(marks[-1][1], 1),
        "ratio": round(marks[-1][1] / first, 3),
    }


def scaling(settings: Settings, bundles: Path, lines: Sequence[Sequence[Envelope]]) -> Report:
    """One worker and two, three times in turn; the servers on the cores of the workers, and free."""
    ways = {"one_per_s": ([0], {0}), "two_per_s": ([0, 1], {0, 1}), "one_servers_beside_per_s": ([0], {0, 1})}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, (cores, of_servers) in ways.items():
            client = fresh(settings)
            total = fill(client, lines)
            pin(client, settings, of_servers)
            with workers(settings, bundles, cores):
                found[name].append(rate(client, total, len(cores), 0.75))
            pin(client, settings, {0, 1})
    medians = {name: statistics.median(values) for name, values in found.items()}
    one, two, beside = medians.values()
    return {
        **{name: round(value) for name, value in medians.items()},
        "ratio": round(two / one, 2),
        "ratio_servers_beside": round(two / beside, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=Path, required=True, help="bundles of the promoted models")
    parser.add_argument("--data", type=Path, default=None, help="folder of demo exports")
    parser.add_argument("--matches", type=int, default=6)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument(
        "--load", type=float, default=None, help="entries a second for the latency; half of the throughput otherwise"
    )
    parser.add_argument("--part", choices=("throughput", "latency", "memory", "scaling"), default=None)
    options = parser.parse_args()
    root = options.data or Path(os.environ.get("ESPORTS_REAL_DATA", "../shared/data")) / "cs2_demos"
    lines = envelopes(root, options.matches)
    wanted = [options.part] if options.part else ["throughput", "latency", "scaling", "memory"]
    report: Report = {}
    with servers() as settings:
        if "throughput" in wanted or ("latency" in wanted and options.load is None):
            report["throughput"] = throughput(settings, options.bundles, lines)
            print(json.dumps(report["throughput"]), flush=True)
        if "latency" in wanted:
            half = options.load or report["throughput"]["worker_per_s"] / 2
            report["latency"] = latency(settings, options.bundles, lines, half)
        if "scaling" in wanted:
            many = [cut(line, 12_000) for line in envelopes(root, 24)]
            report["scaling"] = scaling(settings, options.bundles, many)
        if "memory" in wanted:
            report["memory"] = memory(settings, options.bundles, envelopes(root, 10), options.entries)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
