"""Windows over whole matches: fills a ``RoundView`` for every instant of every round and computes the features.

Belongs here: the walk over rounds, the choice of instants, as-of state from events and tracks, and the window's table.
Does not belong here: feature definitions (``features.py``), and the label beyond attaching it (``labels.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.asof import Floats, Ints
from esports_assets.windows.fill import RoundFacts, Tracks, fill_view
from esports_assets.windows.history import PlayerHistory
from esports_assets.windows.labels import ct_won
from esports_assets.windows.registry import ROUND_STATE, round_state_columns
from esports_assets.windows.state_event import StateEvent, events_by_round
from esports_assets.windows.tally import tally_round, team_histories
from esports_assets.windows.view import RoundView, Sites


@dataclass(frozen=True, slots=True)
class Instants:
    """The rows of a round: time, number of events seen, and the event that each follows (-1 for a second)."""

    t: Floats
    applied: Ints
    event: Ints


def match_windows(match: CanonicalMatch, sites: Sites | None = None) -> pa.Table:
    """The ``round_state`` table of a match: rows once a second and after every state-changing event of each round.

    ``sites`` are the learned bomb sites of the match's map; without them the features that need them are NaN.
    """
    parts = [
        (facts, instants, events, round_state_columns(view))
        for facts, instants, events, view in round_views(match, sites or Sites())
    ]
    return _table(match, parts)


def round_views(
    match: CanonicalMatch, sites: Sites
) -> Iterator[tuple[RoundFacts, Instants, list[StateEvent], RoundView]]:
    """Each decided round with its instants and the state at them, in order; history grows only after a round is over."""
    players = match.players["player"].to_pylist()
    team_of = match.players["team"].to_pylist()
    events = events_by_round(match.events, {player: i for i, player in enumerate(players)})
    tracks = Tracks.split(match.tracking, players)
    teams = team_histories(match)
    form = [PlayerHistory() for _ in players]
    for row in match.rounds.to_pylist():
        number = row["segment"]
        own = events.get(number, [])
        facts = RoundFacts.of(row, team_of, own)
        end = row["duration_s"]
        instants = instants_of(own, end if end is not None else max((event.t for event in own), default=0.0))
        yield (
            facts,
            instants,
            own,
            fill_view(facts, own, tracks.get(number), instants.t, instants.applied, teams, form, sites),
        )
        tally_round(facts, own, teams, form)


def instants_of(events: Sequence[StateEvent], end: float, since: float = 0.0) -> Instants:
    """The rows of a round from ``since`` (a whole second, or when an event may come) up to before ``end``."""
    times = np.array([event.t for event in events], dtype=np.float64)
    seconds = np.arange(np.ceil(since), end, 1.0)
    seen = np.searchsorted(times, seconds, side="right")
    follows = np.array(
        [k for k, e in enumerate(events) if e.type is not EventType.ECONOMY_UPDATE and since <= e.t < end],
        dtype=np.int64,
    )
    t = np.concatenate([seconds, times[follows] if len(follows) else np.empty(0)])
    applied = np.concatenate([seen, follows + 1]).astype(np.int64)
    event = np.concatenate([np.full(len(seconds), -1), follows]).astype(np.int64)
    order = np.lexsort((event < 0, applied, t))
    return Instants(t[order], applied[order], event[order])


def _table(
    match: CanonicalMatch, parts: list[tuple[RoundFacts, Instants, list[StateEvent], dict[str, Floats]]]
) -> pa.Table:
    header, players = match.header, match.players["player"].to_pylist()
    sizes = np.array([len(instants.t) for _, instants, _, _ in parts], dtype=np.int64)
    size = int(sizes.sum())
    followed = [events[k] if k >= 0 else None for _, instants, events, _ in parts for k in instants.event]
    columns: dict[str, Any] = {
        "match_id": (np.zeros(size, np.int32), [header.match_id]),
        "series_id": (np.zeros(size, np.int32), [header.series_id]),
        "map": (np.zeros(size, np.int32), [header.map]),
        "simulated": np.full(size, header.simulated),
        "segment": np.repeat([facts.number for facts, *_ in parts], sizes).astype(np.int16),
        "seq": np.arange(size, dtype=np.int64),
        "t_s": np.concatenate([instants.t for _, instants, _, _ in parts]) if parts else np.empty(0),
        "row_kind": ["second" if event is None else "event" for event in followed],
        "event_id": [None if event is None else event.event_id for event in followed],
        "event_type": [None if event is None else event.type.value for event in followed],
        "actor": [None if event is None or event.actor < 0 else players[event.actor] for event in followed],
        "target": [None if event is None or event.target < 0 else players[event.target] for event in followed],
        "ct_won": np.repeat([ct_won(facts.winner) for facts, *_ in parts], sizes).astype(np.int16),
    }
    table = ROUND_STATE.table
    for feature in ROUND_STATE.features:
        values = np.concatenate([features[feature.name] for *_, features in parts]) if parts else np.empty(0)
        missing = np.isnan(values)
        columns[feature.name] = pa.array(values, pa.float64(), mask=missing if missing.any() else None)
    return table_of(table, columns)
