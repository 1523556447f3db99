"""A question about cause as arrays: treatment, outcome, covariates, and which rows belong together.

Belongs here: taking columns out of a table, and refusing tables that can answer nothing, each in one sentence.
Does not belong here: when the columns were measured (``pretreatment.py``), any estimate.

Nothing is filled in: a missing value, text, or a treatment with other values than two is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MIN_ROWS = 50
MIN_PER_ARM = 20
MIN_CLUSTERS = 10
"""Fewer cannot be split into folds that each hold both arms, and give no standard error worth the name."""


class BadStudy(ValueError):
    """The table cannot answer the question; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that a question uses."""

    treatment: str
    outcome: str
    covariates: tuple[str, ...]
    cluster: str | None = None
    placebo_outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """Rows of one question.

    ``treated`` 0 or 1 [n]; ``outcome`` in its own unit [n]; ``covariates`` [n, p] with their ``names``; ``cluster`` codes
    0 ... G - 1 [n], every row its own where no column says which rows belong together; ``placebo`` the outcome that the
    treatment cannot have changed [n], with its name; ``dropped`` covariates that are the same in every row.
    """

    treated: Floats
    outcome: Floats
    covariates: Floats
    names: tuple[str, ...]
    cluster: Ints
    clustered: bool
    placebo_name: str | None = None
    placebo: Floats | None = None
    dropped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.treated)

    @property
    def clusters(self) -> int:
        """Independent units: clusters, or rows where there are none."""
        return int(self.cluster.max()) + 1

    def of_placebo(self) -> "Study":
        """The same rows asked about the placebo outcome, which is no covariate of its own."""
        if self.placebo is None:
            raise BadStudy("no placebo outcome was named")
        kept = [i for i, name in enumerate(self.names) if name != self.placebo_name]
        if not kept:
            raise BadStudy(f"without {self.placebo_name} no covariate is left to ask the placebo question with")
        return replace(
            self,
            outcome=self.placebo,
            covariates=self.covariates[:, kept],
            names=tuple(self.names[i] for i in kept),
            placebo=None,
            placebo_name=None,
        )

    def with_covariate(self, name: str, values: Floats) -> "Study":
        """One covariate more."""
        return replace(self, covariates=np.column_stack([self.covariates, values]), names=(*self.names, name))

    def rows(self, chosen: Bools) -> "Study":
        """Some of the rows; clusters are numbered anew."""
        return replace(
            self,
            treated=self.treated[chosen],
            outcome=self.outcome[chosen],
            covariates=self.covariates[chosen],
            cluster=np.unique(self.cluster[chosen], return_inverse=True)[1].astype(np.int64),
            placebo=None if self.placebo is None else self.placebo[chosen],
        )


def study_of(table: pa.Table, columns: Columns) -> Study:
    """The columns of a table as a study. BadStudy says what is wrong, naming the column."""
    _check_names(table, columns)
    treated = _treatment(table, columns.treatment)
    outcome = _numbers(table, columns.outcome)
    if np.ptp(outcome) == 0:
        raise BadStudy(f"{columns.outcome} is {outcome[0]:g} in every row: nothing can have changed it")
    if len(treated) < MIN_ROWS:
        raise BadStudy(f"{len(treated)} rows are too few: at least {MIN_ROWS} are needed")
    values = {name: _numbers(table, name) for name in columns.covariates}
    varying = {name: column for name, column in values.items() if np.ptp(column) > 0}
    if not varying:
        raise BadStudy("every covariate is the same in all rows: there is nothing to adjust for")
    return checked(
        Study(
            treated,
            outcome,
            np.column_stack(list(varying.values())),
            tuple(varying),
            _cluster(table, columns.cluster),
            columns.cluster is not None,
            columns.placebo_outcome,
            _placebo(table, columns.placebo_outcome),
            tuple(name for name in values if name not in varying),
        )
    )


def checked(study: Study) -> Study:
    """The study, if both arms and the clusters are large enough to be split. Otherwise BadStudy."""
    treated = int(study.treated.sum())
    smaller = min(treated, len(study) - treated)
    if smaller < MIN_PER_ARM:
        arm = "treated" if treated <= len(study) - treated else "untreated"
        raise BadStudy(f"{smaller} {arm} rows are too few: at least {MIN_PER_ARM} are needed in either arm")
    if study.clusters < MIN_CLUSTERS:
        raise BadStudy(f"{study.clusters} clusters are too few: at least {MIN_CLUSTERS} are needed")
    return study


def _check_names(table: pa.Table, columns: Columns) -> None:
    if not columns.covariates:
        raise BadStudy("no covariate is named: an effect without adjustment is a difference of means")
    roles: list[tuple[str, str]] = [("treatment", columns.treatment), ("outcome", columns.outcome)]
    roles += [("covariate", name) for name in columns.covariates]
    roles += [("cluster", columns.cluster)] if columns.cluster is not None else []
    seen: dict[str, str] = {}
    for role, name in roles:
        if name in seen:
            raise BadStudy(f"{name} is named twice, as {seen[name]} and as {role}")
        seen[name] = role
    if columns.placebo_outcome in (columns.treatment, columns.outcome, columns.cluster) and columns.placebo_outcome:
        raise BadStudy(
            f"{columns.placebo_outcome} cannot be the placebo outcome: it is the {seen[columns.placebo_outcome]}"
        )
    wanted: Sequence[str] = [*seen, *([columns.placebo_outcome] if columns.placebo_outcome else [])]
    for name in wanted:
        found = table.column_names.count(name)
        if found != 1:
            there = ", ".join(table.column_names[:20])
            raise BadStudy(
                f"there is no column {name}: there are {there}"
                if not found
                else f"column {name} is there {found} times"
            )


def _numbers(table: pa.Table, name: str) -> Floats:
    column = table.column(name)
    if column.null_count:
        raise BadStudy(f"{name} is missing in {column.null_count} of {len(column)} rows: nothing is filled in here")
    kind = column.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        raise BadStudy(f"{name} holds {kind}, not numbers: encode it as numbers first")
    values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise BadStudy(f"{name} is not a finite number in {bad} of {len(values)} rows: nothing is filled in here")
    return values


def _treatment(table: pa.Table, name: str) -> Floats:
    values = _numbers(table, name)
    levels = np.unique(values)
    if len(levels) == 0:
        raise BadStudy("the table has no row")
    if len(levels) == 1:
        raise BadStudy(f"{name} is {levels[0]:g} in every row: there is nobody to compare with")
    if len(levels) > 2 or not np.array_equal(levels, [0.0, 1.0]):
        shown = ", ".join(f"{level:g}" for level in levels[:5])
        raise BadStudy(
            f"{name} must be 0 or 1 and has {len(levels)} values ({shown}{', ...' if len(levels) > 5 else ''})"
        )
    return values


def _cluster(table: pa.Table, name: str | None) -> Ints:
    if name is None:
        return np.arange(table.num_rows, dtype=np.int64)
    column = table.column(name)
    if column.null_count:
        raise BadStudy(f"{name} is missing in {column.null_count} of {len(column)} rows: nothing is filled in here")
    codes = pc.dictionary_encode(column.combine_chunks()).indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)


def _placebo(table: pa.Table, name: str | None) -> Floats | None:
    if name is None:
        return None
    values = _numbers(table, name)
    if np.ptp(values) == 0:
        raise BadStudy(f"{name} is {values[0]:g} in every row: it cannot show a placebo effect")
    return values
