"""Hot swap as operators see it: a service process, sockets that stay open, and promotions through the real ledger.

Belongs here: the time from the ledger's entry to the served version, under load, with nothing stood in for.
Does not belong here: markers that are spoilt or withdrawn (``test_swap.py``), the ledger itself (``tests/unit/promotion``).
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle as tiny

from esports_assets.models.bundle import pack
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.promote import promote, rollback
from esports_assets.promotion.registry import Registry, RunRecord
from esports_assets.promotion.standing import LedgerEntry
from esports_assets.promotion.terms import Alias, Decision, Kind
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.postgres import ensure_schemas
from esports_assets.storage.urls import with_schema
from serving.derivation import window_fingerprint

ROUTE = f"/api/v1/predict/{tiny.TASK}"
BODY = json.dumps({"features": {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}})
LINEAR, TREES = "multinomial_logistic", "xgboost"
CLIENTS = 4
WITHIN_S = 1.0
Served = tuple[str, str]
"""Registered name and version."""


@dataclass
class World:
    """Registry and ledger on PostgreSQL, bundles and markers in an object store."""

    registry: Registry
    ledger: Ledger
    objects: ObjectStore

    @property
    def parts(self) -> dict[str, Any]:
        return {
            "registry": self.registry,
            "ledger": self.ledger,
            "objects": self.objects,
            "actor": "somebody",
            "source": "tests",
        }

    def train(self, family: str, bias: float) -> int:
        """Register the next version of a family: a real, tiny bundle."""
        name = f"{tiny.TASK}.{family}"
        run_id = self.registry.log_run(RunRecord(tiny.TASK, family, metrics={"log_loss": 0.47}))

        def files(version: int) -> dict[str, bytes]:
            said = {"registered_name": name, "family": family, "mlflow_run_id": run_id}
            fingerprint = window_fingerprint("cs2/round_state")
            return pack(tiny.contract(str(version), window_fingerprint=fingerprint, **said), tiny.graph(bias=bias))

        return self.registry.register(name, run_id, files)

    def up(self, family: str, version: int) -> LedgerEntry:
        decision = Decision(Kind.PROMOTE, Alias.PRODUCTION, ("It is better.",), {})
        return promote(tiny.TASK, f"{tiny.TASK}.{family}", version, decision, **self.parts)

    def back(self) -> LedgerEntry:
        return rollback(tiny.TASK, reason="It was worse.", **self.parts)


@pytest.fixture
def world(fresh_database_url: str, tmp_path: Path) -> Iterator[World]:
    engine = connect(fresh_database_url)
    migrate(engine)
    ensure_schemas(fresh_database_url, ["mlflow"])
    registry = Registry(with_schema(fresh_database_url, "mlflow"), str(tmp_path / "mlflow"))
    yield World(registry, Ledger(engine), ObjectStore(tmp_path / "bundles"))
    engine.dispose()


@pytest.fixture
def port(world: World, tmp_path: Path) -> Iterator[int]:
    """A service process that serves version 1 of the linear family, with its settings' own poll interval."""
    world.up(LINEAR, world.train(LINEAR, 0.0))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    changes = {"ESPORTS_HOME": str(tmp_path), "API_PORT": str(number), "SERVING_TASKS": tiny.TASK}
    environment = {key: value for key, value in os.environ.items() if key != "POLL_INTERVAL_S"} | changes
    log = tmp_path / "service.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.app"], env=environment, stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        _until_ready(number, process, log)
        yield number
    finally:
        process.terminate()
        process.wait(30)


def _until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not _ready(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"not ready within a minute\n{log.read_text()}"
        time.sleep(0.05)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass(frozen=True)
class Answer:
    """When a request left and its answer was there (Unix time), and what served it."""

    asked: float
    told: float
    served: Served
    probability: float


@dataclass
class Load:
    """Clients that ask all the time, each over one connection that is never opened again."""

    port: int
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.connect()
        connection.auto_open = 0  # a connection that the service closes is a failure, not a reason to open another
        try:
            while not self._stop.is_set():
                self._ask_once(connection)
                time.sleep(0.002)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()

    def _ask_once(self, connection: http.client.HTTPConnection) -> None:
        asked = time.time()
        connection.request("POST", ROUTE, BODY, {"content-type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        told = time.time()
        if response.status != 200:
            self.failures.append(f"{response.status}: {content!r}")
            return
        body = json.loads(content)
        served = (body["model_info"]["model_name"], body["model_info"]["model_version"])
        self.answers.append(Answer(asked, told, served, body["probabilities"]["ct"]))


def _named(entry: LedgerEntry) -> Served:
    return entry.registered_name, str(entry.to_version)


def test_what_the_ledger_says_is_served_within_a_second_and_no_request_fails(world: World, port: int) -> None:
    linear = f"{tiny.TASK}.{LINEAR}"
    trees = f"{tiny.TASK}.{TREES}"
    second, first_trees = world.train(LINEAR, 1.0), world.train(TREES, -1.0)
    expected = {(linear, "1"): 0.843, (linear, "2"): 0.936, (trees, "1"): 0.664}
    moves = (
        lambda: world.up(LINEAR, second),
        lambda: world.up(TREES, first_trees),
        world.back,
        world.back,
    )
    entries: list[LedgerEntry] = []
    with Load(port) as load:
        time.sleep(0.5)
        for move in moves:
            entries.append(move())
            time.sleep(max(0.0, entries[-1].created_at.timestamp() + WITHIN_S + 0.5 - time.time()))

    assert load.failures == []
    assert [_named(entry) for entry in entries] == [(linear, "2"), (trees, "1"), (linear, "2"), (linear, "1")]
    assert [_named(entry) for entry in world.ledger.history(tiny.TASK)][:4] == [_named(e) for e in reversed(entries)]
    assert len(load.answers) > 100 * CLIENTS
    for answer in load.answers:
        assert answer.probability == pytest.approx(expected[answer.served], abs=1e-3)
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        _assert_served_in_time(load.answers, entry, following)


def _assert_served_in_time(answers: list[Answer], entry: LedgerEntry, following: LedgerEntry | None) -> None:
    """From a second after the entry (its transaction's start) until the next one, every answer is of its version."""
    start = entry.created_at.timestamp()
    end = following.created_at.timestamp() if following else float("inf")
    first = min(a.told for a in answers if a.asked >= start and a.served == _named(entry))
    assert first - start < WITHIN_S, f"{_named(entry)} answered {first - start:.2f} s after its entry"
    settled = [answer for answer in answers if answer.asked >= start + WITHIN_S and answer.told <= end]
    assert len(settled) > 5
    assert {answer.served for answer in settled} == {_named(entry)}
