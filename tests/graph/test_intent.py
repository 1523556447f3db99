"""cs2.intent in the graph where there is too little to learn from: nothing is made, and nothing fails."""

from collections.abc import Callable

import pytest
from small_world import World

from esports_assets.canonical.vocabulary import Title
from esports_assets.models.multiclass.labelled import PLAYER_MICRO_LABELLED
from esports_assets.models.tasks import INTENT
from esports_assets.simulate.write import simulate_matches

CHAIN = ("models", "evaluation", "promotion", "bundles")


@pytest.mark.slow
def test_too_few_matches_leave_the_task_as_it_is(new_world: Callable[[], World]) -> None:
    world = new_world()
    simulate_matches(world.folder / "source", 2, seed=5)
    world.ingest(world.folder / "source")
    ran = world.run("+key:bundles/cs2/intent")
    assert ran.success
    assert ran.errors == ()
    assert "models__cs2__intent" in ran.steps, "it ran"
    for name in CHAIN:
        assert world.materializations(f"{name}/cs2/intent", ran.run_id) == {}, "and made nothing"
    assert world.ledger.standing(INTENT.name).current is None
    records = world.lake.window_records(Title.CS2, "player_micro")
    assert len(records) == 2
    assert all(record.rows > 10_000 for record in records)
    for record in world.lake.matches(Title.CS2):
        table = world.lake.read_windows(record.header, "player_micro")
        assert table.column_names == list(PLAYER_MICRO_LABELLED.names)
    checks = world.checks(ran.run_id)
    assert checks["windows/cs2/player_micro declared_schema"].passed
