"""Who plays a match, and on which side.

Belongs here: the lineup that a MAP_START tells.
Does not belong here: what becomes of players (the windows).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Lineup:
    """The players of a match, sorted, with their teams, and what else every row repeats."""

    match_id: str
    series_id: str
    map: str
    simulated: bool
    players: tuple[str, ...]
    teams: tuple[str, ...]

    @classmethod
    def of(cls, match_id: str, series_id: str, map_name: str, simulated: bool, teams: Mapping[str, str]) -> "Lineup":
        """From player to team."""
        players = tuple(sorted(teams))
        return cls(match_id, series_id, map_name, simulated, players, tuple(teams[player] for player in players))

    @cached_property
    def index(self) -> dict[str, int]:
        """Player to position."""
        return {player: i for i, player in enumerate(self.players)}

    def sides(self, ct_team: str) -> tuple[bool, ...]:
        """Who plays CT in a round."""
        return tuple(team == ct_team for team in self.teams)


def lineup_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Player to team, from the payload of a MAP_START."""
    players = told.get("players")
    if not isinstance(players, Mapping):
        return {}
    return {str(player): team for player, team in players.items() if isinstance(team, str)}
