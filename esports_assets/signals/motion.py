"""Statements of what players are about to do: from rows of ``cs2/player_micro`` and probabilities to signals.

Belongs here: the form of the signal, its identity and its time. One definition for the live worker and for the batch.
Does not belong here: naming an intent (``speaker.py``), what is told twice (``debounce.py``), who may see it (the gate).

The identity of a statement is the player, the round and the instant on the round's clock, with the window's fingerprint and
the model's version: the same match gives the same ids from the stream and from the lake. Its ``event_ts`` is the source
time of the instant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal, SignalType, signal_id
from esports_assets.canonical.vocabulary import Intent
from esports_assets.signals.debounce import Debounce
from esports_assets.signals.speaker import Floats, Speaker, fired_rules
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import NINE, PLAYER_MICRO

_TOLD = tuple(feature.name for feature in NINE)
_TOLD_AT = [PLAYER_MICRO.feature_names.index(name) for name in _TOLD]
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Instants:
    """Rows (N) of one round of one match in order of time, as the statements need them."""

    match_id: str
    series_id: str
    map: str
    segment: int
    t: Sequence[float]
    player: Sequence[str]
    team: Sequence[str]
    x: Floats
    """[N, features] in the order of ``PLAYER_MICRO``, NaN where unknown."""

    def __len__(self) -> int:
        return len(self.t)


def of_micro_rows(rows: MicroRows) -> Instants:
    """The same rows as the online window hands them out."""
    seats, lineup = rows.player.tolist(), rows.lineup
    return Instants(
        lineup.match_id,
        lineup.series_id,
        lineup.map,
        rows.segment,
        rows.t.tolist(),
        [lineup.players[seat] for seat in seats],
        [lineup.teams[seat] for seat in seats],
        np.ascontiguousarray(rows.values.T, dtype=np.float32),
    )


def of_table(table: pa.Table) -> list[Instants]:
    """The rounds of one match of the window's table, whose rows stand in order of round and time."""
    if not table.num_rows:
        return []
    segment = table["segment"].to_numpy()
    starts = [0, *(np.flatnonzero(segment[1:] != segment[:-1]) + 1).tolist(), len(segment)]
    columns = [table[name].to_numpy() for name in PLAYER_MICRO.feature_names]
    x = np.column_stack([np.asarray(column, dtype=np.float32) for column in columns])
    word = {name: table[name][0].as_py() for name in ("match_id", "series_id", "map")}
    t, player, team = (table[name].to_pylist() for name in ("t_s", "player", "team"))
    return [
        Instants(
            *(word["match_id"], word["series_id"], word["map"], int(segment[begin])),
            *(t[begin:end], player[begin:end], team[begin:end], x[begin:end]),
        )
        for begin, end in pairwise(starts)
    ]


def _source_is_live(at_us: int) -> float:
    return 0.0


def statements(
    rows: Instants,
    p: Floats | None,
    speaker: Speaker,
    debounce: Debounce,
    zero_us: int | None,
    offset_s: Callable[[int], float] = _source_is_live,
) -> list[AgentSignal]:
    """The statements that rows of one round lead to, in order.

    ``p`` [N, classes] holds calibrated probabilities where ``speaker`` is a model, else None. ``zero_us`` is the source time
    of the round's freeze end in microseconds; without it a statement has no ``event_ts``, and no gate opens for it.
    ``offset_s`` gives what a replay adds to source time (microseconds) to get the wall clock, in seconds.
    """
    if speaker.has_model != (p is not None):
        raise ValueError(f"{speaker.version} and the probabilities do not belong together")
    named = speaker.names(rows.x, p).tolist()
    told = debounce.worth_telling(rows.segment, rows.t, rows.player, named)
    if not told:
        return []
    rules = fired_rules(rows.x[told]).tolist()
    return [
        _statement(rows, i, named[i], rule, None if p is None else p[i].tolist(), speaker, zero_us, offset_s)
        for i, rule in zip(told, rules, strict=True)
    ]


def _statement(
    rows: Instants,
    i: int,
    code: int,
    rule: int,
    p: list[float] | None,
    speaker: Speaker,
    zero_us: int | None,
    offset_s: Callable[[int], float],
) -> AgentSignal:
    t, player = rows.t[i], rows.player[i]
    at_us = None if zero_us is None else zero_us + round(t * 1e6)
    return AgentSignal(
        signal_id=signal_id(
            SignalType.MOTION_SYNTHESIS,
            match_id=rows.match_id,
            map_name=rows.map,
            segment=rows.segment,
            subject=player,
            event_ids=(),
            instant=from_utc_us(round(t * 1e6)),
            window_fingerprint=speaker.fingerprint,
            model_version=speaker.version,
        ),
        type=SignalType.MOTION_SYNTHESIS,
        match_id=rows.match_id,
        series_id=rows.series_id,
        map=rows.map,
        segment=rows.segment,
        t=t,
        event_ts=None if at_us is None else from_utc_us(at_us),
        live_offset_s=0.0 if at_us is None else offset_s(at_us),
        team=rows.team[i],
        player_id=player,
        intent=Intent(speaker.classes[code]),
        confidence=None if p is None else min(max(p[code], 0.0), 1.0),
        explanation=speaker.reasons(rule, p),
        features=_features(rows.x[i], p, speaker.classes),
        entities=(player, rows.team[i]),
        model_info=dict(speaker.info),
        window_fingerprint=speaker.fingerprint,
    )


def _features(x: Floats, p: Sequence[float] | None, classes: Sequence[str]) -> dict[str, Any]:
    """The nine micro-features by name (None where unknown), and every class's probability where there is a model."""
    values = x[_TOLD_AT].tolist()
    told: dict[str, Any] = {
        name: None if value != value else round(value, _DECIMALS) for name, value in zip(_TOLD, values, strict=True)
    }
    if p is not None:
        told["probabilities"] = dict(zip(classes, (round(value, _DECIMALS) for value in p), strict=True))
    return told
