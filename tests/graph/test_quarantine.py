"""Bad matches and a bad file among good ones: named by a check, left out of everything, in nobody's way."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from esports_assets.canonical.vocabulary import Title
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.orchestrate import RunSummary
from esports_assets.promotion.standing import LedgerEntry
from esports_assets.simulate.write import simulate_matches

pytestmark = pytest.mark.slow

DAY = date(2026, 1, 2)
EVENTS = "canonical/cs2/events"


@dataclass(frozen=True)
class Ran:
    """A run over good matches, then one with three bad matches and a truncated file beside them.

    In the corrupted match a victim dies twice, in the unhealthy one somebody has 200 health in one frame, and in the straying
    one somebody stands far outside the map for a moment.
    """

    world: World
    before: LedgerEntry | None
    clean: RunSummary
    dirty: RunSummary
    corrupted: str
    unhealthy: str
    straying: str
    truncated: str


def rewrite(source: Path, target: Path, member: str, change: Callable[[Any], None]) -> None:
    """The same demo with one of its files changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = json.loads(old.read(name))
            if name == member:
                change(content)
            new.writestr(name, json.dumps(content))


def die_twice(kills: Any) -> None:
    """The third kill is told again two seconds later."""
    kills.insert(3, {**kills[2], "tick": kills[2]["tick"] + 128})


def overheal(replay: Any) -> None:
    """One frame of one player."""
    replay["rounds"][0]["players"][0]["hp"][5] = 200


def stray(replay: Any) -> None:
    """One frame of one player; positions are differences, so the way back follows."""
    x = replay["rounds"][0]["players"][0]["x"]
    x[5], x[6] = x[5] + 9000, x[6] - 9000


@pytest.fixture(scope="module")
def ran(new_world: Callable[[], World]) -> Ran:
    world = new_world()
    source = world.folder / "source"
    files = simulate_matches(source, 9, seed=3)
    aside = world.folder / "aside"
    aside.mkdir()
    last, cut = (path.rename(aside / path.name) for path in files[7:])
    world.ingest(source)
    clean = world.run()
    before = world.ledger.standing(ROUND_WIN.name).current

    bad = source / last.name
    rewrite(last, bad, "kills.json", die_twice)
    others = simulate_matches(world.folder / "others", 2, seed=50)
    unhealthy, straying = (source / path.name.replace(path.name[:10], DAY.isoformat()) for path in others)
    rewrite(others[0], unhealthy, "replay.json", overheal)
    rewrite(others[1], straying, "replay.json", stray)
    truncated = source / cut.name.replace("2026-01-03", "2026-01-02")
    truncated.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    ids = [world.ingest(path).matches[0].match_id for path in (bad, unhealthy, straying)]
    world.ingest(truncated)
    dirty = world.run(days=[DAY])
    return Ran(world, before, clean, dirty, *ids, truncated.name)


def test_the_run_succeeds_and_names_them(ran: Ran) -> None:
    assert ran.clean.success
    assert ran.clean.failed_checks == ()
    assert ran.dirty.success
    accepted, inside = sorted(ran.dirty.failed_checks)
    assert accepted.startswith(f"{EVENTS} matches_accepted: 3 things were refused or quarantined; first: ")
    assert inside.startswith(f"canonical/cs2/maps positions_inside_the_map: {ran.straying}: a position lies ")
    check = ran.world.checks(ran.dirty.run_id)[f"{EVENTS} matches_accepted"]
    assert not check.passed
    assert not check.blocking
    twice, health, cut = sorted(str(check.metadata["list"].value).splitlines(), key=_subject)
    assert ran.corrupted in twice
    assert "dies a second time in this round" in twice
    assert ran.unhealthy in health
    assert "tracking.health = 200, more than 150" in health
    assert ran.truncated in cut
    assert check.metadata["accepted"].value == 4, "the three good ones, and the one that only the maps will tell"


def _subject(line: str) -> int:
    """Deaths, health, files: the order of the assertions."""
    return next((i for i, word in enumerate(("dies", "health")) if word in line), 2)


def test_the_day_counts_them_and_windows_leave_them_out(ran: Ran) -> None:
    world, run_id = ran.world, ran.dirty.run_id
    events = world.metadata(EVENTS, run_id, DAY.isoformat())
    assert (events["matches"], events["quarantined"]) == (4, 2)
    assert world.metadata("raw/cs2/matches", run_id, DAY.isoformat())["refusals"] == 1
    windows = world.metadata("windows/cs2/round_state", run_id, DAY.isoformat())
    assert (windows["matches"], windows["computed"]) == (3, 0)
    windowed = [record.match_id for record in world.lake.window_records(Title.CS2, "round_state", DAY)]
    assert len(windowed) == 3
    assert not {ran.corrupted, ran.unhealthy, ran.straying} & set(windowed)


def test_they_stay_in_the_lake_with_their_findings(ran: Ran) -> None:
    bad = {r.header.match_id: r for r in ran.world.lake.matches(Title.CS2, DAY) if r.quarantined}
    assert {match_id: {finding.rule for finding in record.quarantined} for match_id, record in bad.items()} == {
        ran.corrupted: {"victim_was_alive"},
        ran.unhealthy: {"declared_schema"},
        ran.straying: {"position_in_map"},
    }
    assert all(record.rows["events"] > 100 for record in bad.values())


def test_nothing_is_learned_from_them_and_the_promoted_model_stays(ran: Ran) -> None:
    models = ran.world.metadata("models/cs2/round_win", ran.dirty.run_id)
    assert models["matches"] == 7
    assert not any(bad in models["matches_read"] for bad in (ran.corrupted, ran.unhealthy, ran.straying))
    assert [models[family]["learned_now"] for family in ROUND_WIN.families] == [False] * len(ROUND_WIN.families)
    assert ran.before is not None
    assert ran.world.ledger.standing(ROUND_WIN.name).current == ran.before


def test_a_corrected_file_takes_its_place(ran: Ran) -> None:
    world = ran.world
    [good] = [
        path for path in (world.folder / "aside").iterdir() if path.name != ran.truncated and "2026-01-02" in path.name
    ]
    world.ingest(good)
    run = world.run("key:raw/cs2/matches or group:canonical or group:windows", [DAY])
    assert run.success
    told = world.metadata("windows/cs2/round_state", run.run_id, DAY.isoformat())
    assert told["matches"] == 4
    check = world.checks(run.run_id)[f"{EVENTS} matches_accepted"]
    assert check.metadata["accepted"].value == 4
    assert check.metadata["trouble"].value == 3, "the truncated file and the other two matches are still there"
    assert any(ran.straying in line for line in str(check.metadata["list"].value).splitlines())
