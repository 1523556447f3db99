"""How a team played a round: utility, tempo, spacing, contact and economy, from its events and tracks.

Belongs here: small functions of one round, each told which players are the team and up to when it may look.
Does not belong here: statements of intent (``rounds_actions.py``), the table (``rounds.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esports_assets.analytics.rounds_columns import GRENADE_COUNTS
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.asof import latest_frame
from esports_assets.windows.fill import RoundFacts, Tracks
from esports_assets.windows.state_event import StateEvent
from esports_assets.windows.view import distance

Flags = npt.NDArray[np.bool_]
Row = dict[str, float | None]

DEEDS = frozenset(
    {
        *(EventType.DAMAGE, EventType.KILL, EventType.UTILITY, EventType.BLIND),
        *(EventType.BOMB_PLANT_BEGIN, EventType.BOMB_PLANTED, EventType.BOMB_DEFUSE_BEGIN, EventType.BOMB_DEFUSED),
    }
)
"""Events that count as tempo. Shots are none: not every source tells them."""
SPACING_EVERY_S = 1.0
"""How often distances between mates are measured."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The first contact of a round: when, who hit first and who killed first (player index; None where nobody did).

    A contact is a hit or a kill between opponents after freeze end; the opening kill may come later than it.
    """

    t_s: float | None
    hitter: int | None
    killer: int | None


def first_contact(facts: RoundFacts, events: Sequence[StateEvent]) -> Contact:
    """The first contact of a round, from its events in order."""
    fights = [
        event
        for event in events
        if event.type in (EventType.DAMAGE, EventType.KILL)
        and event.t >= 0.0
        and facts.opponents(event.actor, event.target)
    ]
    kills = [event for event in fights if event.type is EventType.KILL]
    first = fights[0] if fights else None
    return Contact(
        None if first is None else first.t,
        None if first is None else first.actor,
        kills[0].actor if kills else None,
    )


def contact_columns(contact: Contact, team: Flags) -> Row:
    """When the first contact came and for whom it went."""
    killed = None if contact.killer is None else float(team[contact.killer])
    return {
        "time_to_contact_s": contact.t_s,
        "first_hit": None if contact.hitter is None else float(team[contact.hitter]),
        "opening_kill_for": killed,
        "opening_kill_against": None if killed is None else 1.0 - killed,
    }


def utility_columns(facts: RoundFacts, events: Sequence[StateEvent], team: Flags, contact_s: float | None) -> Row:
    """Grenades thrown by kind and up to the first contact, and the blindness that the team gave to opponents."""
    thrown = [event for event in events if event.type is EventType.UTILITY and event.actor >= 0 and team[event.actor]]
    kinds = [event.payload.get("grenade") for event in thrown]
    blinded = [
        float(event.payload["duration_s"])
        for event in events
        if event.type is EventType.BLIND and facts.opponents(event.actor, event.target) and team[event.actor]
    ]
    return {
        **{name: float(kinds.count(grenade)) for grenade, name in GRENADE_COUNTS.items()},
        "utility_count": float(len(thrown)),
        "utility_to_contact": None if contact_s is None else float(sum(event.t < contact_s for event in thrown)),
        "blinded_s": float(sum(blinded)),
    }


def events_per_s(events: Sequence[StateEvent], team: Flags, duration_s: float | None) -> float | None:
    """Deeds of the team's players per second of the round; None where the source does not tell how long it took."""
    if not duration_s:
        return None
    done = [e for e in events if e.type in DEEDS and e.actor >= 0 and team[e.actor] and 0.0 <= e.t <= duration_s]
    return len(done) / duration_s


def mean_speed_u_s(tracks: Tracks, team: Flags, until_s: float) -> float | None:
    """Mean speed in the plane over the team's living players and the frames from freeze end on; None without two frames."""
    frames = np.flatnonzero((tracks.t >= 0.0) & (tracks.t < until_s))
    if len(frames) < 2:
        return None
    place, alive = tracks.position[frames][:, team, :2], tracks.alive[frames][:, team]
    step = np.sqrt((np.diff(place, axis=0) ** 2).sum(axis=-1)) / np.diff(tracks.t[frames])[:, None]
    walks = alive[1:] & alive[:-1] & ~np.isnan(step)
    return float(step[walks].mean()) if walks.any() else None


def mean_spacing_u(tracks: Tracks, team: Flags, until_s: float) -> float | None:
    """Mean distance of living players to their nearest living mate, once a second; None where nobody had a living mate."""
    frames = latest_frame(tracks.t, np.arange(0.0, until_s, SPACING_EVERY_S))
    frames = frames[frames >= 0]
    place, alive = tracks.position[frames][:, team], tracks.alive[frames][:, team]
    gap = distance(place[:, :, None, :], place[:, None, :, :])
    mates = alive[:, :, None] & alive[:, None, :] & ~np.isnan(gap) & ~np.eye(int(team.sum()), dtype=bool)
    nearest = np.where(mates, gap, np.inf).min(axis=2, initial=np.inf)
    has_mate = np.isfinite(nearest)
    return float(nearest[has_mate].mean()) if has_mate.any() else None


def movement_columns(tracks: Tracks | None, team: Flags, end_s: float, contact_s: float | None) -> Row:
    """Speed and spacing over the round and up to the first contact; null without tracks, and the latter without contact."""
    return {
        "speed_u_s": mean_speed_u_s(tracks, team, end_s) if tracks else None,
        "spacing_u": mean_spacing_u(tracks, team, end_s) if tracks else None,
        "speed_to_contact_u_s": mean_speed_u_s(tracks, team, contact_s) if tracks and contact_s is not None else None,
        "spacing_to_contact_u": mean_spacing_u(tracks, team, contact_s) if tracks and contact_s is not None else None,
    }


def economy_columns(facts: RoundFacts, team: Flags, buy: str | None, equipment: int | None) -> Row:
    """What the team had before buying and at freeze end; null where the source leaves out one of its players."""
    return {
        "equipment_value": None if equipment is None else float(equipment),
        "start_money": _total(facts, team, "start_money"),
        "money": _total(facts, team, "money"),
        "full_buy": None if buy is None else float(buy == "full"),
        "armored": _total(facts, team, "armor"),
        "helmets": _total(facts, team, "helmet"),
        "kits": _total(facts, team, "kit"),
        "grenades_held": _total(facts, team, "grenade_count"),
    }


def _total(facts: RoundFacts, team: Flags, key: str) -> float | None:
    total = float(facts.bought(key, np.nan)[team].sum())
    return None if np.isnan(total) else total
