"""A bad match and a bad file among good ones: named by the check, left out of everything, in nobody's way."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
    """A run over good matches, then one with a corrupted match and a truncated file beside them."""

    world: World
    before: LedgerEntry | None
    clean: RunSummary
    dirty: RunSummary
    corrupted: str
    truncated: str


def corrupt(source: Path, target: Path) -> None:
    """The same demo with its third kill told again two seconds later: its victim dies twice."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = json.loads(old.read(name))
            if name == "kills.json":
                again = {**content[2], "tick": content[2]["tick"] + 128}
                content.insert(3, again)
            new.writestr(name, json.dumps(content))


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
    corrupt(last, bad)
    truncated = source / cut.name.replace("2026-01-03", "2026-01-02")
    truncated.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    report = world.ingest(bad, truncated)
    [header] = report.matches
    dirty = world.run(days=[DAY])
    return Ran(world, before, clean, dirty, header.match_id, truncated.name)


def test_the_run_succeeds_and_names_both(ran: Ran) -> None:
    assert ran.clean.success
    assert ran.clean.failed_checks == ()
    assert ran.dirty.success
    [failed] = ran.dirty.failed_checks
    assert failed.startswith(f"{EVENTS} matches_accepted: 2 things were refused or quarantined; first: ")
    check = ran.world.checks(ran.dirty.run_id)[f"{EVENTS} matches_accepted"]
    assert not check.passed
    assert not check.blocking
    told = str(check.metadata["list"].value).splitlines()
    assert len(told) == 2
    assert ran.corrupted in told[0]
    assert "dies a second time in this round" in told[0]
    assert ran.truncated in told[1]
    assert check.metadata["accepted"].value == 3


def test_the_day_counts_it_and_windows_leave_it_out(ran: Ran) -> None:
    world, run_id = ran.world, ran.dirty.run_id
    events = world.metadata(EVENTS, run_id, DAY.isoformat())
    assert (events["matches"], events["quarantined"]) == (3, 1)
    assert world.metadata("raw/cs2/matches", run_id, DAY.isoformat())["refusals"] == 1
    windows = world.metadata("windows/cs2/round_state", run_id, DAY.isoformat())
    assert (windows["matches"], windows["computed"]) == (3, 0)
    windowed = [record.match_id for record in world.lake.window_records(Title.CS2, "round_state", DAY)]
    assert len(windowed) == 3
    assert ran.corrupted not in windowed


def test_it_stays_in_the_lake_with_its_finding(ran: Ran) -> None:
    [record] = [r for r in ran.world.lake.matches(Title.CS2, DAY) if r.header.match_id == ran.corrupted]
    assert {finding.rule for finding in record.quarantined} == {"victim_was_alive"}
    assert record.rows["events"] > 100


def test_nothing_is_learned_from_it_and_the_promoted_model_stays(ran: Ran) -> None:
    models = ran.world.metadata("models/cs2/round_win", ran.dirty.run_id)
    assert models["matches"] == 7
    assert ran.corrupted not in models["matches_read"]
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
    assert check.metadata["trouble"].value == 1, "the truncated file is still there"
