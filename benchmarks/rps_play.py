"""Many people play at once: how long a move takes, how many moves a second, and what each costs the processor.

One service process with a real PostgreSQL; three families with a model under each of four aliases (``xgboost``: 200 random trees
for each class), so that every round after the gambit is predicted four times and scored by version. ``--players`` people play one
game after the other, and think for half a second before each move. With ``--think 0`` the next move is sent with the answer:
that measures throughput, and every latency is that of a full queue. ``--redis`` adds the log of events. Half way, every family
gets a new Production version: ``promoted_after_s`` is when the first game was given to it, ``last_old_s`` when the last was given
to the old one.

    python benchmarks/rps_play.py [--players 100] [--think 0.5] [--seconds 10] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from http_load import Server

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from serving_http import NO_LIMIT
from tiny_rps import TASK, contract, graph

from esports_assets.games.rps.contract import FEATURE_NAMES
from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.settings import Settings
from esports_assets.storage import embedded
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore

ALIASES = ("Production", "B", "shadow1", "shadow2")
FAMILIES = ("feedforward_nn", "xgboost", "multinomial_logistic")
POLICIES = ("brian", "forrest", "logan")
MOVES = ("rock", "paper", "scissors")
BAR_MS = 50.0


def trees(seed: int, rounds: int = 200, depth: int = 3) -> bytes:
    """ONNX bytes of random boosted trees: ``rounds`` for each of three classes, softmax."""
    from onnx import TensorProto, helper

    rng = np.random.default_rng(seed)
    inner, leaves = 2**depth - 1, 2**depth
    nodes: dict[str, list[Any]] = {key: [] for key in ("tree", "id", "feature", "value", "mode", "true", "false")}
    leaf: dict[str, list[Any]] = {key: [] for key in ("tree", "id", "class", "weight")}
    for tree in range(3 * rounds):
        for node in range(inner + leaves):
            split = node < inner
            nodes["tree"].append(tree)
            nodes["id"].append(node)
            nodes["feature"].append(int(rng.integers(len(FEATURE_NAMES))) if split else 0)
            nodes["value"].append(float(rng.random()) if split else 0.0)
            nodes["mode"].append("BRANCH_LT" if split else "LEAF")
            nodes["true"].append(2 * node + 1 if split else 0)
            nodes["false"].append(2 * node + 2 if split else 0)
            if not split:
                for key, told in (("tree", tree), ("id", node), ("class", tree % 3), ("weight", rng.normal() * 0.02)):
                    leaf[key].append(told)
    ensemble = helper.make_node(
        "TreeEnsembleClassifier",
        ["features"],
        ["label", "probability"],
        domain="ai.onnx.ml",
        classlabels_int64s=[0, 1, 2],
        post_transform="SOFTMAX",
        nodes_treeids=nodes["tree"],
        nodes_nodeids=nodes["id"],
        nodes_featureids=nodes["feature"],
        nodes_values=nodes["value"],
        nodes_modes=nodes["mode"],
        nodes_truenodeids=nodes["true"],
        nodes_falsenodeids=nodes["false"],
        class_treeids=leaf["tree"],
        class_nodeids=leaf["id"],
        class_ids=leaf["class"],
        class_weights=leaf["weight"],
    )
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(FEATURE_NAMES)])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 3]),
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    body = helper.make_graph([ensemble], "trees", inputs, outputs)
    data: bytes = helper.make_model(body, opset_imports=opsets, ir_version=9).SerializeToString()
    return data


def promoted(root: Path) -> None:
    """A store in which every family has four versions under four aliases."""
    store = ObjectStore(root)
    for family in FAMILIES:
        for number, alias in enumerate(ALIASES, start=1):
            model = trees(number) if family == "xgboost" else graph(float(number))
            write_bundle(store, contract(str(number), family), model)
            mirror.write_alias(store, f"{TASK}.{family}", alias, str(number))


class Player:
    """One person on one kept-alive connection."""

    def __init__(self, number: int, think_s: float, took: list[float], port: int) -> None:
        self._random = random.Random(number)
        self._think_s = think_s
        self._took = took
        self._port = port
        self._name = f"player {number}"
        self.games = 0
        self.versions: list[tuple[float, str, str]] = []

    async def play(self, until: float) -> None:
        """Play games until the time is over."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.sleep(self._random.random() * self._think_s)
        while time.perf_counter() < until:
            started = {"player_name": self._name, "policy": self._random.choice(POLICIES)}
            _, told = await self._ask("/start_game", started)
            self.versions.append(
                (time.perf_counter(), told["ab_assignment"]["alias"], told["ab_assignment"]["version"])
            )
            await self._play_out(told["game_id"], until)
        self._writer.close()

    async def _play_out(self, game_id: str, until: float) -> None:
        finished = False
        while not finished and time.perf_counter() < until:
            if self._think_s:
                await asyncio.sleep(self._think_s * (0.5 + self._random.random()))
            sent = time.perf_counter()
            status, told = await self._ask("/play", {"game_id": game_id, "user_move": self._random.choice(MOVES)})
            self._took.append(time.perf_counter() - sent)
            if status != 200 or not told["stored"]:
                raise SystemExit(f"a move was answered {status}: {told}")
            finished = told["finished"]
        self.games += finished

    async def _ask(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        data = orjson.dumps(body)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        self._writer.write(head.encode() + data)
        told = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(told.split(b"content-length:")[1].split(b"\r\n")[0])
        return int(told[9:12]), orjson.loads(await self._reader.readexactly(length))


def cpu_of_postgres(home: Path) -> float:
    """Processor seconds of every PostgreSQL process of this run so far, ended ones included."""
    (pid_file,) = (home / "postgres").rglob("postmaster.pid")
    postmaster = int(pid_file.read_text().split()[0])
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        if pid == postmaster:
            total += sum(int(fields[place]) for place in (11, 12, 13, 14))
        elif int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


async def crowd(players: list[Player], seconds: float, store: ObjectStore, version: int) -> float:
    """Everybody plays; the moment at which every family was given a new Production version."""
    until = time.perf_counter() + seconds

    async def promote() -> float:
        await asyncio.sleep(seconds / 2)
        for family in FAMILIES:
            mirror.write_alias(store, f"{TASK}.{family}", "Production", str(version))
        return time.perf_counter()

    at, *_ = await asyncio.gather(promote(), *(player.play(until) for player in players))
    return float(at or 0.0)


def measured(server: Server, home: Path, count: int, think_s: float, seconds: float, version: int) -> dict[str, Any]:
    """What ``count`` people see who play for so long."""
    took: list[float] = []
    players = [Player(number, think_s, took, server.port) for number in range(count)]
    store = ObjectStore(home / "bundles")
    for family in FAMILIES:
        write_bundle(store, contract(str(version), family), trees(version) if family == "xgboost" else graph(1.5))
    service, postgres, started = server.cpu_s, cpu_of_postgres(home), time.perf_counter()
    swapped = asyncio.run(crowd(players, seconds, store, version))
    spent = time.perf_counter() - started
    at = statistics.quantiles(took, n=100)
    given = [one for player in players for one in player.versions if one[1] == "Production" and one[0] > swapped]
    fresh = [when - swapped for when, _, told in given if told == str(version)]
    stale = [when - swapped for when, _, told in given if told != str(version)]
    return {
        "players": count,
        "think_s": think_s,
        "moves": len(took),
        "games": sum(player.games for player in players),
        "moves_per_s": len(took) / spent,
        "p50_ms": at[49] * 1000,
        "p95_ms": at[94] * 1000,
        "p99_ms": at[98] * 1000,
        "service_cpu_ms_per_move": (server.cpu_s - service) / len(took) * 1000,
        "postgres_cpu_ms_per_move": (cpu_of_postgres(home) - postgres) / len(took) * 1000,
        "rss_mb": server.rss_mb,
        "promoted_after_s": min(fresh, default=None),
        "last_old_s": max(stale, default=0.0),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, default=100)
    parser.add_argument("--think", type=float, nargs="*", default=[0.5, 0.0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--redis", action="store_true", help="games also go to the log of events")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-rps-play-") as folder:
        home = Path(folder) / "home"
        wanted = Settings.from_env({"ESPORTS_HOME": str(home)})
        try:
            running = embedded.up(wanted)
            assert running.database_url is not None
            assert running.redis_url is not None
            engine = connect(running.database_url)
            migrate(engine)
            engine.dispose()
            promoted(home / "bundles")
            environment = NO_LIMIT | {"ESPORTS_HOME": str(home), "DATABASE_URL": running.database_url}
            if given.redis:
                environment["REDIS_URL"] = running.redis_url
            server = Server("games", [sys.executable, "-m", "serving.app"], "/start_game", b"{}", environment)
            try:
                found = [
                    measured(server, home, given.players, think_s, given.seconds, version)
                    for version, think_s in enumerate(given.think, start=100)
                ]
            finally:
                server.stop()
        finally:
            embedded.down(wanted)
    for one in found:
        print(json.dumps({name: round(value, 2) if isinstance(value, float) else value for name, value in one.items()}))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
