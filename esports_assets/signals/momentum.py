"""Momentum of one match: from final rows of ``cs2/round_state`` with their probabilities to statements and points.

Belongs here: the order in which the rules see rows and rounds, and what is remembered of a match between batches.
Does not belong here: the rules (``shift.py``, ``star.py``, ``economy.py``), the window and the model (``momentum_agent.py``).

Everything follows from the rows and the probabilities: however they are cut into parts, the same is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal
from esports_assets.signals.economy import Bank, crashes
from esports_assets.signals.moves import decision_of, moves_of
from esports_assets.signals.shift import Point, Trail, shift_signal, swings
from esports_assets.signals.star import Form, Played, star_signal
from esports_assets.signals.voice import Voice
from esports_assets.windows.state.rows import RoundOver, StateRows

Floats = npt.NDArray[np.float64]


class WinPoint(msgspec.Struct, frozen=True):
    """The chance of CT to win the round right after an event; bounds where the model has an interval."""

    match_id: str
    segment: int
    t: float
    event_id: str
    event_ts: datetime
    p_ct: float
    lo: float | None
    hi: float | None
    model_version: str


@dataclass(frozen=True, slots=True)
class Chances:
    """The chance of CT at every row, with bounds where the model has an interval, and whose word it is."""

    p: Floats
    lo: Floats | None
    hi: Floats | None
    voice: Voice


class Memory(msgspec.Struct):
    """What is remembered of a match."""

    bank: Bank = msgspec.field(default_factory=Bank)
    form: Form = msgspec.field(default_factory=Form)
    version: str = ""
    """Whose chances the round's are; another's are not compared with them."""
    last: float | None = None
    """Chance at the latest row of the round."""
    trail: Trail = msgspec.field(default_factory=Trail)
    played: Played | None = None
    """The round that is played."""
    whole: bool = False
    """Whether it has been judged from its first row on."""


def of_rows(memory: Memory, rows: StateRows, chances: Chances | None) -> list[AgentSignal]:
    """Statements that rows lead to; without chances only what needs no model."""
    said = crashes(memory.bank, rows)
    if chances is None:
        _leave_off(memory)
        return said
    if memory.played is None or memory.played.segment != rows.segment or memory.version != chances.voice.version:
        _begin(memory, rows, chances.voice)
    assert memory.played is not None
    moves = moves_of(rows, chances.p, memory.last)
    for begin, end in _instants(rows.t):
        now = moves[begin:end]
        memory.played.take(now, rows.facts)
        if chances.lo is not None and chances.hi is not None:
            at = end - 1
            bounds = float(chances.lo[at]), float(chances.hi[at])
            point = Point(float(rows.t[at]), rows.at_us[at], float(chances.p[at]), *bounds)
            said += [
                shift_signal(swing, rows.lineup, rows.facts, chances.voice)
                for swing in swings(memory.trail, point, now)
            ]
    memory.last = float(chances.p[-1])
    return said


def of_end(memory: Memory, over: RoundOver, voice: Voice | None) -> list[AgentSignal]:
    """Statements that a finished round leads to. Only a round that one model has judged from beginning to end counts."""
    played, last, whole = memory.played, memory.last, memory.whole
    _leave_off(memory)
    if voice is None or played is None or last is None or over.winner is None or over.at_us is None:
        return []
    if memory.version != voice.version or played.segment != over.segment or not whole:
        return []
    played.take([decision_of(over, last)], over.facts)
    star = memory.form.finish(played)
    return [] if star is None else [star_signal(memory.form, star, over, over.at_us, voice)]


def points_of(rows: StateRows, chances: Chances) -> list[WinPoint]:
    """The chance right after every event."""
    return [
        WinPoint(
            match_id=rows.lineup.match_id,
            segment=rows.segment,
            t=float(rows.t[i]),
            event_id=event.event_id,
            event_ts=from_utc_us(rows.at_us[i]),
            p_ct=float(chances.p[i]),
            lo=None if chances.lo is None else float(chances.lo[i]),
            hi=None if chances.hi is None else float(chances.hi[i]),
            model_version=chances.voice.version,
        )
        for i, event in enumerate(rows.events)
        if event is not None
    ]


def _begin(memory: Memory, rows: StateRows, voice: Voice) -> None:
    _leave_off(memory)
    if memory.version != voice.version:
        memory.version, memory.form = voice.version, Form()
    memory.played = Played.begin(rows.segment, len(rows.lineup.players))
    memory.whole = bool(rows.t[0] == 0.0)


def _leave_off(memory: Memory) -> None:
    memory.last, memory.played, memory.trail, memory.whole = None, None, Trail(), False


def _instants(t: Floats) -> Iterator[tuple[int, int]]:
    """Begin and end of the rows of each instant."""
    starts = [0, *(np.flatnonzero(t[1:] != t[:-1]) + 1).tolist(), len(t)]
    yield from pairwise(starts)
