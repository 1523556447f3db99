"""What models were asked and answered in games, as a sample in the lake: whoever compares online with offline reads it.

    capture/rps/next_move/day=<YYYY-MM-DD>/<process>-<number>.parquet    a row per round, alias and version

A round is in the sample or not by a hash of the game and the round, so that all of its versions are in it together. Memory is
bounded: beyond ``MOST`` rows that wait, further ones are counted and dropped, and the service says so.

Belongs here: the sample, its rows and files. Does not belong here: comparing it with anything.
"""

import logging
import secrets
import threading
from collections import deque
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

from esports_assets.storage.objects import ObjectStore, StorageError
from serving.games_assignment import chance
from serving.games_turns import Said, Turn

MOST = 20_000
"""Rows that wait: about a kilobyte each."""
A_FILE = 5_000
FOLDER = "capture/rps/next_move"
_log = logging.getLogger("serving.games")


class _Row(NamedTuple):
    turn: Turn
    said: Said


class Capture:
    """A sample of predicted rounds on its way to the lake. ``take`` never blocks."""

    def __init__(self, store: ObjectStore, rate: float, flush_s: float) -> None:
        self._store = store
        self._rate = rate
        self._flush_s = flush_s
        self._waiting: deque[_Row] = deque()
        self._process = secrets.token_hex(6)
        self._files = 0
        self.dropped = 0
        self.away: str | None = None
        """Why nothing can be written now, in a sentence."""

    def take(self, turn: Turn) -> None:
        """Keep a round of the sample; rounds that no model was asked about are in none."""
        setup = turn.setup
        assignment = setup.table.assignment
        if not turn.opened.rows or assignment is None:
            return
        if chance(f"{setup.game_id}|{turn.told.step_no}", "capture") >= self._rate:
            return
        for said in turn.opened.said:
            if len(self._waiting) >= MOST:
                self.dropped += 1
            else:
                self._waiting.append(_Row(turn, said))

    def run(self, stop: threading.Event) -> None:
        """Write what waits every ``flush_s`` seconds, and once more at the end."""
        while not stop.wait(self._flush_s):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            while self.flush():
                pass
        except (StorageError, OSError) as error:
            if self.away is None:
                _log.error("captured rounds cannot be written: %s", error)
            self.away = "Captured rounds cannot be written to the lake; they are kept as long as there is room."
        else:
            self.away = None

    def flush(self) -> int:
        """Write one file; how many rows it holds. Rows that cannot be written go on waiting."""
        rows = [self._waiting[place] for place in range(min(A_FILE, len(self._waiting)))]
        if not rows:
            return 0
        at = rows[0].turn.recorded.played_at
        assert at is not None
        key = f"{FOLDER}/day={at:%Y-%m-%d}/{self._process}-{self._files:06d}.parquet"
        self._store.put(key, _parquet([_told(row) for row in rows]))
        self._files += 1
        for _ in rows:
            self._waiting.popleft()
        return len(rows)


def _told(row: _Row) -> dict[str, Any]:
    from esports_assets.games.rps.events import header_of

    turn, said = row
    setup, assignment = turn.setup, turn.setup.table.assignment
    assert assignment is not None
    contract = setup.table.models[said.alias].contract
    at: datetime | None = turn.recorded.played_at
    return {
        "at": at,
        "match_id": header_of(setup.recorded).match_id,
        "game_id": setup.game_id,
        "step": turn.told.step_no,
        "registered_name": assignment.registered,
        "alias": said.alias.value,
        "version": said.version,
        "run_id": contract.mlflow_run_id,
        "plays": said.alias is assignment.alias,
        "window": contract.window,
        "window_fingerprint": contract.window_fingerprint,
        "features": turn.opened.rows[contract.window],
        "probabilities": said.probabilities,
        "latency_ms": said.latency_ms,
        "outcome": turn.told.user.value,
        "traffic": setup.traffic.value,
        "is_test": setup.is_test,
    }


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, numbers = pa.string(), pa.list_(pa.float64())
    schema = pa.schema(
        [
            ("at", pa.timestamp("us", tz="UTC")),
            *((name, text) for name in ("match_id", "game_id")),
            ("step", pa.int16()),
            *((name, text) for name in ("registered_name", "alias")),
            ("version", pa.int32()),
            ("run_id", text),
            ("plays", pa.bool_()),
            *((name, text) for name in ("window", "window_fingerprint")),
            *((name, numbers) for name in ("features", "probabilities")),
            ("latency_ms", pa.float64()),
            *((name, text) for name in ("outcome", "traffic")),
            ("is_test", pa.bool_()),
        ]
    )
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()
