"""The object store keeps one contract in a directory and on S3."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from esports_assets.storage.objects import KeyNotFound, ObjectStore, StorageError


def test_put_get_replace_delete(store_url: str) -> None:
    store = ObjectStore(store_url)
    assert store.list() == []
    assert store.folders() == []
    assert not store.exists("a/b.txt")
    store.put("a/b.txt", b"one")
    assert (store.get("a/b.txt"), store.exists("a/b.txt")) == (b"one", True)
    store.put("a/b.txt", b"")
    assert store.get("a/b.txt") == b""
    assert store.delete("a/b.txt")
    assert not store.delete("a/b.txt")
    assert store.list() == []
    assert store.find("a/b.txt") is None
    with pytest.raises(KeyNotFound, match=r"nothing is stored under a/b\.txt"):
        store.get("a/b.txt")


def test_list_and_folders(store_url: str) -> None:
    store = ObjectStore(store_url)
    keys = ["m/.alias_B", "m/1/model.onnx", "m/10/model.onnx", "m2/x", "raw/day=2026-05-17/t~1~1.json"]
    for key in reversed(keys):
        store.put(key, key.encode())
    assert store.list() == keys
    assert store.list("m") == keys[:3]
    assert store.list("nothing") == []
    assert store.folders() == ["m", "m2", "raw"]
    assert store.folders("m") == ["1", "10"]
    assert store.folders("m/1") == []
    assert not store.exists("m")
    assert store.find("m") is None
    assert not store.delete("m")


def test_etag_tells_content_apart_even_at_equal_size_in_the_same_second(store_url: str) -> None:
    store = ObjectStore(store_url)
    assert store.etag("marker") is None
    store.put("marker", b"x@Production v1")
    first = store.etag("marker")
    store.put("marker", b"x@Production v2")
    second = store.etag("marker")
    store.put("marker", b"x@Production v1")
    assert first != second
    assert store.etag("marker") == first


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../b", "a/.", "a/", "a\\b", "a\nb", "a/.tmp~x"])
def test_bad_keys_are_refused_by_every_method(store_url: str, key: str) -> None:
    store = ObjectStore(store_url)
    for method in (store.get, store.find, store.exists, store.delete, store.etag):
        with pytest.raises(ValueError, match="not a valid key"):
            method(key)
    with pytest.raises(ValueError, match="not a valid key"):
        store.put(key, b"")


def test_readers_see_old_or_new_bytes_only(store_url: str) -> None:
    store = ObjectStore(store_url)
    versions = [bytes([letter]) * 300_000 for letter in b"ab"]
    store.put("big", versions[0])

    def write() -> None:
        for turn in range(12):
            store.put("big", versions[turn % 2])

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            seen = store.get("big")
            assert (len(seen), seen[:1] * len(seen)) == (300_000, seen)
        writing.result()


def test_other_schemes_are_refused() -> None:
    with pytest.raises(StorageError, match="gs://bucket is neither a path nor an s3:// URL"):
        ObjectStore("gs://bucket")


def test_an_unreachable_endpoint_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:1")
    with pytest.raises(StorageError, match="not an http"):
        ObjectStore("s3://lake")


def test_failed_write_leaves_the_old_bytes_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectStore(tmp_path)
    store.put("a", b"old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/a: disk full"):
        store.put("a", b"new")
    assert store.get("a") == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_store_below_a_regular_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = ObjectStore(tmp_path / "file" / "store")
    for write in (lambda: store.put("a", b""), lambda: store.exclusive().__enter__()):
        with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/store/.*: Not a directory"):
            write()
    assert (store.find("a"), store.list(), store.exists("a"), store.delete("a")) == (None, [], False, False)


def test_nothing_lies_under_a_key_that_no_file_name_can_hold(tmp_path: Path) -> None:
    store, key = ObjectStore(tmp_path), "x" * 300
    assert (store.find(key), store.exists(key), store.delete(key)) == (None, False, False)
    with pytest.raises(StorageError, match="File name too long"):
        store.put(key, b"")


def test_puts_survive_that_others_remove_the_folder_when_it_is_empty(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)

    def turn(name: str) -> None:
        for _ in range(300):
            store.put(f"folder/{name}", b"x")
            store.delete(f"folder/{name}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, "abcd"))
    assert store.list() == []


def test_one_writer_at_a_time(store_url: str) -> None:
    """Sixty increments by reading and writing: without the lock some would be lost."""
    store = ObjectStore(store_url)
    store.put("count", b"0")

    def add(_: int) -> None:
        with store.exclusive():
            store.put("count", str(int(store.get("count")) + 1).encode())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(60)))
    assert store.get("count") == b"60"
    assert store.list() == ["count"]


def test_the_local_store_loads_without_heavy_modules() -> None:
    program = (
        "import sys; from esports_assets.storage.objects import ObjectStore; ObjectStore('/tmp').exists('x');"
        "print([m for m in ('pyarrow', 'numpy', 'sqlalchemy', 'dagster') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
