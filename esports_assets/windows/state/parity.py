"""Batch against stream for ``cs2/round_state``: the same match through both, compared row for row and bit for bit.

Belongs here: the comparison. Does not belong here: arrival orders (``windows/micro/parity.py``), files and reports.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.windows.batch import match_windows
from esports_assets.windows.micro.parity import AT_A_TIME, Difference, Parity, messages_of, shuffled
from esports_assets.windows.state.online import OnlineRounds
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.online import LATENESS_S
from esports_assets.windows.view import Sites

_LABEL = "ct_won"


def state_parity_of(
    match: CanonicalMatch, sites: Sites, rng: np.random.Generator, lateness_s: float = LATENESS_S
) -> Parity:
    """Compare the final rows of a match, told in an order of arrival shuffled within the lateness, with its batch rows."""
    online = OnlineRounds(lambda _: sites, lateness_s)
    told: list[StateRows | RoundOver] = []
    messages = shuffled(messages_of(match), lateness_s, rng)
    for begin in range(0, len(messages), AT_A_TIME):
        told += online.feed(messages[begin : begin + AT_A_TIME]).told
    told += online.finish(match.header.match_id).told
    return compared_rounds(match_windows(match, sites).to_pylist(), told)


def compared_rounds(batch: Iterable[dict[str, Any]], online: Iterable[StateRows | RoundOver]) -> Parity:
    """Compare all rows of a match; the label is compared with the winner that the stream told when the round was over."""
    found, told = Parity(), list(online)
    won = {part.segment: part.winner for part in told if isinstance(part, RoundOver)}
    theirs = [row | {_LABEL: _label(won.get(row["segment"]))} for row in _records(told)]
    ours = list(batch)
    found.rows_compared = max(len(ours), len(theirs))
    for row, other in zip(ours, theirs, strict=False):
        if repr(sorted(row.items())) != repr(sorted(other.items())):  # the shortest text of a float tells all its bits
            found.rows_different += 1
            found.first_difference = found.first_difference or _difference(row, other)
    if len(ours) != len(theirs):
        found.rows_different += abs(len(ours) - len(theirs))
        row = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
        counts = [f"{len(rows)} rows" for rows in (ours, theirs)]
        found.first_difference = found.first_difference or _named(row, "row", *counts)
    return found


def _records(told: Iterable[StateRows | RoundOver]) -> list[dict[str, Any]]:
    return [row for part in told if isinstance(part, StateRows) for row in part.records()]


def _label(winner: Any) -> int | None:
    return None if winner is None else int(winner == "ct")


def _difference(row: dict[str, Any], other: dict[str, Any]) -> Difference:
    column = next(name for name in row if repr(row[name]) != repr(other.get(name)))
    return _named(row, column, row[column], other.get(column))


def _named(row: dict[str, Any], column: str, batch: Any, online: Any) -> Difference:
    return Difference(row["match_id"], row["segment"], row["t_s"], "", column, batch, online)
