"""What an operator writes about reviews and delays, as the rule and the policy that follow.

Belongs here: reading lists of intents and of ``NAME=seconds``.
Does not belong here: names and defaults of settings (``settings.py``), what rule and policy do (``review_terms.py``, ``gate.py``).
"""

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from typing import TypeVar

from esports_assets.canonical.signal import SignalType
from esports_assets.canonical.vocabulary import Intent
from serving.gate import Audience, Policy
from serving.review_terms import Rule

NOBODY = "none"
"""How an operator says that a list is empty."""

Word = TypeVar("Word", bound=StrEnum)


def rule_of(threshold: float, intents: str) -> Rule:
    """What needs a review. ValueError names the intent that does not exist."""
    named = [] if intents.strip() == NOBODY else _parts(intents)
    sensitive = frozenset(_word(Intent, name, "HITL_SENSITIVE_INTENTS", also=NOBODY) for name in named)
    return Rule(min_confidence=threshold, sensitive_intents=sensitive)


def policy_of(types: str, default_s: float, states: str, public_s: float) -> Policy:
    """When what may leave. ValueError says which delay is none."""
    return Policy(
        delays_s={kind.value: delay_s for kind, delay_s in _delays(SignalType, types, "SIGNAL_DELAYS_S").items()},
        default_delay_s=default_s,
        public_delay_s=public_s,
        state_delays_s=_delays(Audience, states, "STATE_DELAYS_S"),
    )


def _delays(words: type[Word], text: str, setting: str) -> Mapping[Word, float]:
    found: dict[Word, float] = {}
    for part in _parts(text):
        name, _, seconds = part.partition("=")
        word = _word(words, name.strip(), setting)
        try:
            found[word] = float(seconds)
        except ValueError as error:
            told = f"{setting} must be a list like {next(iter(words)).value}=120, and {part!r} is no part of one."
            raise ValueError(told) from error
        if not 0.0 <= found[word] < inf:
            raise ValueError(f"{setting} holds a delay of {found[word]} s, which is none.")
        if word is Audience.PUBLIC:
            raise ValueError(f"{setting} does not set the delay of the public: PUBLIC_DELAY_S does.")
    return found


def _word(words: type[Word], name: str, setting: str, also: str = "") -> Word:
    try:
        return words(name)
    except ValueError as error:
        known = ", ".join([*(word.value for word in words), *([also] if also else [])])
        raise ValueError(f"{setting} names {name!r}; known are {known}.") from error


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
