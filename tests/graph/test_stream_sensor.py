"""Matches that end in the stream reach the lake and the graph: exactly the days that they touch, each once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import msgspec
import pytest
from redis import Redis

from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.definitions import defs
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.sensors import RAW, source_files
from esports_assets.defs.stream_sensor import CANONICAL, NO_STREAM, Cursor, stream
from esports_assets.ingest import ingest_paths
from esports_assets.simulate.write import simulate_matches
from esports_assets.stages.arrivals import ATTEMPTS
from esports_assets.storage.lake import Lake
from esports_assets.streams.connect import connect
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.errors import StreamError
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL as STREAM
from esports_assets.streams.replay import Playable, envelopes_of, from_file, play

JOB = defs.resolve_implicit_global_asset_job_def()
DOWNSTREAM = ("canonical/cs2/maps", "windows/cs2/round_state", "windows/cs2/player_micro", "windows/cs2/player_form")
DATABASE = 11
DEMO = Path(__file__).parents[1] / "fixtures" / "cs2_demo" / "v3_two_rounds" / "input.zip"


class Listening:
    """A lake that the stream lands in, and the daemon's part: registering days, one run per new key, keeping the cursor."""

    def __init__(self, lake: Lake, redis_url: str, instance: dg.DagsterInstance) -> None:
        self.lake, self.redis_url, self.instance = lake, redis_url, instance
        self.client: Redis = connect(redis_url)
        self.client.flushdb()
        self.log = EventLog(self.client)
        self.cursor: str | None = None
        self.quiet: str | None = None

    def play(self, playable: Playable, *, tracking: bool = False) -> None:
        """Play a match as fast as it goes, without its positions if nothing else is said."""
        play(self.log, playable, None, tracking=tracking)

    def ticks(self) -> list[dg.RunRequest]:
        """The requests of the first tick that has some; none where nothing is left to read or to land."""
        while True:
            before, found = Cursor.read(self.cursor), self.tick()
            if found or Cursor.read(self.cursor) == before:
                return found

    def tick(self) -> list[dg.RunRequest]:
        """The sensor's requests."""
        platform = Platform(lake_url=self.lake.url, redis_url=self.redis_url)
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=defs, resources={"platform": platform}
        ) as context:
            found = stream(context)
        assert isinstance(found, dg.SensorResult)
        for request in found.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        self.cursor = found.cursor
        self.quiet = found.skip_reason.skip_message if found.skip_reason else None
        return list(found.run_requests or ())

    def run(self, request: dg.RunRequest, *, fails: bool = False, also: tuple[str, ...] = ()) -> bool:
        """Execute a request, against a lake that cannot be read if it is to fail; whether it succeeded."""
        assert request.asset_selection is not None
        url = f"{self.lake.url}/nowhere\0" if fails else self.lake.url
        wanted = {*request.asset_selection, *(dg.AssetKey(name.split("/")) for name in also)}
        done = JOB.get_subset(asset_selection=wanted).execute_in_process(
            instance=self.instance,
            tags={**request.tags, "dagster/run_key": request.run_key or ""},
            resources={"platform": Platform(lake_url=url)},
            raise_on_error=False,
        )
        return done.success

    def files_tick(self) -> list[dg.RunRequest]:
        """What the sensor of source files asks for beside it."""
        resources = {"platform": Platform(lake_url=self.lake.url)}
        found = source_files(dg.build_sensor_context(instance=self.instance, definitions=defs, resources=resources))
        assert isinstance(found, dg.SensorResult)
        return list(found.run_requests or ())


