"""The facts that follow from an event and from what came before it in its match: one definition for files and streams.

Belongs here: one small function per group of keys of ``ENRICHED_KEYS``.
Does not belong here: the state (``so_far.py``), positions (``whereabouts.py``), events and tables (``online.py``, ``batch.py``).
"""

from math import dist
from typing import Any

from esports_assets.canonical.vocabulary import EventType
from esports_assets.enrich.so_far import KNOWN_FOR_US, SPEED_SPAN_US, TRADE_US, MatchSoFar, RoundSoFar
from esports_assets.enrich.told import MONEY_TOLD, SOMEWHERE, Place, Told, place_in
from esports_assets.enrich.whereabouts import Fix, Whereabouts

ENRICHMENT_VERSION = "1"
"""Bump it when the same events get other facts: it is part of every adapter's version."""

TRADE_REACH_M = 15.0
ACTIVE_M = 5.0
CONTESTING_M = 15.0
_DIGITS = 3
"""Metres and seconds are told to the thousandth."""


def facts_of(told: Told, match: MatchSoFar, where: Whereabouts, metres: float | None) -> dict[str, Any]:
    """The facts of an event, which ``match`` then knows; ``metres`` is the length of a game unit, None without space."""
    round_ = match.round_of(told)
    if round_ is None:
        return {}
    kind = told.kind
    found: dict[str, Any] = {}
    if kind is EventType.KILL and told.actor and told.target and not _of_a_mate(told):
        found = _kill(told, round_)
        if metres is not None:
            found |= _trade_potential(told, round_, where, metres)
    if kind in SOMEWHERE and metres is not None and told.player is not None:
        _somewhere(found, told, told.player, round_, where, metres)
    if kind in MONEY_TOLD:
        round_.pay(told)
        found = _economy(told, round_)
    round_.take(told)
    if kind is EventType.BOMB_PLANTED:
        match.planted(told)
    return found


def _of_a_mate(told: Told) -> bool:
    return told.team is not None and told.text("target_team") == told.team


def _kill(told: Told, round_: RoundSoFar) -> dict[str, Any]:
    """First kill, count and trade of opponents; a round seen in part tells no first and no count."""
    found: dict[str, Any] = {}
    if round_.whole:
        found = {"opening_kill": not round_.opened, "multi_kill": round_.kills.get(told.actor or "", 0) + 1}
    if told.team is None:
        return found
    since = told.at_us - TRADE_US
    answered = [
        killed
        for killed in round_.killed
        if killed.killer == told.target and killed.victim_team == told.team and killed.at_us >= since
    ]
    found["trade_kill"] = bool(answered)
    if answered:
        found["traded_players"] = [killed.victim for killed in answered]
        found["trade_delay_s"] = round((told.at_us - answered[-1].at_us) / 1_000_000, _DIGITS)
    return found


def _trade_potential(told: Told, round_: RoundSoFar, where: Whereabouts, metres: float) -> dict[str, Any]:
    """Living team-mates near the victim, where a fresh frame tells who is where."""
    team, victim = told.text("target_team"), told.target
    living = where.living(told.segment, told.at_us)
    if team is None or victim is None or not living:
        return {}
    place = place_in(told.payload, "target_pos")
    if place is None:
        own = living.get(victim)
        if own is None:
            return {}
        place = own.place
    count = sum(
        standing.team == team
        and player != victim
        and player not in round_.dead
        and dist(standing.place, place) * metres <= TRADE_REACH_M
        for player, standing in living.items()
    )
    return {"trade_potential_count": count, "untraded_risk": count == 0}


def _somewhere(
    found: dict[str, Any],
    told: Told,
    player: str,
    round_: RoundSoFar,
    where: Whereabouts,
    metres: float,
) -> None:
    """Speed, and where the player is against the objective."""
    place = told.place()
    if told.kind is EventType.POSITION_UPDATE and place is not None:
        round_.see(player, told.at_us, place)
    newest, before = _seen(told, player, round_, where)
    if newest is not None and before is not None:
        speed = dist(newest[1], before[1]) * metres / ((newest[0] - before[0]) / 1_000_000)
        found["player_speed_m_s"] = round(speed, _DIGITS)
    if place is None:
        if newest is None:
            return
        place = newest[1]
    away = _objective_distance(told, place, round_)
    if away is not None:
        _control(found, away * metres)


def _seen(told: Told, player: str, round_: RoundSoFar, where: Whereabouts) -> tuple[Fix | None, Fix | None]:
    """The last known position and one before it: from frames, else from events that tell nothing but positions."""
    now, segment = told.at_us, told.segment
    if told.kind is not EventType.POSITION_UPDATE:
        newest, before = where.last_two(segment, player, now)
        if newest is not None:
            return newest, before
    own = round_.seen.get(player)
    newest = _latest(own, now - KNOWN_FOR_US, now) if own else None
    if own is None or newest is None:
        return None, None
    return newest, _latest(own, newest[0] - KNOWN_FOR_US, newest[0] - SPEED_SPAN_US)


def _latest(fixes: list[Fix], since_us: int, until_us: int) -> Fix | None:
    within = [fix for fix in fixes if since_us <= fix[0] <= until_us]
    return max(within, key=lambda fix: fix[0]) if within else None


def _objective_distance(told: Told, place: Place, round_: RoundSoFar) -> float | None:
    """Game units to the planted bomb, else to the objective that the event tells, else to the nearer site."""
    if round_.bomb_is_gone:
        return None
    if round_.bomb is not None:
        return dist(place, round_.bomb)
    objective = place_in(told.payload, "objective_pos")
    if objective is not None:
        return dist(place, objective)
    return min([dist(place, site) for site in round_.sites], default=None)


def _control(found: dict[str, Any], away_m: float) -> None:
    found["dist_to_objective_m"] = round(away_m, _DIGITS)
    limit = ACTIVE_M if away_m < ACTIVE_M else CONTESTING_M
    if away_m < limit:
        found["objective_control"] = "active" if limit == ACTIVE_M else "contesting"
        found["control_intensity"] = round(1.0 - away_m / limit, _DIGITS)
    else:
        found["objective_control"] = "none"


def _economy(told: Told, round_: RoundSoFar) -> dict[str, Any]:
    """The team's money against the start of the round, over the players who told both."""
    team = told.team
    changes = [purse.now - purse.start for purse in round_.purses.values() if purse.team == team]
    return {"team_econ_delta": sum(changes), "team_econ_players": len(changes)} if changes else {}
