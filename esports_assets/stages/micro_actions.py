"""Stage: what the promoted version of an intent task says of the lake's matches, published as micro-actions.

Belongs here: who speaks (the promoted version; out of fold for matches that it learned from; rules while none is promoted),
the probabilities that it speaks from, and bringing the table up to date.
Does not belong here: the statements (``signals/``), writing the table (``storage/publish.py``), promotion.

Labels are never read. Where a match was learned from, only rows that have an out-of-fold prediction are spoken of: what the
model itself says of them would be no prediction. A match whose predictions are gone stays unspoken until it is judged again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import blake2b

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.frames import zeros_of
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.signal import AgentSignal, encode
from esports_assets.canonical.vocabulary import Intent, Title
from esports_assets.models.bundle import Contract, Model, load_bundle
from esports_assets.models.tasks import ModelTask
from esports_assets.promotion import mirror
from esports_assets.promotion.terms import Alias
from esports_assets.signals.debounce import Debounce
from esports_assets.signals.motion import of_table, statements
from esports_assets.signals.speaker import Floats, Speaker, rules_speaker
from esports_assets.stages.publishing import Published, accepted_matches, transaction, withdraw
from esports_assets.stages.windowing import shelf_of
from esports_assets.storage import publish
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO

ACTIONS_VERSION = "1"
"""Code version: bump it when the same windows and the same model are published otherwise."""
OUT_OF_FOLD = "out_of_fold"
_CHUNK = 8192


class StaleVersion(LookupError):
    """The promoted version reads another window than this code computes."""


@dataclass(frozen=True)
class Voice:
    """Who speaks of matches: a promoted version with its model, or rules without one."""

    speaker: Speaker
    task: ModelTask
    model: Model | None = None

    @property
    def contract(self) -> Contract | None:
        """The contract of the version."""
        return None if self.model is None else self.model.contract

    @property
    def name(self) -> str:
        """How metadata calls it."""
        return self.speaker.version

    def learned_from(self, match_id: str) -> bool:
        """Whether the version has seen the match in training."""
        return self.contract is not None and match_id in self.contract.training_data.matches

    @property
    def out_of_fold(self) -> Speaker:
        """The same version where it speaks of matches that it learned from: other ids, and it says so."""
        info = {**self.speaker.info, "probability_source": OUT_OF_FOLD}
        return replace(self.speaker, info=info, version=f"{self.speaker.version} {OUT_OF_FOLD}")


def promoted_voice(objects: ObjectStore, task: ModelTask) -> Voice:
    """Who speaks now. Raises StaleVersion where the promoted version does not know today's window."""
    champion = mirror.read_champion(objects, task.name)
    version = None if champion is None else mirror.read_alias(objects, champion, Alias.PRODUCTION.value)
    if champion is None or version is None:
        return Voice(rules_speaker([intent.value for intent in Intent]), task)
    model = load_bundle(objects, champion, version)
    contract = model.contract
    if contract.window_fingerprint != PLAYER_MICRO.fingerprint:
        raise StaleVersion(
            f"{champion} v{version} reads {contract.window} {contract.window_fingerprint}, but this code computes "
            f"{PLAYER_MICRO.fingerprint}: promote a version of today's window first"
        )
    decision = None if contract.decision is msgspec.UNSET else contract.decision
    speaker = Speaker.of_model(contract.classes, decision, _info(contract), contract.window_fingerprint)
    return Voice(speaker, task, model)


def _info(contract: Contract) -> dict[str, str]:
    return {
        "model_name": contract.registered_name,
        "model_type": contract.family,
        "model_alias": Alias.PRODUCTION.value,
        "model_version": contract.version,
        "model_run_id": contract.mlflow_run_id,
        "data_version": contract.training_data.data_version,
        "window_fingerprint": contract.window_fingerprint,
        "probability_source": "model",
        "asset_key": contract.asset_key,
        "dagster_run_id": contract.dagster_run_id,
    }


