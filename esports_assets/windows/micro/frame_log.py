"""The frames of a round that windows still need, fed one by one in any order.

Belongs here: keeping frames in order of time, each player of each instant once, and letting go of old ones.
Does not belong here: what is late (``round_log.py``).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from esports_assets.canonical.frames import FrameRow
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.frames import ALIVE, HAS_BOMB, HAS_KIT, Frames, In, Singles, believed

NOT_TOLD = (math.nan,) * len(In)
MOST_WORDS = 4096
"""Weapons and places of one match that are told apart; what is named beyond them is unknown."""


class Words:
    """Names of weapons and places, numbered as they come."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.known = list(known)
        self.codes: dict[str | None, float] = {None: math.nan, **{word: float(i) for i, word in enumerate(self.known)}}

    def learn(self, word: str) -> float:
        """The number of a word that has none yet."""
        if len(self.known) == MOST_WORDS:
            return math.nan
        code = self.codes[word] = float(len(self.known))
        self.known.append(word)
        return code


class FrameLog:
    """Settled frames as arrays, fresh ones as rows that the next question settles."""

    def __init__(self, players: Sequence[str], words: Words, t: Floats, data: Singles) -> None:
        self.t, self.data = t, data
        self._players = players
        self._words = words
        self._fresh: dict[float, list[float]] = {}

    @classmethod
    def empty(cls, players: Sequence[str], words: Words) -> "FrameLog":
        """Without any frame."""
        return cls(players, words, np.empty(0), np.empty((0, len(players), len(In)), dtype=np.float32))

    def add(self, t: float, told: Mapping[str, FrameRow]) -> bool:
        """Take what is new in a frame; False where nothing is."""
        row = self._fresh.get(t)
        if row is None and (settled := self._settled(t)) is None:
            self._fresh[t] = self._row(told)
            return True
        if row is None:
            row = self.data[settled].astype(np.float64).ravel().tolist()
        new, size = False, len(In)
        fresh = self._row(told)
        for at in range(0, len(row), size):
            if math.isnan(row[at + In.FLAGS]) and not math.isnan(fresh[at + In.FLAGS]):
                row[at : at + size] = fresh[at : at + size]
                new = True
        if new:
            self._fresh[t] = row
        return new

    def knows(self, t: float, told: Mapping[str, FrameRow]) -> bool:
        """Whether every player of a frame has been told for its instant."""
        self.settle()
        at = self._settled(t)
        if at is None:
            return False
        flags = self.data[at, :, In.FLAGS]
        return not any(
            math.isnan(flags[seat]) for seat, player in enumerate(self._players) if player in told
        )  # fmt: skip

    def settle(self) -> None:
        """Put fresh frames in their place."""
        if not self._fresh:
            return
        t = np.array(list(self._fresh))
        rows = np.array(list(self._fresh.values()), dtype=np.float64).reshape(len(t), len(self._players), len(In))
        self._fresh = {}
        kept = ~np.isin(self.t, t)
        with np.errstate(over="ignore"):
            fresh = believed(rows.astype(np.float32))
        t = np.concatenate([self.t[kept], t])
        order = np.argsort(t, kind="stable")
        self.t, self.data = t[order], np.concatenate([self.data[kept], fresh])[order]

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
        at = int(np.searchsorted(self.t, t))
        return at if at < len(self.t) and self.t[at] == t else None

    def _row(self, told: Mapping[str, FrameRow]) -> list[float]:
        """The fields of every player."""
        row: list[float] = []
        codes, learn = self._words.codes, self._words.learn
        for player in self._players:
            seen = told.get(player)
            if seen is None:
                row += NOT_TOLD
                continue
            weapon, place, yaw, armor = seen.weapon, seen.place, seen.yaw, seen.armor
            row += (
                *(seen.x, seen.y, seen.z, math.nan if yaw is None else yaw),
                *(seen.health, math.nan if armor is None else armor),
                ALIVE * seen.alive + HAS_BOMB * seen.has_bomb + HAS_KIT * seen.has_kit,
                codes[weapon] if weapon in codes else learn(weapon or ""),
                codes[place] if place in codes else learn(place or ""),
            )
        return row
