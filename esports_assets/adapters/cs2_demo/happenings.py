"""Rows of a demo to canonical events, in order.

Belongs here: one function per kind of row, the order of events at one tick, warm-up rows and rows outside their round.
Does not belong here: positions at a sampling rate (``tracks.py``) and the macro table (``adapter.py``).
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.cs2_demo import mapping, raw
from esports_assets.adapters.cs2_demo.roster import SOURCE, Roster
from esports_assets.adapters.cs2_demo.rows import RowReader
from esports_assets.canonical.clock import source_time_us
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.event import SCHEMA_VERSION, event_id
from esports_assets.canonical.match import Finding
from esports_assets.canonical.payload import EVENT_RANK
from esports_assets.canonical.schema import EVENTS
from esports_assets.canonical.vocabulary import EventType, Side


class Happening(NamedTuple):
    """One event on its way to a row; ``actor`` and ``target`` are player indexes, ``section`` and ``row`` its place."""

    tick: int
    type: EventType
    segment: int
    section: str
    row: int
    payload: dict[str, Any]
    actor: int | None = None
    target: int | None = None
    team: str | None = None
    side: Side | None = None


_encode = msgspec.json.Encoder().encode


def event_table(roster: Roster, demo: raw.DemoFile, delta_coded: bool) -> tuple[pa.Table, list[Finding]]:
    """The EVENTS table of a match, and what a person should know about it."""
    rows, findings = happenings(roster, demo, delta_coded)
    return _to_table(roster, rows), findings


def happenings(roster: Roster, demo: raw.DemoFile, delta_coded: bool) -> tuple[list[Happening], list[Finding]]:
    """Everything that happens in a match, in order, and the remarks about it."""
    found = _Reader(roster)
    rows = [
        *found.frame(demo),
        *found.economies(demo.player_economies),
        *found.kills(demo.kills),
        *found.damages(demo.damages),
        *found.bombs(demo.bombs),
        *found.grenades(demo.grenades),
        *found.blinds(demo.blinds),
        *found.clutches(demo.clutches),
        *found.shots(demo.shots, delta_coded),
    ]
    rows.sort(key=lambda r: (r.segment if r.type is not EventType.MAP_END else 1 << 15, r.tick, EVENT_RANK[r.type]))
    return rows, found.findings()


def _to_table(roster: Roster, rows: list[Happening]) -> pa.Table:
    header, clocks = roster.header, {number: info.clock for number, info in roster.rounds.items()}
    size = len(rows)
    players, side_of = roster.players, roster.rounds
    team_of, teams = roster.team_of, roster.teams
    team: list[str | None] = []
    side: list[str | None] = []
    for r in rows:
        if r.actor is None:
            team.append(r.team)
            side.append(r.side.value if r.side else None)
        else:
            team.append(teams[team_of[r.actor]])
            info = side_of.get(r.segment)
            side.append(info.sides[team_of[r.actor]].value if info else None)
    return table_of(
        EVENTS,
        {
            "event_id": [event_id(SOURCE, header.match_id, r.section, r.row) for r in rows],
            "match_id": [header.match_id] * size,
            "series_id": [header.series_id] * size,
            "title": [header.title.value] * size,
            "map": [header.map] * size,
            "segment": [r.segment for r in rows],
            "t_s": [clocks[r.segment].t_s(r.tick) if r.segment else None for r in rows],
            "seq": list(range(size)),
            "event_type": [r.type.value for r in rows],
            "timestamp": [source_time_us(header.day, r.tick, roster.ticks_per_s) for r in rows],
            "actor": [None if r.actor is None else players[r.actor] for r in rows],
            "target": [None if r.target is None else players[r.target] for r in rows],
            "team": team,
            "side": side,
            "payload": [_encode(r.payload).decode() for r in rows],
            "enriched": ["{}"] * size,
            "schema_version": [SCHEMA_VERSION] * size,
        },
    )


def _xyz(position: raw.Position | None) -> list[float] | None:
    return None if position is None else [position.x, position.y, position.z]


class _Reader(RowReader):
    """Walks the sections of one match."""

    def frame(self, demo: raw.DemoFile) -> Iterator[Happening]:
        """Start and end of the map and of each round."""
        roster = self.roster
        first, last = demo.rounds[0], demo.rounds[-1]
        lineup = {roster.players[i]: roster.team(i) for i in range(len(roster.players))}
        names = dict(zip(roster.teams, roster.team_names, strict=True))
        start = {"teams": names, "players": lineup, "tick_rate": roster.ticks_per_s}
        yield Happening(first.startTick, EventType.MAP_START, 0, "match", 0, start)
        for number, info in roster.rounds.items():
            ct = 0 if info.sides[0] is Side.CT else 1
            teams = {"ct_team": roster.teams[ct], "t_team": roster.teams[1 - ct]}
            before = {**teams, "ct_score": info.score(Side.CT), "t_score": info.score(Side.T)}
            entry = info.raw
            buys = (entry.teamAEconomy, entry.teamBEconomy)
            bought = {**before, "ct_buy": buys[ct], "t_buy": buys[1 - ct]}
            winner = info.reason.winner
            after = {**teams, **{f"{s.value}_score": info.score(s) + (s is winner) for s in (Side.CT, Side.T)}}
            ended = {**after, "winner_side": winner.value, "winner_team": teams[f"{winner.value}_team"]}
            yield Happening(entry.startTick, EventType.ROUND_START, number, "round_start", number, bought)
            yield Happening(entry.freezeEndTick, EventType.FREEZE_END, number, "freeze_end", number, before)
            ended["reason"] = info.reason.value
            team = teams[f"{winner.value}_team"]
            yield Happening(
                entry.endTick, EventType.ROUND_END, number, "round_end", number, ended, team=team, side=winner
            )
        score = self._score(demo)
        best = max(score, key=lambda team: score[team]) if len(set(score.values())) == 2 else None
        yield Happening(
            last.endTick, EventType.MAP_END, 0, "match", 1, {"score": score, "winner_team": best}, team=best
        )

    def _score(self, demo: raw.DemoFile) -> dict[str, int]:
        """The final score as the source tells it, corrected for the rounds that it gives to the wrong team."""
        roster, keys = self.roster, ("teamA", "teamB")
        rounds = roster.rounds.values()
        told = (demo.match.teamA.score, demo.match.teamB.score)
        claimed = [sum(info.raw.winnerTeamKey == key for info in rounds) for key in keys]
        counted = [sum(info.winner == team for info in rounds) for team in (0, 1)]
        teams = roster.teams
        if claimed != list(told):
            said, found = (dict(zip(teams, values, strict=True)) for values in (told, claimed))
            self.remark("final_score", "match", f"the match tells the score {said} but its rounds count {found}")
        score = {team: told[i] - claimed[i] + counted[i] for i, team in enumerate(teams)}
        swapped = [str(number) for number, info in roster.rounds.items() if info.swapped]
        if swapped:
            self.remark(
                "sides_swapped",
                "rounds",
                f"the bomb of rounds {', '.join(swapped)} is handled by the other side: sides and winners mended, score {score}",
            )
        return score

    def economies(self, rows: list[raw.Economy]) -> Iterator[Happening]:
        """Money and equipment of each player at freeze end."""
        stale = {row.roundNumber for row in rows if row.moneySpent > row.startMoney}
        for i, row in enumerate(rows):
            place = f"player-economies[{i}]"
            info = self.roster.rounds.get(row.roundNumber)
            if info is None:
                raise MalformedRecord(self.roster.file, place, f"round {row.roundNumber} is not in the match")
            known = row.roundNumber not in stale
            if not known:
                self.remark(
                    "stale_money", place, f"round {row.roundNumber} tells the money before overtime's reset; dropped"
                )
            payload = {
                "money": row.startMoney - row.moneySpent if known else None,
                "start_money": row.startMoney if known else None,
                "spent": row.moneySpent,
                "equipment_value": row.equipmentValue,
                "armor": row.hasArmor,
                "helmet": row.hasHelmet,
                "kit": row.hasDefuseKit,
                "primary": row.primaryWeapon and self.weapon(row.primaryWeapon, place),
                "secondary": row.secondaryWeapon and self.weapon(row.secondaryWeapon, place),
                "grenades": row.grenades,
                "grenade_count": row.grenadeCount,
                "buy": row.type,
            }
            player = self.player(row.steamId64, row.playerIndex, place)
            tick = info.raw.freezeEndTick
            yield Happening(tick, EventType.ECONOMY_UPDATE, row.roundNumber, "economy", i, payload, player)

    def kills(self, rows: list[raw.Kill]) -> Iterator[Happening]:
        """KILL, or DEATH where nobody killed or the bomb did."""
        for i, row in enumerate(rows):
            place = f"kills[{i}]"
            self.info(row.roundNumber, row.tick, place)
            victim = self.player(row.victimSteamId64, row.victimIndex, place)
            killer = self.roster.who(row.killerSteamId64, row.killerIndex, place)
            weapon = self.weapon(row.weapon, place)
            payload: dict[str, Any] = {
                "weapon": weapon,
                "target_pos": _xyz(row.victimPosition),
                **self.target(victim, row.roundNumber),
                "hindsight": {"traded": row.tradeDeath},
            }
            by_bomb = weapon in mapping.BOMB_WEAPONS
            if by_bomb or killer is None or killer == victim:
                cause = "bomb" if by_bomb else "self" if killer == victim else "world"
                payload["cause"] = cause
                yield Happening(row.tick, EventType.DEATH, row.roundNumber, "kill", i, payload, None, victim)
                continue
            helpers = {
                "assister": self.roster.who(row.assisterSteamId64, row.assisterIndex, place),
                "flash_assister": self.roster.who(row.flashAssisterSteamId64, row.flashAssisterIndex, place),
            }
            payload |= {
                "pos": _xyz(row.killerPosition),
                "headshot": row.headshot,
                "trade": row.tradeKill,
                "through_smoke": row.throughSmoke,
                "no_scope": row.noScope,
                "wallbang": row.penetratedObjects,
                **{k: None if p is None else self.roster.players[p] for k, p in helpers.items()},
            }
            yield Happening(row.tick, EventType.KILL, row.roundNumber, "kill", i, payload, killer, victim)

    def damages(self, rows: list[raw.Damage]) -> Iterator[Happening]:
        """DAMAGE; round 1 of real files carries warm-up rows, which are dropped and counted."""
        for i, row in enumerate(rows):
            place = f"damages[{i}]"
            info = self.roster.rounds.get(row.roundNumber)
            if info is not None and row.roundNumber == 1 and row.tick < info.raw.freezeEndTick:
                self.remark(
                    "warm_up_damage", place, "damage before the first freeze end belongs to the warm-up; dropped"
                )
                continue
            self.info(row.roundNumber, row.tick, place)
            victim = self.player(row.victimSteamId64, row.victimIndex, place)
            payload = {
                "weapon": self.weapon(row.weapon, place),
                "hitgroup": row.hitgroup,
                "damage": row.healthDamage,
                "armor_damage": row.armorDamage,
                "health_after": max(0, row.victimHealthBefore - row.healthDamage),
                "armor_after": row.victimArmorAfter,
                "pos": _xyz(row.attackerPosition),
                "target_pos": _xyz(row.victimPosition),
                **self.target(victim, row.roundNumber),
            }
            attacker = self.roster.who(row.attackerSteamId64, row.attackerIndex, place)
            yield Happening(row.tick, EventType.DAMAGE, row.roundNumber, "damage", i, payload, attacker, victim)

    def bombs(self, rows: list[raw.Bomb]) -> Iterator[Happening]:
        """All that happens to the bomb."""
        for i, row in enumerate(rows):
            place = f"bombs[{i}]"
            self.info(row.roundNumber, row.tick, place)
            kind = mapping.BOMB_EVENTS.get(row.type)
            payload: dict[str, Any] = {"site": row.site, "pos": _xyz(row.position)}
            if kind is None:
                self.remark("unknown_bomb_event", place, f"bomb event {row.type!r} has no word here; kept as GENERIC")
                kind, payload = EventType.GENERIC, {"source_type": f"bomb.{row.type}", "raw": msgspec.to_builtins(row)}
            actor = self.roster.who(row.actorSteamId64, row.actorIndex, place)
            yield Happening(row.tick, kind, row.roundNumber, "bomb", i, payload, actor)

    def grenades(self, rows: list[raw.Grenade]) -> Iterator[Happening]:
        """The throw, and the effect as an event of its own when it comes."""
        for i, row in enumerate(rows):
            place = f"grenades[{i}]"
            self.info(row.roundNumber, row.throwTick, place)
            if row.grenade not in mapping.GRENADES:
                self.remark(
                    "unknown_grenade", place, f"grenade {row.grenade!r} is not in the CS2 vocabulary; kept as written"
                )
            thrower = self.roster.who(row.throwerSteamId64, row.throwerIndex, place)
            thrown = {"grenade": row.grenade, "grenade_id": row.grenadeId, "pos": _xyz(row.throwPosition)}
            yield Happening(row.throwTick, EventType.UTILITY, row.roundNumber, "throw", i, thrown, thrower)
            if row.effectTick is not None:
                if row.effectTick < row.throwTick:
                    reason = f"takes effect at tick {row.effectTick}, before its throw at {row.throwTick}: the clock is wrong"
                    raise MalformedRecord(self.roster.file, place, reason)
                self.info(row.roundNumber, row.effectTick, place)
                effect = {**thrown, "pos": _xyz(row.effectPosition)}
                yield Happening(row.effectTick, EventType.UTILITY_EFFECT, row.roundNumber, "effect", i, effect, thrower)

    def blinds(self, rows: list[raw.Blind]) -> Iterator[Happening]:
        """Who blinded whom for how long."""
        for i, row in enumerate(rows):
            place = f"blinds[{i}]"
            self.info(row.roundNumber, row.tick, place)
            target = self.player(row.flashedSteamId64, row.flashedIndex, place)
            actor = self.roster.who(row.flasherSteamId64, row.flasherIndex, place)
            payload = {"duration_s": row.durationSeconds, **self.target(target, row.roundNumber)}
            yield Happening(row.tick, EventType.BLIND, row.roundNumber, "blind", i, payload, actor, target)

    def clutches(self, rows: list[raw.Clutch]) -> Iterator[Happening]:
        """The source's clutch verdicts; what came of them stands in hindsight."""
        for i, row in enumerate(rows):
            place = f"clutches[{i}]"
            self.info(row.roundNumber, row.tick, place)
            later = {"won": row.won, "survived": row.survived, "kills": row.killCount}
            payload = {"opponents": row.opponentCount, "hindsight": later}
            actor = self.player(row.clutcherSteamId64, row.clutcherIndex, place)
            yield Happening(row.tick, EventType.CLUTCH, row.roundNumber, "clutch", i, payload, actor)

    def shots(self, shots: list[raw.Shot] | raw.Shots, delta_coded: bool) -> Iterator[Happening]:
        """Shots as rows (2.0) or column tracks (3.0)."""
        rows = shots if isinstance(shots, list) else self._unrolled(shots, delta_coded)
        for i, row in enumerate(rows):
            place = f"shots[{i}]"
            info = self.roster.rounds.get(row.roundNumber)
            if info is None or not info.raw.startTick <= row.tick < self.next_start[row.roundNumber]:
                self.remark("shot_outside_round", place, "shot outside its round; dropped")
                continue
            actor = self.player(row.steamId64, None, place)
            payload = {
                "weapon": self.weapon(row.weapon, place),
                "pos": _xyz(row.position),
                "yaw_deg": row.yaw,
                "pitch_deg": row.pitch,
            }
            yield Happening(row.tick, EventType.SHOT, row.roundNumber, "shot", i, payload, actor)

    def _unrolled(self, shots: raw.Shots, delta_coded: bool) -> Iterator[raw.Shot]:
        scale, angle = shots.meta.divisors(self.roster.file, "shots.meta")
        for k, track in enumerate(shots.tracks):
            columns: list[list[Any]] = [track.tick, track.x, track.y, track.z, track.yaw, track.pitch]
            if len({len(track.weapon), *(len(column) for column in columns)}) != 1:
                raise MalformedRecord(self.roster.file, f"shots.tracks[{k}]", "columns of different length")
            values = [list(accumulate(column)) if delta_coded else column for column in columns]
            player = self.player(None, track.playerIndex, f"shots.tracks[{k}]")
            for tick, x, y, z, yaw, pitch, weapon in zip(*values, track.weapon, strict=True):
                position = raw.Position(x / scale, y / scale, z / scale)
                name = self.dictionary_word(shots.weaponDict, weapon, f"shots.tracks[{k}].weapon")
                yield raw.Shot(
                    track.roundNumber,
                    int(tick),
                    self.roster.steam_id(player),
                    name,
                    position,
                    yaw / angle,
                    pitch / angle,
                )
