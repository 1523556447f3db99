"""Stage: which judged version serves a task, by the promotion policy on paired out-of-fold predictions.

Belongs here: turning reports into the policy's words, comparing versions on the same rows, carrying the decision out.
Does not belong here: the rule (``promotion/policy.py``), the steps of a promotion (``promotion/promote.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.vocabulary import Title
from esports_assets.models.bundle import CONTRACT, Contract
from esports_assets.models.metrics import Metric, measure, paired_gain
from esports_assets.models.multiclass.metrics import measure_classes
from esports_assets.models.tasks import ModelTask
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.policy import choose_family, decide
from esports_assets.promotion.promote import promote
from esports_assets.promotion.registry import Registry
from esports_assets.promotion.standing import LedgerEntry
from esports_assets.promotion.terms import (
    DEFAULT_POLICY,
    AnyCandidate,
    Candidate,
    ClassCandidate,
    Comparison,
    Decision,
    Estimate,
    Incumbent,
    PolicyConfig,
)
from esports_assets.stages.judging import AnyJudged, Judged, estimate
from esports_assets.stages.training import TrainingSet
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.registry import window_spec


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about which version, why its family stands for the task or none does, and the ledger's entry."""

    judged: AnyJudged
    decision: Decision | None
    family_reasons: tuple[str, ...]
    entry: LedgerEntry


def decide_and_promote(
    lake: Lake,
    objects: ObjectStore,
    registry: Registry,
    ledger: Ledger,
    task: ModelTask,
    candidates: Sequence[AnyJudged],
    data: TrainingSet,
    checks: Mapping[str, bool],
    *,
    source: str,
    dagster_run_id: str,
    config: PolicyConfig = DEFAULT_POLICY,
) -> Decided:
    """Choose the family, decide against the version in production, and carry it out. Nothing is promoted twice.

    ``checks`` says which checks of the graph upstream of the evaluation passed. Where no family passes its gates, the decision
    about the best of them stands in the ledger with its reasons.
    """
    fingerprint = window_spec(task.window).fingerprint
    judged = {candidate.registered_name: candidate for candidate in candidates}
    words = {name: candidate_of(candidate, checks) for name, candidate in judged.items()}
    truth = _truth(data)
    said = {name: _said(lake, task, name, candidate.version, truth) for name, candidate in judged.items()}
    pairs = {}
    for one, other in combinations(sorted(judged), 2):
        comparison = _comparison(truth, said[one], said[other])
        if comparison is not None:
            pairs[one, other] = comparison
    choice = choose_family(list(words.values()), pairs, serving_fingerprint=fingerprint, config=config)
    stands = choice.candidate or min(words.values(), key=lambda one: one.log_loss.value)
    chosen = judged[stands.registered_name]
    incumbent, comparison = _incumbent(lake, ledger, registry, task, truth, said[chosen.registered_name])
    current = ledger.standing(task.name).current
    if current is not None and (current.registered_name, current.to_version) == (
        chosen.registered_name,
        chosen.version,
    ):
        return Decided(chosen, None, (*choice.reasons, f"{stands.label} is in production already."), current)
    decision = decide(stands, incumbent, comparison, serving_fingerprint=fingerprint, config=config)
    entry = promote(
        task.name,
        chosen.registered_name,
        chosen.version,
        decision,
        registry=registry,
        ledger=ledger,
        objects=objects,
        actor="promotion policy",
        source=source,
        dagster_run_id=dagster_run_id,
    )
    return Decided(chosen, decision, choice.reasons, entry)


def candidate_of(judged: AnyJudged, checks: Mapping[str, bool]) -> AnyCandidate:
    """A report in the policy's words: the headline is the cross-validation over all matches."""
    step = judged.evaluation.cross_validation
    metrics = {name: estimate(metric) for name, metric in step.metrics.items()}
    shared: dict[str, Any] = {
        "registered_name": judged.registered_name,
        "version": judged.version,
        **{name: metrics[name] for name in ("log_loss", "ece", "accuracy")},
        "n_matches": step.n_matches,
        "n_training_matches": len(judged.learned.matches),
        "simulated": judged.learned.simulated,
        "calibrated": bool(judged.learned.calibration.get("kind")),
        "window_fingerprint": judged.evaluation.window_fingerprint,
        "checks": dict(checks),
    }
    if isinstance(judged, Judged):
        gains = {name: result.gain["log_loss"] for name, result in judged.evaluation.cross_validation.baselines.items()}
        return Candidate(
            **shared,
            brier=metrics["brier"],
            auc=metrics["auc"],
            gain_over_prior=estimate(gains["prior"]),
            gain_over_logistic=estimate(gains["plain_logistic"]),
        )
    best = judged.evaluation.cross_validation.best_baseline
    gain = judged.evaluation.cross_validation.baselines[best].gain["macro_f1"]
    return ClassCandidate(**shared, macro_f1=metrics["macro_f1"], best_baseline=best, gain_over_best=estimate(gain))


