"""A promoted model scores files that it has never seen, and says so when it cannot."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import ingest_paths
from esports_assets.models.bundle import write_bundle
from esports_assets.models.evaluate import evaluate
from esports_assets.models.multiclass.evaluate import evaluate_classes
from esports_assets.models.multiclass.families import class_family
from esports_assets.models.tasks import INTENT, ROUND_WIN
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.mirror import write_alias, write_champion
from esports_assets.scoring import NothingToScore, evaluate_promoted
from esports_assets.settings import Settings
from esports_assets.simulate.write import simulate_matches
from esports_assets.stages.judging import contract_of
from esports_assets.stages.maps import learn_maps
from esports_assets.stages.training import class_out_of_fold_of, graph_of, out_of_fold_of, train, training_set
from esports_assets.stages.windowing import micro_day, window_day
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.registry import ROUND_STATE

GRID = Path(__file__).parents[1] / "fixtures" / "grid"
SETTINGS = TrainSettings(folds=3, replicates=4, every_s=6)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_matches(tmp_path_factory.mktemp("simulated"), 7, seed=1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, files: list[Path]) -> Settings:
    """A store whose promoted model learned from the first five files."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    for day in ingest_paths(files[:5], lake).days[Title.CS2]:
        window_day(lake, Title.CS2, day, learn_maps(lake, Title.CS2))
    data = training_set(lake, ROUND_WIN)
    family = data.family(ROUND_WIN, "multinomial_logistic")
    learned, _ = train(lake, ROUND_WIN, family.name, data, SETTINGS)
    report, _ = evaluate(
        ROUND_WIN, family, data.rows, ROUND_STATE, settings=SETTINGS, oof=out_of_fold_of(lake, learned)
    )
    contract = contract_of(ROUND_WIN, learned, report, "1", "run", "dagster", "models/cs2/round_win")
    home = tmp_path_factory.mktemp("home")
    store = ObjectStore(home / "bundles")
    write_bundle(store, contract, graph_of(lake, learned))
    write_alias(store, contract.registered_name, "Production", "1")
    write_champion(store, ROUND_WIN.name, contract.registered_name)
    return replace(Settings.from_env({"ESPORTS_HOME": str(home)}), bundles_url=str(home / "bundles"))


def test_unseen_matches_are_scored_beside_the_baselines(settings: Settings, files: list[Path]) -> None:
    result = evaluate_promoted("cs2.round_win", files, settings)
    assert (result["model"], result["alias"], result["version"]) == (
        "cs2.round_win.multinomial_logistic",
        "Production",
        "1",
    )
    assert (result["n_matches"], result["n_matches_left_out_as_trained_on"]) == (2, 5)
    assert set(result["metrics"]) == {"log_loss", "brier", "ece", "auc", "accuracy"}
    assert result["metrics"]["auc"]["value"] > 0.6
    assert set(result["baselines"]) == {"prior", "plain_logistic"}
    assert result["baselines"]["prior"]["gain"]["log_loss"]["value"] > 0
    assert sum(s["n_rows"] for s in result["slices"] if s["by"] == "map") == result["n_rows"]
    assert msgspec.json.decode(msgspec.json.encode(result)) == result


def test_matches_of_the_training_are_not_scored(settings: Settings, files: list[Path]) -> None:
    with pytest.raises(NothingToScore, match="all 5 were in its training data"):
        evaluate_promoted("cs2.round_win", files[:5], settings)


def test_a_match_of_another_title_is_refused_by_name_and_changes_no_score(
    settings: Settings, files: list[Path]
) -> None:
    foreign = [GRID / name / "input.jsonl" for name in ("valorant_round", "csgo_round")]
    alone = evaluate_promoted("cs2.round_win", files[5:], settings)
    among = evaluate_promoted("cs2.round_win", [*foreign, *files[5:]], settings)
    assert among.pop("refusals") == [
        "input.jsonl: grid:900003:1: a match of valorant, and cs2.round_win is a model of cs2 alone",
        "input.jsonl: grid:900002:1: a match of csgo, and cs2.round_win is a model of cs2 alone",
    ]
    assert alone.pop("refusals") == []
    assert among == alone