@pytest.fixture
def listening(tmp_path: Path, redis_url: str) -> Iterator[Listening]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = Listening(Lake(tmp_path / "lake"), f"{redis_url.removesuffix('/0')}/{DATABASE}", instance)
        yield found
        found.client.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two simulated matches of one day, and a small one of another."""
    folder = tmp_path_factory.mktemp("source")
    simulate_matches(folder, 2, seed=11)
    return [*sorted(folder.glob("*")), DEMO]


@pytest.fixture(scope="module")
def played(paths: list[Path]) -> list[Playable]:
    """The same, ready to be played."""
    return [playable for path in paths for playable in from_file(path)]


def day_of(playable: Playable) -> str:
    return playable.match.header.day.isoformat()


def day_asked(request: dg.RunRequest) -> str:
    """The only day of a request."""
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert first == last
    return first


def in_batches(envelopes: list[Envelope]) -> Iterator[list[Envelope]]:
    yield from (envelopes[at : at + 500] for at in range(0, len(envelopes), 500))


def test_without_a_server_it_says_so(listening: Listening) -> None:
    platform = Platform(lake_url=listening.lake.url)
    with dg.build_sensor_context(
        instance=listening.instance, definitions=defs, resources={"platform": platform}
    ) as context:
        found = stream(context)
    assert isinstance(found, dg.SkipReason)
    assert found.skip_message == NO_STREAM


def test_an_empty_stream_is_quiet(listening: Listening) -> None:
    assert listening.ticks() == []
    assert listening.quiet == "0 entries or 0.0 s behind the stream; 0 matches have begun and are not landed yet"


def test_exactly_the_days_that_matches_touch_are_requested(listening: Listening, played: list[Playable]) -> None:
    first, _, last = played
    listening.play(first)
    [request] = listening.ticks()
    assert day_asked(request) == day_of(first)
    assert request.asset_selection == list(CANONICAL.values())
    assert request.run_key is not None
    assert str(listening.log.last_id()) in request.run_key
    assert Cursor.read(listening.cursor).last == listening.log.last_id()
    assert listening.instance.get_dynamic_partitions(CS2_DAYS.name or "") == [day_of(first)]
    assert listening.run(request)
    assert listening.ticks() == []
    listening.play(last)
    [request] = listening.ticks()
    assert day_asked(request) == day_of(last)
    assert day_of(last) != day_of(first)


def test_the_daemon_takes_the_request(listening: Listening, played: list[Playable]) -> None:
    """A tick as the daemon evaluates it, with the day that it is to register first."""
    listening.play(played[2])
    platform = Platform(lake_url=listening.lake.url, redis_url=listening.redis_url)
    with dg.build_sensor_context(
        instance=listening.instance, definitions=defs, resources={"platform": platform}
    ) as context:
        data = defs.get_repository_def().get_sensor_def("stream").evaluate_tick(context)
    [request] = data.run_requests or []
    assert day_asked(request) == day_of(played[2])
    assert request.tags["dagster/sensor_name"] == "stream"
    [new] = data.dynamic_partitions_requests or []
    assert list(new.partition_keys) == [day_of(played[2])]
    assert Cursor.read(data.cursor).last == listening.log.last_id()


def test_a_real_run_over_the_day_computes_everything_from_the_landed_match(
    listening: Listening, played: list[Playable], paths: list[Path], tmp_path: Path
) -> None:
    """As from its file: the same tables, windows and data versions."""
    match_id = played[0].match.header.match_id
    listening.play(played[0], tracking=True)
    [request] = listening.ticks()
    assert listening.run(request, also=DOWNSTREAM)
    day = date.fromisoformat(day_of(played[0]))
    [record] = listening.lake.matches(Title.CS2, day)
    assert (record.header.match_id, record.raw, record.quarantined) == (match_id, "", ())
    from_file_lake, other = Lake(tmp_path / "files"), dg.DagsterInstance.ephemeral()
    ingest_paths(paths[:1], from_file_lake)
    beside = Listening(from_file_lake, listening.redis_url, other)
    other.add_dynamic_partitions(CS2_DAYS.name or "", [day_of(played[0])])
    assert beside.run(request, also=DOWNSTREAM)
    for window in ("round_state", "player_micro", "player_form"):
        [mine] = listening.lake.window_records(Title.CS2, window, day)
        [theirs] = from_file_lake.window_records(Title.CS2, window, day)
        assert mine == theirs
        assert mine.rows > 0
    for key in CANONICAL.values():
        versions = [_version(instance, key) for instance in (listening.instance, other)]
        assert versions[0] == versions[1] is not None
    filters = dg.AssetRecordsFilter(asset_key=CANONICAL["events"])
    [event] = listening.instance.fetch_materializations(filters, limit=1).records
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["read"].value == ["the stream"]


def _version(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    [record] = instance.fetch_materializations(dg.AssetRecordsFilter(asset_key=key), limit=1).records
    assert record.asset_materialization is not None
    return (record.asset_materialization.tags or {}).get("dagster/data_version")


def test_the_sensor_of_source_files_leaves_days_of_the_stream_alone(
    listening: Listening, played: list[Playable], paths: list[Path]
) -> None:
    listening.play(played[0])
    [request] = listening.ticks()
    assert listening.files_tick() == []
    assert listening.run(request)
    assert listening.files_tick() == []
    ingest_paths(paths[:1], listening.lake)
    [of_file] = listening.files_tick()
    assert of_file.asset_selection == [RAW]


def test_a_match_played_again_is_not_asked_for_again(listening: Listening, played: list[Playable]) -> None:
    listening.play(played[0])
    [request] = listening.ticks()
    assert listening.run(request)
    listening.play(played[0])
    assert listening.ticks() == []
    listening.client.flushdb()
    listening.cursor = None
    listening.play(played[0])
    assert listening.ticks() == []
    assert (listening.quiet or "").startswith("0 entries")


def test_what_was_landed_before_a_crash_is_requested_all_the_same(listening: Listening, played: list[Playable]) -> None:
    """The lake was written, the cursor was not: the next tick finds the match landed and the graph without it."""
    listening.play(played[0])
    before = listening.cursor
    [request] = listening.ticks()
    listening.cursor = before
    [again] = listening.ticks()
    assert again.run_key == request.run_key, "Dagster runs a key only once"


def test_a_running_match_waits_and_the_lag_is_told(listening: Listening, played: list[Playable]) -> None:
    batches = list(in_batches(list(envelopes_of(played[0], tracking=False))))
    for batch in batches[:-1]:
        listening.log.append(batch)
    assert listening.ticks() == []
    assert listening.quiet == "0 entries or 0.0 s behind the stream; 1 matches have begun and are not landed yet"
    listening.log.append(batches[-1])
    assert len(listening.ticks()) == 1


def test_runs_in_vain_are_repeated_and_given_up(listening: Listening, played: list[Playable]) -> None:
    listening.play(played[0])
    keys = []
    for _ in range(ATTEMPTS):
        [request] = listening.ticks()
        keys.append(request.run_key)
        assert not listening.run(request, fails=True)
    assert len(set(keys)) == ATTEMPTS
    assert listening.ticks() == []
    assert f"{ATTEMPTS} runs were in vain for {day_of(played[0])}" in (listening.quiet or "")
    listening.play(played[1])
    [request] = listening.ticks()
    assert request.run_key not in keys, "another match of the day is another matter"
    assert listening.run(request)
    assert listening.ticks() == []


def test_a_run_under_way_is_waited_for(listening: Listening, played: list[Playable]) -> None:
    listening.play(played[0])
    [request] = listening.ticks()
    run = listening.instance.create_run_for_job(
        JOB, tags={"dagster/run_key": request.run_key or ""}, status=dg.DagsterRunStatus.STARTED
    )
    listening.play(played[1])
    assert listening.ticks() == []
    assert f"runs are under way for {day_of(played[0])}" in (listening.quiet or "")
    listening.instance.report_run_failed(run)
    [other] = listening.ticks()
    assert other.run_key != request.run_key


def test_what_makes_no_match_is_told_as_long_as_the_stream_holds_it(
    listening: Listening, played: list[Playable]
) -> None:
    last = list(envelopes_of(played[2]))[-1]
    event = msgspec.structs.replace(last.event, match_id="../escaped", event_type=EventType.MAP_END, seq=0)
    listening.log.append([Envelope(event)])
    listening.play(played[0])
    [request] = listening.ticks()
    assert day_asked(request) == day_of(played[0]), "it holds no other match back"
    assert listening.run(request)
    for _ in range(2):
        assert listening.tick() == []
        assert "1 make no match, the first is ../escaped" in (listening.quiet or "")


def test_a_gap_fails_the_tick_with_what_to_do(listening: Listening, played: list[Playable]) -> None:
    listening.play(played[0])
    listening.ticks()
    cursor = Cursor.read(listening.cursor)
    listening.client.delete(STREAM)
    with pytest.raises(StreamError, match="empty the cursor of the sensor 'stream'"):
        listening.ticks()
    assert Cursor.read(listening.cursor) == cursor, "nothing is skipped"


@pytest.mark.parametrize("text", [None, "", "{}", "no JSON", '{"last": 5}', "[1]"])
def test_a_cursor_that_is_none_begins_with_the_oldest_entry(text: str | None) -> None:
    assert Cursor.read(text) == Cursor()


def test_an_entry_id_is_a_cursor() -> None:
    assert Cursor.read("1764000000000-3") == Cursor("1764000000000-3")
    written = Cursor("1764000000000-3")
    assert Cursor.read(str(written)) == written
    assert msgspec.json.decode(str(written))["last"] == "1764000000000-3"
