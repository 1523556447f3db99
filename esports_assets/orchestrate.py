"""Runs of the graph from a command line: days registered, one run over them, progress as it goes.

Belongs here: the bridge from the CLI and the benchmarks to Dagster's in-process execution.
Does not belong here: assets (``defs/``) and what they do.
"""

import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from esports_assets.canonical.vocabulary import Title
from esports_assets.stages.sources import days_of
from esports_assets.storage.lake import Lake

if TYPE_CHECKING:
    from dagster import AssetSelection, DagsterInstance, ExecuteInProcessResult

    from esports_assets.models.train import TrainSettings

OnStep = Callable[[str, str, float], None]
"""Called with a step's name, what happened (start, success, failure) and seconds since the run's start."""


class OrchestrationError(RuntimeError):
    """A run that cannot start, in one sentence."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run: whether it succeeded, the days it covered, seconds per step, failed checks and errors in sentences."""

    run_id: str
    success: bool
    days: tuple[date, ...]
    seconds: float
    steps: dict[str, float]
    failed_checks: tuple[str, ...]
    errors: tuple[str, ...]


def instance_of_environment() -> "DagsterInstance":
    """The Dagster instance that ``DAGSTER_HOME`` points to."""
    from dagster import DagsterInstance

    return DagsterInstance.get()


def materialize(
    lake: Lake,
    instance: "DagsterInstance",
    selection: str | None = None,
    days: Sequence[date] | None = None,
    on_step: OnStep | None = None,
    training: "TrainSettings | None" = None,
) -> RunSummary:
    """Materialize a selection (all by default) for days (all that the lake holds by default) in one run.

    Dagster knows a run over one stretch of days only: registered days that lie between the given ones are brought up to
    date too, which costs a look at each and changes nothing where nothing is new. ``RunSummary.days`` says all of them.
    """
    with _without_preview_warnings():
        return _materialize(lake, instance, selection, days, on_step, training)


def _materialize(
    lake: Lake,
    instance: "DagsterInstance",
    selection: str | None,
    days: Sequence[date] | None,
    on_step: OnStep | None,
    training: "TrainSettings | None",
) -> RunSummary:
    import dagster as dg

    from esports_assets.definitions import defs
    from esports_assets.defs.partitions import range_tags

    wanted = _selected(selection)
    graph = defs.resolve_asset_graph()
    try:
        daily = any(graph.get(key).partitions_def is not None for key in wanted.resolve(graph))
    except dg.DagsterInvalidSubsetError as error:
        raise OrchestrationError(f"{selection!r} names an asset that the graph does not have") from error
    keys = _registered(lake, instance, days) if daily else []
    job = dg.define_asset_job("command_line", selection=wanted & dg.AssetSelection.all().materializable())
    resolved = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("command_line")
    config = {"resources": {"training": {"config": asdict(training)}}} if training else None
    run_id, began = str(uuid.uuid4()), time.monotonic()
    with _Watch(instance, run_id, on_step, began):
        result = resolved.execute_in_process(
            run_config=config,
            instance=instance,
            run_id=run_id,
            tags=range_tags(keys[0], keys[-1]) if keys else None,
            raise_on_error=False,
        )
    return _summary(result, tuple(date.fromisoformat(key) for key in sorted(keys)), time.monotonic() - began)


def _registered(lake: Lake, instance: "DagsterInstance", days: Sequence[date] | None) -> list[str]:
    """The stretch of registered days from the first to the last that is wanted; those days are registered before."""
    from esports_assets.defs.partitions import CS2_DAYS

    chosen = sorted(days if days is not None else days_of(lake, Title.CS2))
    if not chosen:
        raise OrchestrationError(
            "the lake holds no source files: bring some in with `esports ingest PATH` or `esports simulate`"
        )
    name = CS2_DAYS.name or ""
    instance.add_dynamic_partitions(name, [day.isoformat() for day in chosen])
    registered = list(instance.get_dynamic_partitions(name))
    places = sorted(registered.index(day.isoformat()) for day in chosen)
    return registered[places[0] : places[-1] + 1]


def _selected(selection: str | None) -> "AssetSelection":
    import dagster as dg
    from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError

    if selection is None:
        return dg.AssetSelection.all()
    try:
        return dg.AssetSelection.from_string(selection).required_multi_asset_neighbors()
    except DagsterInvalidAssetSelectionError as error:
        raise OrchestrationError(
            f"{selection!r} is no asset selection: write it like key:canonical/cs2/events+ or group:windows"
        ) from error


def _summary(result: "ExecuteInProcessResult", days: tuple[date, ...], seconds: float) -> RunSummary:
    from dagster import DagsterEventType

    events = result.all_events
    steps: dict[str, float] = {}
    errors, failed = [], []
    for event in events:
        if event.event_type is DagsterEventType.STEP_SUCCESS and event.step_key:
            steps[event.step_key] = event.step_success_data.duration_ms / 1000.0
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            cause = (error.cause or error) if error else None
            errors.append(f"{event.step_key}: {cause.message.strip() if cause else 'failed'}")
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed:
                asset = evaluation.asset_key.to_user_string()
                failed.append(f"{asset} {evaluation.check_name}: {evaluation.description or 'failed'}")
    return RunSummary(result.run_id, result.success, days, seconds, steps, tuple(failed), tuple(errors))


@contextmanager
def _without_preview_warnings() -> Iterator[None]:
    """Without Dagster's own remarks that a part of it is new; every other warning stays."""
    from dagster import BetaWarning, PreviewWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        warnings.simplefilter("ignore", PreviewWarning)
        yield


class _Watch:
    """Tells of steps while a run executes in this process, by reading the event log."""

    def __init__(self, instance: "DagsterInstance", run_id: str, on_step: OnStep | None, began: float) -> None:
        self._instance, self._run_id, self._on_step, self._began = instance, run_id, on_step, began
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> None:
        if self._on_step is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._on_step is not None:
            self._thread.join()

    def _poll(self) -> None:
        from dagster import DagsterEventType

        kinds = {
            DagsterEventType.STEP_START: "start",
            DagsterEventType.STEP_SUCCESS: "success",
            DagsterEventType.STEP_FAILURE: "failure",
            DagsterEventType.STEP_SKIPPED: "skipped",
        }
        cursor: str | None = None
        while True:
            last = self._done.wait(0.3)
            found = self._instance.get_records_for_run(self._run_id, cursor=cursor, of_type=set(kinds))
            cursor = found.cursor or cursor
            for record in found.records:
                event = record.event_log_entry.dagster_event
                if event is not None and event.step_key and self._on_step is not None:
                    self._on_step(event.step_key, kinds[event.event_type], time.monotonic() - self._began)
            if last and not found.has_more:
                return
