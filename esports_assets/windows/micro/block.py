"""Rounds side by side: what the kernel reads, so that one call answers for many rounds and matches.

Belongs here: seats (CT first, then T, then empty ones), laying blocks end to end, units to metres.
Does not belong here: features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.clock import LONGEST_ROUND_S
from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.micro.holding import classes_of
from esports_assets.windows.micro.spec import METRES_PER_U
from esports_assets.windows.micro.standing import Bomb, Of, Walk
from esports_assets.windows.streamed.frames import Frames, In, Singles
from esports_assets.windows.view import Sites

Flags = npt.NDArray[np.bool_]
EMPTY = -1
"""A seat without a player."""


@dataclass(frozen=True, slots=True)
class Block:
    """One round, or the part of it that windows still need; players of frames and walk are in the order of ``ct``."""

    frames: Frames
    walk: Walk
    ct: tuple[bool, ...]
    """Plays CT, by player."""
    sites: Sites


@dataclass(frozen=True, slots=True)
class Stack:
    """Blocks (B) laid end to end: frames (F), states (E), and seats (P), of which the first ``n_ct`` are CT's.

    Places are in metres. What a round does not have is an empty seat, which is never told and never alive.
    """

    n_ct: int
    seats: Ints
    """Player of the block in each seat, EMPTY for none (B, P)."""
    frame_offset: Ints
    """First frame of each block, and the end (B + 1)."""
    state_offset: Ints
    """First state of each block, and the end (B + 1); a block has one state more than events."""
    frame_t: Floats
    """(F)."""
    event_t: tuple[Floats, ...]
    data: Singles
    """(fields, F, P), places in game units."""
    holding: Floats
    """Index of the class of what is in the hands (F, P)."""
    people: Floats
    """(rows, E, P); a killer is a seat."""
    bomb: Floats
    """(E, fields); the carrier is a seat."""
    sites: Floats
    """Centres of A and B in metres (B, 2, 3)."""

    @property
    def block_of_frame(self) -> Ints:
        """(F)."""
        return np.repeat(np.arange(len(self.seats)), np.diff(self.frame_offset))


def stack(blocks: Sequence[Block]) -> Stack:
    """Lay blocks end to end; where none has a frame, one that tells nobody stands in the first."""
    if not any(len(block.frames.t) for block in blocks):
        blocks = [replace(blocks[0], frames=_nobody(len(blocks[0].ct))), *blocks[1:]]
    n_ct = max(1, *(sum(block.ct) for block in blocks))
    n_t = max(1, *(len(block.ct) - sum(block.ct) for block in blocks))
    seats = np.array([_seated(block.ct, n_ct, n_t) for block in blocks], dtype=np.int64)
    moved = [_moved(block.walk, row) for block, row in zip(blocks, seats, strict=True)]
    data = np.concatenate([_picked(b.frames.data, row) for b, row in zip(blocks, seats, strict=True)])
    holding = [
        _holding(part[..., In.WEAPON], block.frames.words)
        for block, part in zip(blocks, np.split(data, np.cumsum([len(b.frames.t) for b in blocks])[:-1]), strict=True)
    ]
    return Stack(
        n_ct=n_ct,
        seats=seats,
        frame_offset=_offsets([len(block.frames.t) for block in blocks]),
        state_offset=_offsets([len(block.walk.bomb) for block in blocks]),
        frame_t=np.concatenate([block.frames.t for block in blocks]),
        event_t=tuple(block.walk.t for block in blocks),
        data=np.ascontiguousarray(np.moveaxis(data, -1, 0)),
        holding=np.concatenate(holding),
        people=np.concatenate([people for people, _ in moved], axis=1),
        bomb=np.concatenate([bomb for _, bomb in moved]),
        sites=METRES_PER_U * np.array([[block.sites.a, block.sites.b] for block in blocks]),
    )


def _nobody(players: int) -> Frames:
    return Frames(np.array([-LONGEST_ROUND_S]), np.full((1, players, len(In)), np.nan, dtype=np.float32), ())


def _offsets(lengths: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _seated(ct: Sequence[bool], n_ct: int, n_t: int) -> list[int]:
    ours = [i for i, one in enumerate(ct) if one]
    theirs = [i for i, one in enumerate(ct) if not one]
    return [*ours, *[EMPTY] * (n_ct - len(ours)), *theirs, *[EMPTY] * (n_t - len(theirs))]


def _picked(values: Singles, seats: Ints) -> Singles:
    """Players of axis 1 by seat; an empty seat is not told."""
    if not values.shape[1]:
        return np.full((len(values), len(seats), len(In)), np.nan, dtype=np.float32)
    picked = values.take(seats, axis=1, mode="wrap")
    picked[:, seats == EMPTY] = np.nan
    return picked


def _moved(walk: Walk, seats: Ints) -> tuple[Floats, Floats]:
    """States by seat, with killers and carrier as seats."""
    players = walk.people.shape[2]
    seat_of = np.full(players + 2, -1.0)  # from the end: not told, nobody
    seat_of[-2:] = (-2.0, -1.0)
    taken = seats != EMPTY
    seat_of[seats[taken]] = np.flatnonzero(taken)
    people = np.zeros((len(Of), len(walk.bomb), len(seats)))
    people[:, :, taken] = walk.people[:, :, seats[taken]]
    people[Of.DEAD][:, ~taken] = 1.0
    people[Of.DEATH_T][:, ~taken] = -np.inf
    people[Of.KILLER] = seat_of[people[Of.KILLER].astype(np.int64)]
    bomb = walk.bomb.copy()
    bomb[:, Bomb.CARRIER] = seat_of[bomb[:, Bomb.CARRIER].astype(np.int64)]
    return people, bomb


def _holding(codes: Singles, words: Sequence[str]) -> Floats:
    known = classes_of(words)
    return known[np.where(np.isnan(codes), len(words), codes).astype(np.int64)]
