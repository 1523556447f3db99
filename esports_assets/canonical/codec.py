"""Canonical values to Arrow and Parquet and back, and the content hash that is their data version.

Belongs here: conversions that lose nothing, and hashing.
Does not belong here: where files lie (``storage/lake.py``) and what the columns mean (``schema.py``).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esports_assets.canonical.clock import from_utc_us, utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.schema import EVENTS, Kind, Table
from esports_assets.canonical.vocabulary import EventType, Side, Title

_json = msgspec.json.Encoder()
_loads = msgspec.json.Decoder(dict[str, Any]).decode


class ColumnError(ValueError):
    """A value that a declared column cannot hold; ``place`` is ``table.column``, ``reason`` says the row and why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def table_of(table: Table, columns: Mapping[str, Any]) -> pa.Table:
    """An Arrow table with exactly the declared columns.

    Values may be sequences, numpy arrays or Arrow arrays; a category column also takes ``(codes, values)``: integer codes
    (negative = null) into a list of strings, which costs nothing per row.
    Raises ValueError for missing or undeclared columns, and its ``ColumnError`` for an ill-typed, null or non-finite value.
    """
    if set(columns) != set(table.names):
        raise ValueError(f"{table.name}: columns {sorted(set(columns) ^ set(table.names))} are missing or undeclared")
    arrays: list[pa.Array] = []
    for column in table.columns:
        field = column.arrow
        value = columns[column.name]
        try:
            array = _array(value, field.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError, OverflowError) as error:
            raise ColumnError(f"{table.name}.{column.name}", str(error)) from error
        if arrays and len(array) != len(arrays[0]):
            reason = f"{len(array)} values where {table.columns[0].name} has {len(arrays[0])}"
            raise ColumnError(f"{table.name}.{column.name}", reason)
        if array.null_count and not column.nullable:
            reason = f"null at row {_first_null(array)}, which the schema forbids"
            raise ColumnError(f"{table.name}.{column.name}", reason)
        if column.kind in (Kind.REAL, Kind.SINGLE):
            _refuse_non_finite(table, column.name, array)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=table.arrow)


def _array(value: Any, dtype: pa.DataType) -> pa.Array:
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    if pa.types.is_dictionary(dtype):
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], np.ndarray):
            return _from_codes(value[0], value[1])
        plain = value if isinstance(value, pa.Array) else pa.array(value, pa.string())
        return plain.cast(dtype) if pa.types.is_dictionary(plain.type) else plain.dictionary_encode()
    return value.cast(dtype) if isinstance(value, pa.Array) else pa.array(value, dtype)


def _from_codes(codes: np.ndarray, values: Sequence[str]) -> pa.Array:
    codes32 = codes.astype(np.int32, copy=False)
    missing = codes32 < 0
    indices = pa.array(codes32, pa.int32(), mask=missing) if missing.any() else pa.array(codes32, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(values), pa.string()))


def _first_null(array: pa.Array) -> int:
    return int(array.is_null().to_numpy(zero_copy_only=False).argmax())


def _refuse_non_finite(table: Table, name: str, array: pa.Array) -> None:
    finite = np.isfinite(array.fill_null(0).to_numpy(zero_copy_only=False))
    if not finite.all():
        bad = int(finite.argmin())
        raise ColumnError(f"{table.name}.{name}", f"{array[bad].as_py()} at row {bad} is not a finite number")


def events_table(events: Iterable[CanonicalEvent]) -> pa.Table:
    """Events as the EVENTS table, in the given order; ingestion meta stays outside."""
    rows = list(events)
    encode = _json.encode
    return table_of(
        EVENTS,
        {
            "event_id": [e.event_id for e in rows],
            "match_id": [e.match_id for e in rows],
            "series_id": [e.series_id for e in rows],
            "title": [e.title.value for e in rows],
            "map": [e.map for e in rows],
            "segment": [e.segment for e in rows],
            "t_s": [e.t for e in rows],
            "seq": [e.seq for e in rows],
            "event_type": [e.event_type.value for e in rows],
            "timestamp": [utc_us(e.timestamp) for e in rows],
            "actor": [e.actor for e in rows],
            "target": [e.target for e in rows],
            "team": [e.team for e in rows],
            "side": [e.side.value if e.side else None for e in rows],
            "payload": [encode(e.payload).decode() for e in rows],
            "enriched": [encode(e.enriched).decode() for e in rows],
            "schema_version": [e.schema_version for e in rows],
        },
    )


def events_of(table: pa.Table) -> list[CanonicalEvent]:
    """The inverse of ``events_table``."""
    columns = {name: table.column(name).to_pylist() for name in EVENTS.names if name != "timestamp"}
    moments = table.column("timestamp").cast(pa.int64()).to_pylist()
    types = {member.value: member for member in EventType}
    sides: dict[str | None, Side | None] = {None: None, **{member.value: member for member in Side}}
    titles = {member.value: member for member in Title}
    return [
        CanonicalEvent(
            event_id=columns["event_id"][i],
            match_id=columns["match_id"][i],
            event_type=types[columns["event_type"][i]],
            timestamp=from_utc_us(moments[i]),
            actor=columns["actor"][i],
            target=columns["target"][i],
            team=columns["team"][i],
            side=sides[columns["side"][i]],
            payload=_loads(columns["payload"][i]),
            enriched=_loads(columns["enriched"][i]),
            title=titles[columns["title"][i]],
            series_id=columns["series_id"][i],
            map=columns["map"][i],
            segment=columns["segment"][i],
            t=columns["t_s"][i],
            seq=columns["seq"][i],
            schema_version=columns["schema_version"][i],
        )
        for i in range(table.num_rows)
    ]


