"""The frames of a round that windows still need, fed one by one in any order.

Belongs here: keeping frames in order of time, each player of each instant once, and letting go of old ones.
Does not belong here: what is late (``round_log.py``).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from esports_assets.canonical.frames import FrameRow
from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.streamed.frames import Frames, In, Singles
from esports_assets.windows.streamed.message import Positions
from esports_assets.windows.streamed.told import told_of

MOST_WORDS = 4096
"""Weapons and places of one match that are told apart; what is named beyond them is unknown."""


class Words:
    """Names of weapons and places, numbered as they come."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.known = list(known)
        self._codes: dict[str | None, float] = {None: math.nan, **{word: float(i) for i, word in enumerate(self.known)}}

    def of(self, words: Sequence[str | None], used: Singles) -> Singles:
        """The numbers of words that are ``used`` by their positions, new ones included; NaN for none."""
        if not self._codes.keys() >= set(words):
            self._learn(words[position] for position in dict.fromkeys(used.astype(np.int64).tolist()))
        numbers = np.array([self._codes.get(word, math.nan) for word in words], dtype=np.float32)
        return numbers[used.astype(np.int64)]

    def _learn(self, words: Iterable[str | None]) -> None:
        for word in words:
            if word is not None and word not in self._codes and len(self.known) < MOST_WORDS:
                self._codes[word] = float(len(self.known))
                self.known.append(word)


class Seated(NamedTuple):
    """Frames of a round with what they tell and of whom: a seat for every row of ``told``."""

    t: Floats
    counts: Ints
    """Rows of each frame."""
    seats: Ints
    told: Singles
    """Believed fields (rows, fields of ``In``); ``WEAPON`` and ``PLACE`` are positions in ``words``."""
    words: Sequence[str | None]


class FrameLog:
    """Settled frames as arrays, fresh ones as they came until the next question settles them."""

    def __init__(self, players: Sequence[str], words: Words, t: Floats, data: Singles) -> None:
        self.t, self.data = t, data
        self._index = {player: seat for seat, player in enumerate(players)}
        self._words = words
        self._latest_t = float(t[-1]) if len(t) else -math.inf
        """Latest instant that was ever settled: a frame after it is new as a whole."""
        self._fresh: dict[float, Positions] = {}

    @classmethod
    def empty(cls, players: Sequence[str], words: Words) -> "FrameLog":
        """Without any frame."""
        return cls(players, words, np.empty(0), np.empty((0, len(players), len(In)), dtype=np.float32))

    def add(self, t: float, frame: Positions) -> bool:
        """Take what is new in a frame; False where nothing is."""
        told = frame.players
        if t > self._latest_t and t not in self._fresh and told and told.keys() <= self._index.keys():
            self._fresh[t] = frame
            return True
        return self._add_some(t, frame)

    @property
    def latest_t(self) -> float:
        """Latest instant that ever came."""
        return max(self._latest_t, max(self._fresh, default=-math.inf))

    def extend(self, frames: Seated) -> None:
        """Take frames that are later than all that ever came, in order."""
        self.settle()
        self.t = np.concatenate([self.t, frames.t])
        self.data = np.concatenate([self.data, self._laid_out(frames)])
        self._latest_t = float(frames.t[-1])

    def _add_some(self, t: float, frame: Positions) -> bool:
        """The same player by player."""
        at = self._settled(t)
        fresh: Mapping[str, FrameRow] = self._fresh[t].players if t in self._fresh else {}
        new = {
            player: row
            for player, row in frame.players.items()
            if player in self._index and player not in fresh and (at is None or not self._has(at, player))
        }
        if new:
            self._fresh[t] = msgspec.structs.replace(frame, players={**fresh, **new})
        return bool(new)

    def knows(self, t: float, told: Mapping[str, FrameRow]) -> bool:
        """Whether every player of a frame has been told for its instant."""
        self.settle()
        at = self._settled(t)
        return at is not None and all(self._has(at, player) for player in told if player in self._index)

    def settle(self) -> None:
        """Put fresh frames in their place."""
        if not self._fresh:
            return
        fresh = self._seated()
        t, data = fresh.t, self._laid_out(fresh)
        self._fresh = {}
        known, at = np.isin(self.t, t), np.isin(t, self.t)
        if known.any():  # in order of time both times: settled ones are, and each instant is fresh once
            order = np.flatnonzero(at)[np.argsort(t[at])]
            rest = np.isnan(data[order, :, In.FLAGS])
            data[order] = np.where(rest[..., None], self.data[known], data[order])
        t = np.concatenate([self.t[~known], t])
        order = np.argsort(t, kind="stable")
        self.t, self.data = t[order], np.concatenate([self.data[~known], data])[order]
        self._latest_t = max(self._latest_t, float(self.t[-1]))

    def forget(self, until_t: float) -> None:
        """Let go of settled frames up to an instant."""
        first = int(np.searchsorted(self.t, until_t, side="right"))
        if first:
            self.t, self.data = self.t[first:].copy(), self.data[first:].copy()

    def frames(self) -> Frames:
        """All frames, in order."""
        self.settle()
        return Frames(self.t, self.data, tuple(self._words.known))

    def _settled(self, t: float) -> int | None:
        if not len(self.t) or t > self.t[-1]:
            return None
        at = int(self.t.searchsorted(t))
        return at if self.t[at] == t else None

    def _has(self, at: int, player: str) -> bool:
        return not math.isnan(self.data[at, self._index[player], In.FLAGS])

    def _seated(self) -> Seated:
        """Fresh frames, in the order in which they came."""
        told = told_of([frame.players for frame in self._fresh.values()])
        seats = [self._index[player] for frame in self._fresh.values() for player in frame.players]
        return Seated(np.array(list(self._fresh)), told.counts, np.array(seats, dtype=np.int64), told.data, told.words)

    def _laid_out(self, frames: Seated) -> Singles:
        """Frames as an array: every player in his seat, words as this match numbers them."""
        players = len(self._index)
        data = np.full((len(frames.t) * players, len(In)), np.nan, dtype=np.float32)
        cells = frames.seats + np.repeat(np.arange(len(frames.t)) * players, frames.counts)
        data[cells] = frames.told
        for field in (In.WEAPON, In.PLACE):
            data[cells, field] = self._words.of(frames.words, frames.told[:, field])
        return data.reshape(len(frames.t), players, len(In))
