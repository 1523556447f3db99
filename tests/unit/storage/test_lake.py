"""The lake keeps one contract in a directory and on S3."""

import json
import pickle
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_match import DAY, tiny_match

from esports_assets.adapters.base import Refusal
from esports_assets.canonical.codec import content_hash
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import KeyNotFound, Lake, MatchKey, RawFile, Receipt


def test_raw_files_keep_their_bytes_and_name(store_url: str) -> None:
    lake = Lake(store_url)
    first = lake.write_raw(Title.CS2, DAY, "2026-05-17 de_dust2 (m1).json.xz", b"abc")
    again = lake.write_raw(Title.CS2, DAY, "2026-05-17 de_dust2 (m1).json.xz", b"abc")
    other = lake.write_raw(Title.CS2, DAY + timedelta(1), "b.zip", b"")
    assert first == again
    assert first.key == "raw/cs2/day=2026-05-17/ba7816bf8f01__2026-05-17-de_dust2-m1-.json.xz"
    assert RawFile.of_key(first.key) == first
    assert lake.raw_files(Title.CS2, DAY) == [first]
    assert lake.raw_days(Title.CS2) == [DAY, DAY + timedelta(1)]
    assert lake.raw_titles() == [Title.CS2]
    assert (lake.read_raw(first), lake.read_raw(other)) == (b"abc", b"")
    assert lake.delete_raw(first)
    assert lake.raw_days(Title.CS2) == [DAY + timedelta(1)]


def test_a_match_comes_back_as_it_was(store_url: str) -> None:
    lake = Lake(store_url)
    match = tiny_match(findings=2)
    versions = lake.write_match(match, adapter_version="7", raw="raw/cs2/day=2026-05-17/0__x")
    assert versions == {name: content_hash(table) for name, table in match.tables.items()}
    [record] = lake.matches(Title.CS2)
    assert record.header == match.header
    assert dict(record.versions) == versions
    assert dict(record.rows) == {"events": 2, "tracking": 2, "rounds": 1, "players": 2}
    assert (record.adapter_version, record.raw) == ("7", "raw/cs2/day=2026-05-17/0__x")
    loaded = lake.load(record.header)
    for table in CANONICAL_TABLES:
        read = loaded.tables[table.name]
        assert read.schema.equals(table.arrow), table.name
        assert content_hash(read) == versions[table.name]
    assert (loaded.header, loaded.findings) == (match.header, match.findings)


def test_facts_stand_in_the_parquet_file(tmp_path: Path) -> None:
    Lake(tmp_path).write_match(tiny_match(), adapter_version="7")
    file = tmp_path / "canonical/cs2/tracking/day=2026-05-17/test~1~1.parquet"
    metadata = {k.decode(): v.decode() for k, v in pq.read_metadata(file).metadata.items()}
    expected = {"match_id": "test:1:1", "series_id": "test:1", "title": "cs2", "day": "2026-05-17", "map": "de_dust2"}
    expected |= {"source": "test", "simulated": "false", "adapter_version": "7", "table": "tracking"}
    assert {name: metadata[name] for name in expected} == expected
    assert metadata["data_version"] == content_hash(tiny_match().tracking)


def test_the_same_content_leaves_every_file_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write_match(tiny_match(), adapter_version="1")
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*.*") if file.is_file()}
    assert len(before) == 5
    lake.write_match(tiny_match(), adapter_version="1")
    assert {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in tmp_path.rglob("*.*") if f.is_file()} == before
    lake.write_match(tiny_match(health=7), adapter_version="1")
    changed = {f.relative_to(tmp_path).parts[2] for f, (_, at) in before.items() if f.stat().st_mtime_ns != at}
    assert changed == {"tracking", "matches"}


def test_a_lost_table_is_written_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write_match(tiny_match())
    (tmp_path / "canonical/cs2/rounds/day=2026-05-17/test~1~1.parquet").unlink()
    with pytest.raises(KeyNotFound):
        lake.read("rounds", tiny_match().header)
    lake.write_match(tiny_match())
    assert lake.read("rounds", tiny_match().header).num_rows == 1


def test_the_index_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    put, written = lake.store.put, []
    monkeypatch.setattr(lake.store, "put", lambda key, data: (written.append(key), put(key, data))[1])
    lake.write_match(tiny_match())
    assert [key.split("/")[2] for key in written] == ["events", "tracking", "rounds", "players", "matches"]
    assert json.loads(lake.store.get(written[-1]))["header"]["match_id"] == "test:1:1"


def test_days_and_listing(store_url: str) -> None:
    lake = Lake(store_url)
    days = [DAY, DAY + timedelta(1)]
    for match in (tiny_match("test:2:1", day=days[1]), tiny_match("test:1:2"), tiny_match("test:1:1")):
        lake.write_match(match)
    lake.write_match(tiny_match("test:9:1", title=Title.VALORANT))
    assert lake.titles() == [Title.CS2, Title.VALORANT]
    assert lake.days(Title.CS2) == days
    assert [r.header.match_id for r in lake.matches(Title.CS2)] == ["test:1:1", "test:1:2", "test:2:1"]
    assert [r.header.match_id for r in lake.matches(Title.CS2, days[1])] == ["test:2:1"]
    assert lake.matches(Title.RPS) == []
    found = lake.find(Title.CS2, "test:2:1")
    assert found is not None
    assert found.header.day == days[1]
    assert lake.find(Title.CS2, "test:2:9") is None
    one_day = lake.read_day("events", Title.CS2, DAY, columns=["match_id", "t_s"])
    assert one_day.to_pylist() == [
        {"match_id": "test:1:1", "t_s": 10.5},
        {"match_id": "test:1:1", "t_s": 20.0},
        {"match_id": "test:1:2", "t_s": 10.5},
        {"match_id": "test:1:2", "t_s": 20.0},
    ]
    empty = lake.read_day("rounds", Title.CS2, date(2030, 1, 1))
    assert (empty.num_rows, empty.column_names[0]) == (0, "match_id")


