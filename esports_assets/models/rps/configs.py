"""Experiment configurations of the next move: a file each, in JSON or YAML, that says everything that is chosen.

Belongs here: their shape, reading and refusing them, the family that one describes, and which of them each alias begins with.
Does not belong here: learning, and what a version was learned with (it keeps its own configuration, ``stages/move_models.py``).

``models/configs/rps`` holds the starting set: twelve each of xgboost, feedforward_nn and multinomial_logistic in the ranges of row
004-20, and four of experts. A configuration is the only thing that sets a family up: nothing is read from the environment, so what
one family is set to cannot reach another (row 004-22).
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from esports_assets.models.rps.boosted import Boosted
from esports_assets.models.rps.experts import Experts
from esports_assets.models.rps.network import Network
from esports_assets.models.rps.protocol import MoveFamily
from esports_assets.models.rps.softmax import Softmax
from esports_assets.models.rps.turned import Turned

Slot = Literal["Production", "B", "shadow1", "shadow2"]
SLOTS: tuple[Slot, ...] = ("Production", "B", "shadow1", "shadow2")


class ConfigError(ValueError):
    """A configuration that may not be used, in one sentence with its file."""


class _Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="family"):
    name: str
    alias: Slot | None = None
    """The alias whose first version it gives."""


class XgboostConfig(_Config, frozen=True, kw_only=True, tag="xgboost"):
    """Boosted trees; ``n_estimators`` is the most, and ``early_stopping_rounds`` stop them on games aside."""

    n_estimators: int = 300
    learning_rate: float = 0.05
    max_depth: int = 3
    min_child_weight: float = 2.0
    subsample: float = 0.8
    colsample_bytree: float = 0.7
    reg_lambda: float = 2.0
    reg_alpha: float = 0.1
    gamma: float = 0.0
    early_stopping_rounds: int = 20

    def __post_init__(self) -> None:
        _check_trees(self)

    @property
    def learner(self) -> MoveFamily:
        """The family as this configuration sets it."""
        return Boosted(
            eta=self.learning_rate,
            max_depth=self.max_depth,
            min_child_weight=self.min_child_weight,
            subsample=self.subsample,
            colsample=self.colsample_bytree,
            reg_lambda=self.reg_lambda,
            reg_alpha=self.reg_alpha,
            gamma=self.gamma,
            max_rounds=self.n_estimators,
            patience=self.early_stopping_rounds,
        )


class NetworkConfig(_Config, frozen=True, kw_only=True, tag="feedforward_nn"):
    """A feed-forward network, stopped after ``patience`` epochs without gain on games aside."""

    hidden: tuple[int, ...] = (64, 32)
    input_dropout: float = 0.0
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    batch_size: int = 64
    epochs: int = 200
    patience: int = 15

    def __post_init__(self) -> None:
        _at_least(1, self, "batch_size", "epochs", "patience")
        _above_zero(self, "learning_rate")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden needs one or more layers of one or more units, and is {list(self.hidden)}")
        if not 0 <= self.input_dropout < 1:
            raise ValueError(f"input_dropout must lie within [0, 1), and is {self.input_dropout}")

    @property
    def learner(self) -> MoveFamily:
        """The family as this configuration sets it."""
        return Network(
            hidden=self.hidden,
            input_dropout=self.input_dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_epochs=self.epochs,
            patience=self.patience,
        )


class SoftmaxConfig(_Config, frozen=True, kw_only=True, tag="multinomial_logistic"):
    """Softmax regression; ``l2`` is the penalty on the summed loss, ``balanced`` weighs every move alike."""

    l2: float = 1.0
    balanced: bool = False

    def __post_init__(self) -> None:
        if self.l2 < 0:
            raise ValueError(f"l2 must not be negative, and is {self.l2}")

    @property
    def learner(self) -> MoveFamily:
        """The family as this configuration sets it."""
        return Softmax(l2=self.l2, balanced=self.balanced)


class ExpertsConfig(_Config, frozen=True, kw_only=True, tag="experts"):
    """What weighs the experts' words and the habits: boosted trees, or the regression, which has nothing to set."""

    learner_kind: Literal["trees", "regression"] = msgspec.field(default="trees", name="learner")
    n_estimators: int = 300
    learning_rate: float = 0.1
    max_depth: int = 4
    min_child_weight: float = 20.0
    early_stopping_rounds: int = 15

    def __post_init__(self) -> None:
        _check_trees(self)

    @property
    def learner(self) -> MoveFamily:
        """The family as this configuration sets it."""
        if self.learner_kind == "regression":
            return Turned(Experts(), "experts")
        trees = Boosted(
            eta=self.learning_rate,
            max_depth=self.max_depth,
            min_child_weight=self.min_child_weight,
            colsample=0.5,
            reg_lambda=5.0,
            max_rounds=self.n_estimators,
            patience=self.early_stopping_rounds,
        )
        return Turned(trees, "experts")


MoveConfig = XgboostConfig | NetworkConfig | SoftmaxConfig | ExpertsConfig


def family_of(config: MoveConfig) -> str:
    """The family that a configuration is of."""
    return str(config.__struct_config__.tag)


def read_config(path: Path) -> MoveConfig:
    """A configuration from a JSON or YAML file; ConfigError in one sentence for anything else."""
    return _decoded(path.name, path.read_bytes())


def configs() -> Mapping[str, MoveConfig]:
    """The starting set by name."""
    return _starting_set()


def config_named(name: str) -> MoveConfig:
    """One of the starting set; ConfigError that lists them."""
    known = configs()
    if name not in known:
        raise ConfigError(f"there is no configuration {name!r}; there are {', '.join(known)}")
    return known[name]


def lineup(family: str) -> dict[Slot, MoveConfig]:
    """What each alias of a family begins with."""
    found = {its.alias: its for its in configs().values() if family_of(its) == family and its.alias is not None}
    return {slot: found[slot] for slot in SLOTS if slot in found}


@cache
def _starting_set() -> dict[str, MoveConfig]:
    folder = files("esports_assets.models") / "configs" / "rps"
    found: dict[str, MoveConfig] = {}
    for entry in sorted(folder.iterdir(), key=lambda its: its.name):
        config = _decoded(entry.name, entry.read_bytes())
        if config.name != entry.name.rpartition(".")[0]:
            raise ConfigError(f"{entry.name}: its name is {config.name}")
        found[config.name] = config
    return found


def _decoded(file: str, data: bytes) -> MoveConfig:
    decode = msgspec.yaml.decode if file.endswith((".yaml", ".yml")) else msgspec.json.decode
    try:
        config: MoveConfig = decode(data, type=MoveConfig)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{file}: {str(error).splitlines()[0]}") from error
    return config


def _check_trees(config: XgboostConfig | ExpertsConfig) -> None:
    _at_least(1, config, "n_estimators", "max_depth", "early_stopping_rounds")
    _above_zero(config, "learning_rate")


def _at_least(least: int, config: _Config, *names: str) -> None:
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{name} must be at least {least}, and is {getattr(config, name)}")


def _above_zero(config: _Config, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > 0:
            raise ValueError(f"{name} must be above 0, and is {getattr(config, name)}")
