"""One round as the stream tells it: what has come, which rows are due, and what may be forgotten.

Belongs here: the round's clock and watermark, its events and frames, and the instants between freeze end and decision.
Does not belong here: several rounds (``match_log.py``) and features.
"""

import math
from bisect import bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.block import Block
from esports_assets.windows.micro.facts import Fact, ct_team_of, fact_of
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.micro.standing import Standing, walk
from esports_assets.windows.streamed.frame_log import FrameLog, Seated
from esports_assets.windows.streamed.message import Message, Positions
from esports_assets.windows.view import Sites

KEPT_WINDOWS = 2
"""A window's frame looks back a window of its own for players whom it does not tell itself."""
KEPT_FRAMES = 32
"""So many frames are let go together."""
LEFT_BEHIND_S = 120.0
"""A round without a decision is over when a later round is so much further, in seconds of event time."""


@dataclass(frozen=True, slots=True)
class Due:
    """Instants of one round whose rows are to be computed: final ones, and provisional ones after them."""

    final: Floats
    provisional: Floats


@dataclass(slots=True)
class RoundLog:
    """What is kept of a round in progress."""

    segment: int
    zero_us: int
    """Source time of freeze end, by the first message of the round."""
    frames: FrameLog
    base: Standing
    """State before the first fact that is kept."""
    every_frame: bool
    """Whether every frame has a row."""
    facts: list[Fact] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    ct_team: str | None = None
    end_t: float = math.inf
    heard_t: float = -math.inf
    final_rows: int = 0
    """Next instant of the grid whose row is not final."""
    announced_rows: int = 0
    """Next instant of the grid without a provisional row."""
    final_t: float = 0.0
    """Rows of frames are final before this."""
    unannounced: list[float] = field(default_factory=list)
    """Frames without a row yet."""

    def add_event(self, event: CanonicalEvent, t: float) -> bool:
        """Take an event of the round; False for one that came before."""
        if event.event_id in self.ids:
            return False
        self.ids.add(event.event_id)
        if t > self.heard_t:
            self.heard_t = t
        kind = event.event_type
        self.ct_team = self.ct_team or ct_team_of(kind, event.team, event.side, event.payload)
        if kind is EventType.ROUND_END:
            self.end_t = min(self.end_t, t)
        fact = fact_of(event.event_id, kind, t, event.seq, event.actor, event.target, event.payload)
        if fact is not None:
            insort(self.facts, fact, key=_order)
        return True

    def add_frame(self, frame: Positions, t: float) -> bool:
        """Take what is new in a frame; False where nothing is."""
        if t > self.heard_t:
            self.heard_t = t
        new = self.frames.add(t, frame)
        if new and self.every_frame and t >= 0.0:
            self.unannounced.append(t)
        return new

    def add_frames(self, frames: Seated) -> None:
        """Take frames that are later than all that came before, in order."""
        self.heard_t = max(self.heard_t, float(frames.t[-1]))
        self.frames.extend(frames)
        if self.every_frame:
            self.unannounced += frames.t[frames.t >= 0.0].tolist()

    def knows(self, message: Message, t: float) -> bool:
        """Whether a message came before."""
        if isinstance(message, Positions):
            return self.frames.knows(t, message.players)
        return message.event_id in self.ids

    def due(self, watermark_t: float, window: MicroWindow) -> Due:
        """Rows that can be told now, and told finally; each is due once. Call when the sides are known."""
        if window.rate_hz is None:
            return self._due_frames(watermark_t)
        last = min(self.heard_t, self.end_t)
        count = max(0, int(max(last, 0.0) * window.rate_hz) + 2 - self.final_rows)
        grid = np.arange(self.final_rows, self.final_rows + count) / window.rate_hz
        grid = grid[(grid <= self.heard_t) & (grid < self.end_t)]
        final = grid[grid < watermark_t]
        self.final_rows += len(final)
        provisional = grid[len(final) :][max(0, self.announced_rows - self.final_rows) :]
        self.announced_rows = max(self.announced_rows, self.final_rows + len(grid) - len(final))
        return Due(final, provisional)

    def _due_frames(self, watermark_t: float) -> Due:
        self.frames.settle()
        t = self.frames.t
        final = t[(t >= self.final_t) & (t < watermark_t) & (t < self.end_t)]
        self.final_t = max(self.final_t, watermark_t)
        fresh = np.unique(self.unannounced)
        self.unannounced = []
        return Due(final, fresh[(fresh >= self.final_t) & (fresh < self.end_t)])

    def block(self, index: Mapping[str, int], ct: tuple[bool, ...], sites: Sites) -> Block:
        """What the kernel reads."""
        return Block(self.frames.frames(), walk(self.base, self.facts, index, ct), ct, sites)

    def forget(self, watermark_t: float, window: MicroWindow, index: Mapping[str, int], ct: tuple[bool, ...]) -> None:
        """Let go of frames and events that no row to come can need."""
        open_t = watermark_t if window.rate_hz is None else min(watermark_t, self.final_rows / window.rate_hz)
        kept_t = open_t - window.window_s
        done = bisect_right(self.facts, kept_t, key=_moment)
        if done:
            self.base = walk(self.base, self.facts[:done], index, ct).after(done)
            del self.facts[:done]
        self.frames.settle()
        old_t = open_t - KEPT_WINDOWS * window.window_s
        if len(self.frames.t) >= KEPT_FRAMES and self.frames.t[KEPT_FRAMES - 1] <= old_t:
            self.frames.forget(old_t)

    def is_over(self, watermark_t: float, window: MicroWindow, followed: bool) -> bool:
        """Whether no row can come any more: the decision is final, or a later round has left this one far behind."""
        return watermark_t >= self.end_t or (
            followed and watermark_t > self.heard_t + max(LEFT_BEHIND_S, KEPT_WINDOWS * window.window_s)
        )  # fmt: skip


def _order(fact: Fact) -> tuple[float, int, str]:
    return fact.order


def _moment(fact: Fact) -> float:
    return fact.t
