"""Source files that come, change and go: what the sensor asks for, asks for again, and gives up."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from esports_assets.canonical.vocabulary import Title
from esports_assets.definitions import defs
from esports_assets.defs.partitions import CS2_DAYS, stretches
from esports_assets.defs.resources import Platform
from esports_assets.defs.sensors import RAW, source_files
from esports_assets.ingest import ingest_paths
from esports_assets.simulate.write import simulate_matches
from esports_assets.stages.arrivals import ATTEMPTS, Asked, Recorded, arrivals, run_key_of
from esports_assets.stages.sources import NOTHING, days_of
from esports_assets.storage.lake import Lake

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
JOB = defs.resolve_implicit_global_asset_job_def()


class Watched:
    """A lake that the sensor watches, and the daemon's part: registering days, one run per new key, keeping the cursor."""

    def __init__(self, lake: Lake, instance: dg.DagsterInstance) -> None:
        self.lake, self.instance = lake, instance
        self.cursor: str | None = None
        self.quiet: str | None = None

    def put(self, day: int, name: str, data: bytes = b"bytes") -> None:
        """A source file arrives."""
        self.lake.write_raw(Title.CS2, date(2026, 1, day), name, data)

    def tick(self) -> list[dg.RunRequest]:
        """The sensor's requests."""
        resources = {"platform": Platform(lake_url=self.lake.url)}
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=defs, resources=resources
        )
        found = source_files(context)
        assert isinstance(found, dg.SensorResult)
        for request in found.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        self.cursor = found.cursor
        self.quiet = found.skip_reason.skip_message if found.skip_reason else None
        return list(found.run_requests or ())

    def run(self, request: dg.RunRequest, *, fails: bool = False, also: tuple[str, ...] = ()) -> bool:
        """Execute a request, against a lake that cannot be read if it is to fail; whether it succeeded."""
        assert request.run_key is not None
        assert request.asset_selection == [RAW]
        url = f"{self.lake.url}/nowhere\0" if fails else self.lake.url
        wanted = {RAW, *(dg.AssetKey(name.split("/")) for name in also)}
        done = JOB.get_subset(asset_selection=wanted).execute_in_process(
            instance=self.instance,
            tags={**request.tags, "dagster/run_key": request.run_key},
            resources={"platform": Platform(lake_url=url)},
            raise_on_error=False,
        )
        return done.success


