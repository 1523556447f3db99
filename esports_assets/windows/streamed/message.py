"""What the stream feeds into the windows: canonical events, frames among them, or frames that somebody has read already.

Belongs here: a frame as windows take it, and what window and order need to know of a message.
Does not belong here: the payload of a frame (``canonical/frames.py``).
"""

from collections.abc import Mapping
from operator import attrgetter

import msgspec
import numpy as np

from esports_assets.canonical.clock import LONGEST_ROUND_S, utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import Frame, FrameRow, frame_of, is_frame
from esports_assets.canonical.schema import EVENTS


class Positions(msgspec.Struct, frozen=True):
    """Where players are at one instant of a round; a frame may tell some of them, and another the rest."""

    match_id: str
    segment: int
    t_s: float
    """Seconds since freeze end; kept in single precision, as in the tracking table."""
    at_us: int
    """Source time of the frame, microseconds since 1970."""
    players: Mapping[str, FrameRow]


Message = CanonicalEvent | Positions
LAST_SEGMENT = int(EVENTS.column("segment").maximum or 0)


def positions_of(event: CanonicalEvent, frame: Frame | None = None) -> Positions:
    """The positions of an event that is a frame, read or with its frame beside it; FrameError where it is not what it claims."""
    rows = (frame_of(event) if frame is None else frame).frame
    players = dict(zip(map(_PLAYER, rows), rows, strict=True))
    return Positions(event.match_id, event.segment, event.t or 0.0, utc_us(event.timestamp), players)


_PLAYER = attrgetter("player")


def read(event: CanonicalEvent) -> Message:
    """An event with its frame read, if it is one; FrameError where it is not what it claims."""
    return positions_of(event) if is_frame(event) else event


def time_of(message: Message) -> tuple[int, float | None, int]:
    """Round, seconds since its freeze end, and source time in microseconds."""
    if isinstance(message, Positions):
        t = message.t_s
        in_range = -LONGEST_ROUND_S <= t <= LONGEST_ROUND_S
        return message.segment, float(np.float32(t)) if in_range else t, message.at_us
    return message.segment, message.t, utc_us(message.timestamp)


def in_a_round(segment: int, t: float | None) -> bool:
    """Whether an event or frame belongs to a round and has a time that a round can have."""
    return 1 <= segment <= LAST_SEGMENT and t is not None and -LONGEST_ROUND_S <= t <= LONGEST_ROUND_S