@dataclass(frozen=True, slots=True)
class _Truth:
    """Outcome and match of every scored row, by (match, seq)."""

    y: npt.NDArray[np.int64]
    match: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    seq: npt.NDArray[np.int64]


def _truth(data: TrainingSet) -> _Truth:
    rows = data.rows.take(data.rows.seconds)
    return _Truth(rows.y, rows.match, rows.match_ids, rows.keys["seq"].to_numpy())


def _said(lake: Lake, task: ModelTask, name: str, version: int, truth: _Truth) -> npt.NDArray[np.float64]:
    """A version's out-of-fold probabilities of every row (of the positive class alone, where there is one); NaN where it was
    never asked.
    """
    columns = [f"p_{word}" for word in (task.classes if task.several else (task.positive,))]
    out = np.full((len(truth.y), len(columns)), np.nan)
    short = task.name.split(".", 1)[1]
    for i, match_id in enumerate(truth.ids):
        table: pa.Table | None = lake.read_predictions(Title(task.title), short, name, version, match_id)
        if table is None or table.num_rows == 0:
            continue
        where = np.flatnonzero(truth.match == i)
        known = table["seq"].to_numpy()
        order = np.argsort(known)
        place = order[np.minimum(np.searchsorted(known[order], truth.seq[where]), len(known) - 1)]
        answered = np.column_stack([table[column].to_numpy() for column in columns])[place]
        out[where] = np.where((known[place] == truth.seq[where])[:, None], answered, np.nan)
    return out


def _comparison(truth: _Truth, one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> Comparison | None:
    """Paired difference in log loss, one minus other, on the rows that both were asked about."""
    both = ~(np.isnan(one[:, 0]) | np.isnan(other[:, 0]))
    if not both.any():
        return None
    y, ours, theirs = truth.y[both], one[both], other[both]
    if ours.shape[1] > 1:  # of several classes: the probability of the true one, which is always right
        rows = np.arange(len(y))
        ours, theirs, y = ours[rows, y][:, None], theirs[rows, y][:, None], np.ones_like(y)
    gain = paired_gain(y, ours[:, 0], theirs[:, 0], truth.match[both])["log_loss"]
    measured = estimate(gain)
    difference = Estimate(-measured.value, -measured.hi, -measured.lo)
    return Comparison(difference, len(np.unique(truth.match[both])))


def _measured(truth: _Truth, said: npt.NDArray[np.float64]) -> dict[str, Metric]:
    """Metrics of a version on the rows that it was asked about."""
    asked = ~np.isnan(said[:, 0])
    y, p, match = truth.y[asked], said[asked], truth.match[asked]
    return measure_classes(y, p, p.argmax(axis=1), match) if p.shape[1] > 1 else measure(y, p[:, 0], match)


def _incumbent(
    lake: Lake, ledger: Ledger, registry: Registry, task: ModelTask, truth: _Truth, candidate: npt.NDArray[np.float64]
) -> tuple[Incumbent | None, Comparison | None]:
    """The version in production in the policy's words, and the candidate's comparison with it."""
    current = ledger.standing(task.name).current
    if current is None:
        return None, None
    said = _said(lake, task, current.registered_name, current.to_version, truth)
    files = registry.bundle_of(current.registered_name, current.to_version)
    contract = msgspec.json.decode(files[CONTRACT], type=Contract)
    measured = contract.metrics if np.isnan(said).all() else _measured(truth, said)
    incumbent = Incumbent(
        registered_name=current.registered_name,
        version=current.to_version,
        ece=estimate(measured["ece"]),
        n_training_matches=len(contract.training_data.matches),
        simulated=contract.simulated,
        window_fingerprint=contract.window_fingerprint,
    )
    return incumbent, _comparison(truth, candidate, said)
