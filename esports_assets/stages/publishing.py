"""Stage: rounds and their outcomes per team, published as the lake holds them.

Belongs here: what follows from a round for each team, which matches are published, transactions.
Does not belong here: writing the tables (``storage/publish.py``), what players are about to do (``micro_actions.py``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Side, Title
from esports_assets.storage import publish
from esports_assets.storage.lake import Lake, MatchRecord

PUBLISHING_VERSION = "1"
"""Code version: bump it when the same tables are published otherwise."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """What is published of a day now: one version of it, its matches, its rows, and how many changed.

    Of ``unspoken`` matches nothing can be said, though they are in the lake.
    """

    day: date
    data_version: str
    matches: int
    rows: int
    changed: int
    unspoken: tuple[str, ...] = ()


@contextmanager
def transaction(engine: Engine) -> Iterator[Any]:
    """A plain cursor; what it did is committed at the end, or undone if the block fails."""
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def publish_rounds(lake: Lake, engine: Engine, title: Title, day: date) -> Published:
    """Bring rounds and outcomes of the accepted matches of a day up to date."""
    changed = rows = 0
    accepted = accepted_matches(lake, title, day)
    for record in accepted:
        rounds = lake.read("rounds", record.header).to_pylist()
        told = [{**row, "data_version": record.versions["rounds"]} for row in rounds]
        with transaction(engine) as cursor:
            changed += publish.replace_match(cursor, record.header.match_id, told, outcomes_of(rounds))
        rows += len(rounds)
    version = combined_hash({record.header.match_id: record.versions["rounds"] for record in accepted})
    return Published(day, version, len(accepted), rows, changed)


def withdraw_rounds(lake: Lake, engine: Engine, title: Title) -> list[str]:
    """Remove the rounds of matches that the lake does not hold any more, or holds in quarantine; their ids."""
    return withdraw(lake, engine, title, publish.matches_with_rounds, publish.withdraw_rounds)


def accepted_matches(lake: Lake, title: Title, day: date | None = None) -> list[MatchRecord]:
    """The matches of a day, or of all, that are not in quarantine."""
    return [record for record in lake.matches(title, day) if not record.quarantined]


def withdraw(
    lake: Lake,
    engine: Engine,
    title: Title,
    published: Callable[[Any, str], list[str]],
    remove: Callable[[Any, Sequence[str]], None],
) -> list[str]:
    """Remove what is published of matches that the lake does not accept; their ids.

    The lake is asked after the database: a match that comes in meanwhile is published by its own run, and stays.
    """
    with transaction(engine) as cursor:
        there = published(cursor, title.value)
        kept = {record.header.match_id for record in accepted_matches(lake, title)}
        gone = [match_id for match_id in there if match_id not in kept]
        remove(cursor, gone)
    return gone


def outcomes_of(rounds: Sequence[Row]) -> list[dict[str, Any]]:
    """What each round of a match came to, for either team."""
    ordered = sorted(rounds, key=lambda row: row["segment"])
    following = {row["segment"]: after for row, after in pairwise(ordered)}
    return [_outcome(row, side, following.get(row["segment"])) for row in ordered for side in Side]


def _outcome(row: Row, side: Side, after: Row | None) -> dict[str, Any]:
    mine, theirs = side.value, side.opponent.value
    return {
        **{name: row[name] for name in ("match_id", "map", "segment")},
        "team": row[f"{mine}_team"],
        "side": mine,
        "round_win": row["winner_side"] == mine,
        "site_executed": row["planted_t_s"] is not None,
        "econ_delta": _econ_delta(row, side, after),
        "outcome_meta": {
            "opponent": row[f"{theirs}_team"],
            "end_reason": row["end_reason"],
            "planted_t_s": row["planted_t_s"],
            "planted_site": row["planted_site"],
            "buy": row[f"{mine}_buy"],
            "equipment_value": row[f"{mine}_equipment_value"],
            "opponent_equipment_value": row[f"{theirs}_equipment_value"],
        },
    }


def _econ_delta(row: Row, side: Side, after: Row | None) -> int | None:
    """What the team's equipment is worth more at the next freeze end; None where that is unknown or begins a half anew."""
    if (
        after is None
        or after["segment"] != row["segment"] + 1
        or after[f"{side.value}_team"] != row[f"{side.value}_team"]
    ):
        return None
    worth, then = row[f"{side.value}_equipment_value"], after[f"{side.value}_equipment_value"]
    return None if worth is None or then is None else int(then - worth)
