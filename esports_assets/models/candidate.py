"""A model that may be promoted: what was learned, and its graph, proven to say the same.

Belongs here: one call from window rows to a candidate.
Does not belong here: the steps of learning (``train.py``), judging (``evaluate.py``), registering and its contract
(``stages/judging.py``).
"""

from dataclasses import dataclass

from esports_assets.models.baselines import Stored, fit_baselines
from esports_assets.models.export import to_onnx, verify
from esports_assets.models.families.registry import family_for
from esports_assets.models.families.trees import Trees
from esports_assets.models.interval import Coverage
from esports_assets.models.rows import Rows, simulated_only
from esports_assets.models.tasks import ModelTask
from esports_assets.models.train import Learned, OutOfFold, TrainSettings, learn
from esports_assets.windows.spec import WindowSpec

CODE_VERSION = "4"
"""Version of how candidates are learned: bump it when the same windows give another model."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learned model with its verified graph; ``oof`` spares the evaluation from learning it again."""

    task: ModelTask
    family: str
    spec: WindowSpec
    rows: Rows
    learned: Learned
    oof: OutOfFold
    coverage: Coverage
    baselines: Stored
    graph: bytes
    graph_error: float
    simulated: bool

    @property
    def registered_name(self) -> str:
        """``<title>.<task>.<family>``."""
        return self.task.registered_name(self.family)


def train_candidate(
    task: ModelTask,
    family: str,
    rows: Rows,
    spec: WindowSpec,
    settings: TrainSettings | None = None,
    lender: Trees | None = None,
) -> Candidate:
    """Learn from all rows, write the graph, and prove that it says what the trained model says on every row.

    Raises TooLittleData, ExportError when the graph differs, and ValueError when simulated and real matches are mixed.
    """
    chosen = family_for(task, family, rows, lender)
    task.registered_name(family)
    settings = settings or TrainSettings()
    learned, oof, coverage = learn(chosen, rows, settings)
    graph = to_onnx(chosen, learned, task.classes, task.positive)
    error = verify(graph, learned, rows.x, task.classes[0] == task.positive)
    return Candidate(
        task=task,
        family=family,
        spec=spec,
        rows=rows,
        learned=learned,
        oof=oof,
        coverage=coverage,
        baselines=fit_baselines(task, rows.take(rows.seconds)),
        graph=graph,
        graph_error=error,
        simulated=simulated_only(rows),
    )
