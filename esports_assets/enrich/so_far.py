"""What of a match is known so far, as far as derived facts need it. Bounded, and made to be kept in a checkpoint.

Belongs here: the state and what each event changes in it.
Does not belong here: positions at a sampling rate (``whereabouts.py``), what follows from the state (``facts.py``).
"""

from statistics import median

import msgspec

from esports_assets.canonical.vocabulary import EventType
from esports_assets.enrich.told import Place, Told, place_in

TRADE_US = 5_000_000
"""How long after a team-mate's death killing his killer is a trade."""
KNOWN_FOR_US = 2_000_000
"""How long a position is believed."""
SPEED_SPAN_US = 100_000
"""Shortest stretch that a speed is taken over: positions are rounded, and clocks tick."""
_ROUNDS_KEPT = 2
_TWO_SITES = frozenset({"a", "b"})


class Killed(msgspec.Struct, array_like=True):
    """A kill of the last seconds."""

    at_us: int
    killer: str
    victim: str
    victim_team: str | None


class Purse(msgspec.Struct, array_like=True):
    """A player's money at the start of the round and now, and his team."""

    team: str
    start: int
    now: int


class Plant(msgspec.Struct, array_like=True):
    """Where the bomb was planted in a round of the match."""

    segment: int
    site: str
    place: Place


class RoundSoFar(msgspec.Struct):
    """One round up to now; ``whole`` tells whether it has been followed from its beginning."""

    whole: bool = False
    opened: bool = False
    kills: dict[str, int] = {}
    killed: list[Killed] = []
    dead: set[str] = set()
    bomb: Place | None = None
    bomb_is_gone: bool = False
    purses: dict[str, Purse] = {}
    seen: dict[str, list[tuple[int, Place]]] = {}
    """Player to the positions that events of their own told lately."""
    sites: list[Place] = []
    """The bomb sites as earlier rounds show them; none until both have been played."""

    def take(self, told: Told) -> None:
        """Take in an event of this round, after its facts were stated."""
        kind = told.kind
        if kind is EventType.KILL or kind is EventType.DEATH:
            self._take_death(told)
        elif kind is EventType.SPAWN and told.actor:
            self.dead.discard(told.actor)
        elif kind is EventType.BOMB_PLANTED:
            self.bomb = place_in(told.payload, "pos")
            self.bomb_is_gone = self.bomb is None
        elif kind is EventType.BOMB_DEFUSED or kind is EventType.BOMB_EXPLODED:
            self.bomb_is_gone = True

    def _take_death(self, told: Told) -> None:
        if told.target is None:
            return
        self.dead.add(told.target)
        if told.kind is EventType.DEATH or told.actor is None:
            return
        since = told.at_us - TRADE_US
        self.killed = [killed for killed in self.killed if killed.at_us >= since]
        victim_team = told.text("target_team")
        self.killed.append(Killed(told.at_us, told.actor, told.target, victim_team))
        if told.team is None or victim_team != told.team:
            self.opened = True
            self.kills[told.actor] = self.kills.get(told.actor, 0) + 1

    def see(self, player: str, at_us: int, place: Place) -> None:
        """Keep a position that an event of its own told."""
        since = at_us - 2 * KNOWN_FOR_US
        kept = [fix for fix in self.seen.get(player, ()) if fix[0] >= since]
        self.seen[player] = [*kept, (at_us, place)]

    def pay(self, told: Told) -> None:
        """Take in what a player has; where neither he nor a purchase told what he began with, he is not counted."""
        money, player, team = told.money("money"), told.actor, told.team
        if money is None or player is None or team is None:
            return
        start = told.money("start_money")
        cost = told.money("cost") if told.kind is EventType.BUY else None
        known = self.purses.get(player)
        if start is None:
            start = known.start if known else None if cost is None else money + cost
        if start is not None:
            self.purses[player] = Purse(team, start, money)


class MatchSoFar(msgspec.Struct):
    """The rounds that events still come of, and where the bomb was planted."""

    rounds: dict[int, RoundSoFar] = {}
    plants: list[Plant] = []

    def round_of(self, told: Told) -> RoundSoFar | None:
        """The round of an event; None where it is over for so long that nothing is known of it any more.

        A round that starts again takes back what was said of it and of every round after it.
        """
        segment = told.segment
        if told.kind is EventType.ROUND_START:
            self.rounds = {number: known for number, known in self.rounds.items() if number < segment}
            self.plants = [plant for plant in self.plants if plant.segment < segment]
        found = self.rounds.get(segment)
        if found is None:
            if len(self.rounds) >= _ROUNDS_KEPT:
                oldest = min(self.rounds)
                if segment < oldest:
                    return None
                del self.rounds[oldest]
            found = self.rounds[segment] = RoundSoFar(sites=self._sites(segment))
        if segment > 0 and (told.kind is EventType.ROUND_START or told.kind is EventType.FREEZE_END):
            found.whole = found.whole or not (found.opened or found.dead)
        return found

    def planted(self, told: Told) -> None:
        """Keep where the bomb was planted, if the source says at which site."""
        site, place = told.text("site"), place_in(told.payload, "pos")
        if site is not None and place is not None:
            self.plants.append(Plant(told.segment, site, place))

    def _sites(self, segment: int) -> list[Place]:
        by_site: dict[str, list[Place]] = {}
        for plant in self.plants:
            if 0 < plant.segment < segment:
                by_site.setdefault(plant.site, []).append(plant.place)
        if not by_site.keys() >= _TWO_SITES:
            return []
        return [_centre(by_site[site]) for site in sorted(by_site)]


def _centre(places: list[Place]) -> Place:
    x, y, z = (median(axis) for axis in zip(*places, strict=True))
    return x, y, z
