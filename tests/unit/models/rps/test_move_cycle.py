"""One cycle after another: games of the lake to versions under aliases, going on, held back, and waiting for a comparison."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from esports_assets.canonical.vocabulary import Title
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import line_of
from esports_assets.games.rps.simulate import Pairing, simulate_games
from esports_assets.models.bundle import load_bundle
from esports_assets.models.rps.configs import ExpertsConfig, MoveConfig, Slot, SoftmaxConfig, XgboostConfig
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.promotion import mirror
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry
from esports_assets.promotion.scores import Game, Traffic, record_game
from esports_assets.promotion.terms import Alias
from esports_assets.stages.move_games import (
    SIMULATED_DAY,
    MoveSet,
    move_set,
    read_games,
    simulated_source,
    window_games,
)
from esports_assets.stages.move_promotion import MoveCycle, MoveWorld, run_cycle
from esports_assets.stages.move_training import config_of
from esports_assets.stages.publishing import transaction
from esports_assets.stages.training import load
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.postgres import ensure_schemas
from esports_assets.storage.urls import with_schema
from esports_assets.windows.registry import window_spec

LATER = date(2026, 3, 1)
CONFIGURATIONS: dict[str, dict[Slot, MoveConfig]] = {
    "xgboost": {
        "Production": XgboostConfig(name="a", n_estimators=40, learning_rate=0.2),
        "B": XgboostConfig(name="b", n_estimators=40, learning_rate=0.2, max_depth=2),
    },
    "multinomial_logistic": {"Production": SoftmaxConfig(name="c", l2=5.0)},
    "experts": {"Production": ExpertsConfig(name="d", learner_kind="regression")},
}


@dataclass
class Played:
    """A world after its first cycle, and how to run another one."""

    world: MoveWorld
    data: MoveSet
    first: MoveCycle
    pauses: list[float]

    def cycle(self, day: date) -> MoveCycle:
        window_games(self.world.lake, read_games(self.world.lake))
        now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return _cycle(self.world, move_set(self.world.lake), now, self.pauses.append)

    def versions(self, family: str) -> dict[str, str]:
        return mirror.aliases(self.world.objects, f"rps.next_move.{family}")


def _cycle(world: MoveWorld, data: MoveSet, now: datetime, sleep: Callable[[float], None]) -> MoveCycle:
    return run_cycle(world, data, now, families=tuple(CONFIGURATIONS), configurations=CONFIGURATIONS, sleep=sleep)


@pytest.fixture(scope="module")
def played(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("moves")
    engine = connect(module_database_url)
    migrate(engine)
    ensure_schemas(module_database_url, ["mlflow"])
    registry = Registry(with_schema(module_database_url, "mlflow"), str(folder / "mlflow"))
    lake = Lake(folder / "lake")
    world = MoveWorld(lake, ObjectStore(folder / "objects"), registry, Ledger(engine), engine)
    _add_games(lake, SIMULATED_DAY, 20, ("cal", "bob", "ace"))
    assert not simulated_source(lake)
    window_games(lake, read_games(lake))
    data, pauses = move_set(lake), list[float]()
    yield Played(world, data, _cycle(world, data, datetime(2026, 1, 2, tzinfo=UTC), pauses.append), pauses)
    engine.dispose()


def _add_games(lake: Lake, day: date, games: int, users: Sequence[str] = ("cal",)) -> None:
    """Games of scripted users whose rules can be learned from few of them."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    pairings = [Pairing(OPPONENTS[name], OPPONENTS["dan"]) for name in users]
    lines = [line_of(game) for pairing in pairings for game in simulate_games(pairing, games, day.toordinal(), noon)]
    lake.write_raw(Title.RPS, day, "more.rps.jsonl", b"\n".join(lines) + b"\n")


def test_first_versions_stand_under_their_aliases(played: Played) -> None:
    assert len(played.data.chosen.games) == 60
    assert played.data.chosen.simulated
    assert played.first.held == ()
    assert played.pauses[:3] == [20.0, 20.0, 20.0]
    assert [told.decision.kind.value for told in played.first.judgements] == ["promote"] * 4
    standing = played.world.ledger.standing(NEXT_MOVE.name)
    for family in CONFIGURATIONS:
        name = f"rps.next_move.{family}"
        told = {alias.value: str(version) for alias, version in standing.aliases[name].items()}
        assert told == {**played.versions(family)}
        assert {a.value: str(v) for a, v in played.world.registry.aliases(name).items()} == told
    losses = {
        told.judged.registered_name: told.judged.evaluation.cross_validation.metrics["log_loss"].value
        for told in played.first.judgements
        if told.due.alias == "Production"
    }
    assert mirror.read_champion(played.world.objects, NEXT_MOVE.name) == min(losses, key=lambda name: losses[name])
    steps = [step.name for step in played.first.judgements[0].judged.evaluation.steps]
    assert steps == ["chronological", "production", "cross_validation"]
    assert set(played.first.judgements[0].judged.evaluation.cross_validation.baselines) == {"majority", "markov1"}


