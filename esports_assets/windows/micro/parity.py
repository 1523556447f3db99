"""Batch against stream: the same match through both, compared row for row and bit for bit.

Belongs here: a match as messages, an arrival order within the lateness, and the comparison.
Does not belong here: reading files and reporting (``commands/parity.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.codec import events_of
from esports_assets.canonical.event import IngestionMeta, decode, encode
from esports_assets.canonical.frames import frames_of, zeros_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.windows.micro.batch import micro_rounds
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import PLAYER_MICRO, MicroWindow
from esports_assets.windows.streamed.message import Message, positions_of, time_of
from esports_assets.windows.streamed.online import LATENESS_S
from esports_assets.windows.view import Sites

AT_A_TIME = 512
"""Messages that are fed together."""
TWICE = 0.02
"""Share of the messages that come a second time."""
_SLACK_S = 1e-5
"""Source times are whole microseconds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that is not the same; a row that only one of the two has differs in ``row``."""

    match_id: str
    segment: int
    t_s: float
    player: str
    column: str
    batch: Any
    online: Any


@dataclass(slots=True)
class Parity:
    """Rows that were compared, how many differ, and where the first one does."""

    rows_compared: int = 0
    rows_different: int = 0
    first_difference: Difference | None = None

    def add(self, other: "Parity") -> None:
        """Take in the result of more rows."""
        self.rows_compared += other.rows_compared
        self.rows_different += other.rows_different
        self.first_difference = self.first_difference or other.first_difference


def parity_of(
    match: CanonicalMatch, sites: Sites, window: MicroWindow, rng: np.random.Generator, lateness_s: float = LATENESS_S
) -> Parity:
    """Compare the final rows of a match, told in an order of arrival shuffled within the lateness, with its batch rows."""
    online = OnlineMicro(lambda _: sites, window, lateness_s, provisional=False)
    told: list[MicroRows] = []
    messages = shuffled(messages_of(match), lateness_s, rng)
    for begin in range(0, len(messages), AT_A_TIME):
        told += online.feed(messages[begin : begin + AT_A_TIME]).final
    told += online.finish(match.header.match_id).final
    return compared(micro_rounds(match, sites, window), told)


def messages_of(match: CanonicalMatch) -> list[Message]:
    """A match as the stream tells it: its events and a frame for each instant of its tracks, through their wire form."""
    meta = IngestionMeta(source=match.header.source, simulated=match.header.simulated)
    events = [msgspec.structs.replace(event, ingestion_meta=meta) for event in events_of(match.events)]
    frames = frames_of(match.tracking, match.header, zeros_of(match))
    return [*(decode(encode(event)) for event in events), *(positions_of(decode(encode(event))) for event in frames)]


def shuffled(messages: Sequence[Message], lateness_s: float, rng: np.random.Generator) -> list[Message]:
    """An order of arrival in which each message comes at most the lateness after its time, and some come twice."""
    twice = np.flatnonzero(rng.random(len(messages)) < TWICE)
    which = np.concatenate([np.arange(len(messages)), twice])
    at_s = np.array([time_of(message)[2] for message in messages])[which] / 1e6
    arrival = at_s + rng.uniform(0.0, max(lateness_s - _SLACK_S, 0.0), len(which))
    return [messages[which[k]] for k in np.argsort(arrival, kind="stable")]


def compared(batch: Iterable[MicroRows], online: Iterable[MicroRows]) -> Parity:
    """Compare all rows of a match, round by round."""
    ours, theirs = _by_round(batch), _by_round(online)
    total = Parity()
    for segment in sorted(ours.keys() | theirs.keys()):
        total.add(_round(ours.get(segment, []), theirs.get(segment, [])))
    return total


def _by_round(parts: Iterable[MicroRows]) -> dict[int, list[MicroRows]]:
    rounds: dict[int, list[MicroRows]] = {}
    for part in parts:
        rounds.setdefault(part.segment, []).append(part)
    return rounds


def _round(ours: Sequence[MicroRows], theirs: Sequence[MicroRows]) -> Parity:
    numbering: dict[str, int] = {}
    a, b = _Told(ours, numbering), _Told(theirs, numbering)
    if a.who != b.who or not (np.array_equal(a.t, b.t) and np.array_equal(a.player, b.player)):
        return _by_key(a, b)
    differs = (a.bits != b.bits).any(axis=0)
    found = Parity(len(differs), int(differs.sum()))
    if found.rows_different:
        at = int(differs.argmax())
        found.first_difference = _difference(a, at, b, at)
    return found


class _Told:
    """Rows of one round, from one of the two: numbers as bits, words as numbers of a common numbering."""

    def __init__(self, parts: Sequence[MicroRows], numbering: dict[str, int]) -> None:
        self.parts = parts
        self.who = {(part.lineup, part.segment, part.ct) for part in parts}
        self.t = np.concatenate([np.empty(0), *(part.t for part in parts)])
        self.player = np.concatenate([np.empty(0, np.int64), *(part.player for part in parts)])
        values = np.concatenate([np.empty((len(PLAYER_MICRO.features), 0)), *(part.values for part in parts)], axis=1)
        self.values = np.where(np.isnan(values), np.nan, values)
        words = [np.empty((2, 0), np.int64), *(_numbered(part, numbering) for part in parts)]
        self.words = np.concatenate(words, axis=1)
        self.bits = np.concatenate([self.values.view(np.int64), self.words])

    def keys(self) -> list[tuple[float, str]]:
        """Time and player of each row."""
        names = [part.lineup.players[player] for part in self.parts for player in part.player.tolist()]
        return list(zip(self.t.tolist(), names, strict=True))

    def record(self, at: int) -> dict[str, Any]:
        """A row with its features beside its identity."""
        for part in self.parts:
            if at < len(part):
                row = next(part.only(at).records())
                return {**{name: value for name, value in row.items() if name != "features"}, **row["features"]}
            at -= len(part)
        raise LookupError(f"there is no row {at} behind the last")


def _numbered(part: MicroRows, numbering: dict[str, int]) -> npt.NDArray[np.int64]:
    mapping = np.array([*(numbering.setdefault(word, len(numbering)) for word in part.words), -1])
    return np.stack([mapping[part.place], mapping[part.weapon]])


def _by_key(a: _Told, b: _Told) -> Parity:
    """Where the two do not have the same rows in the same order."""
    found = Parity()
    ours, theirs = (_positions(told.keys()) for told in (a, b))
    for key in dict.fromkeys([*ours, *theirs]):
        own, other = ours.get(key, []), theirs.get(key, [])
        found.rows_compared += max(len(own), len(other))
        if len(own) == len(other) == 1:
            difference = _difference(a, own[0], b, other[0])
        else:
            told = a if own else b
            row = told.record([*own, *other][0])
            difference = _named(row, "row", f"{len(own)} times", f"{len(other)} times")
        if difference is not None:
            found.rows_different += max(len(own), len(other))
            found.first_difference = found.first_difference or difference
    return found


def _positions(keys: Sequence[tuple[float, str]]) -> dict[tuple[float, str], list[int]]:
    positions: dict[tuple[float, str], list[int]] = {}
    for i, key in enumerate(keys):
        positions.setdefault(key, []).append(i)
    return positions


def _difference(a: _Told, at: int, b: _Told, there: int) -> Difference | None:
    """The first column in which two rows differ."""
    ours, theirs = a.record(at), b.record(there)
    for column, value in ours.items():
        if repr(value) != repr(theirs[column]):  # the shortest text of a float tells all its bits, and null from 0
            return _named(ours, column, value, theirs[column])
    return None


def _named(row: dict[str, Any], column: str, batch: Any, online: Any) -> Difference:
    return Difference(row["match_id"], row["segment"], row["t_s"], row["player"], column, batch, online)
