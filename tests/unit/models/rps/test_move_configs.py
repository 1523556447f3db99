"""Experiment configurations: the starting set, what is refused, and that nothing else sets a family up."""

from pathlib import Path

import pytest

from esports_assets.models.rps import configs as configurations
from esports_assets.models.rps.boosted import Boosted
from esports_assets.models.rps.configs import (
    SLOTS,
    ConfigError,
    config_named,
    configs,
    family_of,
    lineup,
    read_config,
)
from esports_assets.models.rps.network import Network

FAMILIES = ("xgboost", "feedforward_nn", "multinomial_logistic", "experts")


def test_the_starting_set() -> None:
    count = {family: sum(family_of(its) == family for its in configs().values()) for family in FAMILIES}
    assert count == {"xgboost": 12, "feedforward_nn": 12, "multinomial_logistic": 12, "experts": 4}
    assert len({repr(its.learner) for its in configs().values()}) == len(configs())
    for family in FAMILIES:
        assert tuple(lineup(family)) == SLOTS
    promoted = {
        its.name: its.alias for its in configs().values() if family_of(its) == "xgboost" and its.alias != "Production"
    }
    assert {name: alias for name, alias in promoted.items() if alias} == {
        "xgb_c02": "shadow1",
        "xgb_c03": "B",
        "xgb_c08": "shadow2",
    }


def test_a_configuration_is_all_that_sets_a_family_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEARNING_RATE", "EPOCHS", "BATCH_SIZE", "N_ESTIMATORS", "MAX_DEPTH"):
        monkeypatch.setenv(name, "77")
    network, trees = config_named("ffnn_c05").learner, config_named("xgb_c02").learner
    assert network == Network(hidden=(128, 64), input_dropout=0.3, learning_rate=1e-3)
    assert trees == Boosted(eta=0.03, max_depth=3, max_rounds=300)
    room = Path(configurations.__file__).parent
    assert not [path.name for path in room.glob("*.py") if "environ" in path.read_text().replace("environment", "")]


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("a.json", '{"family": "xgboost", "name": "a", "depth": 3}', "a.json: Object contains unknown field `depth`"),
        ("a.yaml", "family: forest\nname: a\n", "a.yaml: Invalid value 'forest' - at `$.family`"),
        ("a.yml", "family: xgboost\nname: a\nmax_depth: 0\n", "a.yml: max_depth must be at least 1, and is 0"),
        ("a.json", '{"family": "experts", "name": "a", "learner": "oracle"}', "a.json: Invalid enum value 'oracle'"),
        ("a.json", "{", "a.json: Input data was truncated"),
    ],
)
def test_one_sentence_for_what_is_refused(tmp_path: Path, file: str, text: str, sentence: str) -> None:
    path = tmp_path / file
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_config(path)
    assert str(refused.value).startswith(sentence)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "a.yaml"
    one.write_text('{"family": "multinomial_logistic", "name": "a", "l2": 0.5}')
    other.write_text("family: multinomial_logistic\nname: a\nl2: 0.5\n")
    assert read_config(one) == read_config(other)
    with pytest.raises(ConfigError, match="there is no configuration 'xgb_c13'; there are"):
        config_named("xgb_c13")
