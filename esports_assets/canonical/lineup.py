"""Who plays in a match: how many at once, and for whom.

Belongs here: how large the teams of a title are, and the rules about players and teams of a match.
Does not belong here: what players do, and how they end (``invariants.py``).
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.codec import of_type, rows_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Title

TEAM_SIZE: dict[Title, int] = {
    Title.CS2: 5,
    Title.CSGO: 5,
    Title.VALORANT: 5,
    Title.ROCKET_LEAGUE: 4,
    Title.RPS: 1,
}
"""How many play for one of the two teams at once, at most."""


class _Lineup(msgspec.Struct):
    players: dict[str, str] = {}


_lineup = msgspec.json.Decoder(_Lineup).decode


def teams_are_not_too_large(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """In no round do more take part than the title's teams hold; over a match, substitutes may add up to more."""
    size = TEAM_SIZE[match.header.title]
    team_of = dict(rows_of(match.players, "player", "team"))
    for where, players in _taking_part(match):
        if len(players) > 2 * size:
            yield where, f"{len(players)} players take part; {match.header.title.value} has at most {2 * size}"
            continue
        teams = [team_of.get(player) for player in players]
        for team in sorted({team for team in teams if team is not None and teams.count(team) > size}):
            yield where, f"{teams.count(team)} players of {team} take part; a team has at most {size}"


def somebody_plays(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """A match with rounds has players."""
    if match.rounds.num_rows and not match.players.num_rows:
        yield "the list of players", f"nobody is listed, and {match.rounds.num_rows} rounds were played"


def _taking_part(match: CanonicalMatch) -> Iterator[tuple[str, set[str]]]:
    """Where, and who: the lineup that is told at the start, then whoever acts, suffers or is tracked in each round.

    A match that tells of no player's deeds (a score sheet) is judged by its list of players.
    """
    for (payload,) in rows_of(of_type(match.events, EventType.MAP_START), "payload"):
        yield "the start", set(_lineup(payload).players)
    seen: dict[int, set[str]] = {}
    for table, column in ((match.events, "actor"), (match.events, "target"), (match.tracking, "player")):
        for segment, player in _pairs(table, column):
            seen.setdefault(segment, set()).add(player)
    for segment in sorted(set(seen) - {0}):
        yield f"round {segment}", seen[segment]
    if not seen:
        yield "the list of players", set(match.players["player"].to_pylist())


def _pairs(table: pa.Table, column: str) -> list[tuple[int, str]]:
    """Every segment with every player that a column names in it."""
    names, codes = _coded(table, column)
    segments = table["segment"].to_numpy()
    if table[column].null_count:
        segments, codes = segments[codes >= 0], codes[codes >= 0]
    if len(segments) == 0:
        return []
    first = int(segments.min())
    found = np.flatnonzero(np.bincount((segments.astype(np.int64) - first) * len(names) + codes))
    return [(first + int(key) // len(names), names[int(key) % len(names)]) for key in found]


def actors_play_for_their_team(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """An actor's team is the one that the match's list of players says."""
    team_of = dict(rows_of(match.players, "player", "team"))
    actors, actor = _coded(match.events, "actor")
    teams, team = _coded(match.events, "team")
    _, first = np.unique(actor * (len(teams) + 1) + team, return_index=True)
    for row in sorted(int(i) for i in first if actor[i] >= 0):
        who, where = actors[actor[row]], f"round {match.events['segment'][row].as_py()}"
        if who not in team_of:
            yield where, f"{who} acts but is not among the players"
        elif team[row] >= 0 and team_of[who] != teams[team[row]]:
            yield where, f"{who} acts for {teams[team[row]]} but plays for {team_of[who]}"


def _coded(table: pa.Table, column: str) -> tuple[list[Any], npt.NDArray[np.int64]]:
    """The words of a category column, and each row's index into them; -1 for null."""
    values = table[column].combine_chunks()
    indices = values.indices.fill_null(-1) if values.null_count else values.indices
    return values.dictionary.to_pylist(), indices.to_numpy().astype(np.int64)
