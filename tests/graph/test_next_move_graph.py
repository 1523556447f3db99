"""The part of the graph that learns the next move: from games to four aliases of every family, and nothing the second time."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from small_world import World

from esports_assets.canonical.vocabulary import Title
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import line_of
from esports_assets.games.rps.simulate import Pairing, simulate_games
from esports_assets.models.bundle import load_bundle
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.promotion import mirror
from esports_assets.windows.registry import window_spec

ALL = "+key:bundles/rps/next_move"


def test_without_a_game_nothing_follows(new_world: Callable[[], World]) -> None:
    world = new_world()
    done = world.run(ALL)
    assert done.success, done.errors
    assert done.days == ()
    assert world.metadata("raw/rps/games", done.run_id) == {"files": 0, "days": 0, "simulated_now": False}
    assert world.materializations("models/rps/next_move", done.run_id) == {}
    assert world.ledger.standing(NEXT_MOVE.name).current is None


@pytest.mark.slow
def test_every_family_gets_its_aliases_once(new_world: Callable[[], World]) -> None:
    world, noon = new_world(), datetime(2026, 1, 1, 12, tzinfo=UTC)
    pairings = [Pairing(OPPONENTS[name], OPPONENTS["dan"]) for name in ("cal", "bob", "ace")]
    lines = [line_of(game) for pairing in pairings for game in simulate_games(pairing, 20, 1, noon)]
    world.lake.write_raw(Title.RPS, noon.date(), "games.rps.jsonl", b"\n".join(lines) + b"\n")
    done = world.run(ALL)
    assert done.success, done.errors
    assert done.failed_checks == ()
    checks = {name for name, check in world.checks(done.run_id).items() if check.passed}
    assert {"windows/rps/next_move declared_schema", "canonical/rps/events matches_accepted"} <= checks
    told = world.metadata("promotion/rps/next_move", done.run_id)
    assert all(told["checks"].values())
    assert len(told["checks"]) == 4
    standing = world.ledger.standing(NEXT_MOVE.name)
    for name, slots in standing.aliases.items():
        markers = mirror.aliases(world.objects, name)
        assert markers == {alias.value: str(version) for alias, version in slots.items()}
        for version in markers.values():
            load_bundle(world.objects, name, version, lambda window: window_spec(window).fingerprint)
    assert tuple(mirror.aliases(world.objects, "rps.next_move.xgboost")) == mirror.ALIASES
    assert mirror.read_champion(world.objects, NEXT_MOVE.name) == standing.current.registered_name  # type: ignore[union-attr]

    entries = world.ledger.history(NEXT_MOVE.name)
    again = world.run(ALL)
    assert again.success, again.errors
    assert world.ledger.history(NEXT_MOVE.name) == entries
    assert world.metadata("windows/rps/next_move", again.run_id)["computed"] == 0
    assert "0 new rows" in world.metadata("models/rps/next_move", again.run_id)["held_back"]