@pytest.mark.parametrize(("family", "window"), [("xgboost", "rps/next_move"), ("experts", "rps/next_move_signs")])
def test_serving_loads_what_was_trained(played: Played, family: str, window: str) -> None:
    version = played.versions(family)["Production"]
    name = f"rps.next_move.{family}"
    model = load_bundle(played.world.objects, name, version, lambda its: window_spec(its).fingerprint)
    assert model.contract.window == window
    assert model.contract.classes == ("rock", "paper", "scissors")
    x = played.data.by_window[window].x[:20]
    p, _ = model.predict(np.ascontiguousarray(x))
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(p[0], 1 / 3, atol=1e-3)


def test_nothing_new_trains_nothing(played: Played) -> None:
    before = played.world.ledger.history(NEXT_MOVE.name)
    again = played.cycle(SIMULATED_DAY + timedelta(days=1))
    assert again.judgements == ()
    assert "rps.next_move.xgboost@B v" in "".join(again.held)
    assert all("there are 0 new rows since 2025-12-31 of 50 that are needed" in reason for reason in again.held)
    assert played.world.ledger.history(NEXT_MOVE.name) == before


def test_a_comparison_that_is_played_holds_its_family_back_and_others_go_on(played: Played, tmp_path: Path) -> None:
    """Then the comparison is stale, and the family goes on: each alias with its own configuration, B still B."""
    world, before = played.world, {family: played.versions(family) for family in CONFIGURATIONS}
    production, challenger = (int(before["xgboost"][alias]) for alias in ("Production", "B"))
    _add_games(world.lake, LATER, 8)
    with transaction(world.database) as cursor:
        record_game(
            cursor,
            Game(
                game_id="one",
                registered_name="rps.next_move.xgboost",
                policy="forrest",
                alias=Alias.B,
                version=challenger,
                rival_version=production,
                challenger_share=0.5,
                traffic=Traffic.HUMAN,
                is_test=False,
                started_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
                ended_at=datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
                result=1.0,
            ),
        )
    second = played.cycle(LATER)
    assert {told.due.family for told in second.judgements} == {"multinomial_logistic", "experts"}
    waiting = [reason for reason in second.held if reason.startswith("Training waits: rps.next_move.xgboost v")]
    assert len(waiting) == 2
    assert played.versions("xgboost") == before["xgboost"]

    world.lake.delete_raw(world.lake.raw_files(Title.RPS, LATER)[0])
    stale = LATER + timedelta(days=8)
    _add_games(world.lake, stale, 9)
    third = played.cycle(stale)
    trained = {told.due.alias: told for told in third.judgements if told.due.family == "xgboost"}
    assert set(trained) == {"Production", "B"}
    for alias, told in trained.items():
        assert config_of(told.judged.learned) == CONFIGURATIONS["xgboost"][alias]
        assert told.judged.learned.settings["continues"] == f"rps.next_move.xgboost v{before['xgboost'][alias]}"
        assert told.judged.learned.params["continued_from"] > 0
        assert told.decision.evidence["comparison"]["n_matches"] == 69
        moved = told.decision.kind.value == "promote"
        expected = str(told.judged.version) if moved else before["xgboost"][alias]
        assert played.versions("xgboost")[alias] == expected


def test_a_families_settings_do_not_reach_another(played: Played) -> None:
    """The regression was trained after the trees; alone it is the same candidate with the same graph."""
    told = next(its for its in played.first.judgements if its.due.family == "multinomial_logistic")
    known = load(played.world.lake, "rps.next_move.multinomial_logistic", told.judged.candidate_id)
    assert known is not None
    assert known.settings["config"] == {
        "family": "multinomial_logistic",
        "name": "c",
        "alias": None,
        "l2": 5.0,
        "balanced": False,
    }
    assert "max_depth" not in known.params


def test_where_nobody_brought_games_some_are_simulated_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert simulated_source(lake, games=1, seed=5)
    assert not simulated_source(lake, games=1, seed=6)
    (file,) = lake.raw_files(Title.RPS, SIMULATED_DAY)
    assert file.name == "simulated-seed-5-games-1.rps.jsonl"
    assert lake.read_raw(file).count(b"\n") == 64
