"""From the table of teams and rounds to rows that may be compared: one per round.

Belongs here: filters, and the rule by which a round gives one row.
Does not belong here: the table itself (``rounds.py``), measures.

Real and simulated matches never mix: simulated ones are looked at only where there is no real one.

The two teams of a round mirror each other: one wins exactly if the other does not. Taken as two rows they would count every
round twice. A round therefore gives one row:

DIFFERENCE  what the CT team did less what the T team did, and the outcome of the CT team (without a filter for side or team);
            what belongs to the round, such as the time of the first contact, stands as it is
SIDE        the team on one side (filter ``side``; also the outcome ``site_executed``, which only Ts can bring about)
TEAM        one team, whichever side it plays (filter ``team``)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.analytics.association_matches import Flags, Floats, Ints, Matches
from esports_assets.canonical.vocabulary import Side

OF_THE_ATTACKERS = frozenset({"site_executed"})
"""Outcomes of the round that are the attackers' doing: without a filter their rows are those of the Ts."""
MIRRORED = frozenset({"is_ct", "opponent_score_before", "opening_kill_against"})
"""Features that say nothing as a difference: another one's is the same with the other sign, or it never varies."""
OF_THE_ROUND = frozenset({"time_to_contact_s"})
"""Features that both teams share: beside differences they stand as they are."""


class Layout(StrEnum):
    """How a round gives one row."""

    DIFFERENCE = "ct_minus_t"
    CT = "ct"
    T = "t"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rounds are looked at; None is all. ValueError for a side that is none."""

    title: str | None = None
    map: str | None = None
    side: str | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        if self.side is not None and self.side not in tuple(Side):
            raise ValueError(f"side {self.side!r} is neither ct nor t")

    def layout(self, outcome: str) -> Layout:
        """How rounds give rows for an outcome."""
        if self.side is not None:
            return Layout(self.side)
        if self.team is not None:
            return Layout.TEAM
        return Layout.T if outcome in OF_THE_ATTACKERS else Layout.DIFFERENCE


@dataclass(frozen=True)
class RoundRows:
    """One row per round, rows of a match together: columns and outcomes [rows], NaN where unknown."""

    layout: Layout
    columns: Mapping[str, Floats]
    outcomes: Mapping[str, Floats]
    matches: Matches


def round_rows(table: pa.Table, features: Sequence[str], outcomes: Sequence[str], filters: Filters) -> list[RoundRows]:
    """The rows of each layout that the outcomes need.

    Raises ValueError where a round has not exactly one team on either side, and KeyError for a column that is none.
    """
    for name in (*features, *outcomes):
        if name not in table.column_names:
            raise KeyError(f"the table of rounds has no column {name}")
    layouts: dict[Layout, list[str]] = {}
    for outcome in outcomes:
        layouts.setdefault(filters.layout(outcome), []).append(outcome)
    chosen = _filtered(table, filters)
    order, match = _pairs(chosen)
    return [_laid(chosen, order, match, layout, features, own, filters) for layout, own in layouts.items()]


def _filtered(table: pa.Table, filters: Filters) -> pa.Table:
    """The rounds of title and map, both teams of each: those of real matches where there are any, else of simulated ones."""
    for name, value in (("title", filters.title), ("map", filters.map)):
        if value is not None:
            table = table.filter(pc.equal(table[name].cast(pa.string()), value))
    real = pc.invert(table["simulated"])
    return table.filter(real) if pc.any(real).as_py() else table


def _pairs(table: pa.Table) -> tuple[Ints, Ints]:
    """Rows in order of match, map, round and side, CT before T; and the code of each pair's match."""
    match, name = (_codes(table[column]) for column in ("match_id", "map"))
    segment = table["segment"].to_numpy()
    attacks = np.asarray(pc.equal(table["side"].cast(pa.string()), Side.T.value))
    order = np.lexsort((attacks, segment, name, match)).astype(np.int64)
    ct, t = order[::2], order[1::2]
    paired = len(order) % 2 == 0 and all((column[ct] == column[t]).all() for column in (match, name, segment))
    if not paired or attacks[ct].any() or not attacks[t].all():
        raise ValueError("a round has not exactly one team on either side")
    return order, match[ct]


def _laid(
    table: pa.Table,
    order: Ints,
    match: Ints,
    layout: Layout,
    features: Sequence[str],
    outcomes: Sequence[str],
    filters: Filters,
) -> RoundRows:
    ct, t = order[::2], order[1::2]
    if layout is Layout.DIFFERENCE:
        columns = {name: _difference(name, _values(table[name]), ct, t) for name in features if name not in MIRRORED}
        won = {name: _outcome(name, _values(table[name]), ct, t) for name in outcomes}
        return RoundRows(layout, columns, won, Matches.of(match))
    rows, kept = _one_team(table, ct, t, layout, filters)
    return RoundRows(
        layout,
        {name: _values(table[name])[rows] for name in features if layout is Layout.TEAM or name != "is_ct"},
        {name: _values(table[name])[rows] for name in outcomes},
        Matches.of(match[kept]),
    )


def _difference(name: str, values: Floats, ct: Ints, t: Ints) -> Floats:
    """The CT team's less the T team's; what both share as it is."""
    return values[ct] if name in OF_THE_ROUND else values[ct] - values[t]


def _outcome(name: str, values: Floats, ct: Ints, t: Ints) -> Floats:
    """The outcome of the CT team; a real one less that of the T team."""
    return values[ct] - values[t] if name == "econ_delta" else values[ct]


def _one_team(table: pa.Table, ct: Ints, t: Ints, layout: Layout, filters: Filters) -> tuple[Ints, Flags]:
    """Rows of the layout's team, and which rounds have one; of a side's rows those of the team that is filtered for."""
    team = np.asarray(table["team"].cast(pa.string()))
    if layout is Layout.TEAM:
        defends, attacks = (team[rows] == filters.team for rows in (ct, t))
        kept = defends | attacks
        return np.where(defends, ct, t)[kept], kept
    rows = ct if layout is Layout.CT else t
    kept = np.ones(len(rows), dtype=bool) if filters.team is None else team[rows] == filters.team
    return rows[kept], kept


def _values(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _codes(column: pa.ChunkedArray) -> Ints:
    """Codes of words, the same for the same word whatever the chunks' dictionaries."""
    words = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return np.asarray(words.indices.to_numpy(), dtype=np.int64)
