"""Many matches side by side over the stream: the one shell around every window.

Belongs here: which match a message belongs to, matches that are over and their stragglers, what a batch led to beside rows.
Does not belong here: rows (the windows), reading the stream, and storing checkpoints.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.streamed.arrival import Arrival, arrivals
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.match import Fate, StreamedMatch
from esports_assets.windows.streamed.message import Message, in_a_round, time_of
from esports_assets.windows.view import Sites

LATENESS_S = 2.0
"""How much event time a message may come after a later one."""
REMEMBERED = 10_000
"""Matches that are over and whose stragglers are still told from new matches."""


@dataclass(slots=True)
class Heard:
    """What a batch of messages led to, beside rows."""

    late: list[Message] = field(default_factory=list)
    """Messages beyond the watermark, which changed nothing."""
    refused: list[Message] = field(default_factory=list)
    """Frames that are not what they claim."""
    duplicates: int = 0
    """Messages that told nothing new."""
    over: list[str] = field(default_factory=list)
    """Matches that are done and forgotten."""


M = TypeVar("M", bound=StreamedMatch[Any])
F = TypeVar("F", bound=Heard)


class Online(ABC, Generic[M, F]):
    """A window over messages in any order within the lateness.

    ``sites_of`` gives the bomb sites of a map; they stay the same through a match.
    """

    def __init__(self, sites_of: Callable[[str], Sites], lateness_s: float = LATENESS_S) -> None:
        self._sites_of = sites_of
        self._lateness_us = round(lateness_s * 1e6)
        self._matches: dict[str, M] = {}
        self._over: OrderedDict[str, int] = OrderedDict()

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return tuple(self._matches)

    @property
    def headless(self) -> tuple[str, ...]:
        """Those whose beginning has not come and will not, as far as the watermark tells: nothing can be said of them."""
        return tuple(match_id for match_id, match in self._matches.items() if match.headless)

    def feed(self, messages: Iterable[Message]) -> F:
        """Take in messages in order of arrival and compute every row that they make due."""
        return self.take(arrivals(messages))

    def take(self, together: Iterable[Arrival], *, compute: bool = True) -> F:
        """The same for messages that are laid out already. What is not computed is due until the next call, or ``catch_up``."""
        fed, touched = self._nothing(), dict[str, M]()
        for arrival in together:
            match = self._match(arrival.match_id)
            if match is None:
                for message in arrival.messages:
                    _tell(fed, message, self._straggler(message))
                continue
            touched[match.match_id] = match
            known = match.take_all(arrival)
            if known is None:
                self._one_by_one(fed, match, arrival.messages)
            else:
                fed.duplicates += known
        if compute:
            self._compute(fed, touched.values())
        return fed

    def catch_up(self, match_ids: Iterable[str]) -> F:
        """Compute every row of these matches that is due."""
        fed = self._nothing()
        self._compute(fed, [self._matches[match_id] for match_id in match_ids if match_id in self._matches])
        return fed

    def finish(self, match_id: str) -> F:
        """Await nothing more of a match: its rows up to what was heard last are final, and it is forgotten."""
        fed = self._nothing()
        match = self._matches.get(match_id)
        if match is not None:
            self._advance(fed, [match], finish=True)
            fed.late += match.waiting
            self._leave(fed, match)
        return fed

    def checkpoint(self, match_id: str) -> bytes:
        """Everything that is kept of a match in progress; LookupError for another."""
        if match_id not in self._matches:
            raise LookupError(f"match {match_id!r} is not in progress here")
        return self._saved(self._matches[match_id])

    def restore(self, saved: bytes) -> str:
        """Go on with a match where a checkpoint left it; its id.

        Raises ValueError where the checkpoint was made with another window or lateness.
        """
        match = self._loaded(saved)
        self._matches[match.match_id] = match
        self._over.pop(match.match_id, None)
        return match.match_id

    def _compute(self, fed: F, matches: Collection[M]) -> None:
        self._advance(fed, matches, finish=False)
        for match in matches:
            if match.is_over:
                self._leave(fed, match)

    @abstractmethod
    def _nothing(self) -> F:
        """What no message leads to."""

    @abstractmethod
    def _begun(self, match_id: str) -> M:
        """A match of which nothing is known."""

    @abstractmethod
    def _lineup(self, start: CanonicalEvent) -> Lineup:
        """Who plays, in the window's order."""

    @abstractmethod
    def _advance(self, fed: F, matches: Collection[M], *, finish: bool) -> None:
        """Compute every row that is due, and let go of what no other needs; ``finish`` awaits nothing more."""

    @abstractmethod
    def _saved(self, match: M) -> bytes:
        """A match as bytes."""

    @abstractmethod
    def _loaded(self, saved: bytes) -> M:
        """The inverse; ValueError where the bytes do not fit."""

    def _one_by_one(self, fed: F, match: M, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, CanonicalEvent) and message.event_type is EventType.MAP_START:
                for waited, fate in match.introduce(self._lineup(message), self._sites_of(message.map)):
                    _tell(fed, waited, fate)
            _tell(fed, message, match.take(message))

    def _match(self, match_id: str) -> M | None:
        """The log of a match, a new one where nothing was heard of it; None where the match is over."""
        match = self._matches.get(match_id)
        if match is None and match_id not in self._over:
            match = self._matches[match_id] = self._begun(match_id)
        return match

    def _straggler(self, message: Message) -> Fate:
        segment, t, at_us = time_of(message)
        awaited_us = self._over[message.match_id] - self._lateness_us
        return Fate.LATE if in_a_round(segment, t) and at_us < awaited_us else Fate.TAKEN

    def _leave(self, fed: F, match: M) -> None:
        del self._matches[match.match_id]
        self._over[match.match_id] = match.latest_us
        while len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        fed.over.append(match.match_id)


def _tell(fed: Heard, message: Message, fate: Fate) -> None:
    if fate is Fate.LATE:
        fed.late.append(message)
    elif fate is Fate.REFUSED:
        fed.refused.append(message)
    fed.duplicates += fate is Fate.DUPLICATE
