"""The window ``cs2/round_state`` over the stream: rows when nothing can change them any more.

Belongs here: many matches side by side, and what a batch of messages led to.
Does not belong here: reading the stream, storing checkpoints, and provisional rows: what is said early is said of players.

The rows are those of the window over the lake, made by the same functions, in the same order, whatever the order of arrival
within the lateness and however messages are cut into batches. A round that the stream never decides has rows here and none in
the lake: nobody can know that beforehand.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.micro.arrival import Arrival, arrivals
from esports_assets.windows.micro.facts import in_a_round, lineup_of
from esports_assets.windows.micro.match_log import Fate
from esports_assets.windows.micro.message import Message, time_of
from esports_assets.windows.micro.online import LATENESS_S, REMEMBERED
from esports_assets.windows.micro.rows import Lineup
from esports_assets.windows.state.checkpoint import load_match, save_match
from esports_assets.windows.state.match_log import MatchLog
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.view import Sites


@dataclass(slots=True)
class Fed:
    """What a batch of messages led to."""

    told: list[StateRows | RoundOver] = field(default_factory=list)
    """Final rows, each once, and rounds that are over; of one match in its order."""
    late: list[Message] = field(default_factory=list)
    """Messages beyond the watermark, which changed nothing."""
    refused: list[Message] = field(default_factory=list)
    """Frames that are not what they claim."""
    duplicates: int = 0
    """Messages that told nothing new."""
    over: list[str] = field(default_factory=list)
    """Matches that are done and forgotten."""

    @property
    def final(self) -> list[StateRows]:
        """The rows alone."""
        return [rows for rows in self.told if isinstance(rows, StateRows)]


class OnlineRounds:
    """``cs2/round_state`` over messages in any order within the lateness.

    ``sites_of`` gives the bomb sites of a map; they stay the same through a match.
    """

    def __init__(self, sites_of: Callable[[str], Sites], lateness_s: float = LATENESS_S) -> None:
        self._sites_of = sites_of
        self._lateness_us = round(lateness_s * 1e6)
        self._matches: dict[str, MatchLog] = {}
        self._over: OrderedDict[str, int] = OrderedDict()

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return tuple(self._matches)

    def feed(self, messages: Iterable[Message]) -> Fed:
        """Take in messages in order of arrival; see ``take``."""
        return self.take(arrivals(messages))

    def take(self, together: Iterable[Arrival]) -> Fed:
        """Take in messages in order of arrival and compute every row that they make final, once per match."""
        fed, touched = Fed(), dict[str, MatchLog]()
        for arrival in together:
            match = self._match(arrival.match_id)
            if match is None:
                for message in arrival.messages:
                    self._tell(fed, message, self._straggler(message))
                continue
            touched[match.match_id] = match
            known = match.take_all(arrival)
            if known is None:
                self._one_by_one(fed, match, arrival.messages)
            else:
                fed.duplicates += known
        for match in touched.values():
            fed.told += match.advance(finish=False)
            if match.is_over:
                self._leave(fed, match)
        return fed

    def finish(self, match_id: str) -> Fed:
        """Await nothing more of a match: its rows up to what was heard last are final, and it is forgotten."""
        fed = Fed()
        match = self._matches.get(match_id)
        if match is not None:
            fed.told += match.advance(finish=True)
            fed.late += match.waiting
            self._leave(fed, match)
        return fed

    def checkpoint(self, match_id: str) -> bytes:
        """Everything that is kept of a match in progress; LookupError for another."""
        if match_id not in self._matches:
            raise LookupError(f"match {match_id!r} is not in progress here")
        return save_match(self._matches[match_id])

    def restore(self, saved: bytes) -> str:
        """Go on with a match where a checkpoint left it; its id.

        Raises ValueError where the checkpoint was made with another window or lateness.
        """
        match = load_match(saved, self._lateness_us)
        self._matches[match.match_id] = match
        self._over.pop(match.match_id, None)
        return match.match_id

    def _one_by_one(self, fed: Fed, match: MatchLog, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, CanonicalEvent) and message.event_type is EventType.MAP_START:
                for waited, fate in match.introduce(_lineup(message), self._sites_of(message.map)):
                    self._tell(fed, waited, fate)
            fate = match.take(message)
            if fate is not Fate.TAKEN:
                self._tell(fed, message, fate)

    def _match(self, match_id: str) -> MatchLog | None:
        """The log of a match, a new one where nothing was heard of it; None where the match is over."""
        match = self._matches.get(match_id)
        if match is None and match_id not in self._over:
            match = self._matches[match_id] = MatchLog(match_id, self._lateness_us)
        return match

    def _straggler(self, message: Message) -> Fate:
        segment, t, at_us = time_of(message)
        awaited_us = self._over[message.match_id] - self._lateness_us
        return Fate.LATE if in_a_round(segment, t) and at_us < awaited_us else Fate.TAKEN

    def _tell(self, fed: Fed, message: Message, fate: Fate) -> None:
        if fate is Fate.LATE:
            fed.late.append(message)
        elif fate is Fate.REFUSED:
            fed.refused.append(message)
        fed.duplicates += fate is Fate.DUPLICATE

    def _leave(self, fed: Fed, match: MatchLog) -> None:
        del self._matches[match.match_id]
        self._over[match.match_id] = match.latest_us
        while len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        fed.over.append(match.match_id)


def _lineup(start: CanonicalEvent) -> Lineup:
    """The players in the order in which the source tells them, which is that of the match's table of players."""
    told = lineup_of(start.payload)
    simulated = start.ingestion_meta.simulated
    return Lineup(start.match_id, start.series_id, start.map, simulated, tuple(told), tuple(told.values()))
