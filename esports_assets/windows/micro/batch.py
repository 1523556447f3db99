"""The window over whole matches of the lake.

Belongs here: reading a match's tables into blocks, the choice of instants, and the window's table.
Does not belong here: features (``kernel.py``) and the stream (``online.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.asof import Floats
from esports_assets.windows.micro.block import Block, stack
from esports_assets.windows.micro.facts import Fact, ct_team_of, fact_of, payload_of, relevant
from esports_assets.windows.micro.kernel import AT_ONCE, Kernel
from esports_assets.windows.micro.rows import MicroRows, micro_table, picked
from esports_assets.windows.micro.spec import MicroWindow, micro_spec
from esports_assets.windows.micro.standing import Standing, walk
from esports_assets.windows.streamed.frames import Frames, split_tracking
from esports_assets.windows.streamed.lineup import Lineup, lineup_of
from esports_assets.windows.streamed.message import in_a_round
from esports_assets.windows.view import Sites


@dataclass(slots=True)
class RoundEvents:
    """What the events of one round tell."""

    facts: list[Fact] = field(default_factory=list)
    ct_team: str | None = None
    end_t: float | None = None
    heard_t: float = -np.inf
    """Time of the latest event."""


def player_micro_table(
    match: CanonicalMatch, sites: Sites | None = None, window: MicroWindow | None = None
) -> pa.Table:
    """The window of a match; ``sites`` are its map's bomb sites, without which distances to them are null."""
    window = window or MicroWindow()
    return micro_table(micro_rounds(match, sites or Sites(), window), micro_spec(window.window_s))


def micro_rounds(match: CanonicalMatch, sites: Sites, window: MicroWindow) -> Iterator[MicroRows]:
    """Rows of each round in order; rounds whose sides nobody tells have none."""
    events, told = _read_events(match)
    header = match.header
    teams = told or dict(zip(match.players["player"].to_pylist(), match.players["team"].to_pylist(), strict=True))
    lineup = Lineup.of(header.match_id, header.series_id, header.map, header.simulated, teams)
    tracks = split_tracking(match.tracking, lineup.players)
    for segment in sorted(events):
        own = events[segment]
        if own.ct_team is not None:
            frames = tracks.get(segment, Frames.none(len(lineup.players)))
            yield from _round(lineup, segment, own, own.ct_team, frames, sites, window)


def _round(
    lineup: Lineup, segment: int, own: RoundEvents, ct_team: str, frames: Frames, sites: Sites, window: MicroWindow
) -> Iterator[MicroRows]:
    ct = lineup.sides(ct_team)
    facts = sorted(own.facts, key=lambda fact: fact.order)
    block = Block(frames, walk(Standing.at_start(len(ct)), facts, lineup.index, ct), ct, sites)
    laid = stack([block])
    kernel = Kernel(laid, window.window_s)
    due = _instants(frames.t, own, window.rate_hz)
    for begin in range(0, len(due), AT_ONCE):
        t = due[begin : begin + AT_ONCE]
        measured = kernel.measure(np.zeros(len(t), dtype=np.int64), t)
        yield picked(measured, laid, 0, slice(None), t, lineup, segment, ct, frames.words)


def _instants(frame_t: Floats, own: RoundEvents, rate_hz: float | None) -> Floats:
    """From freeze end to what was heard last, before the round is decided: every frame, or so many a second."""
    end = np.inf if own.end_t is None else own.end_t
    if rate_hz is None:
        return frame_t[(frame_t >= 0.0) & (frame_t < end)]
    heard = max(own.heard_t, frame_t[-1] if len(frame_t) else -np.inf)
    grid = np.arange(int(max(heard, 0.0) * rate_hz) + 2) / rate_hz
    return grid[(grid <= heard) & (grid < end)]


def _read_events(match: CanonicalMatch) -> tuple[dict[int, RoundEvents], dict[str, str]]:
    """Events by round, and the lineup that the first MAP_START tells."""
    rounds = _heard(match.events)
    lineup: dict[str, str] = {}
    names = ("event_id", "event_type", "segment", "t_s", "seq", "actor", "target", "team", "side", "payload")
    rows = relevant(match.events)
    for event_id, word, segment, t, seq, actor, target, team, side, payload in zip(
        *(rows[name].to_pylist() for name in names), strict=True
    ):
        kind, told = EventType(word), payload_of(payload)
        if kind is EventType.MAP_START:
            lineup = lineup or lineup_of(told)
        elif in_a_round(segment, t):
            own = rounds[segment]
            own.ct_team = own.ct_team or ct_team_of(kind, team, None if side is None else Side(side), told)
            if kind is EventType.ROUND_END:
                own.end_t = t if own.end_t is None else min(own.end_t, t)
            fact = fact_of(event_id, kind, t, seq, actor, target, told)
            if fact is not None:
                own.facts.append(fact)
    return rounds, lineup


def _heard(events: pa.Table) -> dict[int, RoundEvents]:
    """A place for each round that has events, with the time of its latest."""
    segment, t = events["segment"].to_numpy(), events["t_s"].to_numpy()
    rounds: dict[int, RoundEvents] = {}
    for number in np.unique(segment):
        own = t[segment == number]
        own = own[[in_a_round(int(number), moment) for moment in own]]
        if len(own):
            rounds[int(number)] = RoundEvents(heard_t=float(own.max()))
    return rounds
