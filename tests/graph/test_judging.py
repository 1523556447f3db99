"""A candidate judged while the process dies: whatever was left behind, the next judgement makes one run and one version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec
import pytest
from small_world import SMALL, World

from esports_assets.models.bundle import CONTRACT, Contract
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.registry import Registry, Version
from esports_assets.simulate.write import simulate_matches
from esports_assets.stages import judging
from esports_assets.stages.judging import Judgement, judge, load
from esports_assets.stages.training import Learned, TrainingSet, train, training_set

pytestmark = pytest.mark.slow

FAMILY = "multinomial_logistic"
NAME = ROUND_WIN.registered_name(FAMILY)
MOMENTS = ("before it registers", "while it registers", "before it keeps the judgement")


class Crash(BaseException):
    """Stands for a kill: nothing catches it."""


class DyingRegistry(Registry):
    """A real registry whose process dies beside one of its steps."""

    def __init__(self, real: Registry, moment: str) -> None:
        super().__init__(real.tracking_uri, real.artifact_root)
        self._moment = moment

    def register(
        self,
        registered_name: str,
        run_id: str,
        pack: Callable[[int], Mapping[str, bytes]],
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Register, but die before, in the middle, or right after."""
        if self._moment == MOMENTS[0]:
            raise Crash
        made = super().register(registered_name, run_id, self._dying if self._moment == MOMENTS[1] else pack, tags)
        if self._moment == MOMENTS[2]:
            raise Crash
        return made

    @staticmethod
    def _dying(version: int) -> Mapping[str, bytes]:
        raise Crash


@dataclass(frozen=True)
class Candidates:
    """A world whose matches can be learned from, and what MLflow holds of the family."""

    world: World
    data: TrainingSet

    def learn(self, seed: int) -> Learned:
        """A candidate of its own that nobody has judged."""
        learned, fresh = train(self.world.lake, ROUND_WIN, FAMILY, self.data, replace(SMALL, seed=seed))
        assert fresh
        return learned

    def judge(self, learned: Learned, registry: Registry | None = None) -> Judgement:
        """Judge it."""
        settings = TrainSettings(**learned.settings)
        registry = registry or self.world.registry
        return judge(self.world.lake, registry, ROUND_WIN, learned, self.data, settings, "a run", "evaluation")

    def held(self, learned: Learned) -> tuple[int, list[Version]]:
        """How many MLflow runs there are of a candidate, and its versions."""
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self.world.registry.tracking_uri)
        experiment = client.get_experiment_by_name(ROUND_WIN.name)
        ids = [experiment.experiment_id] if experiment else []
        runs = client.search_runs(ids, f"tags.candidate_id = '{learned.candidate_id}'")
        versions = self.world.registry.versions(NAME)
        return len(runs), [its for its in versions if its.tags["candidate_id"] == learned.candidate_id]


@pytest.fixture(scope="module")
def candidates(new_world: Callable[[], World]) -> Candidates:
    world = new_world()
    simulate_matches(world.folder / "source", 6, seed=2)
    world.ingest(world.folder / "source")
    assert world.run("group:raw or group:canonical or key:windows/cs2/round_state").success
    return Candidates(world, training_set(world.lake, ROUND_WIN))


@pytest.mark.parametrize("seed", range(len(MOMENTS)), ids=MOMENTS)
def test_a_crash_leaves_one_run_and_one_version(candidates: Candidates, seed: int) -> None:
    learned = candidates.learn(seed)
    with pytest.raises(Crash):
        candidates.judge(learned, DyingRegistry(candidates.world.registry, MOMENTS[seed]))
    runs, versions = candidates.held(learned)
    assert (runs, [its.complete for its in versions]) == (1, [[], [False], [True]][seed])
    assert load(candidates.world.lake, NAME, learned.candidate_id) is None
    made = candidates.judge(learned)
    runs, versions = candidates.held(learned)
    assert (runs, [its.complete for its in versions]) == (1, [True])
    assert made.fresh
    assert (made.judged.version, made.judged.run_id) == (versions[0].version, versions[0].run_id)
    files = candidates.world.registry.bundle_of(NAME, made.judged.version)
    contract = msgspec.json.decode(files[CONTRACT], type=Contract)
    assert (contract.version, contract.mlflow_run_id) == (str(made.judged.version), made.judged.run_id)
    assert load(candidates.world.lake, NAME, learned.candidate_id) == made.judged
    again = candidates.judge(learned)
    assert (again.fresh, again.judged, dict(again.plots)) == (False, made.judged, dict(made.plots))


def test_other_judging_code_judges_the_same_candidate_anew(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = candidates.learn(len(MOMENTS))
    before = candidates.judge(learned).judged
    monkeypatch.setattr(judging, "EVALUATION_VERSION", "another")
    assert load(candidates.world.lake, NAME, learned.candidate_id) is None
    after = candidates.judge(learned)
    assert after.fresh
    assert after.judged.version == before.version + 1
    assert candidates.held(learned)[0] == 2
    tags = {its.version: its.tags["evaluation_version"] for its in candidates.held(learned)[1]}
    assert tags == {before.version: "1", after.judged.version: "another"}
    monkeypatch.undo()
    assert load(candidates.world.lake, NAME, learned.candidate_id) == before
