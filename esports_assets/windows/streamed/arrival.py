"""What arrives together: the messages of one match as arrays, and whether they are in such order that they can be taken in at once.

Belongs here: the one rule of good order. Taken in at once or message by message, a match is the same afterwards; what is out of
order, late, told twice or by strangers is nobody's business here and comes message by message.
Does not belong here: what windows keep of it (``match_log.py`` of each), frames one by one (``frame_log.py``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.clock import LONGEST_ROUND_S, utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import is_frame
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.streamed.frame_log import FrameLog, Seated
from esports_assets.windows.streamed.message import LAST_SEGMENT, Message, Positions
from esports_assets.windows.streamed.told import Told, told_of


class Arrival:
    """Messages of one match in order of arrival; ``t`` in seconds since freeze end, NaN for none; see ``time_of``."""

    def __init__(self, match_id: str, messages: Sequence[Message]) -> None:
        self.match_id, self.messages = match_id, messages
        self.is_positions = np.array([isinstance(message, Positions) for message in messages], dtype=np.bool_)
        self.segment = np.array([message.segment for message in messages], dtype=np.int64)
        self.at_us = np.array(
            [message.at_us if isinstance(message, Positions) else utc_us(message.timestamp) for message in messages],
            dtype=np.int64,
        )
        t = np.array(
            [message.t_s if isinstance(message, Positions) else message.t for message in messages], dtype=np.float64
        )
        single = self.is_positions & (np.abs(t) <= LONGEST_ROUND_S)
        t[single] = t[single].astype(np.float32)
        self.t = t

    @cached_property
    def frames(self) -> list[Positions]:
        """The frames among them."""
        return [message for message in self.messages if isinstance(message, Positions)]

    @cached_property
    def told(self) -> Told:
        """What all frames tell, laid out once for every window."""
        return told_of([frame.players for frame in self.frames])

    @cached_property
    def players(self) -> list[str]:
        """The player of each row of ``told``."""
        return [player for frame in self.frames for player in frame.players]

    @cached_property
    def plain(self) -> bool:
        """Whether every message is what it looks like: no event is a frame that nobody has read."""
        return not any(isinstance(message, CanonicalEvent) and is_frame(message) for message in self.messages)

    @cached_property
    def ends(self) -> bool:
        """Whether one of them ends the map."""
        return any(
            isinstance(message, CanonicalEvent) and message.event_type is EventType.MAP_END for message in self.messages
        )


def arrivals(messages: Iterable[Message]) -> list[Arrival]:
    """Messages by match, in order of the first of each."""
    by_match: dict[str, list[Message]] = {}
    for message in messages:
        by_match.setdefault(message.match_id, []).append(message)
    return [Arrival(match_id, own) for match_id, own in by_match.items()]


class _Players(Protocol):
    @property
    def index(self) -> Mapping[str, int]: ...


class _Round(Protocol):
    zero_us: int
    frames: FrameLog


class _Log(Protocol):
    """What both windows keep of a match."""

    lateness_us: int
    latest_us: int
    over: dict[int, int]

    @property
    def lineup(self) -> _Players | None: ...
    @property
    def rounds(self) -> Mapping[int, _Round]: ...


class Event(NamedTuple):
    """An event of a round in progress."""

    segment: int
    t: float
    event: CanonicalEvent


@dataclass(frozen=True, slots=True)
class Placed:
    """Where everything belongs: rounds that begin with their zero, frames and events of rounds in progress."""

    begun: dict[int, int]
    frames: list[tuple[int, Seated]]
    events: list[Event]
    latest_us: int


def placed(arrival: Arrival, log: _Log) -> Placed | None:
    """Where messages belong if all are in good order, else None.

    They are if the lineup is known, none is late, and the frames of each round are new, later than what is known of it and in
    order, each with players of the lineup, once.
    """
    if log.lineup is None or not arrival.plain:
        return None
    segment, t = arrival.segment, arrival.t
    inside = (segment >= 1) & (segment <= LAST_SEGMENT) & (np.abs(t) <= LONGEST_ROUND_S)
    zeros = _zeros(arrival, inside, log)
    since_us = np.rint(np.where(inside, t, 0.0) * 1e6).astype(np.int64)
    zero = np.array([zeros.get(number, 0) for number in segment.tolist()], dtype=np.int64)
    moment = np.where(inside, zero + since_us, log.latest_us)
    before = np.maximum.accumulate(np.concatenate([[log.latest_us], moment]))[:-1]
    watermark_t = (before - zero - log.lateness_us) / 1e6
    if (inside & (moment <= before) & (t < watermark_t)).any():
        return None
    open_round = np.array([number not in log.over for number in segment.tolist()], dtype=np.bool_)
    frames = _frames(arrival, inside & open_round, log, log.lineup.index)
    if frames is None:
        return None
    wanted = inside & open_round & ~arrival.is_positions
    events = [
        Event(number, moment_t, message)
        for number, moment_t, message in zip(
            segment[wanted].tolist(), t[wanted].tolist(), compress(arrival.messages, wanted.tolist()), strict=True
        )
        if isinstance(message, CanonicalEvent)
    ]
    begun = {
        number: zero_us for number, zero_us in zeros.items() if number not in log.over and number not in log.rounds
    }
    return Placed(begun, frames, events, max(log.latest_us, int(moment.max(initial=log.latest_us))))


def _zeros(arrival: Arrival, inside: npt.NDArray[np.bool_], log: _Log) -> dict[int, int]:
    """Source time of each round's zero, as known or by its first message; rounds in order of that."""
    _, first = np.unique(arrival.segment[inside], return_index=True)
    at = np.flatnonzero(inside)[np.sort(first)].tolist()
    zeros = {}
    for k in at:
        number = int(arrival.segment[k])
        own = log.rounds.get(number)
        told = int(arrival.at_us[k]) - round(float(arrival.t[k]) * 1e6)
        zeros[number] = own.zero_us if own is not None else log.over.get(number, told)
    return zeros


def _frames(
    arrival: Arrival, wanted: npt.NDArray[np.bool_], log: _Log, index: Mapping[str, int]
) -> list[tuple[int, Seated]] | None:
    """Frames by round, in seats; None where one is not in good order."""
    is_positions = arrival.is_positions
    if not is_positions.any():
        return []
    told, chosen = arrival.told, wanted[is_positions]
    if not told.counts.all() or not index.keys() >= set(arrival.players):
        return None
    seats = np.array([index[player] for player in arrival.players], dtype=np.int64)
    owner = np.repeat(np.arange(len(told.counts)), told.counts)
    if (np.bincount(owner * len(index) + seats) > 1).any():
        return None
    segment, t = arrival.segment[is_positions], arrival.t[is_positions]
    found = []
    for number in dict.fromkeys(segment[chosen].tolist()):
        at = np.flatnonzero(chosen & (segment == number))
        moments, own = t[at], log.rounds.get(number)
        if (np.diff(moments) <= 0.0).any() or (own is not None and moments[0] <= own.frames.latest_t):
            return None
        rows = np.flatnonzero((chosen & (segment == number))[owner])
        found.append((number, Seated(moments, told.counts[at], seats[rows], told.data[rows], told.words)))
    return found
