"""Stage: which aliases of the next move's families are due for training, and their candidates.

Belongs here: gates on data, what a version goes on from, storing candidates so that the same one is learned once.
Does not belong here: learning (``models/rps``), judging and aliases (``move_judging.py``, ``move_promotion.py``).

An alias is due where there are ``LEAST_ROWS`` rows in all, and, once it has a version, ``LEAST_NEW_ROWS`` in games of the last
``LOOK_BACK`` that this version did not learn from; and where no comparison of its family is open. A first version is learned from
the alias's configuration. Later ones keep the configuration of the version that they go on from: boosters get further trees,
networks and regressions begin at the earlier weights (``models/rps``). A version of simulated games is no start for one of people.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from esports_assets.canonical.codec import combined_hash, write_parquet
from esports_assets.models.multiclass.baselines import fit_class_baselines
from esports_assets.models.multiclass.candidate import decision_of
from esports_assets.models.multiclass.export import classes_to_onnx, verify_classes
from esports_assets.models.multiclass.learning import ClassLearned, ClassOutOfFold, Fitting
from esports_assets.models.rows import Rows
from esports_assets.models.rps.configs import SLOTS, MoveConfig, Slot, family_of, lineup
from esports_assets.models.rps.families import WINDOWS
from esports_assets.models.rps.lineage import Lineage, learn_lineage, lineage_from_bytes, lineage_to_bytes
from esports_assets.models.rps.training_rows import FOLDS, fold_of_rows
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.promotion.registry import Registry
from esports_assets.promotion.standing import Standing
from esports_assets.promotion.terms import Alias
from esports_assets.stages.move_games import MoveSet
from esports_assets.stages.training import Learned, candidate_prefix, load, plain_value
from esports_assets.storage.lake import Lake
from esports_assets.windows.registry import window_spec

MOVES_CODE_VERSION = "1"
"""Version of how candidates are learned: bump it when the same games give another model."""
SEED = 7
LEAST_ROWS = 300
LEAST_NEW_ROWS = 50
LOOK_BACK = timedelta(days=2)
"""In whole days: games are filed by day."""

Waits = Callable[[str], str | None]
"""Why no version of a registered model may be retrained now, in a sentence; None if nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Due:
    """An alias and what its next version is made of, or why there is none now."""

    family: str
    alias: Slot
    config: MoveConfig
    parent_version: int | None = None
    parent: Learned | None = None
    held: str | None = None
    fresh: bool = False
    """Whether it is learned from its configuration although the alias has a version, which it is compared with all the same."""

    @property
    def registered_name(self) -> str:
        """The family's registered model."""
        return NEXT_MOVE.registered_name(self.family)


def plan(
    lake: Lake,
    registry: Registry,
    standing: Standing,
    data: MoveSet,
    now: datetime,
    waits: Waits,
    families: Sequence[str] = NEXT_MOVE.families,
    configurations: Mapping[str, Mapping[Slot, MoveConfig]] | None = None,
) -> list[Due]:
    """Every alias of the families, those that are held back with their reason."""
    found = []
    for family in families:
        name = NEXT_MOVE.registered_name(family)
        held = standing.aliases.get(name, {})
        waiting = waits(name)
        chosen = lineup(family) if configurations is None else configurations[family]
        for alias in (slot for slot in SLOTS if slot in chosen or Alias(slot) in held):
            version = held.get(Alias(alias))
            parent = None if version is None else _learned_of(lake, registry, name, version)
            config = chosen[alias] if parent is None else config_of(parent)
            due = Due(family, alias, config, version, parent, waiting if version is not None else None)
            found.append(due if due.held else _gated(due, data, now))
    return found


def chosen_due(
    lake: Lake, registry: Registry, standing: Standing, data: MoveSet, config: MoveConfig, alias: Slot, waits: Waits
) -> Due:
    """An alias that somebody wants to be learned anew from a configuration; open comparisons and few rows hold it back too."""
    family = family_of(config)
    name = NEXT_MOVE.registered_name(family)
    version = standing.version(name, Alias(alias))
    parent = None if version is None else _learned_of(lake, registry, name, version)
    held = waits(name) if version is not None else None
    if held is None and data.chosen.rows < LEAST_ROWS:
        held = f"{name}@{alias}: there are {data.chosen.rows} rows of {LEAST_ROWS} that are needed."
    return Due(family, alias, config, version, parent, held, fresh=True)


def _gated(due: Due, data: MoveSet, now: datetime) -> Due:
    rows = data.chosen.rows
    reason = None
    if rows < LEAST_ROWS:
        reason = f"{due.registered_name}@{due.alias}: there are {rows} rows of {LEAST_ROWS} that are needed."
    elif due.parent is not None:
        known, since = set(due.parent.matches), (now - LOOK_BACK).date().isoformat()
        fresh = sum(g.rows for g in data.chosen.games if g.match_id not in known and g.day >= since)
        if fresh < LEAST_NEW_ROWS:
            told = f"{fresh} new rows since {since} of {LEAST_NEW_ROWS} that are needed"
            reason = f"{due.registered_name}@{due.alias} v{due.parent_version}: there are {told}."
    return Due(due.family, due.alias, due.config, due.parent_version, due.parent, reason)


