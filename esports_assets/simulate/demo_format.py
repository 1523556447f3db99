"""A simulated match as ``cs2-demo-format/3.0``: the files of the archive.

Belongs here: names, indices, ticks and units of that format, and the statement in it that the match is simulated.
Does not belong here: replay columns (``tracks.py``), totals (``stats.py``), zip and file names (``write.py``).
"""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from esports_assets.simulate.arsenal import WEAPONS
from esports_assets.simulate.geometry import Geometry, geometry
from esports_assets.simulate.match import SimulatedMatch
from esports_assets.simulate.record import Position, RoundRecord
from esports_assets.simulate.stats import clutches, player_stats
from esports_assets.simulate.tracks import Words, deltas, replay_round

SCHEMA = "cs2-demo-format/3.0"
EXPORTER = {"name": "esports simulator", "version": "1.0.0"}
PAUSE_TICKS = 448
"""Between a round's end and the next freeze time, as in the real exports."""

_FILES = {
    "match": "match.json", "players": "players.json", "rounds": "rounds.json", "playerStats": "player-stats.json",
    "playerEconomies": "player-economies.json", "kills": "kills.json", "damages": "damages.json", "blinds": "blinds.json",
    "bombs": "bombs.json", "grenades": "grenades.json", "clutches": "clutches.json", "shots": "shots.json",
    "replay": "replay.json",
}  # fmt: skip


def zero_ticks(match: SimulatedMatch) -> list[tuple[int, int]]:
    """(start of freeze time, freeze end) of every round, in match ticks."""
    found = []
    start = 1
    for record in match.rounds:
        zero = start + record.freeze_ticks
        found.append((start, zero))
        start = zero + record.end_tick + PAUSE_TICKS
    return found


def demo_files(match: SimulatedMatch, day: date) -> dict[str, Any]:
    """Every file of the archive by name."""
    geo = geometry(match.map)
    zeros = zero_ticks(match)
    label = f"simulated-{match.seed}-{match.index:03d}.dem"
    files: dict[str, Any] = {
        "manifest.json": {
            "schemaVersion": SCHEMA,
            "exporter": EXPORTER,
            "parser": EXPORTER,
            "demo": {"hash": hashlib.sha256(label.encode()).hexdigest(), "sourceFileName": label},
            "mapName": match.map,
            "tickrate": 64,
            "exportedAt": datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat(),
            "files": _FILES,
            "simulated": True,
            "seed": match.seed,
        },
        "match.json": {
            "mapName": match.map,
            "tickrate": 64,
            "durationSeconds": round((zeros[-1][1] + match.rounds[-1].end_tick) / 64, 1),
            "serverName": "esports simulator",
            "source": "simulation",
            "simulated": True,
            **{
                key: {"teamKey": key, "name": match.teams[i].name, "score": match.score[i]}
                for i, key in enumerate(("teamA", "teamB"))
            },
        },
        "players.json": [
            {"steamId64": name, "name": name, "teamKey": key}
            for key, team in zip(("teamA", "teamB"), match.teams, strict=True)
            for name in team.players
        ],
        "rounds.json": [_round(r, start, zero) for r, (start, zero) in zip(match.rounds, zeros, strict=True)],
        "player-stats.json": player_stats(match),
        "player-economies.json": [row for r in match.rounds for row in _economies(r)],
    }
    events = [_events(r, zero, geo) for r, (_, zero) in zip(match.rounds, zeros, strict=True)]
    for name in ("kills", "damages", "blinds", "bombs", "grenades", "clutches"):
        files[f"{name}.json"] = [row for part in events for row in part[name]]
    files["shots.json"] = _shots(match, [zero for _, zero in zeros], geo)
    hands = Words()
    rounds = [replay_round(r, zero, geo, hands) for r, (_, zero) in zip(match.rounds, zeros, strict=True)]
    files["replay.json"] = {
        "meta": {"sampleRate": 8, "tickrate": 64, "coordScale": 1, "angleScale": 10},
        "weaponDict": hands.words,
        "placeDict": geo.place_names,
        "rounds": rounds,
    }
    return files


def _round(record: RoundRecord, start: int, zero: int) -> dict[str, Any]:
    winner = next(i for i in (0, 1) if record.sides[i * 5] == record.winner)
    return {
        "roundNumber": record.number,
        "startTick": start,
        "freezeEndTick": zero,
        "endTick": zero + record.end_tick,
        "teamASide": record.sides[0],
        "teamBSide": record.sides[5],
        "teamAScoreBefore": record.score_before[0],
        "teamBScoreBefore": record.score_before[1],
        "teamAEconomy": record.team_buys[0],
        "teamBEconomy": record.team_buys[1],
        "winnerTeamKey": ("teamA", "teamB")[winner],
        "winnerSide": record.winner,
        "endReason": record.reason,
    }