def spans(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    """First and last day of each request."""
    return [
        (r.tags["dagster/asset_partition_range_start"], r.tags["dagster/asset_partition_range_end"]) for r in requests
    ]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watched(Lake(tmp_path / "lake"), instance)


def test_new_and_changed_days_are_asked_for_once(watched: Watched) -> None:
    watched.put(1, "a.zip")
    watched.put(2, "b.zip")
    [request] = watched.tick()
    assert spans([request]) == [(DAYS[0], DAYS[1])], "one run over both new days"
    assert watched.instance.get_dynamic_partitions(CS2_DAYS.name or "") == list(DAYS[:2])
    assert watched.run(request)
    assert watched.tick() == []
    assert watched.quiet == "the source files of 2 days are as the graph has recorded them"
    watched.put(1, "c.zip")
    [request] = watched.tick()
    assert spans([request]) == [(DAYS[0], DAYS[0])]
    assert watched.run(request)
    assert watched.tick() == []


def test_a_sensor_without_memory_trusts_what_the_graph_recorded(watched: Watched) -> None:
    watched.put(1, "a.zip")
    assert watched.run(watched.tick()[0])
    for cursor in (None, '{"2026-01-01": "a version alone"}', "no JSON"):
        watched.cursor = cursor
        assert watched.tick() == []


def test_a_run_under_way_is_waited_for(watched: Watched) -> None:
    watched.put(1, "a.zip")
    [request] = watched.tick()
    tags = {**request.tags, "dagster/run_key": request.run_key or ""}
    run = watched.instance.create_run_for_job(JOB, tags=tags, status=dg.DagsterRunStatus.STARTED)
    assert watched.tick() == []
    assert watched.quiet == f"runs are under way for {DAYS[0]}"
    watched.put(1, "b.zip")
    assert watched.tick() == [], "what came meanwhile may be read by that run too"
    watched.instance.report_run_failed(run)
    [next_one] = watched.tick()
    assert next_one.run_key != request.run_key


def test_a_failed_run_is_asked_for_again_day_by_day_and_given_up_in_the_end(watched: Watched) -> None:
    watched.put(1, "a.zip")
    watched.put(2, "b.zip")
    keys = []
    for expected in ([(DAYS[0], DAYS[1])], *[[(DAYS[0],) * 2, (DAYS[1],) * 2]] * (ATTEMPTS - 1)):
        requests = watched.tick()
        assert spans(requests) == expected
        keys += [request.run_key for request in requests]
        assert [watched.run(request, fails=True) for request in requests] == [False] * len(requests)
    assert len(set(keys)) == len(keys), "Dagster runs a key only once"
    assert watched.tick() == []
    assert watched.quiet is not None
    assert watched.quiet.startswith(f"{ATTEMPTS} runs were in vain for {DAYS[0]}, {DAYS[1]}: read their logs")
    watched.put(1, "c.zip")
    [request] = watched.tick()
    assert spans([request]) == [(DAYS[0], DAYS[0])], "other files are another matter"
    assert watched.run(request)
    assert watched.tick() == []
    assert DAYS[1] in (watched.quiet or "")
    assert DAYS[0] not in (watched.quiet or "")


def test_files_that_change_and_change_back_get_a_run_each(watched: Watched) -> None:
    watched.put(1, "a.zip")
    keys = []
    for _ in range(3):
        [request] = watched.tick()
        keys.append(request.run_key)
        assert watched.run(request)
        [extra] = [raw for raw in watched.lake.raw_files(Title.CS2, date(2026, 1, 1)) if raw.name == "x.zip"] or [None]
        if extra is None:
            watched.put(1, "x.zip")
        else:
            watched.lake.delete_raw(extra)
    assert len(set(keys)) == 3


def test_a_day_that_lost_its_last_file_loses_its_matches(watched: Watched, tmp_path: Path) -> None:
    simulate_matches(tmp_path / "source", 2, seed=5)
    ingest_paths([tmp_path / "source"], watched.lake, workers=1)
    [day] = watched.lake.days(Title.CS2)
    downstream = (
        *(f"canonical/cs2/{name}" for name in ("events", "tracking", "rounds", "players", "maps")),
        *("windows/cs2/round_state", "windows/cs2/player_form"),
    )
    [request] = watched.tick()
    assert watched.run(request, also=downstream)
    assert len(watched.lake.matches(Title.CS2)) == len(watched.lake.window_records(Title.CS2, "player_form", day)) == 2
    for raw in watched.lake.raw_files(Title.CS2, day):
        watched.lake.delete_raw(raw)
    assert days_of(watched.lake, Title.CS2) == [day], "a run over all days covers it too"
    [request] = watched.tick()
    assert spans([request]) == [(day.isoformat(), day.isoformat())]
    assert watched.run(request, also=downstream)
    assert watched.lake.matches(Title.CS2) == []
    for window in ("round_state", "player_form"):
        assert watched.lake.window_records(Title.CS2, window, day) == []
    for name in ("canonical/cs2/events", "windows/cs2/round_state", "windows/cs2/player_form"):
        filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(name.split("/")), asset_partitions=[day.isoformat()])
        [last] = watched.instance.fetch_materializations(filters, limit=1).records
        assert last.asset_materialization is not None
        assert last.asset_materialization.metadata["matches"].value == 0
    assert watched.tick() == []


def test_what_is_compared() -> None:
    recorded = {"a": Recorded("1", 7), "b": Recorded("1", 8), "gone": Recorded("1", 9), "empty": Recorded(NOTHING, 3)}
    asked = {day: Asked("2", 1, day) for day in ("b", "d")} | {"e": Asked("1", ATTEMPTS, "e")}
    found = {"a": "1", "b": "2", "c": "1", "d": "2", "e": "1"}
    todo = arrivals(found, recorded, asked, lambda run_key: run_key == "d")
    assert todo.ask == {"b": 2, "c": 1, "gone": 1}
    assert (todo.under_way, todo.given_up) == (("d",), ("e",))


def test_a_run_key_says_what_it_is_for() -> None:
    recorded = {"a": Recorded("1", 7)}
    key = run_key_of({"a": "2", "b": "1"}, recorded, 1)
    assert key.startswith("a to b ")
    assert key.endswith(" attempt 1")
    others = [
        run_key_of({"a": "3", "b": "1"}, recorded, 1),
        run_key_of({"a": "2", "b": "1"}, recorded, 2),
        run_key_of({"a": "2", "b": "1"}, {"a": Recorded("1", 8)}, 1),
        run_key_of({"a": "2"}, recorded, 1),
    ]
    assert len({key, *others}) == 5
    assert run_key_of({"b": "1", "a": "2"}, recorded, 1) == key


def test_stretches_hold_no_other_day() -> None:
    assert stretches(["a", "b", "d"], ["a", "b", "c", "d"]) == [["a", "b"], ["d"]]
    assert stretches(["b", "a"], ["b", "c", "a"]) == [["b"], ["a"]]
    assert stretches([], ["a"]) == []
