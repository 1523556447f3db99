"""What happens between a round's start and end: one function per kind of row.

Belongs here: kills, damage, the bomb, grenades, blinds, clutches and shots; warm-up rows and rows outside their round.
Does not belong here: what frames them (``frame.py``), their order and table (``happenings.py``).
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.cs2_demo import mapping, raw
from esports_assets.adapters.cs2_demo.rows import Happening, RowReader
from esports_assets.adapters.generic import generic_payload, kept
from esports_assets.canonical.vocabulary import EventType


def _xyz(position: raw.Position | None) -> list[float] | None:
    return None if position is None else [position.x, position.y, position.z]


class Deeds:
    """Builders of happenings over the sections of one match; ``bombs`` keeps the rows of the bomb that were taken."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._roster = reader.roster
        self.bombs: list[raw.Bomb] = []

    def kill(self, i: int, row: raw.Kill) -> tuple[Happening]:
        """KILL, or DEATH where nobody killed or the bomb did."""
        place, reader = f"kills[{i}]", self._reader
        reader.check_tick(row.roundNumber, row.tick, place)
        victim = reader.player(row.victimSteamId64, row.victimIndex, place)
        killer = self._roster.who(row.killerSteamId64, row.killerIndex, place)
        weapon = reader.weapon(row.weapon, place)
        payload: dict[str, Any] = {
            "weapon": weapon,
            "target_pos": _xyz(row.victimPosition),
            **reader.target(victim, row.roundNumber),
            "hindsight": {"traded": row.tradeDeath},
        }
        by_bomb = weapon in mapping.BOMB_WEAPONS
        if by_bomb or killer is None or killer == victim:
            payload["cause"] = "bomb" if by_bomb else "self" if killer == victim else "world"
            return (Happening(row.tick, EventType.DEATH, row.roundNumber, "kill", i, payload, None, victim),)
        helpers = {
            "assister": self._roster.who(row.assisterSteamId64, row.assisterIndex, place),
            "flash_assister": self._roster.who(row.flashAssisterSteamId64, row.flashAssisterIndex, place),
        }
        payload |= {
            "pos": _xyz(row.killerPosition),
            "headshot": row.headshot,
            "trade": row.tradeKill,
            "through_smoke": row.throughSmoke,
            "no_scope": row.noScope,
            "wallbang": row.penetratedObjects,
            **{k: None if p is None else self._roster.players[p] for k, p in helpers.items()},
        }
        return (Happening(row.tick, EventType.KILL, row.roundNumber, "kill", i, payload, killer, victim),)

    def damage(self, i: int, row: raw.Damage) -> Iterable[Happening]:
        """DAMAGE; round 1 of real files carries warm-up rows, which are dropped and counted."""
        place, reader = f"damages[{i}]", self._reader
        if row.roundNumber == 1 and row.tick < reader.round_of(1, place).raw.freezeEndTick:
            reader.remark("warm_up_damage", place, "damage before the first freeze end belongs to the warm-up; dropped")
            return ()
        reader.check_tick(row.roundNumber, row.tick, place)
        victim = reader.player(row.victimSteamId64, row.victimIndex, place)
        attacker = self._roster.who(row.attackerSteamId64, row.attackerIndex, place)
        payload = {
            "weapon": reader.weapon(row.weapon, place),
            "hitgroup": row.hitgroup,
            "damage": row.healthDamage,
            "armor_damage": row.armorDamage,
            "health_after": max(0, row.victimHealthBefore - row.healthDamage),
            "armor_after": row.victimArmorAfter,
            "pos": _xyz(row.attackerPosition),
            "target_pos": _xyz(row.victimPosition),
            **reader.target(victim, row.roundNumber),
        }
        return (Happening(row.tick, EventType.DAMAGE, row.roundNumber, "damage", i, payload, attacker, victim),)

    def bomb(self, i: int, row: raw.Bomb) -> tuple[Happening]:
        """All that happens to the bomb."""
        place, reader = f"bombs[{i}]", self._reader
        reader.check_tick(row.roundNumber, row.tick, place)
        actor = self._roster.who(row.actorSteamId64, row.actorIndex, place)
        kind = mapping.BOMB_EVENTS.get(row.type)
        payload: dict[str, Any] = {"site": row.site, "pos": _xyz(row.position)}
        if kind is None:
            reader.remark("unknown_bomb_event", place, f"bomb event {row.type!r} has no word here; kept as GENERIC")
            kind = EventType.GENERIC
            payload = generic_payload(f"bomb.{row.type}", kept(reader.opened.raw_bombs[i]))
        self.bombs.append(row)
        return (Happening(row.tick, kind, row.roundNumber, "bomb", i, payload, actor),)

    def grenade(self, i: int, row: raw.Grenade) -> list[Happening]:
        """The throw, and the effect as an event of its own when it comes."""
        place, reader = f"grenades[{i}]", self._reader
        reader.check_tick(row.roundNumber, row.throwTick, place)
        if row.effectTick is not None:
            if row.effectTick < row.throwTick:
                reason = f"takes effect at tick {row.effectTick}, before its throw at {row.throwTick}"
                raise MalformedRecord(self._roster.file, place, f"{reason}: the clock is wrong")
            reader.check_tick(row.roundNumber, row.effectTick, place)
        thrower = self._roster.who(row.throwerSteamId64, row.throwerIndex, place)
        if row.grenade not in mapping.GRENADES:
            told = f"grenade {row.grenade!r} is not in the CS2 vocabulary; kept as written"
            reader.remark("unknown_grenade", place, told)
        thrown = {"grenade": row.grenade, "grenade_id": row.grenadeId, "pos": _xyz(row.throwPosition)}
        found = [Happening(row.throwTick, EventType.UTILITY, row.roundNumber, "throw", i, thrown, thrower)]
        if row.effectTick is not None:
            effect = {**thrown, "pos": _xyz(row.effectPosition)}
            kind = EventType.UTILITY_EFFECT
            found.append(Happening(row.effectTick, kind, row.roundNumber, "effect", i, effect, thrower))
        return found

    def blind(self, i: int, row: raw.Blind) -> tuple[Happening]:
        """Who blinded whom for how long."""
        place, reader = f"blinds[{i}]", self._reader
        reader.check_tick(row.roundNumber, row.tick, place)
        target = reader.player(row.flashedSteamId64, row.flashedIndex, place)
        actor = self._roster.who(row.flasherSteamId64, row.flasherIndex, place)
        payload = {"duration_s": row.durationSeconds, **reader.target(target, row.roundNumber)}
        return (Happening(row.tick, EventType.BLIND, row.roundNumber, "blind", i, payload, actor, target),)

    def clutch(self, i: int, row: raw.Clutch) -> tuple[Happening]:
        """The source's clutch verdict; what came of it stands in hindsight."""
        place, reader = f"clutches[{i}]", self._reader
        reader.check_tick(row.roundNumber, row.tick, place)
        actor = reader.player(row.clutcherSteamId64, row.clutcherIndex, place)
        later = {"won": row.won, "survived": row.survived, "kills": row.killCount}
        payload = {"opponents": row.opponentCount, "hindsight": later}
        return (Happening(row.tick, EventType.CLUTCH, row.roundNumber, "clutch", i, payload, actor),)

    def shot(self, i: int, row: raw.Shot) -> Iterable[Happening]:
        """A shot; those outside their round are dropped and counted."""
        place, reader = f"shots[{i}]", self._reader
        info = self._roster.rounds.get(row.roundNumber)
        if info is None or not info.raw.startTick <= row.tick < reader.next_start[row.roundNumber]:
            reader.remark("shot_outside_round", place, "shot outside its round; dropped")
            return ()
        actor = reader.player(row.steamId64, None, place)
        payload = {
            "weapon": reader.weapon(row.weapon, place),
            "pos": _xyz(row.position),
            "yaw_deg": row.yaw,
            "pitch_deg": row.pitch,
        }
        return (Happening(row.tick, EventType.SHOT, row.roundNumber, "shot", i, payload, actor),)

    def unrolled(self, shots: raw.Shots, delta_coded: bool) -> Iterator[raw.Shot]:
        """The columns of 3.0 as rows; a track that cannot be true is refused alone."""
        reader = self._reader
        try:
            scale, angle = shots.meta.divisors(self._roster.file, "shots.meta")
        except MalformedRecord as error:
            reader.log.add(error)
            return
        for k, track in reader.opened.numbered("shots", shots.tracks):
            try:
                yield from self._of_track(shots.weaponDict, k, track, delta_coded, scale, angle)
            except MalformedRecord as error:
                reader.log.add(error)

    def _of_track(
        self, words: list[str], k: int, track: raw.ShotTrack, delta_coded: bool, scale: float, angle: float
    ) -> list[raw.Shot]:
        place = f"shots.tracks[{k}]"
        columns: list[list[Any]] = [track.tick, track.x, track.y, track.z, track.yaw, track.pitch]
        if len({len(track.weapon), *(len(column) for column in columns)}) != 1:
            raise MalformedRecord(self._roster.file, place, "columns of different length")
        values = [list(accumulate(column)) if delta_coded else column for column in columns]
        who = self._roster.steam_id(self._reader.player(None, track.playerIndex, place))
        found = []
        for tick, x, y, z, yaw, pitch, weapon in zip(*values, track.weapon, strict=True):
            name = self._reader.dictionary_word(words, weapon, f"{place}.weapon")
            position = raw.Position(x / scale, y / scale, z / scale)
            found.append(raw.Shot(track.roundNumber, int(tick), who, name, position, yaw / angle, pitch / angle))
        return found