def publish_micro_actions(
    lake: Lake,
    engine: Engine,
    voice: Voice,
    day: date,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Published:
    """Bring the micro-actions of a day up to date with its windows and with who speaks; matches without windows have none."""
    title, window = Title(voice.task.title), shelf_of(PLAYER_MICRO)
    headers = {record.header.match_id: record.header for record in accepted_matches(lake, title, day)}
    windowed = [r.match_id for r in lake.window_records(title, window, day) if r.match_id in headers]
    versions, rows, changed, unspoken = {}, 0, 0, []
    for match_id in windowed:
        said = actions_of(lake, headers[match_id], voice)
        if said is None:
            unspoken.append(match_id)
            said = []
        versions[match_id] = blake2b(b"\n".join(map(encode, said)), digest_size=16).hexdigest()
        at = now()
        stamped = [msgspec.structs.replace(signal, generated_at=at) for signal in said]
        with transaction(engine) as cursor:
            changed += publish.replace_micro_actions(cursor, match_id, stamped)
        rows += len(said)
    version = combined_hash({**versions, "speaks": voice.name})
    return Published(day, version, len(windowed), rows, changed, tuple(unspoken))


def withdraw_micro_actions(lake: Lake, engine: Engine, title: Title) -> list[str]:
    """Remove what models said of matches that the lake does not hold any more, or holds in quarantine; their ids."""
    return withdraw(lake, engine, title, publish.matches_with_actions, publish.withdraw_micro_actions)


def actions_of(lake: Lake, header: MatchHeader, voice: Voice) -> list[AgentSignal] | None:
    """What is said of one match of the lake, in order; None where nothing can be, as no out-of-fold prediction was kept."""
    table = lake.read_windows(header, shelf_of(PLAYER_MICRO))
    speaker, p = voice.speaker, None
    if voice.contract is not None and voice.learned_from(header.match_id):
        kept = _kept(lake, header, voice.contract)
        if kept is None:
            return None
        speaker = voice.out_of_fold
        table, p = _out_of_fold(table, kept, voice.contract)
    zeros, debounce, said = _zeros(lake, header), Debounce(), []
    begin = 0
    for instants in of_table(table):
        if p is not None:
            own: Floats | None = p[begin : begin + len(instants)]
        else:
            own = None if voice.model is None else _asked(voice.model, instants.x)
        begin += len(instants)
        said += statements(instants, own, speaker, debounce, zeros.get(instants.segment))
    return said


def _asked(model: Model, x: Floats) -> Floats:
    columns = [PLAYER_MICRO.feature_names.index(feature.name) for feature in model.contract.features]
    picked = np.ascontiguousarray(x[:, columns], dtype=np.float32)
    parts = [model.predict(picked[at : at + _CHUNK])[0] for at in range(0, len(picked), _CHUNK)]
    return np.concatenate(parts)


def _kept(lake: Lake, header: MatchHeader, contract: Contract) -> pa.Table | None:
    short = contract.task.split(".", 1)[1]
    return lake.read_predictions(header.title, short, contract.registered_name, contract.version, header.match_id)


def _out_of_fold(table: pa.Table, kept: pa.Table, contract: Contract) -> tuple[pa.Table, Floats]:
    """The rows that have an out-of-fold prediction, and their probabilities."""
    place = {key: number for number, key in enumerate(_keys(kept))}
    found = [place.get(key, -1) for key in _keys(table)]
    p = np.column_stack([kept[f"p_{label}"].to_numpy() for label in contract.classes])
    here = [number for number, at in enumerate(found) if at >= 0]
    return table.take(pa.array(here, pa.int64())), p[[found[number] for number in here]]


def _keys(table: pa.Table) -> list[tuple[int, float, str]]:
    return list(zip(*(table[name].to_pylist() for name in ("segment", "t_s", "player")), strict=True))


def _zeros(lake: Lake, header: MatchHeader) -> dict[int, int]:
    """Source time of every round's freeze end."""
    tables = {
        table.name: lake.read(table.name, header) if table.name in ("events", "rounds") else table.arrow.empty_table()
        for table in CANONICAL_TABLES
    }
    return zeros_of(CanonicalMatch(header, **tables))
