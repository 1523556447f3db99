"""Promotion and rollback over real stores: agreement, crashes after every step, repair, refusals, races."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from unit.promotion.conftest import World

from esports_assets.models.bundle import load_bundle
from esports_assets.promotion import mirror
from esports_assets.promotion.promote import PromotionError, promote, reconcile, rollback, settle
from esports_assets.promotion.standing import LedgerEntry
from esports_assets.promotion.terms import Alias, Decision, Kind

STEPS = ("bundle", "ledger", "registry", "markers", "champion")
BY = {"actor": "somebody", "source": "tests"}


class Crash(BaseException):
    """Stands for a kill: nothing catches it."""


def crash_after(step: str) -> Callable[[str], None]:
    def after(done: str) -> None:
        if done == step:
            raise Crash(step)

    return after


def yes(**evidence: Any) -> Decision:
    return Decision(Kind.PROMOTE, Alias.PRODUCTION, ("It is better by 0.0200.",), evidence)


def up(world: World, version: int, family: str = "xgboost", **more: Any) -> LedgerEntry:
    return promote(world.task, world.name(family), version, yes(), **world.stores, **BY, **more)


def back(world: World, **more: Any) -> LedgerEntry:
    return rollback(world.task, reason="It was wrong on de_nuke.", **world.stores, **BY, **more)


def assert_agreement(world: World, expected: dict[str, dict[Alias, int]], champion: str) -> None:
    """Ledger, registry, markers, champion table and champion marker say the same, and what serves can be loaded."""
    now = world.ledger.standing(world.task)
    assert now.aliases == expected
    for name, slots in expected.items():
        assert world.registry.aliases(name) == slots
        assert mirror.aliases(world.objects, name) == {alias.value: str(v) for alias, v in slots.items()}
    assert mirror.read_champion(world.objects, world.task) == champion
    crowned = world.ledger.champion(world.task)
    assert crowned is not None
    assert now.current is not None
    assert (crowned.registered_name, crowned.event_id) == (champion, now.current.id)
    load_bundle(world.objects, champion, str(expected[champion][Alias.PRODUCTION]))


def test_first_second_and_back(world: World) -> None:
    name = world.name()
    one, two = world.train(), world.train(bias=0.1)
    first = up(world, one)
    assert (first.from_version, first.to_version, first.reason) == (None, one, "It is better by 0.0200.")
    assert first.mlflow_run_id == world.registry.version(name, one).run_id
    assert_agreement(world, {name: {Alias.PRODUCTION: one}}, name)
    second = up(world, two, dagster_run_id="d7")
    assert (second.from_version, second.dagster_run_id) == (one, "d7")
    assert_agreement(world, {name: {Alias.PRODUCTION: two, Alias.B: one}}, name)
    third = back(world)
    assert (third.decision, third.from_version, third.to_version) == ("rollback", two, one)
    assert third.evidence["undoes"] == second.id
    assert_agreement(world, {name: {Alias.PRODUCTION: one, Alias.B: two}}, name)
    with pytest.raises(PromotionError, match="the first version"):
        back(world)
    assert world.ledger.history(world.task) == [third, second, first]


def test_the_champion_changes_family_and_back(world: World) -> None:
    simple, strong = world.name("multinomial_logistic"), world.name()
    up(world, world.train("multinomial_logistic"), "multinomial_logistic")
    entry = up(world, world.train())
    assert entry.evidence["replaced"] == {"registered_name": simple, "version": 1}
    both = {simple: {Alias.PRODUCTION: 1}, strong: {Alias.PRODUCTION: 1}}
    assert_agreement(world, both, strong)
    back(world)
    assert_agreement(world, both, simple)


@pytest.mark.parametrize("kind", [Kind.RETAIN, Kind.REFUSE, Kind.INSUFFICIENT_DATA])
def test_other_decisions_are_recorded_once_and_move_nothing(world: World, kind: Kind) -> None:
    one, two = world.train(), world.train()
    up(world, one)
    decision = Decision(kind, Alias.PRODUCTION, ("It is no better.",), {"difference": 0.001})
    for _ in range(2):
        entry = promote(world.task, world.name(), two, decision, **world.stores, **BY)
    assert (entry.decision, entry.from_version, entry.to_version) == (kind.value, one, two)
    assert len(world.ledger.history(world.task)) == 2
    again = Decision(kind, Alias.PRODUCTION, ("It is no better.",), {"difference": 0.002})
    promote(world.task, world.name(), two, again, **world.stores, **BY)
    assert len(world.ledger.history(world.task)) == 3
    assert_agreement(world, {world.name(): {Alias.PRODUCTION: one}}, world.name())


@pytest.mark.parametrize("repair", ["again", "settle"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_any_step_of_a_promotion(world: World, step: str, repair: str) -> None:
    one, two = world.train(), world.train()
    up(world, one)
    with pytest.raises(Crash):
        up(world, two, after=crash_after(step))
    done = step != "bundle"
    if repair == "again":
        up(world, two)
        done = True
    else:
        assert settle(world.task, **world.stores).broken == []
    expected = {Alias.PRODUCTION: two, Alias.B: one} if done else {Alias.PRODUCTION: one}
    assert_agreement(world, {world.name(): expected}, world.name())
    assert len(world.ledger.history(world.task)) == 1 + done
    assert settle(world.task, **world.stores).repaired == []


@pytest.mark.parametrize("repair", ["again", "settle"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_any_step_of_a_rollback(world: World, step: str, repair: str) -> None:
    versions = [world.train() for _ in range(3)]
    for version in versions:
        undoes = up(world, version).id
    with pytest.raises(Crash):
        back(world, undoes=undoes, after=crash_after(step))
    done = step != "bundle"
    if repair == "again":
        back(world, undoes=undoes)
        done = True
    else:
        settle(world.task, **world.stores)
    expected = {Alias.PRODUCTION: 2, Alias.B: 3} if done else {Alias.PRODUCTION: 3, Alias.B: 2}
    assert_agreement(world, {world.name(): expected}, world.name())
    assert len(world.ledger.history(world.task)) == 3 + done


def test_reconcile_rebuilds_a_lost_object_store_and_undoes_what_a_hand_did(world: World, engine: Engine) -> None:
    one, two = world.train(), world.train()
    up(world, one)
    up(world, two)
    for key in world.objects.list():
        world.objects.delete(key)
    world.registry.set_alias(world.name(), Alias.PRODUCTION, one)
    world.registry.set_alias(world.name(), Alias.SHADOW1, one)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM champions WHERE task = :task"), {"task": world.task})
    found = reconcile(**world.stores)
    assert not [sentence for sentence in found.broken if world.task in sentence]
    assert f"The registry's {world.name()}@Production means v{two}." in found.repaired
    assert f"The registry's {world.name()}@shadow1 means nothing." in found.repaired
    assert f"The bundle of {world.name()} v{one} is in the object store again." in found.repaired
    assert_agreement(world, {world.name(): {Alias.PRODUCTION: two, Alias.B: one}}, world.name())


def test_damaged_markers_and_bundles_are_written_anew(world: World) -> None:
    up(world, world.train())
    up(world, world.train())
    prefix = f"bundles/{world.name()}"
    world.objects.put(f"{prefix}/.alias_Production", b"nonsense")
    world.objects.put(f"{prefix}/.alias_shadow2", f"{world.name()}@shadow2 v1\n".encode())
    world.objects.put(f"bundles/.champion_{world.task}", b"another.model.entirely")
    world.objects.put(f"{prefix}/2/model.onnx", b"half")
    assert len(settle(world.task, **world.stores).repaired) == 4
    assert_agreement(world, {world.name(): {Alias.PRODUCTION: 2, Alias.B: 1}}, world.name())


def test_a_bundle_lost_everywhere_is_named_and_the_rest_goes_on(world: World) -> None:
    up(world, world.train())
    up(world, world.train())
    assert world.objects.local_root is not None
    stored = world.objects.local_root / "bundles" / world.name() / "1"
    for path in (*stored.iterdir(), *Path(world.registry.version(world.name(), 1).source).iterdir()):
        path.unlink()
    world.objects.delete(f"bundles/{world.name()}/.alias_Production")
    found = settle(world.task, **world.stores)
    assert len(found.broken) == 1
    assert f"{world.name()} v1 cannot be served" in found.broken[0]
    assert mirror.read_alias(world.objects, world.name(), "Production") == "2"


def test_a_decision_against_another_incumbent_is_refused(world: World) -> None:
    one, two, three = world.train(), world.train(), world.train()
    up(world, one)
    judged = yes(incumbent={"registered_name": world.name(), "version": one, "simulated": False})
    promote(world.task, world.name(), two, judged, **world.stores, **BY)
    with pytest.raises(PromotionError, match=r"judged against .* v1, but .* v2 is in production"):
        promote(world.task, world.name(), three, judged, **world.stores, **BY)
    with pytest.raises(PromotionError, match="judged against nothing"):
        promote(world.task, world.name(), three, yes(incumbent=None), **world.stores, **BY)
    assert promote(world.task, world.name(), two, judged, **world.stores, **BY).to_version == two
    assert_agreement(world, {world.name(): {Alias.PRODUCTION: two, Alias.B: one}}, world.name())


def test_refusals(world: World) -> None:
    version = world.train()
    with pytest.raises(PromotionError, match="not a model of the task"):
        promote("cs2.round_win", world.name(), version, yes(), **world.stores, **BY)
    with pytest.raises(PromotionError, match="nothing to roll back"):
        back(world)
    entry = up(world, version)
    with pytest.raises(PromotionError, match="not the current one"):
        back(world, undoes=entry.id - 1)
    with pytest.raises(PromotionError, match="needs a reason"):
        rollback(world.task, reason=" ", **world.stores, **BY)


def test_two_promotions_at_once_end_in_agreement(world: World) -> None:
    versions = [world.train() for _ in range(4)]
    threads = [threading.Thread(target=up, args=(world, version)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last, before = world.ledger.history(world.task)[:2]
    assert len(world.ledger.history(world.task)) == 4
    expected = {Alias.PRODUCTION: last.to_version, Alias.B: before.to_version}
    assert_agreement(world, {world.name(): expected}, world.name())
