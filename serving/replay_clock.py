"""The clock of one replay, and what its client may say to it.

Belongs here: match time from wall time, orders as values, pure. Does not belong here: what is played (``recording.py``).
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

SLOWEST, FASTEST = 0.1, 100.0
_Speed = Annotated[float, Meta(ge=SLOWEST, le=FASTEST)]


class Play(msgspec.Struct, tag_field="type", tag="play", forbid_unknown_fields=True, frozen=True):
    """Go on."""


class Pause(msgspec.Struct, tag_field="type", tag="pause", forbid_unknown_fields=True, frozen=True):
    """Stop."""


class Seek(msgspec.Struct, tag_field="type", tag="seek", forbid_unknown_fields=True, frozen=True):
    """Go to an instant of a round, or behind a message; play or pause as before."""

    segment: int | None = None
    t: float = 0.0
    id: str | None = None


class Speed(msgspec.Struct, tag_field="type", tag="speed", forbid_unknown_fields=True, frozen=True):
    """Play so many times as fast as it was."""

    speed: _Speed


class Resume(msgspec.Struct, tag_field="type", tag="resume", forbid_unknown_fields=True, frozen=True):
    """Go on, behind a message if one is named."""

    id: str | None = None


Order = Play | Pause | Seek | Speed | Resume
_decoder = msgspec.json.Decoder(Order)


def order_of(text: str) -> Order:
    """What a client said; ValueError in a sentence for anything that is no order."""
    try:
        found: Order = _decoder.decode(text.encode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"That is no order, so nothing changes: {error}.") from error
    return found


def speed_of(text: str) -> float:
    """A speed from a query; ValueError in a sentence for one that is none."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not SLOWEST <= value <= FASTEST:
        raise ValueError(f"A speed lies between {SLOWEST:g} and {FASTEST:g}.")
    return value


def place_of(text: str) -> tuple[int, float] | None:
    """``segment/t`` as numbers, or None."""
    segment, slash, t = text.partition("/")
    try:
        return (int(segment), float(t) if slash else 0.0) if abs(float(t or 0.0)) < 1e6 else None
    except ValueError:
        return None


@dataclass(slots=True)
class Playhead:
    """Where a replay is: match time (us) that runs with the wall clock (seconds, from anywhere), or stands."""

    at_us: int
    wall_s: float
    speed: float = 1.0
    playing: bool = True

    def now_us(self, wall_s: float) -> int:
        """The match time of an instant."""
        return self.at_us + (round((wall_s - self.wall_s) * self.speed * 1e6) if self.playing else 0)

    def set(
        self, wall_s: float, *, at_us: int | None = None, speed: float | None = None, playing: bool | None = None
    ) -> None:
        """Go on from now with what was given, and everything else as it was."""
        self.at_us = self.now_us(wall_s) if at_us is None else at_us
        self.wall_s = wall_s
        self.speed = self.speed if speed is None else speed
        self.playing = self.playing if playing is None else playing

    def wait_s(self, at_us: int, wall_s: float) -> float | None:
        """How long until a match time; None while it stands."""
        return max(0.0, (at_us - self.now_us(wall_s)) / 1e6 / self.speed) if self.playing else None
