"""A finished round added to the history of its teams and players.

Belongs here: what a round leaves behind for later rounds, counted when it is over.
Does not belong here: what later rounds make of it (``history.py``).
"""

from collections.abc import Mapping, Sequence

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.history import ECO_EQUIPMENT_PER_PLAYER, PlayerHistory, RoundSummary, TeamHistory
from esports_assets.windows.state_event import StateEvent


def team_histories(match: CanonicalMatch) -> dict[str, TeamHistory]:
    """An empty history for every team of a match."""
    named = (match.players["team"], match.rounds["ct_team"], match.rounds["t_team"])
    return {team: TeamHistory() for column in named for team in column.to_pylist()}


def tally_round(
    facts: RoundFacts, events: Sequence[StateEvent], teams: Mapping[str, TeamHistory], form: Sequence[PlayerHistory]
) -> None:
    """Add a decided round; call once, after its rows are made."""
    end = facts.duration_s if facts.duration_s is not None else max((e.t for e in events), default=0.0)
    played = [event for event in events if 0.0 <= event.t <= end]
    kills = [e for e in played if e.type is EventType.KILL and facts.opponents(e.actor, e.target)]
    planted = any(e.type is EventType.BOMB_PLANTED for e in played)
    defused = any(e.type is EventType.BOMB_DEFUSED for e in played)
    for side, team in ((Side.CT, facts.ct_team), (Side.T, facts.t_team)):
        mine = facts.ct == (side is Side.CT)
        own = [e for e in kills if mine[e.actor]]
        value = facts.equipment(side)
        teams[team].add(
            RoundSummary(
                won=facts.winner is side,
                kills=len(own),
                trades=sum(bool(e.payload.get("trade")) for e in own),
                equipment=value,
                eco=bool(mine.any() and value / mine.sum() < ECO_EQUIPMENT_PER_PLAYER),
                objective=(not planted or defused) if side is Side.CT else planted,
            )
        )
    _tally_players(facts, played, kills, end, form)


def _tally_players(
    facts: RoundFacts, played: list[StateEvent], kills: list[StateEvent], end: float, form: Sequence[PlayerHistory]
) -> None:
    health = [100.0] * len(form)
    died_at = [end] * len(form)
    for player in form:
        player.rounds += 1
    for event in played:
        if event.type is EventType.DAMAGE and event.target >= 0:
            after = float(event.payload["health_after"])
            lost = max(health[event.target] - after, 0.0)
            health[event.target] = min(after, health[event.target])
            if facts.opponents(event.actor, event.target):
                form[event.actor].damage_dealt += lost
                form[event.target].damage_taken += lost
        elif event.type in (EventType.KILL, EventType.DEATH) and event.target >= 0:
            form[event.target].deaths += 1
            died_at[event.target] = min(died_at[event.target], event.t)
        elif event.type is EventType.UTILITY and event.actor >= 0:
            form[event.actor].utility += 1
    for event in kills:
        form[event.actor].kills += 1
    if kills:
        form[kills[0].actor].opening_kills += 1
        form[kills[0].target].opening_deaths += 1
    for player, moment in zip(form, died_at, strict=True):
        player.time_alive_s += moment
