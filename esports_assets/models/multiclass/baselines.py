"""What a model of intent must beat: the most frequent class, what the player did before, and the rules of 001-03 alone.

Belongs here: the baselines' names for rows, and the little that they learn (it travels in the bundle's contract).
Does not belong here: two-class baselines (``models/baselines.py``), comparing (``evaluate.py``).

``markov1`` says what most often followed the player's last move so far in the match, where rows are rounds in their order.

Persistence says the label of the latest instant whose whole look-ahead (``HORIZON_S``) has ended, of the same player in the
same round: nothing that it says is known only later. Where there is none yet, and where no rule fires, the majority stands in.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.models.families.heuristics import NONE, RULES, fired
from esports_assets.models.multiclass.rows import label_ago
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ModelTask
from esports_assets.windows.labels import HORIZON_S

Ints = npt.NDArray[np.int64]
Stored = dict[str, dict[str, Any]]


def fit_class_baselines(task: ModelTask, rows: Rows) -> Stored:
    """The task's baselines, learned from these rows: all they need is the most frequent class."""
    counts = np.bincount(rows.y, minlength=len(rows.classes))
    majority = rows.classes[int(counts.argmax())]
    shares = {name: float(count / counts.sum()) for name, count in zip(rows.classes, counts, strict=True)}
    return {name: {"majority": majority, "shares": shares} for name in task.baselines}


def name_baselines(stored: Stored, rows: Rows) -> dict[str, Ints]:
    """The class that every stored baseline names for rows of whole rounds."""
    said: dict[str, Ints] = {}
    for name, numbers in stored.items():
        otherwise = rows.classes.index(numbers["majority"])
        if name == "persistence":
            before = label_ago(rows, HORIZON_S)
            said[name] = np.where(before >= 0, before, otherwise)
        elif name == "markov1":
            said[name] = follows_most(rows, otherwise)
        elif name == "heuristics":
            said[name] = _by_rule(rows, otherwise)
        else:
            said[name] = np.full(len(rows), otherwise, dtype=np.int64)
    return said


def follows_most(rows: Rows, otherwise: int) -> Ints:
    """Of every row the class that followed the class before it most often, in earlier rows of the match; of equals the first."""
    said = np.full(len(rows), otherwise, dtype=np.int64)
    for match in np.unique(rows.match):
        where = np.flatnonzero(rows.match == match)
        counts = np.zeros((len(rows.classes), len(rows.classes)), dtype=np.int64)
        for before, at in pairwise(where[np.argsort(rows.keys["seq"].to_numpy()[where], kind="stable")]):
            last = rows.y[before]
            if counts[last].any():
                said[at] = counts[last].argmax()
            counts[last, rows.y[at]] += 1
    return said


def _by_rule(rows: Rows, otherwise: int) -> Ints:
    place = {feature.name: i for i, feature in enumerate(rows.features)}
    columns = {name: rows.x[:, place[name]] for rule in RULES for name, _, _ in rule.tests}
    named = np.array([*(rows.classes.index(rule.intent.value) for rule in RULES), otherwise])
    assert len(named) == NONE + 1
    return np.asarray(named[fired(columns)], dtype=np.int64)
