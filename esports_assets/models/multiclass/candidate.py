"""A model of several classes that may be promoted: what was learned, and its graph, proven to say the same.

Belongs here: one call from rows to a candidate, and how its decision is told in the contract.
Does not belong here: the steps of learning (``learning.py``), judging (``evaluate.py``).
"""

from dataclasses import dataclass

from esports_assets.models.contract import Decision
from esports_assets.models.multiclass.baselines import Stored, fit_class_baselines
from esports_assets.models.multiclass.decide import DecisionRule
from esports_assets.models.multiclass.export import classes_to_onnx, verify_classes
from esports_assets.models.multiclass.families import class_family
from esports_assets.models.multiclass.learning import ClassLearned, ClassOutOfFold, learn_classes
from esports_assets.models.rows import Rows, simulated_only
from esports_assets.models.tasks import ModelTask
from esports_assets.models.train import TrainSettings

CLASSES_CODE_VERSION = "1"
"""Version of how candidates of several classes are learned: bump it when the same windows give another model."""


@dataclass(frozen=True, slots=True)
class ClassCandidate:
    """A learned model with its verified graph; ``oof`` spares the evaluation from learning it again."""

    learned: ClassLearned
    oof: ClassOutOfFold
    baselines: Stored
    graph: bytes
    graph_error: float
    decision: Decision
    simulated: bool


def train_class_candidate(task: ModelTask, family: str, rows: Rows, settings: TrainSettings) -> ClassCandidate:
    """Learn from all rows, write the graph, and prove that it says what the trained model says."""
    chosen = class_family(task, family)
    learned, oof = learn_classes(chosen, rows, settings)
    graph = classes_to_onnx(chosen, learned, len(rows.features), len(task.classes))
    return ClassCandidate(
        learned=learned,
        oof=oof,
        baselines=fit_class_baselines(task, rows),
        graph=graph,
        graph_error=verify_classes(graph, learned, rows.x),
        decision=decision_of(task, learned.fitting.rule),
        simulated=simulated_only(rows),
    )


def decision_of(task: ModelTask, rule: DecisionRule) -> Decision:
    """The rule as the contract tells it."""
    weights = dict(zip(task.classes, rule.weights, strict=True))
    return Decision(weights, rule.abstain_below, rule.coverage, rule.risk, rule.full_risk)


def rule_of(classes: tuple[str, ...], decision: Decision) -> DecisionRule:
    """The rule that a contract tells."""
    weights = tuple(decision.weights[name] for name in classes)
    return DecisionRule(weights, decision.abstain_below, decision.coverage, decision.risk, decision.full_risk)