def train_due(lake: Lake, data: MoveSet, due: Due) -> tuple[Learned, bool]:
    """The candidate of an alias on this data; whether it had to be learned."""
    goes_on = due.parent is not None and not due.fresh and continues(due.parent, data, due.family)
    start = due.parent if goes_on else None
    identity = _identity(data, due, start)
    known = load(lake, due.registered_name, identity)
    if known is not None:
        return known, False
    rows = data.by_window[WINDOWS[due.family]]
    fold = fold_of_rows(rows, data.folds)
    family = due.config.learner
    earlier = None if start is None else lineage_of(lake, start, rows)
    lineage = learn_lineage(family, rows, fold, FOLDS, SEED, earlier)
    oof = lineage.out_of_fold(rows, fold)
    learned = ClassLearned(lineage.main, Fitting.of(*_judging(rows, oof, data)))
    graph = classes_to_onnx(family, learned, len(rows.features), len(rows.classes))
    found = Learned(
        registered_name=due.registered_name,
        family=due.family,
        candidate_id=identity,
        data_version=data.data_version,
        simulated=data.chosen.simulated,
        matches=sorted(game.match_id for game in data.chosen.games),
        params=learned.main.params,
        calibration=msgspec.to_builtins(learned.fitting.scaling),
        interval_level=0.0,
        replicates=0,
        widen=1.0,
        baselines=fit_class_baselines(NEXT_MOVE, rows),
        sites={},
        verified_difference=verify_classes(graph, learned, rows.x),
        settings=_settings(due, start),
        decision=msgspec.to_builtins(decision_of(NEXT_MOVE, learned.fitting.rule)),
    )
    _keep(lake, found, graph, oof, lineage_to_bytes(family, lineage))
    return found, True


def config_of(learned: Learned) -> MoveConfig:
    """The configuration that a version was learned with."""
    config: MoveConfig = msgspec.convert(learned.settings["config"], type=MoveConfig)
    return config


def continues(parent: Learned, data: MoveSet, family: str) -> bool:
    """Whether a version can be gone on from: it read the same window, and games of the same kind."""
    same = parent.settings["window_fingerprint"] == window_spec(WINDOWS[family]).fingerprint
    return bool(same and parent.simulated == data.chosen.simulated)


def lineage_of(lake: Lake, learned: Learned, rows: Rows) -> Lineage:
    """The models of a candidate, those of its folds among them."""
    data = lake.store.get(f"{candidate_prefix(learned.registered_name, learned.candidate_id)}lineage.bin")
    return lineage_from_bytes(config_of(learned).learner, data, rows)


def _judging(rows: Rows, oof: ClassOutOfFold, data: MoveSet) -> tuple[Any, Any]:
    """Margins and classes of the rows that may judge: scaling and rule are fitted on people where there are any."""
    chosen = judging_rows(rows, data)
    return oof.z[chosen], rows.y[chosen]


def judging_rows(rows: Rows, data: MoveSet) -> Any:
    """Mask of the rows of the games that judge."""
    import numpy as np

    return np.array([match_id in data.chosen.judging for match_id in rows.match_ids])[rows.match]


def _settings(due: Due, start: Learned | None) -> dict[str, Any]:
    return {
        "config": msgspec.to_builtins(due.config),
        "alias": due.alias,
        "seed": SEED,
        "window_fingerprint": window_spec(WINDOWS[due.family]).fingerprint,
        "continues": None if start is None else f"{due.registered_name} v{due.parent_version}",
    }


def _identity(data: MoveSet, due: Due, start: Learned | None) -> str:
    """The same games, window, code, configuration and start are the same candidate (16 hex digits)."""
    return combined_hash(
        {
            "data": data.data_version,
            "window": window_spec(WINDOWS[due.family]).fingerprint,
            "alias": due.alias,
            "config": repr(due.config),
            "continues": "" if start is None else start.candidate_id,
            "code": MOVES_CODE_VERSION,
            "seed": str(SEED),
        }
    )[:16]


def _learned_of(lake: Lake, registry: Registry, name: str, version: int) -> Learned | None:
    """What is known of a registered version; None where the lake has lost its candidate."""
    return load(lake, name, registry.version(name, version).tags.get("candidate_id", ""))


def _keep(lake: Lake, found: Learned, graph: bytes, oof: ClassOutOfFold, lineage: bytes) -> None:
    sink = io.BytesIO()
    write_parquet(oof.to_table(), sink)
    prefix = candidate_prefix(found.registered_name, found.candidate_id)
    for file, content in (("model.onnx", graph), ("oof.parquet", sink.getvalue()), ("lineage.bin", lineage)):
        lake.store.put(f"{prefix}{file}", content)
    lake.store.put(f"{prefix}learned.json", msgspec.json.encode(found, enc_hook=plain_value))
