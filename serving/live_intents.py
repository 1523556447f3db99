"""Rows of players to statements of intent, with the model that is promoted now, or rules while none is.

Belongs here: the questions to the model, and who speaks.
Does not belong here: the statements (``esports_assets.signals.motion``), what becomes of them (``live_shard.py``).
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from esports_assets.canonical.signal import AgentSignal
from esports_assets.canonical.vocabulary import Intent
from esports_assets.signals.debounce import Debounce
from esports_assets.signals.motion import Instants, of_micro_rows, statements
from esports_assets.signals.speaker import Floats, Speaker, rules_speaker
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import PLAYER_MICRO
from serving.live_memory import MatchMemory
from serving.served import ServedModel

TASK = "cs2.intent"


class Intents:
    """Names intents with whatever model ``serving_now`` gives at the moment; None means rules."""

    def __init__(self, serving_now: Callable[[], ServedModel | None]) -> None:
        self._serving_now = serving_now
        self._rules = rules_speaker([intent.value for intent in Intent])
        self._known: tuple[ServedModel, Speaker, list[int]] | None = None

    def final(self, parts: Sequence[MicroRows], memories: Mapping[str, MatchMemory]) -> list[AgentSignal]:
        """Statements of final rows; what was told is remembered in the match's memory."""
        return self._statements(parts, memories, {name: memory.debounce for name, memory in memories.items()})

    def provisional(
        self, parts: Sequence[MicroRows], memories: Mapping[str, MatchMemory], told: dict[str, Debounce]
    ) -> list[AgentSignal]:
        """Statements of rows that may still change; ``told`` remembers them, and no checkpoint does."""
        for part in parts:
            told.setdefault(part.lineup.match_id, Debounce())
        return self._statements(parts, memories, told)

    def _statements(
        self, parts: Sequence[MicroRows], memories: Mapping[str, MatchMemory], told: Mapping[str, Debounce]
    ) -> list[AgentSignal]:
        rounds = [of_micro_rows(part) for part in parts if len(part)]
        if not rounds:
            return []
        speaker, p = self._asked(rounds)
        found: list[AgentSignal] = []
        begin = 0
        for rows in rounds:
            own = None if p is None else p[begin : begin + len(rows)]
            begin += len(rows)
            memory = memories[rows.match_id]
            zero_us = memory.zero_us(rows.segment)
            found += statements(rows, own, speaker, told[rows.match_id], zero_us, memory.offset_s)
        return found

    def _asked(self, rounds: Sequence[Instants]) -> tuple[Speaker, Floats | None]:
        served = self._serving_now()
        if served is None:
            return self._rules, None
        known = self._known
        if known is None or known[0] is not served:
            known = self._known = (served, *_introduced(served))
        _, speaker, columns = known
        x = np.ascontiguousarray(np.concatenate([rows.x for rows in rounds])[:, columns])
        return speaker, served.model.predict_each(x)[0]


def _introduced(served: ServedModel) -> tuple[Speaker, list[int]]:
    """Who speaks, and where its features stand in the window's rows."""
    contract = served.contract
    decision = None if contract.decision is msgspec.UNSET else contract.decision
    speaker = Speaker.of_model(contract.classes, decision, served.info, contract.window_fingerprint)
    return speaker, [PLAYER_MICRO.feature_names.index(name) for name in served.names]
