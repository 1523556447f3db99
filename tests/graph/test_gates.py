"""What a failed check upstream does to a promotion that comes in a later run: the gate stays shut, and the ledger says why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import dagster as dg
import pyarrow as pa
import pytest
from small_world import World

from esports_assets.canonical.vocabulary import Title
from esports_assets.definitions import defs
from esports_assets.defs.gates import SUITES, WHOLE, verdicts
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.orchestrate import RunSummary
from esports_assets.promotion.standing import LedgerEntry
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage.lake import DerivedRecord

PROMOTION = dg.AssetKey(["promotion", "cs2", "round_win"])
STATE = "windows/cs2/round_state"
LABELS, SUITE = f"{STATE} labels_are_their_own", f"{STATE} declared_schema"
TABLES = "group:raw or group:canonical or group:windows"
LEARNING = "group:models or group:evaluation or group:promotion or group:bundles"
DAYS = (date(2026, 1, 1), date(2026, 1, 2))


def test_every_blocking_check_upstream_of_promotion_is_a_gate() -> None:
    graph = defs.resolve_asset_graph()
    upstream = dg.AssetSelection.assets(PROMOTION).upstream().resolve(graph)
    blocking = {check for check in graph.asset_check_keys if graph.get(check).blocking and check.asset_key in upstream}
    assert {*SUITES, *WHOLE} == blocking
    assert {check.name for check in SUITES} == {"declared_schema"}


def test_what_was_never_evaluated_is_shut() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        found = verdicts(instance)
        assert len(found) == len(SUITES) + len(WHOLE)
        assert set(found.values()) == {False}
        assert f"{LABELS} (never evaluated)" in found
        for passed in (True, False):
            evaluation = dg.AssetCheckEvaluation(asset_key=WHOLE[0].asset_key, check_name=WHOLE[0].name, passed=passed)
            instance.report_runless_asset_event(evaluation)
            assert verdicts(instance)[LABELS] is passed


@dataclass(frozen=True)
class Ran:
    """A world whose labels were wrong when its first models were learned, and right afterwards."""

    world: World
    mislabelled: RunSummary
    learned_on_it: RunSummary
    refused: list[LedgerEntry]
    mended: RunSummary


def rewrite(world: World, record: DerivedRecord, change: Callable[[pa.Table], pa.Table]) -> None:
    """Other rows of a match in the lake, under the facts of the right ones, so that nothing computes them anew."""
    found = world.lake.find(Title.CS2, record.match_id)
    assert found is not None
    table = change(world.lake.read_windows(found.header, "round_state"))
    world.lake.write_windows(found.header, "round_state", table, record.facts)


def mend(world: World) -> None:
    """Lose the rows of all matches: the next run computes them."""
    for match in world.lake.matches(Title.CS2):
        world.lake.delete_windows(match.header, "round_state")


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    """The table with other values of a column."""
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))


def carried_over(table: pa.Table) -> pa.Table:
    """The first two rows of every round with the winner of the round before."""
    segments, labels = table["segment"].to_pylist(), table["ct_won"].to_pylist()
    winners = dict(zip(segments, labels, strict=True))
    firsts = [i for i, segment in enumerate(segments) if i < 2 or segments[i - 2] != segment]
    for i in firsts:
        labels[i] = winners.get(segments[i] - 1, labels[i])
    return with_column(table, "ct_won", labels)


@pytest.fixture(scope="module")
def ran(new_world: Callable[[], World]) -> Ran:
    world = new_world()
    simulate_matches(world.folder / "source", 8, seed=3)
    world.ingest(world.folder / "source")
    assert world.run(TABLES).success
    for record in world.lake.window_records(Title.CS2, "round_state"):
        rewrite(world, record, carried_over)
    mislabelled = world.run("group:windows")
    learned_on_it = world.run(LEARNING)
    refused = world.ledger.history(ROUND_WIN.name)
    mend(world)
    return Ran(world, mislabelled, learned_on_it, refused, world.run())


@pytest.mark.slow
def test_mislabelled_windows_stop_their_own_run(ran: Ran) -> None:
    assert not ran.mislabelled.success
    [failed] = ran.mislabelled.failed_checks
    assert failed.startswith(f"{LABELS}: ")
    assert ran.world.checks(ran.mislabelled.run_id)[LABELS].blocking


@pytest.mark.slow
def test_what_a_later_run_learns_from_them_is_refused_with_the_reason(ran: Ran) -> None:
    assert ran.learned_on_it.success
    assert ran.learned_on_it.failed_checks == ()
    told = ran.world.metadata("promotion/cs2/round_win", ran.learned_on_it.run_id)
    assert (told["decision"], told["in_production"]) == ("refuse", "nothing")
    assert [name for name, passed in told["checks"].items() if not passed] == [LABELS]
    [entry] = ran.refused
    assert entry.decision == "refuse"
    assert entry.reason == f"{entry.label} failed the check {LABELS}."
    assert entry.evidence["candidate"]["checks"] == told["checks"]
    assert told["ledger_entry"] == entry.id
    for family in ROUND_WIN.families:
        name = ROUND_WIN.registered_name(family)
        assert f"{name} v{told['judged'][name]['version']} failed the check {LABELS}." in told["reasons"]
    bundles = ran.world.metadata("bundles/cs2/round_win", ran.learned_on_it.run_id)
    assert (bundles["champion"], bundles["ledger_entry"]) == ("none", 0)


@pytest.mark.slow
def test_right_labels_open_the_gate(ran: Ran) -> None:
    assert ran.mended.success
    promoted, refused = ran.world.ledger.history(ROUND_WIN.name)
    assert [refused] == ran.refused
    assert promoted.decision == "promote"
    assert set(promoted.evidence["candidate"]["checks"].values()) == {True}
    assert len(promoted.evidence["candidate"]["checks"]) == len(SUITES) + len(WHOLE)
    told = ran.world.metadata("bundles/cs2/round_win", ran.mended.run_id)
    assert told["ledger_entry"] == promoted.id


@pytest.mark.slow
def test_a_day_that_failed_its_suite_is_not_made_up_for_by_another(ran: Ran) -> None:
    world, windows = ran.world, f"key:{STATE}"
    record = world.lake.window_records(Title.CS2, "round_state", DAYS[0])[0]
    rewrite(world, record, lambda table: with_column(table, "ct_alive", [11.0] * table.num_rows))
    assert verdicts(world.instance)[SUITE]
    failed = world.run(windows, [DAYS[0]])
    assert not failed.success
    assert [line.split(":")[0] for line in failed.failed_checks] == [SUITE]
    assert not verdicts(world.instance)[SUITE]
    other = world.run(windows, [DAYS[1]])
    assert other.success
    assert world.checks(other.run_id)[SUITE].passed
    assert not verdicts(world.instance)[SUITE], "the rows of the first day are still there"
    mend(world)
    assert world.run(windows, [DAYS[0]]).success
    assert verdicts(world.instance)[SUITE]
