"""The frames of a round that windows still need, fed one by one in any order.

Belongs here: keeping frames in order of time, each player of each instant once, and letting go of old ones.
Does not belong here: what is late (``round_log.py``).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np

from esports_assets.canonical.frames import FrameRow
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.frames import ALIVE, HAS_BOMB, HAS_KIT, Frames, In, Singles, believed

MOST_WORDS = 4096
"""Weapons and places of one match that are told apart; what is named beyond them is unknown."""


class Words:
    """Names of weapons and places, numbered as they come."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.known = list(known)
        self._codes: dict[str | None, float] = {None: math.nan, **{word: float(i) for i, word in enumerate(self.known)}}

    def of(self, words: Sequence[str | None]) -> list[float]:
        """The numbers of words, new ones included; NaN for none."""
        for word in dict.fromkeys(words):
            if word is not None and word not in self._codes and len(self.known) < MOST_WORDS:
                self._codes[word] = float(len(self.known))
                self.known.append(word)
        return list(map(self._codes.get, words, repeat(math.nan)))


class FrameLog:
    """Settled frames as arrays, fresh ones as they came until the next question settles them."""

    def __init__(self, players: Sequence[str], words: Words, t: Floats, data: Singles) -> None:
        self.t, self.data = t, data
        self._index = {player: seat for seat, player in enumerate(players)}
        self._words = words
        self._fresh: dict[float, dict[str, FrameRow]] = {}

    @classmethod
    def empty(cls, players: Sequence[str], words: Words) -> "FrameLog":
        """Without any frame."""
        return cls(players, words, np.empty(0), np.empty((0, len(players), len(In)), dtype=np.float32))

    def add(self, t: float, told: Mapping[str, FrameRow]) -> bool:
        """Take what is new in a frame; False where nothing is."""
        at, fresh = self._settled(t), self._fresh.get(t, {})
        new = {
            player: row
            for player, row in told.items()
            if player in self._index and player not in fresh and (at is None or not self._has(at, player))
        }
        if new:
            self._fresh.setdefault(t, {}).update(new)
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
        t, data = np.array(list(self._fresh)), self._laid_out(list(self._fresh.values()))
        self._fresh = {}
        known, at = np.isin(self.t, t), np.isin(t, self.t)
        if known.any():  # in order of time both times: settled ones are, and each instant is fresh once
            order = np.flatnonzero(at)[np.argsort(t[at])]
            rest = np.isnan(data[order, :, In.FLAGS])
            data[order] = np.where(rest[..., None], self.data[known], data[order])
        t = np.concatenate([self.t[~known], t])
        order = np.argsort(t, kind="stable")
        self.t, self.data = t[order], np.concatenate([self.data[~known], data])[order]

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

    def _laid_out(self, frames: Sequence[Mapping[str, FrameRow]]) -> Singles:
        """Frames as an array, field by field over all players of all frames."""
        rows = [row for frame in frames for row in frame.values()]
        index, players = self._index, len(self._index)
        cells = [k * players + index[player] for k, frame in enumerate(frames) for player in frame]
        fields = np.empty((len(rows), len(In)), dtype=np.float32)
        with np.errstate(over="ignore"):
            fields[:, In.X] = [row.x for row in rows]
            fields[:, In.Y] = [row.y for row in rows]
            fields[:, In.Z] = [row.z for row in rows]
        fields[:, In.YAW] = np.array([row.yaw for row in rows], dtype=np.float32)
        fields[:, In.HEALTH] = [row.health for row in rows]
        fields[:, In.ARMOR] = np.array([row.armor for row in rows], dtype=np.float32)
        fields[:, In.FLAGS] = [ALIVE * row.alive + HAS_BOMB * row.has_bomb + HAS_KIT * row.has_kit for row in rows]
        fields[:, In.WEAPON] = self._words.of([row.weapon for row in rows])
        fields[:, In.PLACE] = self._words.of([row.place for row in rows])
        data = np.full((len(frames) * players, len(In)), np.nan, dtype=np.float32)
        data[cells] = fields
        return believed(data).reshape(len(frames), players, len(In))
