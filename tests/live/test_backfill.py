"""Matches of the past into the log: from the lake and from GRID's files, some at once, each event once."""

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from feeding import grid_match, ids, logged
from redis import Redis
from tiny_match import tiny_match

from esports_assets.canonical.codec import content_hash
from esports_assets.storage.lake import Lake
from esports_assets.streams.collect import collected_from
from esports_assets.streams.log import EventLog
from serving.app import create_app
from serving.backfill import Backfill
from serving.backfill_queue import BackfillQueue, Job, State
from serving.database import Database
from serving.grid_files import GridFileError, GridFiles
from serving.intake import backfill_of
from serving.keys import Keys
from serving.roles import Role, Scope
from serving.settings import Settings

SERIES = "900123"
KEY = "a key of the test"


def zipped(data: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"events_{SERIES}_grid.jsonl", data)
    return sink.getvalue()


def series_file(transactions: int = 200) -> bytes:
    """A series of GRID, as far as it is told."""
    lines = [line.replace(b'"simulated":true,', b"").replace(b"5-000", SERIES.encode()) for line in grid_match()]
    return b"\n".join(lines[:transactions])


class Grid:
    """A small server of files: what it answers next, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.at_once = self.most_at_once = 0
        self.delay_s = 0.0


@contextmanager
def serving_files(grid: Grid) -> Iterator[str]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                grid.asked.append((self.path, self.headers.get("x-api-key")))
                grid.at_once += 1
                grid.most_at_once = max(grid.most_at_once, grid.at_once)
                status, body, headers = grid.answers.pop(0) if len(grid.answers) > 1 else grid.answers[0]
            time.sleep(grid.delay_s)
            with lock:
                grid.at_once -= 1
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        running.join()


@pytest.fixture
def grid() -> Iterator[tuple[Grid, str]]:
    found = Grid()
    with serving_files(found) as url:
        yield found, url


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    made.write_match(tiny_match("test:backfill:1"))
    return made


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_over_http_a_match_of_the_lake_is_played_and_the_state_is_told(
    tmp_path: Path, lake: Lake, live_url: str, log_client: Redis, live_database: str
) -> None:
    records = [record for title in lake.titles() for record in lake.matches(title)]
    header = records[0].header
    kept = Database(live_database)
    keys = Keys(kept)
    texts = {role: keys.create(role.value, role, "test", scopes=(Scope.INGEST,))[0] for role in Role}
    settings = Settings(esports_home=str(tmp_path), lake_url=lake.url, redis_url=live_url, database_url=live_database)
    operator = {"X-API-Key": texts[Role.OPERATOR]}
    with TestClient(create_app(settings)) as client:
        assert client.post("/backfill", json=[header.match_id]).status_code == 401
        refused = client.post("/backfill", json=[header.match_id], headers={"X-API-Key": texts[Role.REVIEWER]})
        assert refused.status_code == 403
        for body in ([], ["../../etc"], "x", [1], ["a" * 201], {"a": 1}):
            assert client.post("/backfill", json=body, headers=operator).status_code == 422, body
        asked = client.post("/backfill", json=[header.match_id, "none:such", header.match_id], headers=operator)
        assert (asked.status_code, asked.json()) == (
            200,
            {"status": "waiting", "matches": [header.match_id, "none:such"]},
        )

        def told() -> dict[str, Any]:
            return {job["match_id"]: job for job in client.get("/backfill", headers=operator).json()["matches"]}

        until(lambda: all(job["state"] in ("done", "failed") for job in told().values()))
        found = told()
    kept.close()
    assert found["none:such"]["state"] == "failed"
    assert "not in the lake, and GRID is not asked without GRID_API_KEY" in found["none:such"]["reason"]
    assert found[header.match_id]["state"] == "done"
    assert found[header.match_id]["sent"] == found[header.match_id]["appended"] == len(logged(log_client))
    collected = collected_from(EventLog(log_client), header.match_id)
    assert collected.verified
    assert content_hash(collected.match.events) == content_hash(lake.load(header).events)


def test_a_series_of_grid_is_played_whole_or_one_game(
    grid: tuple[Grid, str], tmp_path: Path, log_client: Redis
) -> None:
    served, base = grid
    served.answers = [(200, zipped(series_file()), {})]
    backfill = Backfill(EventLog(log_client), BackfillQueue(log_client), str(tmp_path), GridFiles(base, KEY))
    first = backfill.played(f"grid:{SERIES}:1")
    assert first.state is State.DONE
    assert first.sent == first.appended == len(logged(log_client)) > 200
    assert backfill.played(SERIES) == Job(State.DONE, first.sent, 0)  # all of it is there already
    assert served.asked == [(f"/file-download/events/grid/series/{SERIES}", KEY)] * 2
    assert backfill.played(f"grid:{SERIES}:7").reason == f"nothing to play: series {SERIES} has no game 7"
    assert len(set(ids(logged(log_client)))) == first.sent


def test_a_download_is_patient_and_says_why_it_gives_up(grid: tuple[Grid, str]) -> None:
    served, base = grid
    waits: list[float] = []
    files = GridFiles(base, KEY, timeout_s=5, retries=3, backoff=2.0, sleep=waits.append)
    served.answers = [(503, b"", {}), (429, b"", {"Retry-After": "7"}), (500, b"", {}), (200, zipped(b"{}"), {})]
    assert files.events_of(SERIES).data == b"{}"
    assert 0.5 <= waits[0] <= 1.0
    assert waits[1] == 7.0
    assert 2.0 <= waits[2] <= 4.0
    served.answers, waits[:] = [(503, b"", {})], []
    with pytest.raises(GridFileError, match=r"GRID answers 503 for .*, 4 times"):
        files.events_of(SERIES)
    assert len(waits) == 3
    served.answers, waits[:] = [(404, b"", {})], []
    with pytest.raises(GridFileError, match="GRID answers 404"):
        files.events_of(SERIES)
    assert waits == []
    served.answers = [(200, b"PK\x03\x04 and no archive", {})]
    with pytest.raises(GridFileError, match="is damaged"):
        files.events_of(SERIES)
    away = GridFiles("http://127.0.0.1:9", KEY, timeout_s=1, retries=1, sleep=waits.append)
    with pytest.raises(GridFileError, match="GRID cannot be reached"):
        away.events_of(SERIES)


def test_where_grid_points_elsewhere_the_key_stays_home(grid: tuple[Grid, str]) -> None:
    served, base = grid
    other = Grid()
    other.answers = [(200, b"{}", {})]
    with serving_files(other) as elsewhere:
        served.answers = [(302, b"", {"Location": f"{elsewhere}/store"})]
        assert GridFiles(base, KEY).events_of(SERIES).data == b"{}"
    assert other.asked == [("/store", None)]


def test_at_most_five_at_once_and_every_one_in_the_end(
    grid: tuple[Grid, str], tmp_path: Path, log_client: Redis
) -> None:
    served, base = grid
    served.answers = [(200, zipped(b'{"no": "events"}'), {})]
    served.delay_s = 0.1
    parts = [
        Backfill(EventLog(log_client), BackfillQueue(log_client), str(tmp_path), GridFiles(base, KEY)) for _ in range(2)
    ]
    stop = threading.Event()
    running = [threading.Thread(target=part.run, args=(stop,)) for part in parts]
    for thread in running:
        thread.start()
    wanted = [f"grid:{number}:1" for number in range(1, 17)]
    parts[0].ask(wanted)
    until(lambda: all(job.state is State.FAILED for job in parts[0].queue.jobs().values()))
    stop.set()
    for thread in running:
        thread.join()
    assert len(served.asked) == 16  # none twice, though two processes took them
    assert 1 < served.most_at_once <= 5
    reasons = {job.reason for job in parts[0].queue.jobs().values()}
    assert all("nothing to play" in reason for reason in reasons)


def test_what_a_dead_process_had_taken_is_taken_again(
    tmp_path: Path, lake: Lake, live_url: str, log_client: Redis
) -> None:
    settings = Settings(esports_home=str(tmp_path), lake_url=lake.url, redis_url=live_url)
    match_id = next(record.header.match_id for title in lake.titles() for record in lake.matches(title))
    queue = BackfillQueue(log_client)
    queue.ask([match_id])
    assert queue.take() == match_id  # and then nothing is heard of who took it
    assert queue.take() is None
    log_client.zadd("esports:backfill", {match_id: 1})  # its lease has ended
    backfill = backfill_of(log_client, settings)
    stop = threading.Event()
    running = threading.Thread(target=backfill.run, args=(stop,))
    running.start()
    until(lambda: queue.jobs()[match_id].state is State.DONE)
    stop.set()
    running.join()
    assert collected_from(EventLog(log_client), match_id).verified
    assert log_client.zcard("esports:backfill") == 0