def _economies(record: RoundRecord) -> list[dict[str, Any]]:
    return [
        {
            "roundNumber": record.number,
            "playerIndex": i,
            "startMoney": p.start_money,
            "moneySpent": p.spent,
            "equipmentValue": p.equipment,
            "type": p.buy_type,
            "hasArmor": p.armor > 0,
            "hasHelmet": p.helmet,
            "hasDefuseKit": p.kit,
            "primaryWeapon": WEAPONS[p.primary].title if p.primary else None,
            "secondaryWeapon": WEAPONS[p.secondary].title,
            "grenadeCount": len(p.grenades),
            "grenades": p.grenades,
        }
        for i, p in enumerate(record.players)
    ]


def _events(record: RoundRecord, zero: int, geo: Geometry) -> dict[str, list[dict[str, Any]]]:
    number = record.number

    def at(point: Position) -> dict[str, int]:
        x, y = np.array([point[0]]), np.array([point[1]])
        return {"x": round(point[0]), "y": round(point[1]), "z": round(float(geo.height_at(x, y)[0]))}

    traded = {(k.traded_victim_of, k.killer) for k in record.kills if k.trade}
    avenged = {victim for victim, _ in traded}
    kills = [
        {
            "roundNumber": number,
            "tick": zero + k.tick,
            "killerIndex": k.killer,
            "victimIndex": k.victim,
            "assisterIndex": k.assister,
            "flashAssisterIndex": k.flash_assister,
            "weapon": k.weapon,
            "killerActiveWeapon": None,
            "victimActiveWeapon": None,
            "headshot": k.headshot,
            "flashAssist": k.flash_assister is not None,
            "tradeKill": k.trade,
            "tradeDeath": k.victim in avenged,
            "throughSmoke": False,
            "noScope": False,
            "penetratedObjects": 0,
            "killerPosition": at(k.killer_at) if k.killer is not None else None,
            "victimPosition": at(k.victim_at),
        }
        for k in record.kills
    ]
    damages = [
        {
            "roundNumber": number,
            "tick": zero + d.tick,
            "attackerIndex": d.attacker,
            "victimIndex": d.victim,
            "weapon": (WEAPONS[d.weapon].damage_key or d.weapon) if d.weapon in WEAPONS else d.weapon,
            "hitgroup": d.hitgroup,
            "healthDamage": d.health,
            "healthDamageRaw": d.raw,
            "armorDamage": d.armor,
            "victimHealthBefore": d.health_before,
            "victimArmorAfter": d.armor_after,
            "attackerPosition": at(d.attacker_at),
            "victimPosition": at(d.victim_at),
        }
        for d in record.damages
    ]
    bombs = [
        {
            "roundNumber": number,
            "tick": zero + b.tick,
            "type": b.kind,
            "site": b.site,
            "actorIndex": b.actor,
            "position": at(b.at),
        }
        for b in sorted(record.bombs, key=lambda b: b.tick)
    ]
    names = [f"{number}-{t.number}" for t in record.throws]
    grenades = [
        {
            "roundNumber": number,
            "grenadeId": names[t.number],
            "throwTick": zero + t.throw_tick,
            "effectTick": zero + t.effect_tick,
            "destroyTick": zero + t.destroy_tick,
            "grenade": t.kind,
            "throwerIndex": t.thrower,
            "throwPosition": at(t.start),
            "effectPosition": at(t.end),
        }
        for t in sorted(record.throws, key=lambda t: t.throw_tick)
    ]
    blinds = [
        {
            "roundNumber": number,
            "tick": zero + b.tick,
            "flashId": names[b.throw],
            "flasherIndex": b.flasher,
            "flashedIndex": b.flashed,
            "durationSeconds": b.seconds,
        }
        for b in record.blinds
    ]
    ends = [{**c, "tick": zero + c["tick"]} for c in clutches(record)]
    return {
        "kills": kills,
        "damages": damages,
        "bombs": bombs,
        "grenades": grenades,
        "blinds": blinds,
        "clutches": ends,
    }


def _shots(match: SimulatedMatch, zeros: list[int], geo: Geometry) -> dict[str, Any]:
    """Shots as column tracks per round and player, delta coded."""
    words = Words()
    tracks = []
    for record, zero in zip(match.rounds, zeros, strict=True):
        for player in range(10):
            own = sorted((s for s in record.shots if s.player == player), key=lambda s: s.tick)
            if not own:
                continue
            x, y = np.array([s.at[0] for s in own]), np.array([s.at[1] for s in own])
            still = [0] * len(own)
            columns = {"x": x, "y": y, "z": geo.height_at(x, y)}
            tracks.append(
                {
                    "roundNumber": record.number,
                    "playerIndex": player,
                    "tick": deltas(np.array([zero + s.tick for s in own])),
                    "weapon": [words.code(f"weapon_{s.weapon}") for s in own],
                    **{name: deltas(np.rint(v).astype(np.int64)) for name, v in columns.items()},
                    "vx": still,
                    "vy": still,
                    "vz": still,
                    "yaw": deltas(np.array([round(s.yaw * 10) for s in own])),
                    "pitch": still,
                }
            )
    return {"meta": {"coordScale": 1, "angleScale": 10}, "weaponDict": words.words, "tracks": tracks}
