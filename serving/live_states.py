"""Matches in progress of one shard: envelopes in, statements out.

Belongs here: the windows, the memory of each match and who speaks about it, kept in step with each other; saving and restoring.
Does not belong here: entries of the log, writing (``live_shard.py``, ``live_sinks.py``).

What is said follows from the events alone, however they are cut into batches: statements of record come from final rows.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from esports_assets.canonical.clock import from_utc_us, utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.event import event_id as event_id_of
from esports_assets.canonical.signal import AgentSignal
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.signals.debounce import Debounce
from esports_assets.streams.commit import Output
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.replay import Playable, envelopes_of
from esports_assets.windows.micro.online import Fed, OnlineMicro
from esports_assets.windows.streamed.arrival import arrivals
from esports_assets.windows.streamed.message import Message, Positions, positions_of, read
from serving.live_intents import Intents
from serving.live_memory import MatchMemory, loaded, saved
from serving.live_momentum import Momentum, Spoken

INTENT_AGENT, MOMENTUM_AGENT = "intent", "momentum"
_AT_ONCE = 500
MOMENTUM_EVERY_S = 1.0
"""Momentum of a match is computed so often at most, a few matches at a time. It is told of final rows and leaves a minute later at
the earliest, and what a few entries make due costs as much as what hundreds do.
"""


@dataclass(slots=True)
class Told:
    """What envelopes led to."""

    said: list[tuple[str, AgentSignal]] = field(default_factory=list)
    """Agent and signal of record, not triaged."""
    late: list[CanonicalEvent] = field(default_factory=list)
    extra: list[Output] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)


class States:
    """The matches that are in progress; one instance, one thread."""

    def __init__(
        self,
        intents: Intents,
        momentum: Callable[[], Momentum],
        micro: Callable[[], OnlineMicro],
        announce: Callable[[Sequence[AgentSignal]], object],
        monotonic: Callable[[], float],
    ) -> None:
        self._intents, self._announce, self._monotonic = intents, announce, monotonic
        self._new_micro, self._new_momentum = micro, momentum
        self._micro, self._momentum = micro(), momentum()
        self._memories: dict[str, MatchMemory] = {}
        self._early: dict[str, Debounce] = {}
        self._computed: dict[str, float] = {}
        """When momentum was last computed."""
        self._behind: set[str] = set()
        """Matches of which something was heard since."""

    @property
    def lagging(self) -> list[str]:
        """Matches whose momentum was not computed for so long though something was heard, the one that has waited longest first."""
        at_latest = self._monotonic() - MOMENTUM_EVERY_S
        waiting = [(self._computed.get(name, -math.inf), name) for name in self._behind]
        return [name for at, name in sorted(waiting) if at <= at_latest]

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return tuple(self._memories)

    @property
    def headless(self) -> tuple[str, ...]:
        """Matches in progress of which only a later part has come."""
        return self._micro.headless

    def ended(self, match_id: str) -> bool:
        """Whether the match said that it has ended."""
        return self._memories[match_id].ended

    def settled(self, match_id: str) -> bool:
        """Whether the match was taken from the lake as a whole."""
        return self._memories[match_id].settled

    def restore(self, match_id: str, data: bytes) -> None:
        """Go on with a match; ValueError where its checkpoint cannot be used."""
        kept = loaded(data)
        try:
            if kept.micro is not None:
                self._micro.restore(kept.micro)
            if kept.momentum is not None:
                self._momentum.restore(kept.momentum)
        except ValueError:
            self.drop(match_id)
            raise
        self._memories[match_id] = kept.memory
        self._behind.add(match_id)

    def saved(self, match_id: str) -> bytes:
        """Everything that is kept of a match."""
        micro = self._micro.checkpoint(match_id) if match_id in self._micro.matches else None
        momentum = self._momentum.checkpoint(match_id) if match_id in self._momentum.matches else None
        return saved(micro, momentum, self._memories[match_id])

    def take(self, envelopes: Sequence[Envelope], *, live: bool = True) -> Told:
        """Take in envelopes in order of arrival. Titles without windows change nothing.

        What may still change is announced before anything else is computed, if it is ``live``.
        """
        told = Told()
        messages: list[Message] = []
        events: list[CanonicalEvent] = []
        known: dict[str, MatchMemory] = {}
        for envelope in envelopes:
            event = envelope.event
            if event.title is not Title.CS2:
                continue
            memory = known.get(event.match_id)
            if memory is None:
                memory = known[event.match_id] = self._memories.setdefault(event.match_id, MatchMemory())
            if memory.settled:
                memory.ended = memory.ended or event.event_type is EventType.MAP_END
                continue
            message = message_of(envelope)
            memory.note(envelope, message.at_us if isinstance(message, Positions) else utc_us(event.timestamp))
            messages.append(message)
            events.append(event)
        told.touched = list(known)
        together = arrivals(messages)
        fed = self._micro.take(together)
        if live:
            self._announce(self._intents.provisional(fed.provisional, self._memories, self._early))
        self._speak(told, fed, dict(zip(map(id, messages), events, strict=True)) if fed.late else {})
        self._momentum.take(together)
        self._behind.update(arrival.match_id for arrival in together)
        self._catch_up(told, _some(self.lagging) if live else list(self._behind & known.keys()))
        for match_id in fed.over:
            _add(told, self._momentum.finish(match_id, self._memories))
            self._forget(match_id)
        in_progress = set(self._micro.matches)
        stragglers = [name for name, memory in known.items() if not (memory.settled or name in in_progress)]
        for match_id in stragglers:
            self._forget(match_id)
        told.over = stragglers
        self._let_go(known)
        return told

    def catch_up(self, match_id: str) -> Told:
        """What momentum says of what has been heard of a match."""
        told = Told(touched=[match_id])
        self._catch_up(told, [match_id])
        self._let_go([match_id])
        return told

    def finish(self, match_id: str) -> Told:
        """Await nothing more of a match, and forget it."""
        told = Told(over=[match_id])
        self._speak(told, self._micro.finish(match_id), {})
        _add(told, self._momentum.finish(match_id, self._memories))
        self._forget(match_id)
        return told

    def again(self, match_id: str, playable: Playable) -> Told:
        """A match as the lake holds it, from its beginning to its end. What was in progress of it is void, and what the log still
        holds of it is passed over. The lake knows nothing of a replay's wall clock: what the log told of it holds on.
        """
        before = self._memories.get(match_id, MatchMemory())
        self.drop(match_id)
        self._memories[match_id] = MatchMemory(offsets=before.offsets)
        told = Told()
        envelopes = envelopes_of(playable)
        while some := list(islice(envelopes, _AT_ONCE)):
            part = self.take(some, live=False)
            told.said += part.said
            told.extra += part.extra
        if match_id in self._memories:
            rest = self.finish(match_id)
            told.said += rest.said
            told.extra += rest.extra
        self._memories[match_id] = MatchMemory(settled=True)
        told.touched = [match_id]
        return told

    def drop(self, match_id: str) -> None:
        """Go on with every match but one; what was heard of that one is void."""
        others = [self._micro.checkpoint(other) for other in self._micro.matches if other != match_id]
        self._micro = self._new_micro()
        for kept in others:
            self._micro.restore(kept)
        others = [self._momentum.checkpoint(other) for other in self._momentum.matches if other != match_id]
        self._momentum = self._new_momentum()
        for kept in others:
            self._momentum.restore(kept)
        self._forget(match_id)

    def _catch_up(self, told: Told, match_ids: Collection[str]) -> None:
        _add(told, self._momentum.catch_up(match_ids, self._memories))
        told.touched += [name for name in match_ids if name not in told.touched]
        self._behind.difference_update(match_ids)
        self._computed.update(dict.fromkeys(match_ids, self._monotonic()))

    def _let_go(self, match_ids: Iterable[str]) -> None:
        """Forget old offsets of matches of which everything that was heard has been spoken about."""
        for match_id in match_ids:
            if match_id in self._memories and match_id not in self._behind:
                self._memories[match_id].forget()

    def _speak(self, told: Told, fed: Fed, events: dict[int, CanonicalEvent]) -> None:
        said = self._intents.final(fed.final, self._memories)
        told.said += [(INTENT_AGENT, signal) for signal in said]
        told.late += [_event_of(message, events) for message in fed.late]

    def _forget(self, match_id: str) -> None:
        self._memories.pop(match_id, None)
        self._early.pop(match_id, None)
        self._computed.pop(match_id, None)
        self._behind.discard(match_id)


def _some(lagging: list[str]) -> list[str]:
    """Those that a batch takes along: a few, so that matches which began together do not hold it up together."""
    return lagging[: max(1, len(lagging) // 4)]


def _add(told: Told, spoken: Spoken) -> None:
    told.said += [(MOMENTUM_AGENT, signal) for signal in spoken.signals]
    told.extra += spoken.points


def message_of(envelope: Envelope) -> Message:
    """What the windows take: a frame as the positions in it."""
    event, frame = envelope.event, envelope.frame
    return read(event) if frame is None else positions_of(event, frame)


def _event_of(message: Message, events: dict[int, CanonicalEvent]) -> CanonicalEvent:
    """The event that a message was made of; positions that waited for longer than their batch are told by their instant."""
    if isinstance(message, CanonicalEvent):
        return message
    known = events.get(id(message))
    if known is not None:
        return known
    return CanonicalEvent(
        event_id=event_id_of("positions", message.match_id, f"{message.segment}:{message.t_s}"),
        match_id=message.match_id,
        event_type=EventType.POSITION_UPDATE,
        timestamp=from_utc_us(message.at_us),
        payload={"frame": list(message.players.values())},
        segment=message.segment,
        t=message.t_s,
    )