@pytest.mark.parametrize(("name", "title"), [("valorant_round", "valorant"), ("csgo_round", "csgo")])
def test_files_of_another_title_alone_leave_nothing_to_score(settings: Settings, name: str, title: str) -> None:
    with pytest.raises(NothingToScore, match=rf"no match could be used; first refusal: .* a match of {title}, "):
        evaluate_promoted("cs2.round_win", [GRID / name / "input.jsonl"], settings)


def test_without_a_promoted_model_the_reason_is_said(tmp_path: Path, files: list[Path]) -> None:
    empty = Settings.from_env({"ESPORTS_HOME": str(tmp_path)})
    with pytest.raises(NothingToScore, match=r"no model of cs2\.round_win is promoted"):
        evaluate_promoted("cs2.round_win", files[5:], empty)


@pytest.fixture(scope="module")
def intent_settings(tmp_path_factory: pytest.TempPathFactory, files: list[Path]) -> Settings:
    """A store whose promoted model of nine classes learned from the first five files."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    for day in ingest_paths(files[:5], lake).days[Title.CS2]:
        micro_day(lake, Title.CS2, day, learn_maps(lake, Title.CS2))
    data = training_set(lake, INTENT)
    learned, fresh = train(lake, INTENT, "multinomial_logistic", data, SETTINGS)
    assert fresh
    again, fresh = train(lake, INTENT, "multinomial_logistic", data, SETTINGS)
    assert (again.candidate_id, fresh) == (learned.candidate_id, False)
    family = class_family(INTENT, "multinomial_logistic")
    oof = class_out_of_fold_of(lake, learned)
    report, _ = evaluate_classes(INTENT, family, data.rows, PLAYER_MICRO, SETTINGS, oof)
    contract = contract_of(INTENT, learned, report, "1", "run", "dagster", "evaluation/cs2/intent")
    home = tmp_path_factory.mktemp("home")
    store = ObjectStore(home / "bundles")
    write_bundle(store, contract, graph_of(lake, learned))
    write_alias(store, contract.registered_name, "Production", "1")
    write_champion(store, INTENT.name, contract.registered_name)
    return replace(Settings.from_env({"ESPORTS_HOME": str(home)}), bundles_url=str(home / "bundles"))


def test_intent_is_scored_beside_majority_persistence_and_heuristics(
    intent_settings: Settings, files: list[Path]
) -> None:
    result = evaluate_promoted("cs2.intent", files, intent_settings)
    assert (result["model"], result["alias"], result["version"]) == (
        "cs2.intent.multinomial_logistic",
        "Production",
        "1",
    )
    assert (result["n_matches"], result["n_matches_left_out_as_trained_on"]) == (2, 5)
    assert result["n_rows"] > 10_000
    for name in ("macro_f1", "log_loss", "ece"):
        metric = result["metrics"][name]
        assert metric["lo"] <= metric["value"] <= metric["hi"], name
    assert set(result["baselines"]) == {"majority", "persistence", "heuristics"}
    best = max(baseline["macro_f1"]["value"] for baseline in result["baselines"].values())
    assert result["metrics"]["macro_f1"]["value"] > best + 0.1
    assert set(result["per_class"]) == set(INTENT.classes)
    assert sum(found["rows"] for found in result["per_class"].values()) == result["n_rows"]
    assert msgspec.json.decode(msgspec.json.encode(result)) == result


def test_intent_of_matches_of_the_training_is_not_scored(intent_settings: Settings, files: list[Path]) -> None:
    with pytest.raises(NothingToScore, match="all 5 were in its training data"):
        evaluate_promoted("cs2.intent", files[:5], intent_settings)