def of_type(events: pa.Table, *kinds: EventType) -> pa.Table:
    """The events of some types, in order."""
    words = events["event_type"].combine_chunks()
    wanted = [code for code, word in enumerate(words.dictionary.to_pylist()) if word in kinds]
    return events.take(np.flatnonzero(np.isin(words.indices.to_numpy(), wanted)))


def rows_of(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns of a table, row by row."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def content_hash(table: pa.Table) -> str:
    """Hash of a table's values, independent of chunking, dictionary order and file format (32 hex digits)."""
    digest = hashlib.blake2b(digest_size=16)
    for field, column in zip(table.schema, table.columns, strict=True):
        digest.update(f"{field.name}:{field.type}:{len(column)};".encode())
        array, narrow = _in_one(column), None
        if pa.types.is_dictionary(array.type):
            array = _canonical_dictionary(array)
            for value in array.dictionary.to_pylist():
                digest.update(len(value.encode()).to_bytes(8, "little") + value.encode())
            narrow = np.uint8 if len(array.dictionary) < 256 else np.int32
            array = array.indices
        digest.update(array.null_count.to_bytes(8, "little"))
        if array.null_count:
            digest.update(np.packbits(array.is_null().to_numpy(zero_copy_only=False)).tobytes())
            array = array.fill_null("" if pa.types.is_string(array.type) else pa.scalar(0).cast(array.type))
        if pa.types.is_string(array.type):
            lengths = pc.binary_length(array)
            digest.update(lengths.to_numpy(zero_copy_only=False).tobytes())
            digest.update(_text(array))
        else:
            digest.update(np.ascontiguousarray(array.to_numpy(zero_copy_only=False), narrow).view(np.uint8).data)
    return digest.hexdigest()


def _text(array: pa.StringArray) -> memoryview:
    """All strings of an array without nulls, one after another, as they lie in memory."""
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return memoryview(b"")
    bounds = np.frombuffer(offsets, np.int32)
    return memoryview(data)[bounds[array.offset] : bounds[array.offset + len(array)]]


def _in_one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    return array


def _canonical_dictionary(array: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values over a dictionary that is sorted and holds no unused or repeated value."""
    values = array.dictionary.to_pylist()
    if len(values) == 1 and array.null_count < len(array):
        return array
    codes = (array.indices.fill_null(-1) if array.null_count else array.indices).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    used = sorted({value for value, count in zip(values, counts, strict=True) if count})
    if used == values:
        return array
    position = {value: i for i, value in enumerate(used)}
    mapping = np.array([position.get(value, -1) for value in values] + [-1], dtype=np.int32)
    return _from_codes(mapping[codes], used)


def combined_hash(parts: Mapping[str, str]) -> str:
    """One version of several named versions, independent of their order."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(parts):
        digest.update(f"{name}={parts[name]};".encode())
    return digest.hexdigest()


def write_parquet(table: pa.Table, sink: Any, extra: Mapping[str, str] | None = None) -> None:
    """Write with the project's settings; ``extra`` goes into the file's metadata beside the schema's.

    The same values give the same bytes, however their chunks and dictionaries came to be. There are no statistics: a file holds
    one match and is found by its name, and they cost a fifth of the writing.
    """
    metadata = {**(table.schema.metadata or {}), **{k.encode(): v.encode() for k, v in (extra or {}).items()}}
    names = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    columns = [_canonical(column) for column in table.columns]
    plain = pa.Table.from_arrays(columns, schema=table.schema.with_metadata(metadata))
    pq.write_table(
        plain,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=names,
        column_encoding={field.name: _ENCODINGS[field.type] for field in table.schema if field.type in _ENCODINGS},
        write_statistics=False,
    )


_ENCODINGS: dict[pa.DataType, str] = {
    **dict.fromkeys((pa.int32(), pa.int64(), pa.timestamp("us", "UTC")), "DELTA_BINARY_PACKED"),
    **dict.fromkeys((pa.float32(), pa.float64()), "BYTE_STREAM_SPLIT"),
}
"""What packs better and faster than values as they stand."""


def _canonical(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; words stand in a sorted dictionary without unused ones."""
    array, words = _in_one(column), pa.dictionary(pa.int32(), pa.string())
    return _canonical_dictionary(array) if array.type == words else array


def read_parquet(source: Any, table: Table | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """Read back; with a declared table, its types are restored and another major version is refused."""
    data = pq.read_table(source, columns=list(columns) if columns else None)
    if table is None:
        return data
    metadata = data.schema.metadata or {}
    version = metadata.get(b"version", b"").decode()
    if version.split(".")[0] != table.version.split(".")[0]:
        raise ValueError(
            f"{table.name}: schema version {version or 'unknown'} is not readable here (this is {table.version})"
        )
    wanted = [table.column(name).arrow for name in data.schema.names]
    return data.cast(pa.schema(wanted, metadata=metadata))
