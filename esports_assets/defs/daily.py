"""One run over many days: every day has its own materialization, with the data version and the inputs of that day.

Belongs here: the days of a run, and recording what became of each.
Does not belong here: what a day holds (the assets say it), how days become partitions (``partitions.py``).

Dagster 1.13 takes one data version from a run over a range and copies it to all of its partitions
(dagster-io/dagster#34013): two days of other bytes would share a version, and a day would have another one alone than among
others. So these assets log a materialization per day themselves and announce their output without Dagster's own; one run
for many days stays one run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata, generate_event_batch_id
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle

Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]
"""What such an asset yields as far as Dagster's decorators care; the events of its days go through as they are."""


@dataclass(frozen=True, slots=True)
class Day:
    """What became of one day of an asset."""

    day: date
    data_version: str
    metadata: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The day's partition."""
        return self.day.isoformat()


def days_in(context: dg.AssetExecutionContext) -> list[date]:
    """The days that this run covers, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def materialized(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, days: Sequence[Day]) -> Iterator[Any]:
    """Record the days of an asset, each with its own version, and let what follows in the run go on."""
    step = context.get_step_execution_context()
    inputs = _inputs(step, asset_key, [day.key for day in days])
    code = {CODE_VERSION_TAG: step.job_def.asset_layer.get(asset_key).code_version or step.run_id}
    batch = generate_event_batch_id()
    for number, day in enumerate(days, start=1):
        version = {DATA_VERSION_TAG: day.data_version, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"}
        event = dg.AssetMaterialization(
            asset_key,
            partition=day.key,
            metadata={**day.metadata, "data_version": day.data_version},
            tags={**code, **inputs[day.key], **version},
        )
        yield DagsterEvent.asset_materialization(step, event, DagsterEventBatchMetadata(batch, number == len(days)))
    output = context.assets_def.get_output_name_for_asset_key(asset_key)
    step.observe_output(output)
    yield DagsterEvent.step_output_event(step, StepOutputData(StepOutputHandle(step.step.key, output)))


def recorded_versions(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, days: Sequence[str] | None = None
) -> dict[str, str]:
    """The data version of each day (of all, if none are given) as it was materialized last."""
    found = instance.event_log_storage.get_latest_tags_by_partition(
        asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG], days
    )
    return {day: tags[DATA_VERSION_TAG] for day, tags in found.items() if DATA_VERSION_TAG in tags}


def _inputs(step: StepExecutionContext, asset_key: dg.AssetKey, days: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags that say which version of which input a day was made from, by day."""
    tags: dict[str, dict[str, str]] = {day: {} for day in days}
    layer = step.job_def.asset_layer
    for parent in layer.get(asset_key).parent_keys:
        info = step.maybe_fetch_and_get_input_asset_version_info(parent)
        whole = info.data_version if info and info.data_version else DEFAULT_DATA_VERSION
        daily = layer.get(parent).partitions_def is not None
        versions = recorded_versions(step.instance, parent, days) if daily else {}
        for day in days:
            tags[day][get_input_event_pointer_tag(parent)] = str(info.storage_id) if info else NULL_EVENT_POINTER
            tags[day][get_input_data_version_tag(parent)] = _of_one(versions.get(day)) if daily else whole.value
    return tags


def _of_one(version: str | None) -> str:
    """How Dagster writes the version of an input of which one partition was read."""
    return sha256((version or "").encode()).hexdigest()
