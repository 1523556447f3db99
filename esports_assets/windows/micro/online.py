"""The window over the stream: provisional rows at once, final rows when nothing can change them any more.

Belongs here: one call of the kernel for all that a batch of messages makes due.
Does not belong here: the shell around matches (``streamed/online.py``), and storing checkpoints.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.block import Block, stack
from esports_assets.windows.micro.checkpoint import load_match, save_match
from esports_assets.windows.micro.kernel import AT_ONCE, Kernel
from esports_assets.windows.micro.match_log import MatchLog
from esports_assets.windows.micro.round_log import Due
from esports_assets.windows.micro.rows import MicroRows, picked
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.streamed.lineup import Lineup, lineup_of
from esports_assets.windows.streamed.online import LATENESS_S, Heard, Online
from esports_assets.windows.view import Sites


@dataclass(slots=True)
class Fed(Heard):
    """What a batch of messages led to."""

    final: list[MicroRows] = field(default_factory=list)
    """Rows that no later message changes; each instant once."""
    provisional: list[MicroRows] = field(default_factory=list)
    """Rows of instants that have been reached and may change yet; those that became final in the same batch are left out."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Some instants of one round, with what is needed to hand their rows out."""

    block: int
    t: Floats
    final: bool
    match: MatchLog
    segment: int
    ct: tuple[bool, ...]


class OnlineMicro(Online[MatchLog, Fed]):
    """``cs2/player_micro`` over messages in any order within the lateness."""

    def __init__(
        self,
        sites_of: Callable[[str], Sites],
        window: MicroWindow | None = None,
        lateness_s: float = LATENESS_S,
        *,
        provisional: bool = True,
    ) -> None:
        super().__init__(sites_of, lateness_s)
        self._window = window or MicroWindow()
        self._provisional = provisional

    def _nothing(self) -> Fed:
        return Fed()

    def _begun(self, match_id: str) -> MatchLog:
        return MatchLog(match_id, self._lateness_us, window=self._window)

    def _lineup(self, start: CanonicalEvent) -> Lineup:
        simulated = start.ingestion_meta.simulated
        return Lineup.of(start.match_id, start.series_id, start.map, simulated, lineup_of(start.payload))

    def _saved(self, match: MatchLog) -> bytes:
        return save_match(match)

    def _loaded(self, saved: bytes) -> MatchLog:
        return load_match(saved, self._window, self._lateness_us)

    def _advance(self, fed: Fed, matches: Collection[MatchLog], *, finish: bool) -> None:
        self._measure(fed, matches, finish=finish)
        for match in matches:
            match.forget()

    def _measure(self, fed: Fed, matches: Iterable[MatchLog], *, finish: bool) -> None:
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
