"""Matches for the tests of windows, and another future for any of them."""

import dataclasses
import functools
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tiny_demo import V2_NAME, V3_NAME, packed, sections

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import EVENTS, ROUNDS, TRACKING
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes


@functools.cache
def tiny(version: int = 2) -> CanonicalMatch:
    """The hand-made match."""
    name = V2_NAME if version == 2 else V3_NAME
    (match,) = read_file(SourceFile(name, packed(version, sections(version)))).matches
    return match


@functools.cache
def simulated(seed: int, rounds: int) -> CanonicalMatch:
    """The first rounds of a simulated match."""
    data = demo_bytes(simulate(seed, 0), date(2026, 1, 1))
    (match,) = read_file(SourceFile("2026-01-01_simulated.zip", data)).matches
    return first_rounds(match, rounds)


def first_rounds(match: CanonicalMatch, rounds: int) -> CanonicalMatch:
    """A match that stops early."""
    tables = {name: getattr(match, name) for name in ("events", "tracking", "rounds")}
    return dataclasses.replace(match, **{n: t.filter(pc.less_equal(t["segment"], rounds)) for n, t in tables.items()})


def another_future(match: CanonicalMatch, segment: int, t_s: float, rng: np.random.Generator) -> CanonicalMatch:
    """The same match up to an instant; after it, other events, other tracks, other winners and lengths of rounds."""
    return dataclasses.replace(
        match,
        events=_events(match, segment, t_s, rng),
        tracking=_tracking(match, segment, t_s, rng),
        rounds=_rounds(match, segment, t_s, rng),
    )


def _rounds(match: CanonicalMatch, segment: int, t_s: float, rng: np.random.Generator) -> pa.Table:
    rows = match.rounds.to_pylist()
    for row in rows:
        if row["segment"] >= segment:
            row["winner_side"] = str(rng.choice(["ct", "t"]))
            row["winner_team"] = row[f"{row['winner_side']}_team"]
            row["duration_s"] = (t_s if row["segment"] == segment else 0.0) + float(rng.uniform(0.01, 80.0))
            row["planted_t_s"] = row["planted_site"] = None
    return _table(ROUNDS, rows)


def _events(match: CanonicalMatch, segment: int, t_s: float, rng: np.random.Generator) -> pa.Table:
    rows = match.events.to_pylist()
    past = [row for row in rows if row["segment"] and (row["segment"], row["t_s"]) <= (segment, t_s)]
    future = [row for row in rows if row["segment"] and (row["segment"], row["t_s"]) > (segment, t_s)]
    by_type: dict[str, list[str]] = {}
    for row in future:
        by_type.setdefault(row["event_type"], []).append(row["payload"])
    players = match.players["player"].to_pylist()
    for row in future:
        here = row["segment"] == segment
        row["payload"] = str(rng.choice(by_type[row["event_type"]]))
        row["actor"] = row["actor"] and str(rng.choice(players))
        row["target"] = row["target"] and str(rng.choice(players))
        if row["event_type"] != "ECONOMY_UPDATE":
            row["t_s"] = (t_s + 1e-3 if here else 0.0) + float(rng.uniform(0.0, 60.0))
    kept = [row for row in future if rng.random() < 0.8]
    rows = sorted(past + kept, key=lambda row: (row["segment"], row["t_s"]))
    return _table(EVENTS, [{**row, "seq": i} for i, row in enumerate(rows)])


def _tracking(match: CanonicalMatch, segment: int, t_s: float, rng: np.random.Generator) -> pa.Table:
    table = match.tracking
    size = table.num_rows
    later = table["segment"].to_numpy()
    moments = table["t_s"].to_numpy()
    future = (later > segment) | ((later == segment) & (moments > t_s))
    columns: dict[str, Any] = {name: table[name] for name in table.column_names}
    for name in ("x_u", "y_u", "z_u", "yaw_deg"):
        columns[name] = np.where(future, rng.uniform(-3000, 3000, size), table[name].to_numpy())
    for name in ("alive", "has_bomb", "has_kit"):
        columns[name] = np.where(future, rng.random(size) < 0.5, table[name].to_numpy())
    order = np.arange(size)
    order[future] = rng.permutation(order[future])
    columns["weapon"] = table["weapon"].take(pa.array(order))
    columns["armor"] = table["armor"].take(pa.array(order))
    keep = ~future | (rng.random(size) < 0.9)
    return table_of(TRACKING, columns).filter(pa.array(keep))


def _table(declared: Any, rows: list[dict[str, Any]]) -> pa.Table:
    return table_of(declared, {name: [row[name] for row in rows] for name in declared.names})
