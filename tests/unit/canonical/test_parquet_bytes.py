"""Equal tables are equal bytes, wherever their values came from."""

import io
import random
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_match import tiny_match

from esports_assets.canonical.codec import content_hash, read_parquet, write_parquet

WORDS = st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=30)


def written(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    write_parquet(table, sink, {"a": "fact"})
    return sink.getvalue()


def coded(words: list[str | None], seed: int, unused: list[str]) -> pa.DictionaryArray:
    """Words over a dictionary in any order, with words that none of them uses."""
    dictionary = [*dict.fromkeys(word for word in words if word is not None), *unused]
    random.Random(seed).shuffle(dictionary)
    place = {word: i for i, word in enumerate(dictionary)}
    return pa.DictionaryArray.from_arrays(
        pa.array([None if word is None else place[word] for word in words], pa.int32()),
        pa.array(dictionary, pa.string()),
    )


@given(words=WORDS, seeds=st.tuples(st.integers(0, 9), st.integers(0, 9)), cut=st.integers(0, 30))
def test_chunks_and_dictionaries_leave_no_trace(words: list[str | None], seeds: tuple[int, int], cut: int) -> None:
    numbers = pa.array(range(len(words)), pa.int64())
    whole = pa.table({"word": coded(words, seeds[0], []), "number": numbers})
    unused = pa.table({"word": coded(words, seeds[1], ["never", "used"]), "number": numbers})
    pieces = pa.concat_tables(
        pa.table({"word": coded(part, seeds[1], []), "number": numbers[start : start + len(part)]})
        for start, part in ((0, words[:cut]), (cut, words[cut:]))
    )
    assert written(whole) == written(unused) == written(pieces)
    back = read_parquet(io.BytesIO(written(pieces)))
    assert back["word"].to_pylist() == words
    assert content_hash(back.select(["number"])) == content_hash(whole.select(["number"]))


@pytest.mark.parametrize("name", ["events", "tracking", "rounds", "players"])
def test_a_table_that_was_read_is_written_as_it_was(name: str) -> None:
    table = tiny_match().tables[name]
    data = written(table)
    assert written(read_parquet(io.BytesIO(data)).replace_schema_metadata(table.schema.metadata)) == data


def test_other_values_are_other_bytes() -> None:
    match = tiny_match()
    other = replace(match, tracking=tiny_match(health=99).tracking)
    assert written(match.tracking) != written(other.tracking)
