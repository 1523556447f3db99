"""Data versions of days: what Dagster's instance says of a day does not depend on which other days the run covered."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from esports_assets.canonical.vocabulary import Title
from esports_assets.definitions import defs
from esports_assets.defs.partitions import CS2_DAYS, range_tags
from esports_assets.defs.resources import Platform
from esports_assets.ingest import ingest_paths
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage.lake import Lake

ONE, TWO = "2026-01-01", "2026-01-02"
CANONICAL = tuple(f"canonical/cs2/{name}" for name in ("events", "tracking", "rounds", "players"))
STATE = "windows/cs2/round_state"
"""Reads the maps too, which are learned from all days."""
DAILY = ("raw/cs2/matches", *CANONICAL, STATE, "windows/cs2/player_form")
INPUT, VERSION = "dagster/input_data_version/", "dagster/data_version"

Tags = dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True)
class Ran:
    """The tags that each run left on the materializations of its days."""

    instance: dg.DagsterInstance
    together: Tags
    alone: Tags
    changed: Tags


def key(name: str) -> dg.AssetKey:
    return dg.AssetKey(name.split("/"))


def run(lake: Lake, instance: dg.DagsterInstance, tags_of_run: dict[str, str]) -> Tags:
    """Everything over the days that the tags name, in one run; the tags by asset and day."""
    wanted = {key(name) for name in (*DAILY, "canonical/cs2/maps")}
    done = (
        defs.resolve_implicit_global_asset_job_def()
        .get_subset(asset_selection=wanted)
        .execute_in_process(instance=instance, tags=tags_of_run, resources={"platform": Platform(lake_url=lake.url)})
    )
    assert done.success
    tags: Tags = {}
    for name in DAILY:
        for record in instance.fetch_materializations(key(name), limit=100).records:
            event = record.asset_materialization
            assert event is not None
            assert event.partition is not None
            if record.run_id == done.run_id:
                assert (name, event.partition) not in tags, "a run materializes a day once"
                tags[name, event.partition] = dict(event.tags or {})
    return tags


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("days")
    files = simulate_matches(folder / "source", 3, seed=9)
    later, much_later = (file.rename(file.with_name(file.name.replace(ONE, TWO))) for file in files[1:])
    lake = Lake(folder / "lake")
    ingest_paths([files[0], later], lake, workers=1)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(CS2_DAYS.name or "", [ONE, TWO])
        together = run(lake, instance, range_tags(ONE, TWO))
        alone = run(lake, instance, {"dagster/partition": ONE})
        ingest_paths([much_later], lake, workers=1)
        assert [len(lake.matches(Title.CS2, day)) for day in lake.days(Title.CS2)] == [1, 2]
        yield Ran(instance, together, alone, run(lake, instance, range_tags(ONE, TWO)))


@pytest.mark.parametrize("name", DAILY)
def test_days_of_one_run_have_versions_of_their_own(ran: Ran, name: str) -> None:
    assert ran.together[name, ONE][VERSION] != ran.together[name, TWO][VERSION]


@pytest.mark.parametrize("name", DAILY)
def test_a_day_alone_has_the_version_that_it_has_among_others(ran: Ran, name: str) -> None:
    assert ran.alone[name, ONE][VERSION] == ran.together[name, ONE][VERSION]
    assert {day for _, day in ran.alone} == {ONE}


@pytest.mark.parametrize("name", [name for name in DAILY if name != STATE])
def test_other_bytes_of_one_day_change_its_version_alone(ran: Ran, name: str) -> None:
    assert ran.changed[name, ONE][VERSION] == ran.together[name, ONE][VERSION]
    assert ran.changed[name, TWO][VERSION] != ran.together[name, TWO][VERSION]


@pytest.mark.parametrize("name", DAILY)
def test_a_day_says_which_code_and_inputs_made_it(ran: Ran, name: str) -> None:
    node = defs.resolve_asset_graph().get(key(name))
    for tags in (ran.together, ran.alone, ran.changed):
        told = tags[name, ONE]
        assert told["dagster/code_version"] == node.code_version
        read = {tag.removeprefix(INPUT) for tag in told if tag.startswith(INPUT)}
        assert read == {parent.to_user_string() for parent in node.parent_keys}
    inputs = [
        {tag: version for tag, version in tags[name, ONE].items() if tag.startswith(INPUT) and "maps" not in tag}
        for tags in (ran.together, ran.alone, ran.changed)
    ]
    assert inputs[0] == inputs[1] == inputs[2], "of another day nothing was read"


@pytest.mark.parametrize("name", DAILY)
def test_dagster_holds_the_days_for_fresh(ran: Ran, name: str) -> None:
    graph, context = defs.resolve_asset_graph(), LoadingContextForTest(ran.instance)
    resolver = CachingStaleStatusResolver(ran.instance, graph, context)
    assert [resolver.get_status(key(name), day) for day in (ONE, TWO)] == [StaleStatus.FRESH] * 2
