"""The momentum agent: messages of the stream in, statements and win probabilities out.

Belongs here: the window, the promoted model and each match's memory, kept in step; saving and restoring.
Does not belong here: the rules (``momentum.py``), where the model comes from, the wall clock of a replay.

What is said follows from the events alone, however they are cut into batches and whatever their order within the lateness: every
row has the answer that it has alone, to the bit.

Without a promoted model no chance is invented: then only ECONOMY_CRASH is told, which needs none. A model that is replaced
between two batches speaks from the next row on, under its own version; its chances are never compared with those of another:
the round in progress begins anew for shifts, and so do the rounds that stars are judged by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.signal import AgentSignal
from esports_assets.canonical.vocabulary import Side
from esports_assets.signals.momentum import Chances, Memory, WinPoint, of_end, of_rows, points_of
from esports_assets.signals.voice import Voice
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.state.online import Fed, OnlineRounds
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.arrival import Arrival, arrivals
from esports_assets.windows.streamed.message import Message
from esports_assets.windows.streamed.online import LATENESS_S
from esports_assets.windows.view import Sites

Spoken = tuple[list[AgentSignal], list[WinPoint]]


class Promise(Protocol):
    """What the agent reads of a model's contract; ``models.contract.Contract`` is the real one."""

    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def positive_class(self) -> str | None: ...
    @property
    def window_fingerprint(self) -> str: ...


class WinModel(Protocol):
    """The promoted model of ``cs2.round_win``; ``serving.served.ServedModel`` is the real one."""

    @property
    def contract(self) -> Promise: ...
    @property
    def names(self) -> Sequence[str]:
        """Features in the order of the input."""

    @property
    def info(self) -> Mapping[str, str]:
        """``model_info`` of everything that it says."""

    def predict_each(
        self, matrix: npt.NDArray[np.float32]
    ) -> tuple[Any, Sequence[float] | None, Sequence[float] | None]:
        """Probabilities [N, classes], and bounds of the positive class where there is an interval; every row's as if alone."""


class _Saved(msgspec.Struct, array_like=True):
    rounds: bytes
    memory: Memory


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode


class MomentumAgent:
    """Many matches side by side. ``model`` gives the promoted model of the moment, or None; ``sites_of`` a map's bomb sites."""

    def __init__(
        self,
        model: Callable[[], WinModel | None],
        sites_of: Callable[[str], Sites],
        lateness_s: float = LATENESS_S,
    ) -> None:
        self._model = model
        self._rounds = OnlineRounds(sites_of, lateness_s)
        self._memories: dict[str, Memory] = {}
        self._asked: _Asked | None = None

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return self._rounds.matches

    def feed(self, messages: Iterable[Message]) -> Spoken:
        """Take in messages in order of arrival: signals, and the chance of CT right after every event whose row is final."""
        return self.take(arrivals(messages))

    def take(self, together: Iterable[Arrival], *, compute: bool = True) -> Spoken:
        """The same for messages that are laid out already. What is not computed is due until the next call, or ``catch_up``."""
        return self._said(self._rounds.take(together, compute=compute))

    def catch_up(self, match_ids: Iterable[str]) -> Spoken:
        """What is due of these matches."""
        return self._said(self._rounds.catch_up(match_ids))

    def finish(self, match_id: str) -> Spoken:
        """The same for what was awaited of a match, which is forgotten."""
        return self._said(self._rounds.finish(match_id))

    def checkpoint(self, match_id: str) -> bytes:
        """Everything that is kept of a match in progress; LookupError for another."""
        return _encode(_Saved(self._rounds.checkpoint(match_id), self._memories.get(match_id, Memory())))

    def restore(self, saved: bytes) -> str:
        """Go on with a match where a checkpoint left it; its id. ValueError for bytes that are none of this window and lateness."""
        try:
            held = _decode(saved)
        except msgspec.DecodeError as error:
            raise ValueError(f"these bytes are no checkpoint of the momentum agent: {error}") from error
        match_id = self._rounds.restore(held.rounds)
        self._memories[match_id] = held.memory
        return match_id

    def _ready(self) -> "_Asked | None":
        """The promoted model of the moment, prepared once."""
        model = self._model()
        if model is None:
            self._asked = None
        elif self._asked is None or self._asked.model is not model:
            self._asked = _Asked(model)
        return self._asked

    def _said(self, fed: Fed) -> Spoken:
        signals: list[AgentSignal] = []
        points: list[WinPoint] = []
        asked = self._ready() if fed.told else None
        for part in fed.told:
            memory = self._memories.setdefault(part.lineup.match_id, Memory())
            if isinstance(part, RoundOver):
                signals += of_end(memory, part, None if asked is None else asked.voice)
                continue
            chances = None if asked is None else asked.chances(part)
            signals += of_rows(memory, part, chances)
            if chances is not None:
                points += points_of(part, chances)
        for match_id in fed.over:
            self._memories.pop(match_id, None)
        return signals, points


class _Asked:
    """A model with what is needed to ask it about rows."""

    def __init__(self, model: WinModel) -> None:
        contract, info = model.contract, model.info
        if contract.window_fingerprint != ROUND_STATE.fingerprint:
            raise ValueError(
                f"{info['model_name']} v{info['model_version']} reads a window with fingerprint {contract.window_fingerprint}, "
                f"this program computes {ROUND_STATE.fingerprint}"
            )
        self.model = model
        self._columns = [ROUND_STATE.feature_names.index(name) for name in model.names]
        self._ct = list(contract.classes).index(Side.CT.value)
        self._positive = contract.positive_class == Side.CT.value
        version = f"{info['model_name']} v{info['model_version']}"
        self.voice = Voice(info, version, contract.window_fingerprint)

    def chances(self, rows: StateRows) -> Chances:
        """The chance of CT at every row."""
        x = np.ascontiguousarray(rows.values[self._columns].T, dtype=np.float32)
        told, lower, upper = self.model.predict_each(x)
        p = np.asarray(told[:, self._ct], dtype=np.float64)
        if lower is None or upper is None:
            return Chances(p, None, None, self.voice)
        lo, hi = np.asarray(lower), np.asarray(upper)
        return Chances(p, lo, hi, self.voice) if self._positive else Chances(p, 1.0 - hi, 1.0 - lo, self.voice)
