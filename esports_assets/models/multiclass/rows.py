"""Labelled window tables of one row per player and instant, as arrays for learning.

Belongs here: the step from Arrow to numpy for windows of players, thinning them, and the label of a while ago.
Does not belong here: rows of a round (``models/rows.py``), what is learned.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.models.rows import Rows, TooLittleData, matrix_of
from esports_assets.models.tasks import ModelTask
from esports_assets.windows.spec import WindowSpec

Ints = npt.NDArray[np.int64]

KEYS = ("match_id", "map", "simulated", "segment", "seq", "t_s", "player", "side")
"""What identifies a row; ``seq`` is its position in the window table of its match."""


def player_rows(tables: Iterable[pa.Table], task: ModelTask, spec: WindowSpec, days: Mapping[str, str]) -> Rows:
    """The labelled rows of window tables, one table per match; TooLittleData where there is none.

    ``days`` tells the ISO date of every match. Tables are read in order of match, so that the same matches are the same rows.
    """
    parts = [_part(table, task, spec) for table in tables]
    parts = sorted((part for part in parts if part[0].num_rows), key=lambda part: part[0]["match_id"][0].as_py())
    if not parts:
        raise TooLittleData(f"{task.name}: no match has a row with a label; positions of players are needed")
    ids = [keys["match_id"][0].as_py() for keys, _, _ in parts]
    sizes = [keys.num_rows for keys, _, _ in parts]
    return Rows(
        features=tuple(spec.features),
        classes=task.classes,
        x=np.concatenate([x for _, x, _ in parts]),
        y=np.concatenate([y for _, _, y in parts]),
        match=np.repeat(np.arange(len(parts)), sizes),
        match_ids=tuple(ids),
        match_maps=tuple(keys["map"][0].as_py() for keys, _, _ in parts),
        match_days=tuple(days[name] for name in ids),
        keys=pa.concat_tables([keys for keys, _, _ in parts]).unify_dictionaries(),
    )


def _part(table: pa.Table, task: ModelTask, spec: WindowSpec) -> tuple[pa.Table, npt.NDArray[np.float32], Ints]:
    """Keys, inputs and class of the labelled rows of one match."""
    table = table.replace_schema_metadata(None)
    table = table.append_column("seq", pa.array(np.arange(table.num_rows))).filter(pc.is_valid(table[task.label]))
    y = pc.index_in(table[task.label].cast(pa.string()), pa.array(task.classes)).to_numpy().astype(np.int64)
    return table.select(list(KEYS)), matrix_of(table, spec.feature_names), y


def thin_players(rows: Rows, every_s: float) -> Rows:
    """One row of every player in so many seconds, of every match alike, with another phase from round to round."""
    half = np.rint(rows.keys["t_s"].to_numpy() * 2).astype(np.int64)
    player = _codes(rows, "player")
    phase = rows.keys["segment"].to_numpy().astype(np.int64) * 3 + player * 5 + rows.match
    return rows.take((half + phase) % max(round(every_s * 2), 1) == 0)


def label_ago(rows: Rows, ago_s: float) -> Ints:
    """The class that the same player had in the same round at the latest instant at least so long ago; -1 where none."""
    t = rows.keys["t_s"].to_numpy()
    segment = rows.keys["segment"].to_numpy().astype(np.int64)
    who = (rows.match * 1_000 + segment) * 1_000 + _codes(rows, "player")
    order = np.lexsort((t, who))
    group, moment = np.unique(who[order], return_inverse=True)[1], t[order]
    span = float(moment.max(initial=0.0)) + ago_s + 1.0
    line = group * 2 * span + moment
    found = np.searchsorted(line, line - ago_s + 1e-6, side="right") - 1
    known = (found >= 0) & (group[np.maximum(found, 0)] == group)
    said = np.empty(len(rows), dtype=np.int64)
    said[order] = np.where(known, rows.y[order][np.maximum(found, 0)], -1)
    return said


def _codes(rows: Rows, name: str) -> Ints:
    """A small number for every word of a key column, the same in every order of rows."""
    column = rows.keys[name].combine_chunks()
    column = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    column = column if isinstance(column, pa.DictionaryArray) else column.combine_chunks()
    place = np.argsort(np.argsort(np.array(column.dictionary.to_pylist(), dtype=object)))
    return np.asarray(place[column.indices.to_numpy()], dtype=np.int64)
