"""Window tables as arrays for learning: features by name, labels, and the match that every row belongs to.

Belongs here: the step from Arrow to numpy, and refusing tables that do not hold what the window declares.
Does not belong here: computing features (``windows/``), splitting (``split.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.models.split import MatchInfo, grouped_folds
from esports_assets.models.tasks import ModelTask
from esports_assets.windows.spec import Feature, WindowSpec

KEYS = (
    *("match_id", "map", "simulated", "segment", "seq", "t_s"),
    *("row_kind", "event_id", "event_type", "actor", "target"),
)
"""The columns of a window table that identify a row; they stay with its prediction."""


class TooLittleData(ValueError):
    """Data that cannot teach a model; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Aligned arrays of n rows: inputs ``x`` (float32, NaN = missing), class index ``y``, match index ``match``.

    For two classes ``y`` is 1 for the task's positive class; for more it is the position in ``classes``. ``match``
    points into ``match_ids``, which is sorted. ``weight`` is null or a row's weight; ``target`` is null or what a
    two-class model should say instead of ``y`` (0 to 1). ``keys`` holds the identifying columns.
    """

    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    match: np.ndarray
    match_ids: tuple[str, ...]
    match_maps: tuple[str, ...]
    match_days: tuple[str, ...]
    keys: pa.Table
    weight: np.ndarray | None = None
    target: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_matches(self) -> int:
        """How many distinct matches the rows come from."""
        return len(np.unique(self.match))

    @property
    def n_segments(self) -> int:
        """How many distinct rounds the rows come from."""
        return len(np.unique(self.match * 1_000 + self.keys["segment"].to_numpy()))

    def take(self, chosen: np.ndarray) -> "Rows":
        """The rows where ``chosen`` (a mask or positions) points, with the same match index."""
        where = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        keys = self.keys.take(pa.array(where))
        weight = None if self.weight is None else self.weight[where]
        target = None if self.target is None else self.target[where]
        x, y, match = self.x[where], self.y[where], self.match[where]
        return replace(self, x=x, y=y, match=match, keys=keys, weight=weight, target=target)

    @property
    def seconds(self) -> np.ndarray:
        """Mask of the 1 Hz rows: models learn from these and are judged on them; event rows are only predicted.

        Windows without event rows are judged on every row.
        """
        if "row_kind" not in self.keys.column_names:
            return np.ones(len(self), dtype=bool)
        mask: np.ndarray = pc.equal(self.keys["row_kind"], "second").to_numpy().astype(bool)
        return mask

    @property
    def goal(self) -> np.ndarray:
        """What a model learns to say: ``target`` where it is set, else the outcome."""
        return self.y if self.target is None else self.target

    @property
    def infos(self) -> list[MatchInfo]:
        """The matches that have rows here, as splits see them, in the order of ``np.unique(match)``."""
        present, counts = np.unique(self.match, return_counts=True)
        return [
            MatchInfo(self.match_ids[i], self.match_maps[i], self.match_days[i], int(n))
            for i, n in zip(present, counts, strict=True)
        ]

    def folds(self, k: int, seed: int) -> list[np.ndarray]:
        """``k`` masks of rows, every match whole in exactly one (see ``split.grouped_folds``)."""
        present = np.unique(self.match)
        parts = grouped_folds(self.infos, min(k, len(present)), seed)
        return [np.isin(self.match, present[part]) for part in parts]

    def of_matches(self, matches: np.ndarray) -> "Rows":
        """The rows of these matches (positions in ``match_ids``)."""
        return self.take(np.isin(self.match, matches))

    def columns(self, names: Sequence[str]) -> list[int]:
        """Where features of these names lie; LookupError names a missing one."""
        place = {feature.name: i for i, feature in enumerate(self.features)}
        missing = [name for name in names if name not in place]
        if missing:
            raise LookupError(f"the window has no feature {', '.join(missing)}")
        return [place[name] for name in names]

    def require_learnable(self, matches: int = 2) -> None:
        """TooLittleData unless there are rows of at least two classes (of both, where there are two) and enough matches."""
        found = self.n_matches
        if found < matches:
            raise TooLittleData(f"a model needs {matches} or more matches to learn from, there are {found}")
        present = set(np.unique(self.y).tolist())
        missing = [name for name, index in zip(self.classes, self._indices(), strict=True) if index not in present]
        if missing and len(present) < 2:
            raise TooLittleData(
                f"no row of the {found} matches has the outcome {', '.join(missing)}: nothing can be learned"
            )

    def _indices(self) -> list[int]:
        return [1, 0] if len(self.classes) == 2 else list(range(len(self.classes)))


def rows_of(
    tables: Sequence[pa.Table],
    task: ModelTask,
    spec: WindowSpec,
    days: Mapping[str, str],
    kind: str | None = None,
) -> Rows:
    """The labelled rows of window tables; ``kind`` keeps only 1 Hz rows ("second") or event rows, None keeps all.

    ``days`` tells the ISO date of every match: the lake keeps it in the partition, not in the rows.
    Two-class tasks come out with the positive class first. Rows without a label are left out. Columns are found by
    name. Raises ValueError for a table without a declared column and TooLittleData when nothing is left.
    """
    if not tables:
        raise TooLittleData(f"{task.name}: there is no window table to learn from")
    names = [feature.name for feature in spec.features]
    wanted = [*KEYS, task.label, *names]
    for table in tables:
        missing = [name for name in wanted if name not in table.column_names]
        if missing:
            raise ValueError(f"a table of {spec.name} lacks the columns {', '.join(missing)}")
    table = pa.concat_tables([_plain(t.select(wanted)) for t in tables], promote_options="default")
    keep = pc.is_valid(table[task.label])
    if kind is not None:
        keep = pc.and_(keep, pc.equal(table["row_kind"], kind))
    table = table.filter(keep)
    if table.num_rows == 0:
        raise TooLittleData(f"{task.name}: no labelled row of kind {kind or 'any'} in {len(tables)} tables")
    ids = np.asarray(table["match_id"].to_pylist())
    match_ids, first, match = np.unique(ids, return_index=True, return_inverse=True)
    undated = [name for name in match_ids.tolist() if name not in days]
    if undated:
        raise ValueError(f"{task.name}: no day is known for the matches {', '.join(undated[:5])}")
    maps = table["map"].to_pylist()
    x = np.column_stack([_floats(table[name]) for name in names])
    return Rows(
        features=tuple(spec.features),
        classes=task.classes,
        x=np.ascontiguousarray(x, dtype=np.float32),
        y=_labels(table[task.label], task),
        match=match.astype(np.int64),
        match_ids=tuple(match_ids.tolist()),
        match_maps=tuple(maps[i] for i in first),
        match_days=tuple(days[name] for name in match_ids.tolist()),
        keys=table.select(list(KEYS)),
    )


def simulated_only(rows: Rows) -> bool:
    """Whether the rows are simulated; ValueError when they are mixed with real ones."""
    found = set(rows.keys["simulated"].unique().to_pylist())
    if len(found) > 1:
        raise ValueError("simulated and real matches are mixed: a model learns from one kind only")
    return bool(found.pop())


def matrix_of(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    """The named feature columns of a table as float32 [N, n], missing values as NaN."""
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ValueError(f"the table lacks the columns {', '.join(missing)}")
    return np.ascontiguousarray(np.column_stack([_floats(table[name]) for name in names]), dtype=np.float32)


def _plain(table: pa.Table) -> pa.Table:
    """Dictionary columns as plain strings, so that tables of different matches go together."""
    fields = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    values: np.ndarray = column.cast(pa.float32()).to_numpy()
    return values


def _labels(column: pa.ChunkedArray, task: ModelTask) -> np.ndarray:
    if pa.types.is_string(column.type):
        place = {name: i for i, name in enumerate(task.classes)}
        values = column.to_pylist()
        if len(task.classes) == 2:
            return np.array([value == task.positive for value in values], dtype=np.int64)
        return np.array([place[value] for value in values], dtype=np.int64)
    labels: np.ndarray = column.cast(pa.int64()).to_numpy()
    return labels