def test_windows(store_url: str) -> None:
    lake = Lake(store_url)
    header = tiny_match().header
    table = pa.table({"t_s": [0.0, 1.0], "alive_ct": pa.array([5, 4], pa.int16())})
    version = lake.write_windows(header, "round_state", table, {"fingerprint": "f1"})
    assert version == content_hash(table)
    [record] = lake.window_records(Title.CS2, "round_state")
    assert (record.match_id, record.day, record.version, record.rows) == ("test:1:1", DAY, version, 2)
    assert dict(record.facts) == {"fingerprint": "f1"}
    read = lake.read_windows(header, "round_state", columns=["alive_ct"])
    assert read.to_pydict() == {"alive_ct": [5, 4]}
    assert read.schema.metadata[b"fingerprint"] == b"f1"
    assert lake.window_days(Title.CS2, "round_state") == [DAY]
    assert lake.write_windows(header, "round_state", table, {"fingerprint": "f2"}) == version
    assert dict(lake.window_records(Title.CS2, "round_state", DAY)[0].facts) == {"fingerprint": "f2"}
    assert lake.delete_windows(header, "round_state")
    assert lake.window_records(Title.CS2, "round_state") == []


def test_predictions(store_url: str) -> None:
    lake = Lake(store_url)
    header = tiny_match().header
    table = pa.table({"t_s": [0.0], "p_ct": [0.5]})
    where = ("cs2.round_win", "cs2.round_win.xgboost", 3)
    assert lake.write_predictions(header, *where, table, {"alias": "B"}) == content_hash(table)
    assert lake.predicted(Title.CS2, *where) == ["test:1:1"]
    read = lake.read_predictions(Title.CS2, *where, "test:1:1")
    assert read is not None
    assert (read.to_pylist(), read.schema.metadata[b"alias"]) == ([{"t_s": 0.0, "p_ct": 0.5}], b"B")
    assert lake.read_predictions(Title.CS2, *where, "test:1:2") is None


def test_failures_and_receipts(store_url: str) -> None:
    lake = Lake(store_url)
    raw = lake.write_raw(Title.CS2, DAY, "x.zip", b"abc")
    refusal = Refusal("x.zip", "kills.json", "is not JSON", "UnreadableFile")
    lake.write_failures(raw, [refusal])
    [failure] = lake.failures(Title.CS2)
    assert (failure.raw, failure.refusals) == (raw.key, (refusal,))
    assert lake.failure(raw) == failure
    assert lake.failures(Title.CS2, DAY + timedelta(1)) == []
    lake.write_failures(raw, [])
    assert lake.failures(Title.CS2) == []
    held = MatchKey(Title.CSGO, DAY, "test:1:1")
    receipt = Receipt(raw.key, "cs2_demo", "3", (held,), 1, ("identities/cs2/0.json",))
    assert lake.receipt(raw.sha12, "x.zip") is None
    lake.write_receipt(receipt)
    assert lake.receipt(raw.sha12, "x.zip") == receipt
    lake.store.put(f"receipts/{raw.entry}.json", b'{"raw":"x","matches":[["2026-05-17","test:1:1"]]}')
    assert lake.receipt(raw.sha12, "x.zip") is None, "a receipt of an earlier form counts as none"
    lake.write_receipt(receipt)
    lake.delete_raw(raw)
    assert lake.receipt(raw.sha12, "x.zip") is None


def test_retain_removes_what_disappeared_and_what_was_computed_from_it(store_url: str) -> None:
    lake = Lake(store_url)
    keep, gone, other = tiny_match("test:1:1"), tiny_match("test:1:2"), tiny_match("test:1:3", day=DAY + timedelta(1))
    for match in (keep, gone, other):
        lake.write_match(match)
        lake.write_windows(match.header, "round_state", pa.table({"t_s": [0.0]}), {})
        lake.write_predictions(match.header, "cs2.round_win", "m", 1, pa.table({"p": [0.5]}), {})
    assert lake.retain(Title.CS2, DAY, {"test:1:1"}) == ["test:1:2"]
    assert lake.retain(Title.CS2, DAY, {"test:1:1"}) == []
    assert [r.header.match_id for r in lake.matches(Title.CS2)] == ["test:1:1", "test:1:3"]
    assert [key for key in lake.store.list() if "test~1~2" in key] == []
    assert lake.predicted(Title.CS2, "cs2.round_win", "m", 1) == ["test:1:1", "test:1:3"]


def test_changed_header_facts_reach_the_files(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    match = tiny_match()
    lake.write_match(match)
    lake.write_match(replace(match, header=replace(match.header, simulated=True)))
    file = tmp_path / "canonical/cs2/players/day=2026-05-17/test~1~1.parquet"
    assert pq.read_metadata(file).metadata[b"simulated"] == b"true"
    assert lake.matches(Title.CS2)[0].header.simulated


def test_a_lake_can_be_sent_to_another_process(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write_match(tiny_match())
    assert pickle.loads(pickle.dumps(lake)).matches(Title.CS2) == lake.matches(Title.CS2)
