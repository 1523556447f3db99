"""A small model of intents, learned in seconds from made players, promoted in a store: for tests that need one that answers."""

from functools import cache

from unit.models.multiclass.made_players import made

from esports_assets.models.bundle import Contract, Feature, Metric, TrainingData, write_bundle
from esports_assets.models.multiclass.candidate import ClassCandidate, train_class_candidate
from esports_assets.models.tasks import INTENT
from esports_assets.models.train import TrainSettings
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO

NAME = "cs2.intent.multinomial_logistic"


@cache
def learned() -> ClassCandidate:
    """The candidate, learned once per process."""
    return train_class_candidate(INTENT, "multinomial_logistic", made(), TrainSettings(folds=3, every_s=1))


def promote_intent(store: ObjectStore, version: str = "1") -> None:
    """Write its bundle and put it into Production."""
    contract = Contract(
        registered_name=NAME,
        task=INTENT.name,
        family="multinomial_logistic",
        version=version,
        title="cs2",
        features=tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in PLAYER_MICRO.features),
        window=PLAYER_MICRO.name,
        window_fingerprint=PLAYER_MICRO.fingerprint,
        classes=INTENT.classes,
        positive_class=INTENT.positive,
        calibration={"kind": "vector"},
        decision=learned().decision,
        training_data=TrainingData("v", ("m0",)),
        metrics={"macro_f1": Metric(0.5)},
        mlflow_run_id="run",
        dagster_run_id="dagster",
        code_version="1",
        asset_key="evaluation/cs2/intent",
        created_at="2026-01-01T00:00:00+00:00",
        simulated=True,
    )
    write_bundle(store, contract, learned().graph)
    mirror.write_alias(store, NAME, "Production", version)
    mirror.write_champion(store, INTENT.name, NAME)
