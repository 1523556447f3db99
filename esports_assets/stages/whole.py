"""The whole chain without Dagster: the same stages in the same order, for benchmarks and notebooks.

Belongs here: the order of the stages.
Does not belong here: any stage; orchestration that people rely on (that is Dagster's).
"""

from collections.abc import Sequence
from datetime import date

from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.models.multiclass.labelled import PLAYER_MICRO_LABELLED
from esports_assets.models.tasks import TASKS, ModelTask
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.promote import reconcile
from esports_assets.promotion.registry import Registry
from esports_assets.quality.suite import validate
from esports_assets.stages.deciding import Decided, decide_and_promote
from esports_assets.stages.judging import judge
from esports_assets.stages.maps import learn_maps
from esports_assets.stages.sources import read_day
from esports_assets.stages.training import train, training_set
from esports_assets.stages.windowing import form_day, micro_day, window_day, windows_of
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.player_form import PLAYER_FORM
from esports_assets.windows.registry import ROUND_STATE


def run_stages(
    lake: Lake,
    objects: ObjectStore,
    registry: Registry,
    ledger: Ledger,
    title: Title,
    days: Sequence[date],
    settings: TrainSettings,
) -> list[Decided]:
    """Source files of the days to a decision about who serves each task of the title."""
    _language(lake, title, days)
    _windows(lake, title, days)
    decided = [
        _decide(lake, objects, registry, ledger, task, settings) for task in TASKS.values() if task.title == title
    ]
    reconcile(registry=registry, ledger=ledger, objects=objects)
    return decided


def _language(lake: Lake, title: Title, days: Sequence[date]) -> None:
    for day in days:
        read_day(lake, title, day)
    accepted = [record for day in days for record in lake.matches(title, day) if not record.quarantined]
    for table in CANONICAL_TABLES:
        validate(table, (lake.read(table.name, record.header) for record in accepted))


def _windows(lake: Lake, title: Title, days: Sequence[date]) -> None:
    maps = learn_maps(lake, title)
    for day in days:
        window_day(lake, title, day, maps)
        form_day(lake, title, day)
        micro_day(lake, title, day, maps)
    for spec in (ROUND_STATE, PLAYER_FORM):
        validate(spec.table, windows_of(lake, title, days, spec))
    validate(PLAYER_MICRO_LABELLED, windows_of(lake, title, days, PLAYER_MICRO))


def _decide(
    lake: Lake, objects: ObjectStore, registry: Registry, ledger: Ledger, task: ModelTask, settings: TrainSettings
) -> Decided:
    data = training_set(lake, task)
    judged = []
    for family in task.families:
        learned, _ = train(lake, task, family, data, settings)
        judged.append(judge(lake, registry, task, learned, data, settings, "", "").judged)
    return decide_and_promote(
        lake, objects, registry, ledger, task, judged, data, {}, source="stages", dagster_run_id=""
    )
