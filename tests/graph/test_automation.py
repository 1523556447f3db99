"""What requests what: the conditions of the real graph, evaluated tick by tick on invented materializations."""

import dagster as dg
import pytest

from esports_assets.definitions import defs
from esports_assets.defs.partitions import CS2_DAYS

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
CANONICAL = tuple(f"canonical/cs2/{name}" for name in ("events", "tracking", "rounds", "players"))
MAPS, WINDOWS, FORM = "canonical/cs2/maps", "windows/cs2/round_state", "windows/cs2/player_form"
MICRO = "windows/cs2/player_micro"
MODELS, EVALUATION = "models/cs2/round_win", "evaluation/cs2/round_win"
PROMOTION, BUNDLES = "promotion/cs2/round_win", "bundles/cs2/round_win"
LEARNED = (MODELS, EVALUATION, PROMOTION, BUNDLES)
PUBLISHED = "publish/cs2/rounds"
ACTIONS = "publish/cs2/micro_actions"
INTENT = tuple(f"{stage}/cs2/intent" for stage in ("models", "evaluation", "promotion", "bundles"))

Requests = dict[str, set[str | None]]


def key(name: str) -> dg.AssetKey:
    return dg.AssetKey(name.split("/"))


class Ticks:
    """The graph's conditions over an instance, with the cursor of the last tick."""

    def __init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self._cursor = dg.evaluate_automation_conditions(defs, self.instance).cursor

    def days(self, *days: str) -> None:
        """Register days."""
        self.instance.add_dynamic_partitions(CS2_DAYS.name or "", list(days))

    def tick(self) -> Requests:
        """One evaluation: what it requests."""
        found = dg.evaluate_automation_conditions(defs, self.instance, cursor=self._cursor)
        self._cursor = found.cursor
        names = [node.key.to_user_string() for node in defs.resolve_asset_graph().asset_nodes]
        return {name: set(d) for name in names if (d := found.get_requested_partitions(key(name)))}

    def done(self, name: str, *days: str, version: str = "1", passed: bool = True) -> None:
        """Record that an asset was materialized, with the verdict of its blocking check."""
        for day in days or (None,):
            tags = {"dagster/data_version": version}
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key(name), partition=day, tags=tags))
        for check in defs.resolve_asset_graph().asset_check_keys:
            if check.asset_key == key(name):
                ok = passed or check.name == "matches_accepted"
                evaluation = dg.AssetCheckEvaluation(asset_key=key(name), check_name=check.name, passed=ok)
                self.instance.report_runless_asset_event(evaluation)

    def all_done(self, *days: str) -> None:
        """Everything was materialized for the days, in the order of the graph."""
        self.done("raw/cs2/matches", *days)
        for name in CANONICAL:
            self.done(name, *days)
        self.done(MAPS)
        for name in (WINDOWS, MICRO, FORM, PUBLISHED):
            self.done(name, *days)
        for name in (*LEARNED, *INTENT):
            self.done(name)
        self.done(ACTIONS, *days)

    def settle(self) -> None:
        """Tick until nothing is requested; more than one tick would be a loop."""
        self.tick()
        assert self.tick() == {}


@pytest.fixture
def ticks() -> Ticks:
    found = Ticks()
    found.days(*DAYS[:2])
    found.all_done(*DAYS[:2])
    return found


def test_nothing_is_requested_once_everything_is_materialized(ticks: Ticks) -> None:
    assert [ticks.tick() for _ in range(3)] == [{}, {}, {}]


def test_a_new_day_goes_through_the_graph_and_then_rests(ticks: Ticks) -> None:
    ticks.settle()
    new = DAYS[2]
    ticks.days(new)
    ticks.done("raw/cs2/matches", new)
    followers = (*CANONICAL, FORM, PUBLISHED)
    assert ticks.tick() == {name: {new} for name in followers}, "one run, gated by its own blocking checks"
    assert ticks.tick() == {}, "a request is made once"
    for name in followers:
        ticks.done(name, new)
    assert ticks.tick() == {MAPS: {None}}, "states of rounds wait for the maps that know the day"
    ticks.done(MAPS)
    assert ticks.tick() == {name: {new} for name in (WINDOWS, MICRO, ACTIONS)}, (
        "learned again, but nothing moved: the other days rest"
    )
    ticks.done(WINDOWS, new)
    assert ticks.tick() == {name: {None} for name in LEARNED}, "one run from candidate to bundle"
    ticks.done(MICRO, new)
    ticks.done(ACTIONS, new)
    assert ticks.tick() == {name: {None} for name in INTENT}, "another one for the other task"
    for name in (*LEARNED, *INTENT):
        ticks.done(name)
    assert [ticks.tick(), ticks.tick()] == [{}, {}]


def test_maps_that_moved_request_the_windows_of_every_day_once(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done(MAPS, version="moved")
    assert ticks.tick() == {name: set(DAYS[:2]) for name in (WINDOWS, MICRO, ACTIONS)}
    for name in (WINDOWS, MICRO, ACTIONS):
        ticks.done(name, *DAYS[:2])
    assert set(ticks.tick()) == {*LEARNED, *INTENT}
    for name in (*LEARNED, *INTENT):
        ticks.done(name)
    ticks.done(MAPS, version="moved")
    assert [ticks.tick(), ticks.tick()] == [{}, {}], "the same maps once more are no news"


def test_another_version_in_production_publishes_every_day_anew(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done(INTENT[-1], version="cs2.intent.xgboost v2")
    assert ticks.tick() == {ACTIONS: set(DAYS[:2])}
    ticks.done(ACTIONS, *DAYS[:2])
    ticks.done(INTENT[-1], version="cs2.intent.xgboost v2")
    assert [ticks.tick(), ticks.tick()] == [{}, {}], "the same version once more is no news"


def test_without_any_version_in_production_days_are_published_all_the_same() -> None:
    ticks = Ticks()
    ticks.days(DAYS[0])
    for name in ("raw/cs2/matches", *CANONICAL):
        ticks.done(name, DAYS[0])
    ticks.done(MAPS)
    for name in (WINDOWS, MICRO, FORM, PUBLISHED):
        ticks.done(name, DAYS[0])
    assert ticks.tick().get(ACTIONS) == {DAYS[0]}


def test_models_are_not_requested_behind_a_failed_blocking_check(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done(WINDOWS, DAYS[1], passed=False)
    assert [ticks.tick(), ticks.tick()] == [{}, {}]
    ticks.done(WINDOWS, DAYS[1], passed=True)
    assert set(ticks.tick()) == set(LEARNED)


def test_windows_and_maps_are_not_requested_behind_a_failed_suite(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done("canonical/cs2/events", DAYS[0], passed=False)
    assert [ticks.tick(), ticks.tick()] == [{}, {}]


def test_promotion_is_not_requested_behind_failed_quality(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done(EVALUATION, passed=False)
    assert ticks.tick() == {}


def test_a_refused_match_does_not_hold_the_others_back(ticks: Ticks) -> None:
    ticks.settle()
    ticks.done("canonical/cs2/events", DAYS[0])
    refused = dg.AssetCheckEvaluation(
        asset_key=key("canonical/cs2/events"), check_name="matches_accepted", passed=False
    )
    ticks.instance.report_runless_asset_event(refused)
    assert ticks.tick() == {MAPS: {None}, FORM: {DAYS[0]}}
