"""A real but tiny model over every feature of ``cs2/round_state``, and a state that keeps its laws.

Belongs here: the features, weights and state that tests change one thing of. Does not belong here: any assertion.
"""

import numpy as np
import tiny_bundle as tiny

from esports_assets.models.bundle import Feature, write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.registry import DERIVED, window_spec

SPEC = window_spec("cs2/round_state")
FEATURES = tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in SPEC.features)
WEIGHTS = tuple(np.where([f.name in DERIVED[SPEC.name] for f in FEATURES], 0.01, 0.0))
"""Only derived features count, so that a wrong one is seen."""


def state(**changes: float | None) -> dict[str, float | None]:
    """Four against two before a plant; what may be null is left out."""
    base = {f.name: f.minimum or 0.0 for f in FEATURES if f.name not in DERIVED[SPEC.name] and not f.nullable}
    alive = {"ct_alive": 4.0, "t_alive": 2.0, "ct_hp": 320.0, "t_hp": 150.0}
    rest = {"ct_effective_hp": 320.0, "t_effective_hp": 150.0, "t_s_clock": 50.0, "time_left_s": 65.0}
    return base | alive | rest | changes


def promote(store: ObjectStore) -> None:
    """Let version 1 of the model be champion and Production."""
    contract = tiny.contract(features=FEATURES, window_fingerprint=SPEC.fingerprint)
    write_bundle(store, contract, tiny.graph(weights=WEIGHTS))
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
