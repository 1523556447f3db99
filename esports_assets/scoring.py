"""Scoring the promoted model of a task on source files that it has never seen.

Belongs here: files -> matches -> windows -> the served graph -> metrics beside the stored baselines.
Does not belong here: training, the evaluation of candidates (``models/evaluate.py``), how a command prints.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from esports_assets.adapters.base import Refusal, SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.ingest import walk
from esports_assets.models.baselines import score_baselines
from esports_assets.models.bundle import BundleError, Model, load_bundle
from esports_assets.models.evaluate import named_columns, slices_of
from esports_assets.models.metrics import Metric, measure, paired_gain
from esports_assets.models.multiclass.baselines import name_baselines
from esports_assets.models.multiclass.candidate import rule_of
from esports_assets.models.multiclass.evaluate import step_of
from esports_assets.models.multiclass.labelled import labelled_table
from esports_assets.models.multiclass.metrics import per_class
from esports_assets.models.multiclass.rows import player_rows
from esports_assets.models.rows import Rows, rows_of
from esports_assets.models.tasks import ModelTask, task_of
from esports_assets.promotion.mirror import read_alias, read_champion
from esports_assets.settings import Settings
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.batch import match_windows
from esports_assets.windows.registry import window_spec
from esports_assets.windows.sites import sites_from_json

ALIAS = "Production"


class NothingToScore(ValueError):
    """No promoted model, or no match in the files; the message says which."""


def evaluate_promoted(task: str, paths: Sequence[Path], settings: Settings) -> dict[str, Any]:
    """Metrics of the Production version of the task's champion on the matches in these files, with 95 % intervals.

    Matches that the model was trained on are left out and counted, because a score on them says nothing; matches of
    another title are refused, because the model knows nothing of them.
    """
    wanted = task_of(task)
    model, version = promoted(wanted, ObjectStore(settings.bundles_url))
    matches, refusals = read_matches(paths, wanted)
    known = set(model.contract.training_data.matches)
    unseen = [match for match in matches if match.header.match_id not in known]
    if not unseen:
        reason = f"all {len(matches)} were in its training data" if matches else _nothing_read(refusals)
        raise NothingToScore(f"{task}: nothing to score in these files: {reason}")
    result = (score_classes if wanted.several else score)(wanted, model, unseen)
    return {
        "model": model.contract.registered_name,
        "alias": ALIAS,
        "version": version,
        **result,
        "n_matches_left_out_as_trained_on": len(matches) - len(unseen),
        "refusals": [str(refusal) for refusal in refusals],
    }


def promoted(task: ModelTask, store: ObjectStore) -> tuple[Model, str]:
    """The model that serves the task now, verified; NothingToScore if there is none."""
    registered = read_champion(store, task.name)
    version = None if registered is None else read_alias(store, registered, ALIAS)
    if registered is None or version is None:
        raise NothingToScore(f"no model of {task.name} is promoted: materialize the graph or promote one first")
    return load_bundle(store, registered, version, lambda window: window_spec(window).fingerprint), version


def read_matches(paths: Iterable[Path], task: ModelTask) -> tuple[list[CanonicalMatch], list[Refusal]]:
    """Every match of the task's title in the files (folders are walked) and what was refused.

    A match that is met twice counts once; one of another title is refused by name.
    """
    matches: dict[str, CanonicalMatch] = {}
    refusals: list[Refusal] = []
    for path in walk(paths):
        reading = read_file(SourceFile.open(path))
        refusals += reading.refusals
        for match in reading.matches:
            if match.header.title.value == task.title:
                matches[match.header.match_id] = match
            else:
                refusals.append(_of_another_title(path.name, match.header, task))
    return list(matches.values()), refusals


def _of_another_title(file: str, header: MatchHeader, task: ModelTask) -> Refusal:
    reason = f"a match of {header.title.value}, and {task.name} is a model of {task.title} alone"
    return Refusal(file, header.match_id, reason, "WrongFormat")


def _nothing_read(refusals: Sequence[Refusal]) -> str:
    return "no match could be read" if not refusals else f"no match could be used; first refusal: {refusals[0]}"


def score(task: ModelTask, model: Model, matches: Sequence[CanonicalMatch]) -> dict[str, Any]:
    """Metrics, baselines with the paired gain, and slices, over the 1 Hz rows of the matches."""
    rows = _rows(task, model, matches)
    order = rows.columns([feature.name for feature in model.contract.features])
    probability, _ = model.predict(np.ascontiguousarray(rows.x[:, order]))
    p = probability[:, model.positive].astype(np.float64)
    baselines = score_baselines(model.contract.baselines, named_columns(rows), len(rows))
    return {
        "n_matches": rows.n_matches,
        "n_rounds": rows.n_segments,
        "n_rows": len(rows),
        "metrics": _plain(measure(rows.y, p, rows.match)),
        "baselines": {
            name: {
                "metrics": _plain(measure(rows.y, q, rows.match)),
                "gain": _plain(paired_gain(rows.y, p, q, rows.match)),
            }
            for name, q in baselines.items()
        },
        "slices": [
            {
                "by": by,
                "value": value,
                "n_rows": int(mask.sum()),
                "metrics": _plain(measure(rows.y[mask], p[mask], rows.match[mask], replicates=100)),
            }
            for (by, value), mask in slices_of(task, rows)
            if mask.any()
        ],
    }


def score_classes(task: ModelTask, model: Model, matches: Sequence[CanonicalMatch]) -> dict[str, Any]:
    """Metrics of a model of several classes over all labelled rows, the baselines' macro-F1 with the paired gain, and every
    class.
    """
    _same_kind(model, matches)
    centres = model.contract.sites
    tables = (labelled_table(match, sites_from_json(centres, match.header.map)) for match in matches)
    rows = player_rows(tables, task, window_spec(task.window), _days(matches))
    order = rows.columns([feature.name for feature in model.contract.features])
    probability, _ = model.predict(np.ascontiguousarray(rows.x[:, order]))
    p = probability.astype(np.float64)
    if isinstance(model.contract.decision, msgspec.UnsetType):
        raise BundleError(f"{model.contract.registered_name} says nothing of how a class is named")
    rule = rule_of(task.classes, model.contract.decision)
    named, told = rule.name(p), rule.speaks(p)
    step = step_of("unseen", "unseen matches", 0, rows, p, named, name_baselines(model.contract.baselines, rows))
    return {
        "n_matches": step.n_matches,
        "n_rounds": step.n_rounds,
        "n_rows": step.n_rows,
        "metrics": _plain(step.metrics),
        "baselines": {
            name: {**_plain(result.metrics), "gain": _plain(result.gain)} for name, result in step.baselines.items()
        },
        "per_class": msgspec.to_builtins(per_class(rows.y, named, task.classes)),
        "abstains": {"below": rule.abstain_below, "share": float(1.0 - told.mean())},
    }


def _days(matches: Sequence[CanonicalMatch]) -> dict[str, str]:
    return {match.header.match_id: match.header.day.isoformat() for match in matches}


def _same_kind(model: Model, matches: Sequence[CanonicalMatch]) -> None:
    """BundleError where the matches are simulated and the model learned from real ones, or the other way round."""
    kinds = {match.header.simulated for match in matches}
    if kinds != {model.contract.simulated}:
        learned = "simulated" if model.contract.simulated else "real"
        raise BundleError(
            f"{model.contract.registered_name} learned from {learned} matches; these are not all {learned}"
        )


def _rows(task: ModelTask, model: Model, matches: Sequence[CanonicalMatch]) -> Rows:
    _same_kind(model, matches)
    tables = [match_windows(match, sites_from_json(model.contract.sites, match.header.map)) for match in matches]
    return rows_of(tables, task, window_spec(task.window), _days(matches), kind="second")


def _plain(metrics: dict[str, Metric]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = msgspec.to_builtins(metrics)
    return found
