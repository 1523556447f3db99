"""Rows of ``cs2/round_features``: one per round and team of a match.

Belongs here: the walk over the rounds of one match, the table, and its export.
Does not belong here: what the columns are (``rounds_columns.py``) and how each is measured (``rounds_play.py``,
``rounds_actions.py``), outcomes (they are those that are published, ``stages/publishing.py``).

Every round has both of its teams, whatever was said of them: leaving out a team without micro-actions would select on them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.analytics import rounds_play as play
from esports_assets.analytics.rounds_actions import Said, said_by_round
from esports_assets.analytics.rounds_columns import ROUND_FEATURES
from esports_assets.canonical.codec import content_hash, table_of, write_parquet
from esports_assets.canonical.match import CanonicalMatch, Finding
from esports_assets.canonical.vocabulary import Side
from esports_assets.windows.fill import RoundFacts, Tracks
from esports_assets.windows.state_event import StateEvent, events_by_round

Outcome = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoundFeatures:
    """The rows of a match, and what could not be counted in them."""

    table: pa.Table
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Round:
    """One round as its rows read it."""

    row: Mapping[str, Any]
    facts: RoundFacts
    events: Sequence[StateEvent]
    tracks: Tracks | None
    contact: play.Contact

    @property
    def end_s(self) -> float:
        """When the round was over; the last event where the source does not tell."""
        told = self.row["duration_s"]
        return float(told) if told is not None else max((event.t for event in self.events), default=0.0)


def round_features(match: CanonicalMatch, outcomes: Iterable[Outcome], actions: pa.Table) -> RoundFeatures:
    """Two rows per round of a match, CT first, in order of rounds.

    ``outcomes`` are rows of ``macro_outcomes`` (``stages.publishing.outcomes_of``); KeyError names a round or team that has
    none. ``actions`` is a table of ``ROUND_ACTIONS``, of this match or of more.
    """
    came_to = {(row["segment"], row["team"]): row for row in outcomes if row["map"] == match.header.map}
    said, findings = said_by_round(match, actions)
    lost: dict[str, int] = {}
    rows = []
    for part in _rounds(match):
        for side in Side:
            team = part.row[f"{side.value}_team"]
            key = (part.row["segment"], team)
            if key not in came_to:
                raise KeyError(f"round {key[0]} of {match.header.match_id} has no outcome for {team}")
            rows.append(_row(match, part, side, lost.get(team, 0), said[key], came_to[key]))
        winner, loser = part.row["winner_team"], part.row[f"{Side(part.row['winner_side']).opponent.value}_team"]
        lost[winner], lost[loser] = 0, lost.get(loser, 0) + 1
    columns = {name: [row[name] for row in rows] for name in ROUND_FEATURES.names}
    return RoundFeatures(table_of(ROUND_FEATURES, columns), tuple(findings))


def _rounds(match: CanonicalMatch) -> Iterator[_Round]:
    players, team_of = (match.players[name].to_pylist() for name in ("player", "team"))
    events = events_by_round(match.events, {player: i for i, player in enumerate(players)})
    tracks = Tracks.split(match.tracking, players)
    for row in sorted(match.rounds.to_pylist(), key=lambda row: int(row["segment"])):
        own = events.get(row["segment"], [])
        facts = RoundFacts.of(row, team_of, own)
        yield _Round(row, facts, own, tracks.get(row["segment"]), play.first_contact(facts, own))


def _row(match: CanonicalMatch, part: _Round, side: Side, streak: int, said: Said, outcome: Outcome) -> dict[str, Any]:
    header, row, facts, contact = match.header, part.row, part.facts, part.contact
    mine, theirs = side.value, side.opponent.value
    team = facts.ct if side is Side.CT else ~facts.ct
    return {
        **{name: getattr(header, name) for name in ("match_id", "series_id", "title", "map", "simulated")},
        "segment": row["segment"],
        "team": row[f"{mine}_team"],
        "side": mine,
        "opponent": row[f"{theirs}_team"],
        "buy": row[f"{mine}_buy"],
        "is_ct": float(side is Side.CT),
        "score_before": float(row[f"{mine}_score_before"]),
        "opponent_score_before": float(row[f"{theirs}_score_before"]),
        "losing_streak": float(streak),
        **play.economy_columns(facts, team, row[f"{mine}_buy"], row[f"{mine}_equipment_value"]),
        **play.contact_columns(contact, team),
        **play.utility_columns(facts, part.events, team, contact.t_s),
        **play.movement_columns(part.tracks, team, part.end_s, contact.t_s),
        "events_per_s": play.events_per_s(part.events, team, row["duration_s"]),
        **said.counts(contact.t_s),
        "round_win": float(outcome["round_win"]),
        "site_executed": float(outcome["site_executed"]),
        "econ_delta": None if outcome["econ_delta"] is None else float(outcome["econ_delta"]),
    }


def dataset_of(tables: Iterable[pa.Table]) -> tuple[pa.Table, str]:
    """The rows of several matches in one table, in order of match and round, and its id: a hash of all values."""
    parts = list(tables)
    whole = pa.concat_tables(parts).unify_dictionaries() if parts else ROUND_FEATURES.arrow.empty_table()
    order = [(name, "ascending") for name in ("match_id", "map", "segment", "side")]
    plain = whole.select([name for name, _ in order])
    plain = plain.set_column(0, "match_id", plain["match_id"].cast(pa.string()))
    plain = plain.set_column(1, "map", plain["map"].cast(pa.string()))
    plain = plain.set_column(3, "side", plain["side"].cast(pa.string()))
    table = whole.take(pc.sort_indices(plain, sort_keys=order)).combine_chunks()
    return table, content_hash(table)


def export_parquet(table: pa.Table, path: Path) -> str:
    """Write a dataset for other tools, with units, meanings and its id in the file; returns the id.

    The same rows give the same bytes. The table holds teams, never players.
    """
    dataset_id = content_hash(table)
    write_parquet(table, path, {"dataset_id": dataset_id})
    return dataset_id
