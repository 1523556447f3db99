"""Stage: candidates of a task, one per family, kept where evaluation and promotion find them.

Belongs here: which matches a task learns from, what identifies a candidate, storing it so that the same data is learned once.
Does not belong here: learning (``models/train.py``), judging (``judging.py``).

A candidate is ``candidates/<registered>/<id>/{model.onnx,oof.parquet,learned.json}`` in the lake; ``learned.json`` is written last.
"""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import pyarrow as pa

from esports_assets.canonical.codec import combined_hash, read_parquet, write_parquet
from esports_assets.canonical.vocabulary import Title
from esports_assets.models.candidate import CODE_VERSION, train_candidate
from esports_assets.models.families.base import Family
from esports_assets.models.families.registry import family_for
from esports_assets.models.families.trees import Trees
from esports_assets.models.multiclass.candidate import CLASSES_CODE_VERSION, train_class_candidate
from esports_assets.models.multiclass.families import class_family
from esports_assets.models.multiclass.learning import ClassOutOfFold
from esports_assets.models.multiclass.rows import player_rows
from esports_assets.models.rows import Rows, rows_of
from esports_assets.models.tasks import ModelTask
from esports_assets.models.train import OutOfFold, TrainSettings
from esports_assets.stages.maps import load_maps
from esports_assets.stages.prior import Prior, load_prior
from esports_assets.storage.lake import Lake
from esports_assets.windows.registry import window_spec

