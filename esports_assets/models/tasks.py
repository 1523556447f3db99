"""What is predicted: one entry per task. The only table of tasks.

Belongs here: names, classes, the window and label of a task, which families compete and what they must beat.
Does not belong here: how a family learns (``families/``), how a window is computed (``windows/``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from esports_assets.canonical.vocabulary import Intent
from esports_assets.windows.spec import Feature

HISTORY = (
    *(f"{side}_{name}" for side in ("ct", "t") for name in ("avg_kills_last_5", "eco_win_rate", "round_win_streak")),
    *(f"{side}_{name}" for side in ("ct", "t") for name in ("econ_delta", "trade_efficiency", "rating", "score")),
    *(f"{side}_objective_success_rate" for side in ("ct", "t")),
    *("diff_rating", "round_number"),
)
"""What earlier rounds say: with a few dozen matches, models learn the matches from it and get worse out of fold."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Which features of a window a family takes: all, or (not ``sided``) only those that already compare the sides."""

    sided: bool = True
    without: tuple[str, ...] = ()

    def of(self, features: Sequence[Feature]) -> tuple[str, ...]:
        """The names, in the window's order."""
        return tuple(f.name for f in features if f.name not in self.without and (self.sided or f.mirror is None))


@dataclass(frozen=True, slots=True)
class ModelTask:
    """One thing to predict.

    ``label`` is the column of the window table that holds the outcome: true or 1 for ``positive``, else the class's
    name; a task of more than two classes has no positive one. ``group`` is the column that splits keep whole.
    ``baseline_features`` are the inputs of the plain logistic baseline. ``phase`` is the 0/1 feature that evaluation reports
    slice by, beside time and map. ``inputs`` limits what a family takes (chosen by grouped cross-validation on 46 real maps).
    """

    name: str
    title: str
    description: str
    window: str
    label: str
    classes: tuple[str, ...]
    positive: str
    group: str
    families: tuple[str, ...]
    baselines: tuple[str, ...]
    baseline_features: tuple[str, ...]
    phase: str | None = None
    inputs: Mapping[str, Inputs] = field(default_factory=dict)
    lent: Mapping[str, float] = field(default_factory=dict)
    """Share of a family's log-odds that a lender gives, where one was learned (chosen by grouped cross-validation)."""

    @property
    def several(self) -> bool:
        """Whether there are more than two classes: such a task is learned and judged by ``models/multiclass``."""
        return len(self.classes) > 2

    def registered_name(self, family: str) -> str:
        """``<title>.<task>.<family>``; LookupError for a family that does not compete in this task."""
        if family not in self.families:
            raise LookupError(f"{self.name} has no family {family!r}; there are {', '.join(self.families)}")
        return f"{self.name}.{family}"


ROUND_WIN = ModelTask(
    name="cs2.round_win",
    title="cs2",
    description="Who wins the round, asked at any instant of it.",
    window="cs2/round_state",
    label="ct_won",
    classes=("ct", "t"),
    positive="ct",
    group="match_id",
    families=("multinomial_logistic", "xgboost"),
    baselines=("prior", "plain_logistic"),
    baseline_features=(
        "ct_alive",
        "t_alive",
        "ct_hp",
        "t_hp",
        "ct_start_equipment",
        "t_start_equipment",
        "t_s_clock",
        "planted",
        "since_plant_s",
    ),
    phase="planted",
    inputs={
        "multinomial_logistic": Inputs(sided=False, without=(*HISTORY, "ct_damage_5s", "t_damage_5s")),
        "xgboost": Inputs(sided=False, without=(*HISTORY, "ct_damage_5s", "t_damage_5s")),
    },
    lent={"multinomial_logistic": 0.35},
)

INTENT = ModelTask(
    name="cs2.intent",
    title="cs2",
    description="What a living player does next, asked twice a second.",
    window="cs2/player_micro",
    label="intent",
    classes=tuple(intent.value for intent in Intent),
    positive="",
    group="match_id",
    families=("heuristics", "multinomial_logistic", "xgboost"),
    baselines=("majority", "persistence", "heuristics"),
    baseline_features=(),
)

NEXT_MOVE = ModelTask(
    name="rps.next_move",
    title="rps",
    description="What the user of a game of rock-paper-scissors plays next.",
    window="rps/next_move",
    label="next_move",
    classes=("rock", "paper", "scissors"),
    positive="",
    group="match_id",
    families=("multinomial_logistic", "xgboost", "feedforward_nn", "experts"),
    baselines=("majority", "markov1"),
    baseline_features=(),
)

TASKS: dict[str, ModelTask] = {task.name: task for task in (ROUND_WIN, INTENT, NEXT_MOVE)}


def task_of(name: str) -> ModelTask:
    """The task of this name; LookupError that lists the known ones."""
    if name not in TASKS:
        raise LookupError(f"there is no task {name!r}; there are {', '.join(TASKS)}")
    return TASKS[name]
