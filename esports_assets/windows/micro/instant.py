"""What is known at an instant: the frames of its window, the latest of each player, and how everybody stands.

Belongs here: the one rule of time: a window is (t - length, t], and events and frames up to t are known.
Does not belong here: features (``kernel.py``).
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.block import Flags, Stack
from esports_assets.windows.micro.motion import Motion, Place
from esports_assets.windows.micro.standing import Of

At = tuple[Ints, Ints]
"""Frame and seat."""


@dataclass(frozen=True, slots=True)
class Now:
    """Instants (I) and, of each, seats (P)."""

    t: Floats
    block: Ints
    low: Ints
    """First frame of the window."""
    high: Ints
    """First frame after it."""
    seen: Flags
    """A frame of the window tells the player."""
    first: At
    """First such frame, any where not seen."""
    latest: At
    people: Floats
    """State by row (rows, I, P)."""
    before: Floats
    """State as the window began."""
    bomb: Floats
    """State by field (I, fields)."""
    alive: Flags
    """Has not died, and the latest frame says so; where frames tell others only, he is not there."""
    place: Place
    """Latest, in metres; NaN where not seen."""

    def lately(self, row: Of) -> Floats:
        """How much a count grew within the window."""
        return np.asarray(self.people[row] - self.before[row])

    def since(self, row: Of) -> Floats:
        """Seconds since something happened; NaN where it has not."""
        return known(self.t[:, None] - self.people[row])

    def latest_of(self, values: Floats) -> Floats:
        """A value of the latest frame, NaN where not seen."""
        return np.where(self.seen, values[self.latest], np.nan)


def known(values: Floats) -> Floats:
    """NaN instead of what is infinitely far away or long ago."""
    return np.where(np.isinf(values), np.nan, values)


def instants(stack: Stack, frames: Motion, block: Ints, t: Floats, window_s: float) -> Now:
    """What is known at instants ``t`` of rounds ``block``: positions in the stack, in ascending order."""
    low, high, state, before = _reach(stack, block, t, window_s)
    seat = np.arange(stack.seats.shape[1])
    last = frames.last.take(np.maximum(high - 1, 0), axis=0)
    seen = (high > low)[:, None] & (last >= low[:, None])
    latest = (np.where(seen, last, 0), seat)
    first = (np.where(seen, frames.following.take(low, axis=0, mode="clip"), 0), seat)
    people = stack.people.take(state, axis=1)
    there = np.where(seen.any(axis=1, keepdims=True), seen & frames.alive[latest], True)
    alive = (people[Of.DEAD] == 0.0) & there
    x, y, z = (np.where(seen, axis[latest], np.nan) for axis in frames.place)
    return Now(
        *(t, block, low, high, seen, first, latest, people),
        before=stack.people.take(before, axis=1),
        bomb=stack.bomb[state],
        alive=alive,
        place=(x, y, z),
    )


def _reach(stack: Stack, block: Ints, t: Floats, window_s: float) -> tuple[Ints, Ints, Ints, Ints]:
    """First frame of the window and first after it; state now and as the window began."""
    low, high, state, before = (np.empty(len(t), dtype=np.int64) for _ in range(4))
    numbers, starts = np.unique(block, return_index=True)
    for number, begin, end in zip(numbers, starts, np.append(starts, len(t))[1:], strict=True):
        own, moments = slice(begin, end), t[begin:end]
        first, stop = stack.frame_offset[number : number + 2]
        low[own] = first + np.searchsorted(stack.frame_t[first:stop], moments - window_s, side="right")
        high[own] = first + np.searchsorted(stack.frame_t[first:stop], moments, side="right")
        events, offset = stack.event_t[number], stack.state_offset[number]
        state[own] = offset + np.searchsorted(events, moments, side="right")
        before[own] = offset + np.searchsorted(events, moments - window_s, side="right")
    return low, high, state, before
