"""The momentum agent as the worker carries it: messages in, statements and win probabilities out.

Belongs here: the wall clock of a replay on what the agent says, win probability as entries of the log.
Does not belong here: the rows, the swings and what is said about them (``esports_assets.signals.momentum_agent``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.signal import AgentSignal
from esports_assets.signals.momentum import WinPoint
from esports_assets.signals.momentum_agent import MomentumAgent
from esports_assets.streams.commit import Output
from esports_assets.streams.names import WIN_PROBABILITY
from esports_assets.windows.streamed.arrival import Arrival
from serving.live_memory import MatchMemory


@dataclass(slots=True)
class Spoken:
    """What the agent said of some messages."""

    signals: list[AgentSignal] = field(default_factory=list)
    points: list[Output] = field(default_factory=list)


class Momentum:
    """One shard's agent."""

    def __init__(self, agent: MomentumAgent) -> None:
        self._agent = agent

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return self._agent.matches

    def take(self, together: Sequence[Arrival]) -> None:
        """Take in messages; what they lead to is told by ``catch_up``."""
        self._agent.take(together, compute=False)

    def catch_up(self, match_ids: Collection[str], memories: Mapping[str, MatchMemory]) -> Spoken:
        """What is due of these matches."""
        return _spoken(*self._agent.catch_up(match_ids), memories)

    def finish(self, match_id: str, memories: Mapping[str, MatchMemory]) -> Spoken:
        """Await nothing more of a match."""
        return _spoken(*self._agent.finish(match_id), memories)

    def checkpoint(self, match_id: str) -> bytes:
        """Everything that is kept of a match."""
        return self._agent.checkpoint(match_id)

    def restore(self, saved: bytes) -> None:
        """Go on with a match."""
        self._agent.restore(saved)


def _spoken(signals: Sequence[AgentSignal], points: Sequence[WinPoint], memories: Mapping[str, MatchMemory]) -> Spoken:
    return Spoken([_timed(signal, memories) for signal in signals], [_output(point, memories) for point in points])


def _timed(signal: AgentSignal, memories: Mapping[str, MatchMemory]) -> AgentSignal:
    memory = memories.get(signal.match_id)
    if signal.event_ts is None or memory is None or not memory.offsets:
        return signal
    return msgspec.structs.replace(signal, live_offset_s=memory.offset_s(utc_us(signal.event_ts)))


def _output(point: WinPoint, memories: Mapping[str, MatchMemory]) -> Output:
    """A win probability as an entry; the id of its event is its identity."""
    document: dict[str, Any] = msgspec.to_builtins(point)
    memory = memories.get(point.match_id)
    offset_s = 0.0 if memory is None else memory.offset_s(utc_us(point.event_ts))
    data = msgspec.json.encode({**document, "live_offset_s": offset_s})
    return Output(f"winprob:{point.event_id}", point.match_id, data, (WIN_PROBABILITY,))
