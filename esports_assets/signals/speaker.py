"""Who names an intent: the promoted model with its decision rule, or plain rules where none is promoted.

Belongs here: from probabilities (or the features alone) to a named intent per row, what is said of its origin, and why.
Does not belong here: computing probabilities, when a statement is worth making (``debounce.py``), its form (``motion.py``).

Hybrid decision (row 001-07): a rule never competes with a probability. With a model, its calibrated probabilities name the
intent by the model's own decision rule, and a rule that fires is told beside it, with the probability that the model gives
to the rule's intent. Without one, the rules name it and no confidence is claimed: whatever reads the signal sees
``probability_source: rules``, and review rules take an unknown confidence for a low one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.signal import Fact
from esports_assets.models.contract import Decision
from esports_assets.models.families.heuristics import NONE, RULES, fired
from esports_assets.windows.micro.spec import PLAYER_MICRO

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

UNNAMED = -1
"""Code of a row for which nothing is said."""
_MOST_TOLD = 3
_RULED_BY = tuple(dict.fromkeys(name for rule in RULES for name, _, _ in rule.tests))
_COLUMN = {name: PLAYER_MICRO.feature_names.index(name) for name in _RULED_BY}


@dataclass(frozen=True)
class Speaker:
    """Classes in the order of the probabilities, the rule that names one, and what every statement says of its origin.

    ``weights`` are empty where there is no model.
    """

    classes: tuple[str, ...]
    info: Mapping[str, str]
    fingerprint: str
    version: str
    weights: tuple[float, ...] = ()
    abstain_below: float = 0.0

    @classmethod
    def of_model(
        cls, classes: Sequence[str], decision: Decision | None, info: Mapping[str, str], fingerprint: str
    ) -> "Speaker":
        """A promoted model; one without a decision rule names its largest probability."""
        weights = tuple(1.0 if decision is None else decision.weights[name] for name in classes)
        below = 0.0 if decision is None else decision.abstain_below
        version = f"{info['model_name']} v{info['model_version']}"
        return cls(tuple(classes), info, fingerprint, version, weights, below)

    @property
    def has_model(self) -> bool:
        """Whether it takes probabilities."""
        return bool(self.weights)

    @cached_property
    def _weights(self) -> npt.NDArray[np.float64]:
        return np.array(self.weights)

    def names(self, x: Floats, p: Floats | None) -> Ints:
        """Of every row the position in ``classes`` of the named intent, ``UNNAMED`` where nothing is said.

        ``x`` [N, features] in the order of ``PLAYER_MICRO``, ``p`` [N, classes] where there is a model.
        """
        if p is None:
            code = np.array([*(self.classes.index(rule.intent.value) for rule in RULES), UNNAMED])
            return np.asarray(code[fired_rules(x)], dtype=np.int64)
        named = (p * self._weights).argmax(axis=1)
        return np.where(p.max(axis=1) >= self.abstain_below, named, UNNAMED)

    def reasons(self, rule: int, p: Sequence[float] | None) -> tuple[Fact, ...]:
        """The explanation of one row: its largest probabilities, and the rule that fired on it."""
        found = []
        if p is not None:
            best = sorted(range(len(p)), key=lambda k: -p[k])[:_MOST_TOLD]
            found.append(Fact(", ".join(f"{self.classes[k]} {p[k]:.2f}" for k in best)))
        if rule != NONE:
            found.append(Fact(self._of_rule(rule, p)))
        return tuple(found)

    def _of_rule(self, rule: int, p: Sequence[float] | None) -> str:
        held = RULES[rule]
        tests = " and ".join(f"{name} {sign} {value:g}" for name, sign, value in held.tests)
        if p is None:
            return f"No model is promoted: a rule says {held.intent.value}, because {tests}; it has no probability."
        worth = p[self.classes.index(held.intent.value)]
        return f"A rule says {held.intent.value}, because {tests}; the model gives that {worth:.2f}."


def fired_rules(x: Floats) -> Ints:
    """Of every row the position in ``RULES`` of the rule that counts, ``NONE`` where none fires."""
    return fired({name: x[:, at] for name, at in _COLUMN.items()})


def rules_speaker(classes: Sequence[str]) -> Speaker:
    """What speaks while no model of intents is promoted."""
    version = blake2b(repr(RULES).encode(), digest_size=4).hexdigest()
    info = {
        "model_name": "cs2.intent.rules",
        "model_type": "heuristics",
        "model_alias": "",
        "model_version": version,
        "model_run_id": "",
        "data_version": "",
        "window_fingerprint": PLAYER_MICRO.fingerprint,
        "probability_source": "rules",
        "asset_key": "",
        "dagster_run_id": "",
        "note": "No model of cs2.intent is promoted: rules name the intent, without a probability.",
    }
    return Speaker(tuple(classes), info, PLAYER_MICRO.fingerprint, f"cs2.intent.rules {version}")
