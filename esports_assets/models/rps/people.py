"""How well the next move of people is predicted who were never seen: every family beside the predictors that know one person only.

Belongs here: the protocol of ``esports evaluate rps.next_move``, and its report.
Does not belong here: families, rows (``people_rows.py``), candidates of the graph (``stages``).

Five folds of whole games and people. In each, every family learns on the other folds: about a fifth of their games is set aside for
early stopping and for calibration. The chosen family of a fold is the one with the lowest log loss on those games aside, so the
people who are judged had no part in the choice. Intervals: 95 %, a bootstrap over groups of games that share people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.metrics import Metric, paired_gain
from esports_assets.models.multiclass.metrics import measure_classes
from esports_assets.models.multiclass.scaling import fit_scaling
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.models.rps.families import EVALUATED, MoveEntry
from esports_assets.models.rps.people_rows import PeopleRows
from esports_assets.models.rps.protocol import aside, cross_entropy

TASK = "rps.next_move"
FOLDS = 5
LEAST_GROUPS = 3
"""One to judge, one to learn from, one aside."""
BASELINES = {
    "markov1": "chain_1",
    "longest_match": "longest_match",
    "mixture": "mixture",
}
"""Names of the report to online predictors of ``signs.PREDICTORS``."""
METRICS = ("accuracy", "log_loss", "ece")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Probabilities of every row by every family and by the chosen one, and which one each fold chose."""

    said: Mapping[str, Floats]
    chosen: Floats
    choices: tuple[str, ...]


def evaluate_people(
    rows: PeopleRows, entries: Sequence[MoveEntry] = EVALUATED, *, folds: int = FOLDS, seed: int = 0
) -> dict[str, Any]:
    """The report; TooLittleData for fewer than ``LEAST_GROUPS`` groups of people. Few groups are as many folds."""
    groups = rows.any.n_matches
    if groups < LEAST_GROUPS:
        raise TooLittleData(f"judging needs {LEAST_GROUPS} or more games whose people differ, there are {groups}")
    judged = cross_judged(rows, entries, min(folds, groups), seed)
    return report(rows, judged, entries, min(folds, groups))


def cross_judged(rows: PeopleRows, entries: Sequence[MoveEntry], folds: int, seed: int) -> Judged:
    """Every row judged by what other people's games taught."""
    shape = (len(rows.any), len(rows.any.classes))
    said = {entry.label: np.empty(shape) for entry in entries}
    chosen, choices = np.empty(shape), []
    for number, held_out in enumerate(rows.any.folds(folds, seed)):
        losses = {}
        for entry in entries:
            own = rows.by_window[entry.window]
            said[entry.label][held_out], losses[entry.label] = _one(entry, own, held_out, seed + number)
        best = min(losses, key=lambda label: losses[label])
        chosen[held_out] = said[best][held_out]
        choices.append(best)
    return Judged(said, chosen, tuple(choices))


def _one(entry: MoveEntry, rows: Rows, held_out: npt.NDArray[np.bool_], seed: int) -> tuple[Floats, float]:
    """Calibrated probabilities of the rows held out, and the log loss on the games aside."""
    learn = rows.take(~held_out)
    model = entry.family.fit(learn, seed)
    apart = learn.take(aside(learn, seed))
    margins = model.margins(apart.x)
    scaling = fit_scaling(margins, apart.y)
    loss = cross_entropy(scaling.scale * margins + np.array(scaling.bias), apart.y)
    return scaling(model.margins(rows.x[held_out])), loss


def report(rows: PeopleRows, judged: Judged, entries: Sequence[MoveEntry], folds: int) -> dict[str, Any]:
    """What the command prints; metrics have a value and the bounds of its interval."""
    y, group = rows.any.y, rows.any.match
    windows = {entry.label: entry.window for entry in entries}
    uniform = np.full(judged.chosen.shape, 1 / judged.chosen.shape[1])
    beside = {"uniform": uniform, **{name: rows.expected[source] for name, source in BASELINES.items()}}
    found = measured(y, judged.chosen, group)
    return {
        "task": TASK,
        "model": max(set(judged.choices), key=judged.choices.count),
        "chosen_by_fold": list(judged.choices),
        "protocol": f"{folds} folds of whole games and people; nobody is judged by a model that learned from them",
        "games": rows.games,
        "groups_of_people": rows.any.n_matches,
        "people": len(rows.any.keys["player"].unique()),
        "rows": len(y),
        "metrics": found,
        "families": {
            label: {"window": windows[label], "metrics": measured(y, p, group)} for label, p in judged.said.items()
        },
        "baselines": {
            name: {"metrics": measured(y, p, group), "gain": gained(y, judged.chosen, p, group)}
            for name, p in beside.items()
        },
        "opponents": _by_opponent(rows, judged.chosen),
    }


def measured(y: npt.NDArray[np.int64], p: Floats, group: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, log loss and calibration error with their intervals."""
    found = measure_classes(y, p, p.argmax(axis=1), group)
    return {name: plain(found[name]) for name in METRICS}


def gained(y: npt.NDArray[np.int64], p: Floats, other: Floats, group: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How much lower the log loss of ``p`` is than that of ``other`` on the same rows."""
    at = np.arange(len(y))
    return {"log_loss": plain(paired_gain(np.ones_like(y), p[at, y], other[at, y], group)["log_loss"])}


def plain(metric: Metric) -> dict[str, float | None]:
    """As JSON values."""
    value: dict[str, float | None] = msgspec.to_builtins(metric)
    return value


def _by_opponent(rows: PeopleRows, p: Floats) -> dict[str, Any]:
    against = np.array(rows.any.keys["opponent"].to_pylist())
    found = {}
    for name in np.unique(against).tolist():
        there = against == name
        told = measured(rows.any.y[there], p[there], rows.any.match[there])
        found[name] = {"rows": int(there.sum()), "metrics": told}
    return found
