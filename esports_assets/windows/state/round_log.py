"""One round as the stream tells it: its events and frames, what is known of its start and its end, and which rows are due.

Belongs here: the round's clock, the order of its events, the instants whose rows are final.
Does not belong here: earlier rounds (``match_log.py``), how a row is computed (``fill.py``, ``features.py``).
"""

import math
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.asof import Floats, Ints, forward_fill
from esports_assets.windows.batch import Instants, instants_of
from esports_assets.windows.fill import PRIMARY_CODE, RoundFacts, Tracks
from esports_assets.windows.state_event import StateEvent, state_event_of
from esports_assets.windows.streamed.frame_log import FrameLog, Seated
from esports_assets.windows.streamed.frames import ALIVE, HAS_BOMB, HAS_KIT, In
from esports_assets.windows.streamed.message import Message, Positions

_RANKS = {EventType.FREEZE_END: 0, EventType.ROUND_START: 1, EventType.ROUND_END: 2}
"""Events that tell who plays which side and the score, the most telling first."""
_UNKNOWN_PRIMARY = -1


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A state-changing event with its place in the round."""

    t: float
    seq: int
    event: StateEvent
    at_us: int

    @property
    def order(self) -> tuple[float, int, str]:
        """By time, then in the order of the source."""
        return self.t, self.seq, self.event.event_id


class Start(msgspec.Struct, frozen=True, array_like=True):
    """Who plays which side, and the score before the round as far as it is told."""

    rank: int
    t: float
    event_id: str
    zero_us: int
    ct_team: str
    t_team: str
    ct_score: int | None
    t_score: int | None


class End(msgspec.Struct, frozen=True, array_like=True):
    """The decision."""

    t: float
    event_id: str
    at_us: int
    winner: Side | None
    reason: str | None


@dataclass(slots=True)
class RoundLog:
    """What is kept of a round in progress; ``frames`` only as far back as a row to come can need."""

    segment: int
    zero_us: int
    """Source time of freeze end, by the first message of the round."""
    frames: FrameLog
    index: Mapping[str, int]
    """Player to position."""
    primary: Ints
    """Last primary weapon of each player before the first frame that is kept."""
    start_armor: Floats
    """Armour of each player in the first frame, once it is let go."""
    started: bool = False
    """Whether the first frame has been let go."""
    events: list[Kept] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    start: Start | None = None
    end: End | None = None
    heard_t: float = -math.inf
    final_t: float = 0.0
    """Rows before this have been handed out."""
    final_events: int = 0
    """So many events stand before ``final_t``."""

    @classmethod
    def begin(cls, segment: int, zero_us: int, frames: FrameLog, index: Mapping[str, int]) -> "RoundLog":
        """A round of which nothing is known."""
        unknown = np.full(len(index), _UNKNOWN_PRIMARY, dtype=np.int64)
        return cls(segment, zero_us, frames, index, unknown, np.full(len(index), np.nan))

    def add_event(self, event: CanonicalEvent, t: float) -> bool:
        """Take an event of the round; False for one that came before."""
        if event.event_id in self.ids:
            return False
        self.ids.add(event.event_id)
        if t > self.heard_t:
            self.heard_t = t
        if event.event_type in _RANKS:
            self._learn(event, t)
        told = state_event_of(event, t, self.index)
        if told is not None:
            insort(self.events, Kept(t, event.seq, told, utc_us(event.timestamp)), key=_order)
        return True

    def add_frame(self, frame: Positions, t: float) -> bool:
        """Take what is new in a frame; False where nothing is."""
        if t > self.heard_t:
            self.heard_t = t
        return self.frames.add(t, frame)

    def add_frames(self, frames: Seated) -> None:
        """Take frames that are later than all that came before, in order."""
        self.heard_t = max(self.heard_t, float(frames.t[-1]))
        self.frames.extend(frames)

    def knows(self, message: Message, t: float) -> bool:
        """Whether a message came before."""
        if isinstance(message, Positions):
            return self.frames.knows(t, message.players)
        return message.event_id in self.ids

    def _learn(self, event: CanonicalEvent, t: float) -> None:
        told, at_us = event.payload, utc_us(event.timestamp)
        winner = told.get("winner_side")
        won = Side(winner) if winner in (Side.CT.value, Side.T.value) else None
        if event.event_type is EventType.ROUND_END and t >= 0.0:
            reason = told.get("reason")
            end = End(t, event.event_id, at_us, won, reason if isinstance(reason, str) else None)
            if self.end is None or (end.t, end.event_id) < (self.end.t, self.end.event_id):
                self.end = end
        ct, other = told.get("ct_team"), told.get("t_team")
        if not isinstance(ct, str) or not isinstance(other, str):
            return
        scores = [_score(told.get(name)) for name in ("ct_score", "t_score")]
        if event.event_type is EventType.ROUND_END:
            scores = [None if n is None or won is None else n - (won is s) for n, s in zip(scores, Side, strict=True)]
        rank, zero_us = _RANKS[event.event_type], at_us - round(t * 1e6)
        start = Start(rank, t, event.event_id, zero_us, ct, other, scores[0], scores[1])
        if self.start is None or (rank, t, event.event_id) < (self.start.rank, self.start.t, self.start.event_id):
            self.start = start

    def is_due(self, until_t: float) -> bool:
        """Whether the row of a second or an event is final that was not before; ``until_t`` is the watermark."""
        until_t = min(until_t, self._last_t())
        return math.ceil(self.final_t) < until_t or (
            self.final_events < len(self.events) and self.events[self.final_events].t < until_t
        )

    def due(self, until_t: float) -> Instants:
        """The instants of the rows that have become final; each is due once."""
        until_t = min(until_t, self._last_t())
        found = instants_of(self.state_events, until_t, self.final_t)
        self.final_t = max(self.final_t, until_t)
        while self.final_events < len(self.events) and self.events[self.final_events].t < self.final_t:
            self.final_events += 1
        return found

    def _last_t(self) -> float:
        """No row comes at or after this; without a decision, rows go as far as anything was heard."""
        return self.end.t if self.end is not None else math.nextafter(self.heard_t, math.inf)

    @property
    def state_events(self) -> Sequence[StateEvent]:
        """The events in order."""
        return [kept.event for kept in self.events]

    @property
    def start_us(self) -> int:
        """Source time of freeze end, by the event that tells it best."""
        return self.zero_us if self.start is None else self.start.zero_us

    def at_us(self, instants: Instants) -> list[int]:
        """Source time of rows: that of their events, and of seconds by the round's clock."""
        return [
            self.start_us + round(t * 1e6) if k < 0 else self.events[k].at_us
            for t, k in zip(instants.t.tolist(), instants.event.tolist(), strict=True)
        ]

    def facts(self, team_of: Sequence[str], won: Mapping[str, int]) -> RoundFacts | None:
        """What is known of the round's start; None while nobody has told the sides. ``won`` counts earlier rounds by team."""
        start = self.start
        if start is None:
            return None
        row: dict[str, Any] = {
            "segment": self.segment,
            "ct_team": start.ct_team,
            "t_team": start.t_team,
            "ct_score_before": won.get(start.ct_team, 0) if start.ct_score is None else start.ct_score,
            "t_score_before": won.get(start.t_team, 0) if start.t_score is None else start.t_score,
            "winner_side": None,
            "duration_s": None,
        }
        return RoundFacts.of(row, team_of, self.state_events)

    def tracks(self) -> Tracks | None:
        """The frames that are kept, as rows read them; None where no frame has come."""
        frames = self.frames.frames()
        if not len(frames.t):
            return None
        flags = np.nan_to_num(frames.data[..., In.FLAGS], nan=-1.0).astype(np.int64)
        told = flags >= 0
        data = np.where(told[..., None], frames.data, np.nan).astype(np.float64)
        held = _primaries(data[..., In.WEAPON], frames.words)
        return Tracks(
            t=frames.t,
            position=data[..., In.X : In.Z + 1],
            yaw=data[..., In.YAW],
            alive=told & (flags & ALIVE > 0),
            has_kit=told & (flags & HAS_KIT > 0),
            has_bomb=told & (flags & HAS_BOMB > 0),
            start_armor=self.start_armor if self.started else self._first_armor(data),
            primary=forward_fill(np.concatenate([self.primary[None], held]))[1:],
        )

    def _first_armor(self, data: Floats) -> Floats:
        return data[0, :, In.ARMOR] if self.frames.t[0] <= 0.0 else np.full(data.shape[1], np.nan)

    def forget(self, tracks: Tracks) -> None:
        """Let go of those of the frames that no row to come can need: before the latest final one, and before the plant."""
        planted = (kept.t for kept in self.events if kept.event.type is EventType.BOMB_PLANTED)
        needed = int(np.searchsorted(tracks.t, min(self.final_t, next(planted, math.inf)))) - 1
        if needed > 0:
            if not self.started:
                self.start_armor, self.started = tracks.start_armor, True
            self.primary = tracks.primary[needed - 1]
            self.frames.forget(float(tracks.t[needed - 1]))


def _order(kept: Kept) -> tuple[float, int, str]:
    return kept.order


def _primaries(weapon: Floats, words: Sequence[str]) -> Ints:
    """Codes of primary weapons from numbers of words; -1 for other weapons and none."""
    codes = np.array([*(PRIMARY_CODE.get(word, _UNKNOWN_PRIMARY) for word in words), _UNKNOWN_PRIMARY])
    return np.asarray(codes[np.nan_to_num(weapon, nan=len(codes) - 1.0).astype(np.int64)], dtype=np.int64)


def _score(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100 else None
