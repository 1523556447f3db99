"""The window over the stream: provisional rows at once, final rows when nothing can change them any more.

Belongs here: many matches side by side, one call of the kernel for all that a batch of messages makes due.
Does not belong here: reading the stream, and storing checkpoints.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.arrival import Arrival, arrivals
from esports_assets.windows.micro.block import Block, stack
from esports_assets.windows.micro.checkpoint import load_match, save_match
from esports_assets.windows.micro.facts import in_a_round, lineup_of
from esports_assets.windows.micro.kernel import AT_ONCE, Kernel
from esports_assets.windows.micro.match_log import Fate, MatchLog
from esports_assets.windows.micro.message import Message, time_of
from esports_assets.windows.micro.round_log import Due
from esports_assets.windows.micro.rows import Lineup, MicroRows, picked
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.view import Sites

LATENESS_S = 2.0
"""How much event time a message may come after a later one."""
REMEMBERED = 10_000
"""Matches that are over and whose stragglers are still told from new matches."""


@dataclass(slots=True)
class Fed:
    """What a batch of messages led to."""

    final: list[MicroRows] = field(default_factory=list)
    """Rows that no later message changes; each instant once."""
    provisional: list[MicroRows] = field(default_factory=list)
    """Rows of instants that have been reached and may change yet; those that became final in the same batch are left out."""
    late: list[Message] = field(default_factory=list)
    """Messages beyond the watermark, which changed nothing."""
    refused: list[Message] = field(default_factory=list)
    """Frames that are not what they claim."""
    duplicates: int = 0
    """Messages that told nothing new."""
    over: list[str] = field(default_factory=list)
    """Matches that are done and forgotten."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Some instants of one round, with what is needed to hand their rows out."""

    block: int
    t: Floats
    final: bool
    match: MatchLog
    segment: int
    ct: tuple[bool, ...]


class OnlineMicro:
    """``cs2/player_micro`` over messages in any order within the lateness.

    ``sites_of`` gives the bomb sites of a map; they stay the same through a match.
    """

    def __init__(
        self,
        sites_of: Callable[[str], Sites],
        window: MicroWindow | None = None,
        lateness_s: float = LATENESS_S,
        *,
        provisional: bool = True,
    ) -> None:
        self._sites_of = sites_of
        self._window = window or MicroWindow()
        self._lateness_us = round(lateness_s * 1e6)
        self._provisional = provisional
        self._matches: dict[str, MatchLog] = {}
        self._over: OrderedDict[str, int] = OrderedDict()

    @property
    def matches(self) -> tuple[str, ...]:
        """Matches in progress."""
        return tuple(self._matches)

    @property
    def headless(self) -> tuple[str, ...]:
        """Those whose beginning has not come and will not, as far as the watermark tells: nothing can be said of them."""
        return tuple(match_id for match_id, match in self._matches.items() if match.headless)

    def feed(self, messages: Iterable[Message]) -> Fed:
        """Take in messages in order of arrival; see ``take``."""
        return self.take(arrivals(messages))

    def take(self, together: Iterable[Arrival]) -> Fed:
        """Take in messages in order of arrival and compute every row that they make due."""
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
        self._compute(fed, touched.values(), finish=False)
        for match in touched.values():
            match.forget()
            if match.is_over:
                self._leave(fed, match)
        return fed

    def finish(self, match_id: str) -> Fed:
        """Await nothing more of a match: its rows up to what was heard last are final, and it is forgotten."""
        fed = Fed()
        match = self._matches.get(match_id)
        if match is not None:
            self._compute(fed, [match], finish=True)
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
        match = load_match(saved, self._window, self._lateness_us)
        self._matches[match.match_id] = match
        self._over.pop(match.match_id, None)
        return match.match_id

    def _one_by_one(self, fed: Fed, match: MatchLog, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, CanonicalEvent) and message.event_type is EventType.MAP_START:
                for waited, fate in match.introduce(self._lineup(message), self._sites_of(message.map)):
                    self._tell(fed, waited, fate)
            fate = match.take(message)
            if fate is not Fate.TAKEN:
                self._tell(fed, message, fate)

    def _match(self, match_id: str) -> MatchLog | None:
        """The log of a match, a new one where nothing was heard of it; None where the match is over."""
        match = self._matches.get(match_id)
        if match is None and match_id not in self._over:
            match = MatchLog(match_id, self._lateness_us, self._window)
            self._matches[match_id] = match
        return match

    def _straggler(self, message: Message) -> Fate:
        segment, t, at_us = time_of(message)
        awaited_us = self._over[message.match_id] - self._lateness_us
        return Fate.LATE if in_a_round(segment, t) and at_us < awaited_us else Fate.TAKEN

    def _lineup(self, start: CanonicalEvent) -> Lineup:
        simulated = start.ingestion_meta.simulated
        return Lineup.of(start.match_id, start.series_id, start.map, simulated, lineup_of(start.payload))

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

    def _compute(self, fed: Fed, matches: Iterable[MatchLog], *, finish: bool) -> None:
        blocks: list[Block] = []
        jobs: list[_Job] = []
        for match in matches:
            for own, due in match.due(finish=finish):
                assert match.lineup is not None
                assert own.ct_team is not None
                ct = match.lineup.sides(own.ct_team)
                for t, final in self._wanted(due):
                    jobs.append(_Job(len(blocks), t, final, match, own.segment, ct))
                blocks.append(own.block(match.lineup.index, ct, match.sites))
        if not jobs:
            return
        laid = stack(blocks)
        kernel = Kernel(laid, self._window.window_s)
        for together in _together(jobs):
            measured = kernel.measure(
                np.repeat([job.block for job in together], [len(job.t) for job in together]),
                np.concatenate([job.t for job in together]),
            )
            begin = 0
            for job in together:
                at = slice(begin, begin + len(job.t))
                begin = at.stop
                lineup, words = job.match.lineup, blocks[job.block].frames.words
                assert lineup is not None
                rows = picked(measured, laid, job.block, at, job.t, lineup, job.segment, job.ct, words)
                (fed.final if job.final else fed.provisional).append(rows)

    def _wanted(self, due: Due) -> Iterator[tuple[Floats, bool]]:
        for t, final in ((due.final, True), (due.provisional, False)):
            if final or self._provisional:
                yield from ((t[begin : begin + AT_ONCE], final) for begin in range(0, len(t), AT_ONCE))


def _together(jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
    """Jobs in groups of so many instants as are measured at once."""
    group: list[_Job] = []
    for job in jobs:
        if group and sum(len(other.t) for other in group) + len(job.t) > AT_ONCE:
            yield group
            group = []
        group.append(job)
    if group:
        yield group
