"""The whole graph on simulated matches, and once more on the same bytes: one pair of runs, looked at from all sides."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.compute as pc
import pytest
from small_world import SMALL, World

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.gates import INTENT_SUITES, SUITES, WHOLE
from esports_assets.models.bundle import load_bundle
from esports_assets.models.tasks import INTENT, ROUND_WIN
from esports_assets.orchestrate import OrchestrationError, RunSummary, materialize
from esports_assets.promotion import mirror
from esports_assets.promotion.terms import Alias
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage.lake import Lake
from esports_assets.windows.player_form import PLAYER_FORM

pytestmark = pytest.mark.slow

MATCHES = 8
PNG = b"\x89PNG\r\n\x1a\n"
PLOTS = {"reliability.png", "loss_by_time.png", "contributions.png", "round.png"}
CLASS_PLOTS = {"confusion.png", "reliability.png", "per_class.png", "risk_coverage.png"}
DAYS = ("2026-01-01", "2026-01-02")
CANONICAL = ("events", "tracking", "rounds", "players")
STEPS = {
    *("raw__cs2__matches", "canonical_cs2", "canonical__cs2__maps"),
    *("windows__cs2__round_state", "windows__cs2__player_form", "windows__cs2__player_micro"),
    *("models__cs2__round_win", "evaluation__cs2__round_win", "promotion__cs2__round_win", "bundles__cs2__round_win"),
    *("models__cs2__intent", "evaluation__cs2__intent", "promotion__cs2__intent", "bundles__cs2__intent"),
    *("publish__cs2__rounds", "publish__cs2__micro_actions"),
}
VERSIONED = (
    *("raw/cs2/matches", *(f"canonical/cs2/{name}" for name in (*CANONICAL, "maps"))),
    *("windows/cs2/round_state", "windows/cs2/player_form", "windows/cs2/player_micro"),
    *("models/cs2/round_win", "evaluation/cs2/round_win", "promotion/cs2/round_win", "bundles/cs2/round_win"),
    *("models/cs2/intent", "evaluation/cs2/intent", "promotion/cs2/intent", "bundles/cs2/intent"),
    *("publish/cs2/rounds", "publish/cs2/micro_actions"),
)


@dataclass(frozen=True)
class Ran:
    """Two runs over the same bytes, and what the world looked like after each."""

    world: World
    first: RunSummary
    again: RunSummary
    states: tuple[dict[str, object], dict[str, object]]


def published(world: World, table: str) -> list[tuple[Any, ...]]:
    """What SQL sees of a table, in order."""
    assert world.settings.database_url is not None
    with psycopg2.connect(world.settings.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")
        return [tuple(str(value) for value in row) for row in cursor.fetchall()]


def state(world: World) -> dict[str, object]:
    """What must not change when nothing new came in."""
    champion = world.ledger.standing(ROUND_WIN.name).current
    names = [task.registered_name(family) for task in (ROUND_WIN, INTENT) for family in task.families]
    return {
        "entries": [entry.id for task in (ROUND_WIN, INTENT) for entry in world.ledger.history(task.name)],
        "champion": (champion.registered_name, champion.to_version) if champion else None,
        "versions": {name: [v.version for v in world.registry.versions(name)] for name in names},
        "objects": sorted(world.objects.list("")),
        "published": {name: published(world, name) for name in ("rounds", "macro_outcomes", "micro_actions")},
        "windows": {r.match_id: r.version for r in world.lake.window_records(Title.CS2, "round_state")},
    }


@pytest.fixture(scope="module")
def ran(new_world: Callable[[], World]) -> Ran:
    world = new_world()
    simulate_matches(world.folder / "source", MATCHES, seed=3)
    assert world.ingest(world.folder / "source").refusals == ()
    first = world.run()
    assert first.errors == ()
    after_first = state(world)
    again = world.run()
    return Ran(world, first, again, (after_first, state(world)))


def test_every_step_succeeds(ran: Ran) -> None:
    assert ran.first.success
    assert set(ran.first.steps) >= STEPS
    assert ran.first.failed_checks == ()
    assert ran.first.days == tuple(date.fromisoformat(day) for day in DAYS)


def test_a_version_is_promoted_and_its_bundle_answers_for_it(ran: Ran) -> None:
    current = ran.world.ledger.standing(ROUND_WIN.name).current
    assert current is not None
    champion = mirror.read_champion(ran.world.objects, ROUND_WIN.name)
    assert champion == current.registered_name
    marker = mirror.aliases(ran.world.objects, champion)
    assert marker[Alias.PRODUCTION] == str(current.to_version)
    bundle = load_bundle(ran.world.objects, champion, str(current.to_version))
    contract = bundle.contract
    assert contract.simulated
    assert contract.dagster_run_id == ran.first.run_id
    assert contract.asset_key == "evaluation/cs2/round_win"
    assert sorted(contract.training_data.matches) == sorted(ran.world.match_ids)
    told = ran.world.metadata("promotion/cs2/round_win", ran.first.run_id)
    assert told["decision"] == "promote"
    assert told["in_production"] == f"{champion} v{current.to_version}"
    assert champion in told["reasons"]


def test_what_sql_sees_is_what_the_lake_holds(ran: Ran) -> None:
    """Both teams of every round, and actions of every match by the promoted version or by rules."""
    world, records = ran.world, ran.world.lake.matches(Title.CS2)
    rounds = sum(record.rows["rounds"] for record in records)
    assert (len(published(world, "rounds")), len(published(world, "macro_outcomes"))) == (rounds, 2 * rounds)
    current = world.ledger.standing(INTENT.name).current
    sources = {"rules"} if current is None else {"out_of_fold"}
    assert world.settings.database_url is not None
    with psycopg2.connect(world.settings.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT match_id, probability_source FROM micro_actions WHERE batch")
        found = cursor.fetchall()
    assert {match_id for match_id, _ in found} == set(world.match_ids)
    assert {source for _, source in found} == sources
    told = world.metadata("publish/cs2/micro_actions", ran.first.run_id, DAYS[0])
    assert told["changed"] == told["rows"] > 0
    assert world.metadata("publish/cs2/micro_actions", ran.again.run_id, DAYS[0])["changed"] == 0


@pytest.mark.parametrize("day", DAYS)
def test_every_day_has_its_own_numbers(ran: Ran, day: str) -> None:
    world, run_id = ran.world, ran.first.run_id
    records = world.lake.matches(Title.CS2, date.fromisoformat(day))
    assert len(records) == 4
    raw = world.metadata("raw/cs2/matches", run_id, day)
    assert (raw["files"], raw["refusals"]) == (4, 0)
    for table in CANONICAL:
        told = world.metadata(f"canonical/cs2/{table}", run_id, day)
        assert told["rows"] == sum(record.rows[table] for record in records) > 0
        assert (told["matches"], told["quarantined"]) == (4, 0)
        assert told["read"] == sorted(record.raw for record in records)
    windows = world.metadata("windows/cs2/round_state", run_id, day)
    assert (windows["matches"], windows["computed"]) == (4, 4)
    assert windows["read"] == {record.header.match_id: record.data_version for record in records}
    assert windows["rows"] > 4 * 15 * 20
    form = world.metadata("windows/cs2/player_form", run_id, day)
    assert (form["matches"], form["computed"]) == (4, 4)
    assert form["rows"] == 10 * sum(record.rows["rounds"] for record in records)
    assert set(form["read"]) == {record.header.match_id for record in records}


def test_days_differ_in_their_data_versions(ran: Ran) -> None:
    for name in ("raw/cs2/matches", "canonical/cs2/events", "windows/cs2/round_state", "windows/cs2/player_form"):
        versions = {ran.world.metadata(name, ran.first.run_id, day)["data_version"] for day in DAYS}
        assert len(versions) == 2, name


def test_the_form_of_players_is_in_the_lake(ran: Ran) -> None:
    lake = ran.world.lake
    for record in lake.matches(Title.CS2):
        table = lake.read_windows(record.header, "player_form")
        assert table.column_names == list(PLAYER_FORM.table.names)
        known = table.filter(pc.greater(table["segment"], 1))["kills_per_round"].to_pylist()
        assert None not in known
        assert 0.3 < sum(known) / len(known) < 1.2
        assert set(table.filter(pc.equal(table["segment"], 1))["kills_per_round"].to_pylist()) == {None}


def test_models_say_what_they_read(ran: Ran) -> None:
    told = ran.world.metadata("models/cs2/round_win", ran.first.run_id)
    assert told["matches"] == MATCHES
    assert told["simulated"] is True
    assert told["matches_read"] == ran.states[0]["windows"]
    for family in ROUND_WIN.families:
        assert told[family]["learned_now"] is True
        assert told[family]["graph_differs_by"] < 1e-4


def test_evaluation_plots_and_reports(ran: Ran) -> None:
    told = ran.world.metadata("evaluation/cs2/round_win", ran.first.run_id)
    for family in ROUND_WIN.families:
        assert 0.3 < told[f"{family}_log_loss"] < 0.69
        assert 0.6 < told[f"{family}_auc"] < 1.0
        assert isinstance(told[f"{family}_gain_over_logistic"], float)
        lines = told[f"{family}_report"].splitlines()
        assert [line.split("|")[1].strip() for line in lines[2:]] == ["chronological", "production", "cross_validation"]
    names = {ROUND_WIN.registered_name(family) for family in ROUND_WIN.families}
    assert set(told["versions"]) == set(told["candidates"]) == names


def test_intent_is_promoted_by_the_same_machinery(ran: Ran) -> None:
    world, run_id = ran.world, ran.first.run_id
    current = world.ledger.standing(INTENT.name).current
    assert current is not None
    assert mirror.read_champion(world.objects, INTENT.name) == current.registered_name
    contract = load_bundle(world.objects, current.registered_name, str(current.to_version)).contract
    assert contract.asset_key == "evaluation/cs2/intent"
    assert contract.classes == INTENT.classes
    assert contract.decision
    assert set(contract.decision.weights) == set(INTENT.classes)
    assert contract.interval is None
    assert set(contract.metrics) == {"macro_f1", "accuracy", "log_loss", "ece"}
    told = world.metadata("promotion/cs2/intent", run_id)
    assert told["decision"] == "promote"
    assert told["checks"] == {f"{c.asset_key.to_user_string()} {c.name}": True for c in INTENT_SUITES}
    assert "cs2.intent.heuristics v1 does not beat the best baseline" in told["reasons"]
    models = world.metadata("models/cs2/intent", run_id)
    assert models["matches"] == MATCHES
    assert all(models[family]["graph_differs_by"] < 1e-5 for family in INTENT.families)


def test_intent_is_evaluated_beside_its_baselines_with_pictures(ran: Ran) -> None:
    told = ran.world.metadata("evaluation/cs2/intent", ran.first.run_id)
    for family in INTENT.families:
        lines = told[f"{family}_report"].splitlines()
        steps = [line.split("|")[1].strip() for line in lines[2:5]]
        assert steps == ["chronological", "production", "cross_validation"]
        assert all(f"| {name} |" in told[f"{family}_report"] for name in INTENT.classes)
        for name in CLASS_PLOTS:
            shown = told[f"{family}_{name.removesuffix('.png')}"]
            head = f"![{name}](data:image/png;base64,"
            assert base64.b64decode(shown.removeprefix(head).removesuffix(")")).startswith(PNG)
    assert told["xgboost_gain_over_persistence"] > 0.1
    assert told["xgboost_ece"] < 0.05
    name = INTENT.registered_name("xgboost")
    for match_id in ran.world.match_ids:
        said = ran.world.lake.read_predictions(Title.CS2, "intent", name, 1, match_id)
        assert said is not None
        assert said.num_rows > 1000
        assert set(said["named"].to_pylist()) <= set(INTENT.classes)


@pytest.mark.parametrize("family", ROUND_WIN.families)
def test_plots_lie_in_mlflow_and_in_the_metadata(ran: Ran, family: str, tmp_path: Path) -> None:
    from mlflow.artifacts import download_artifacts

    registry = ran.world.registry
    [version] = registry.versions(ROUND_WIN.registered_name(family))
    uri = registry.tracking_uri
    folder = download_artifacts(run_id=version.run_id, artifact_path="plots", dst_path=str(tmp_path), tracking_uri=uri)
    logged = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert set(logged) == PLOTS
    told = ran.world.metadata("evaluation/cs2/round_win", ran.first.run_id)
    for name, png in logged.items():
        assert png.startswith(PNG)
        assert len(png) > 5_000, "a picture with something in it"
        shown = told[f"{family}_{name.removesuffix('.png')}"]
        head = f"![{name}](data:image/png;base64,"
        assert shown.startswith(head)
        assert base64.b64decode(shown.removeprefix(head).removesuffix(")")) == png


def test_stages_after_learning_say_what_they_read(ran: Ran) -> None:
    world, run_id = ran.world, ran.first.run_id
    models = world.metadata("models/cs2/round_win", run_id)
    evaluation = world.metadata("evaluation/cs2/round_win", run_id)
    promotion = world.metadata("promotion/cs2/round_win", run_id)
    assert evaluation["training_data_version"] == models["training_data_version"] == promotion["training_data_version"]
    for family in ROUND_WIN.families:
        name = ROUND_WIN.registered_name(family)
        candidate = models[family]["candidate"]
        [version] = world.registry.versions(name)
        assert evaluation["candidates"][name] == candidate == version.tags["candidate_id"]
        assert promotion["judged"][name] == {"version": version.version, "candidate": candidate}
    current = world.ledger.standing(ROUND_WIN.name).current
    assert current is not None
    assert promotion["ledger_entry"] == current.id
    for run in (ran.first, ran.again):
        assert world.metadata("bundles/cs2/round_win", run.run_id)["ledger_entry"] == current.id
    assert promotion["checks"] == {f"{c.asset_key.to_user_string()} {c.name}": True for c in (*SUITES, *WHOLE)}
    assert current.evidence["candidate"]["checks"] == promotion["checks"]


def test_checks_carry_a_readable_report(ran: Ran) -> None:
    checks = ran.world.checks(ran.first.run_id)
    assert {f"canonical/cs2/{table} declared_schema" for table in CANONICAL} < set(checks)
    assert {f"windows/cs2/{window} declared_schema" for window in ("round_state", "player_form", "player_micro")} < set(
        checks
    )
    assert {"windows/cs2/round_state labels_are_their_own", "evaluation/cs2/round_win quality"} < set(checks)
    assert all(check.passed for check in checks.values())
    tracking = checks["canonical/cs2/tracking declared_schema"]
    rows = sum(record.rows["tracking"] for record in ran.world.lake.matches(Title.CS2))
    assert tracking.blocking
    assert tracking.metadata["rows"].value == rows
    assert tracking.metadata["failed_expectations"].value == 0
    report = str(tracking.metadata["report"].value)
    assert report.startswith(f"**tracking**: 21 of 21 expectations hold on {rows:,} rows.")
    assert "| yes | column values to be between | health | 0 |  |" in report


def test_the_same_bytes_change_nothing(ran: Ran) -> None:
    assert ran.again.success
    before, after = ran.states
    assert after == before
    assert ran.world.metadata("promotion/cs2/round_win", ran.again.run_id)["decision"] == "unchanged"


def test_the_same_bytes_compute_nothing(ran: Ran) -> None:
    world = ran.world
    for day in DAYS:
        for window in ("round_state", "player_form", "player_micro"):
            assert world.metadata(f"windows/cs2/{window}", ran.again.run_id, day)["computed"] == 0
    told = world.metadata("models/cs2/round_win", ran.again.run_id)
    assert [told[family]["learned_now"] for family in ROUND_WIN.families] == [False] * len(ROUND_WIN.families)
    intent = world.metadata("models/cs2/intent", ran.again.run_id)
    assert [intent[family]["learned_now"] for family in INTENT.families] == [False] * len(INTENT.families)


@pytest.mark.parametrize("name", VERSIONED)
def test_the_same_bytes_have_the_same_data_version(ran: Ran, name: str) -> None:
    def versions(run_id: str) -> dict[str | None, str]:
        found = ran.world.materializations(name, run_id)
        return {day: (event.tags or {})["dagster/data_version"] for day, event in found.items()}

    assert versions(ran.first.run_id) == versions(ran.again.run_id) != {}


def test_days_between_are_looked_at_and_left_alone(ran: Ran) -> None:
    world = ran.world
    world.instance.add_dynamic_partitions("cs2_days", ["2026-01-03", "2026-01-04"])
    days = [date(2026, 1, 1), date(2026, 1, 4)]
    found = world.run("key:raw/cs2/matches or key:canonical/cs2/events", days)
    assert found.success
    assert found.days == tuple(date(2026, 1, day) for day in (1, 2, 3, 4))
    assert world.metadata("raw/cs2/matches", found.run_id, "2026-01-03")["files"] == 0
    assert state(world) == ran.states[1]


def test_a_selection_that_cannot_be_read_is_told_in_a_sentence(ran: Ran) -> None:
    with pytest.raises(OrchestrationError, match="'events, please' is no asset selection: write it like"):
        ran.world.run("events, please")


def test_an_empty_lake_is_told_in_a_sentence(ran: Ran) -> None:
    with pytest.raises(OrchestrationError, match="the lake holds no source files"):
        materialize(Lake(ran.world.folder / "nothing"), ran.world.instance, training=SMALL)