_FILES = ("model.onnx", "oof.parquet")
MATCHES_TO_JUDGE = 5
"""A candidate of fewer matches could be learned but not judged."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The rows of a task with what they came from: one version per match, never simulated and real ones together."""

    rows: Rows
    versions: Mapping[str, str]
    simulated: bool
    prior: Prior | None = None
    """What another title lends; never to a model of simulated matches."""

    def family(self, task: ModelTask, name: str) -> Family:
        """A family of the task as it learns from this data."""
        return family_for(task, name, self.rows, self.lender)

    @property
    def lender(self) -> Trees | None:
        """The trees of the prior."""
        return None if self.prior is None else self.prior.trees

    @property
    def data_version(self) -> str:
        """One version of everything that is learned from."""
        return combined_hash(self.versions)


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a candidate before it is judged."""

    registered_name: str
    family: str
    candidate_id: str
    data_version: str
    simulated: bool
    matches: list[str]
    params: dict[str, Any]
    calibration: dict[str, Any]
    interval_level: float
    replicates: int
    widen: float
    baselines: dict[str, dict[str, Any]]
    sites: dict[str, dict[str, list[float]]]
    verified_difference: float
    settings: dict[str, Any]
    decision: dict[str, Any] | None = None
    """Of tasks of several classes: ``contract.Decision``."""


def training_set(lake: Lake, task: ModelTask) -> TrainingSet:
    """Every accepted match with windows; real matches alone where there are any, else simulated ones."""
    title, spec = Title(task.title), window_spec(task.window)
    window = task.window.split("/", 1)[1]
    accepted = {r.header.match_id: r.header for r in lake.matches(title) if not r.quarantined}
    records = [r for r in lake.window_records(title, window) if r.match_id in accepted]
    simulated = all(accepted[r.match_id].simulated for r in records)
    chosen = [r for r in records if accepted[r.match_id].simulated == simulated]
    tables = (lake.read_windows(accepted[r.match_id], window) for r in chosen)
    days, versions = {r.match_id: r.day.isoformat() for r in chosen}, {r.match_id: r.version for r in chosen}
    if task.several:
        return TrainingSet(player_rows(tables, task, spec, days), versions, simulated)
    rows = rows_of(list(tables), task, spec, days)
    prior = None if simulated else load_prior(lake, task)
    return TrainingSet(rows, versions, simulated, prior)


def candidate_id(task: ModelTask, family: str, data: TrainingSet, settings: TrainSettings) -> str:
    """The same rows, window, code and settings are the same candidate (16 hex digits)."""
    return combined_hash(
        {
            "data": data.data_version,
            "window": window_spec(task.window).fingerprint,
            "family": repr(class_family(task, family) if task.several else family_for(task, family, data.rows)),
            "prior": f"{data.prior.version} {task.lent.get(family)}" if data.prior and family in task.lent else "",
            "code": CLASSES_CODE_VERSION if task.several else CODE_VERSION,
            "settings": repr(settings),
        }
    )[:16]


def train(lake: Lake, task: ModelTask, family: str, data: TrainingSet, settings: TrainSettings) -> tuple[Learned, bool]:
    """The candidate of a family on this data; whether it had to be learned."""
    name, identity = task.registered_name(family), candidate_id(task, family, data, settings)
    known = load(lake, name, identity)
    if known is not None:
        return known, False
    learn = _learn_classes if task.several else _learn_two
    found, graph, oof = learn(lake, task, family, data, settings, identity)
    sink = io.BytesIO()
    write_parquet(oof, sink)
    for file, content in zip(_FILES, (graph, sink.getvalue()), strict=True):
        lake.store.put(f"{candidate_prefix(name, identity)}{file}", content)
    lake.store.put(f"{candidate_prefix(name, identity)}learned.json", msgspec.json.encode(found, enc_hook=plain_value))
    return found, True


def _learn_two(
    lake: Lake, task: ModelTask, family: str, data: TrainingSet, settings: TrainSettings, identity: str
) -> tuple[Learned, bytes, pa.Table]:
    """Of two classes: what was learned, its graph, and its out-of-fold log-odds."""
    made = train_candidate(task, family, data.rows, window_spec(task.window), settings, data.lender)
    learned = made.learned
    found = Learned(
        **_of_data(lake, task, family, data, settings, identity),
        simulated=made.simulated,
        params=learned.main.params,
        calibration=msgspec.to_builtins(learned.calibration),
        interval_level=made.coverage.level,
        replicates=len(learned.replicates),
        widen=learned.widen,
        baselines=made.baselines,
        verified_difference=made.graph_error,
    )
    return found, made.graph, made.oof.to_table()


def _learn_classes(
    lake: Lake, task: ModelTask, family: str, data: TrainingSet, settings: TrainSettings, identity: str
) -> tuple[Learned, bytes, pa.Table]:
    """Of several classes: what was learned, its graph, and its out-of-fold margins; there is no interval."""
    made = train_class_candidate(task, family, data.rows, settings)
    found = Learned(
        **_of_data(lake, task, family, data, settings, identity),
        simulated=made.simulated,
        params=made.learned.main.params,
        calibration=msgspec.to_builtins(made.learned.fitting.scaling),
        interval_level=0.0,
        replicates=0,
        widen=1.0,
        baselines=made.baselines,
        verified_difference=made.graph_error,
        decision=msgspec.to_builtins(made.decision),
    )
    return found, made.graph, made.oof.to_table()


def _of_data(
    lake: Lake, task: ModelTask, family: str, data: TrainingSet, settings: TrainSettings, identity: str
) -> dict[str, Any]:
    """What is known of a candidate before it is learned."""
    return {
        "registered_name": task.registered_name(family),
        "family": family,
        "candidate_id": identity,
        "data_version": data.data_version,
        "matches": sorted(data.versions),
        "sites": load_maps(lake, Title(task.title)).book.centres(),
        "settings": asdict(settings),
    }


def load(lake: Lake, registered_name: str, identity: str) -> Learned | None:
    """A stored candidate, or None."""
    data = lake.store.find(f"{candidate_prefix(registered_name, identity)}learned.json")
    return None if data is None else msgspec.json.decode(data, type=Learned)


def graph_of(lake: Lake, found: Learned) -> bytes:
    """The candidate's ONNX graph."""
    return lake.store.get(f"{candidate_prefix(found.registered_name, found.candidate_id)}model.onnx")


def out_of_fold_of(lake: Lake, found: Learned) -> OutOfFold:
    """The candidate's out-of-fold log-odds."""
    return OutOfFold.from_table(_out_of_fold_table(lake, found))


def class_out_of_fold_of(lake: Lake, found: Learned) -> ClassOutOfFold:
    """The out-of-fold margins of a candidate of several classes."""
    return ClassOutOfFold.from_table(_out_of_fold_table(lake, found))


def _out_of_fold_table(lake: Lake, found: Learned) -> pa.Table:
    return read_parquet(
        io.BytesIO(lake.store.get(f"{candidate_prefix(found.registered_name, found.candidate_id)}oof.parquet"))
    )


def candidate_prefix(registered_name: str, identity: str) -> str:
    """Where a candidate lies in the lake, with the closing slash."""
    return f"candidates/{registered_name}/{identity}/"


def plain_value(value: Any) -> Any:
    """numpy values in a family's params as plain ones."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
