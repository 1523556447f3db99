"""A hand-made demo of two rounds and four players, in both formats: readable here, packed under ``fixtures/cs2_demo/``.

``python tests/tiny_demo.py`` packs the inputs again. Frames come once a second; ``s`` below is seconds since freeze end.

Round 1: A attacks. P1 kills P3 (6 s), P4 kills P2 with a weapon nobody knows (8 s), P1 plants at A (12.5 s), kills P4 (18 s).
Round 2: sides swapped. P4 takes over the bomb (3 s), kills his own P3 (4 s) and plants at B (10 s); the bomb kills P1 (29 s).
"""

import io
import json
import lzma
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures" / "cs2_demo"
V2_NAME, V3_NAME = "2026-05-17_de_tiny_m01.json.xz", "2026-05-17_de_tiny_m01.zip"

PLAYERS = ("P1", "P2", "P3", "P4")
STARTS, ZEROS, ENDS = (1000, 3304), (1640, 3944), (2920, 5864)
WEAPONS = ["weapon_ak47", "glock", "knife_karambit", "AWP"]
DIED = {(1, 2): 6, (1, 1): 8, (1, 3): 18, (2, 2): 4, (2, 0): 29}
"""(round, player) to second of death."""


def tick(number: int, s: float) -> int:
    """The tick of a second of a round."""
    return int(ZEROS[number - 1] + 64 * s)


def _pos(x: float, y: float, z: float = 0.0) -> dict[str, float]:
    return {"x": x, "y": y, "z": z}


class _Words:
    """How a version names a player."""

    def __init__(self, version: int) -> None:
        self.version = version

    def who(self, **roles: int | None) -> dict[str, Any]:
        if self.version == 3:
            return {f"{role}Index": index for role, index in roles.items()}
        named = {role: None if index is None else PLAYERS[index] for role, index in roles.items()}
        return {("steamId64" if role == "player" else f"{role}SteamId64"): name for role, name in named.items()}


def sections(version: int) -> dict[str, Any]:
    """The whole demo, section by section (2.0: keys of one object; 3.0: files of the archive)."""
    words = _Words(version)
    who = words.who
    parts: dict[str, Any] = {
        "manifest": {
            "schemaVersion": f"cs2-demo-format/{version}.0",
            "demo": {"hash": "5eed5eed5eed", "sourceFileName": "tiny.dem"},
            "mapName": "de_tiny",
        },
        "match": {
            "mapName": "de_tiny",
            "tickrate": 64,
            "teamA": {"name": "Alpha Team", "score": 1},
            "teamB": {"name": "Beta", "score": 1},
        },
        "players": [
            {"steamId64": name, "name": f"player {name}", "teamKey": "teamA" if i < 2 else "teamB"}
            for i, name in enumerate(PLAYERS)
        ],
        "rounds": [_round(1, "t", "teamA", "t_win", (0, 0)), _round(2, "ct", "teamB", "target_bombed", (1, 0))],
        "kills": [
            _kill(words, 1, 6, 0, 2, "ak47", headshot=True, tradeDeath=True, assister=1),
            _kill(words, 1, 8, 3, 1, "raygun", tradeKill=True, throughSmoke=True),
            _kill(words, 1, 18, 0, 3, "ak47", penetratedObjects=1),
            _kill(words, 2, 4, 3, 2, "glock"),
            # 3.0 credits the bomb to who planted it, 2.0 to nobody: the bomb's doing in both
            _kill(words, 2, 29, 3 if version == 3 else None, 0, "planted_c4"),
        ],
        "damages": [
            {**_hurt(1, 0, 12, 0, 88, None), "tick": 1500, **who(attacker=3, victim=0)},  # warm-up
            {**_hurt(1, 5, 27, 3, 100, 97), **who(attacker=0, victim=2)},
            {**_hurt(1, 6, 80, 0, 73, 97), **who(attacker=0, victim=2)},
        ],
        "bombs": [
            _bomb(words, 1, -8.4375, "picked_up", 0),
            _bomb(words, 1, 9, "plant_begin", 0, "a"),
            _bomb(words, 1, 12.5, "planted", 0, "a", _pos(100, 200)),
            _bomb(words, 2, -2, "picked_up", 2),
            _bomb(words, 2, 2, "dropped", 2, None, _pos(20, 30)),
            _bomb(words, 2, 3, "picked_up", 3),
            _bomb(words, 2, 10, "planted", 3, "b", _pos(-300, 50)),
            _bomb(words, 2, 20, "defuse_begin", 0, "b"),
            _bomb(words, 2, 29, "exploded", None, "b"),
        ],
        "grenades": [
            {
                "roundNumber": 1, "grenadeId": "7-1704", "throwTick": tick(1, 1), "effectTick": tick(1, 3), "grenade": "smoke",
                "throwPosition": _pos(1, 2, 3), "effectPosition": _pos(40, 50, 6), **who(thrower=2),
            }
        ],
        "blinds": [{"roundNumber": 1, "tick": tick(1, 4), "durationSeconds": 1.5, **who(flasher=1, flashed=2)}],
        "player-economies": [
            row for number in (1, 2) for i in range(4) for row in [_economy(words, number, i)]
        ],
        "clutches": [
            {
                "roundNumber": 1, "tick": tick(1, 8), "opponentCount": 1, "won": True, "survived": True, "killCount": 1,
                **who(clutcher=0),
            }
        ],
        "shots": _shots(version),
        "replay": _replay(version),
    }  # fmt: skip
    if version == 2:
        parts["positions-1s"] = [
            {"roundNumber": 1, "tick": tick(1, s), "steamId64": "P1", "armor": armor, "money": 850 + s}
            for s, armor in ((0, 100), (5, 60))
        ]
    return parts


def _round(number: int, a_side: str, winner: str, reason: str, before: tuple[int, int]) -> dict[str, Any]:
    b_side = "ct" if a_side == "t" else "t"
    return {
        "roundNumber": number, "startTick": STARTS[number - 1], "freezeEndTick": ZEROS[number - 1], "endTick": ENDS[number - 1],
        "teamASide": a_side, "teamBSide": b_side, "teamAScoreBefore": before[0], "teamBScoreBefore": before[1],
        "teamAEconomy": "pistol", "teamBEconomy": "eco" if number == 2 else "pistol",
        "winnerTeamKey": winner, "winnerSide": a_side if winner == "teamA" else b_side, "endReason": reason,
    }  # fmt: skip


def _kill(
    words: _Words, number: int, s: float, killer: int | None, victim: int, weapon: str, **more: Any
) -> dict[str, Any]:
    assister = more.pop("assister", None)
    return {
        "roundNumber": number, "tick": tick(number, s), "weapon": weapon, "victimPosition": _pos(5, 6, 7),
        "killerPosition": None if killer is None else _pos(1, 2, 3), **more,
        **words.who(killer=killer, victim=victim, assister=assister, flashAssister=None),
    }  # fmt: skip


def _hurt(number: int, s: float, health: int, armor: int, before: int, armor_after: int | None) -> dict[str, Any]:
    return {
        "roundNumber": number, "tick": tick(number, s), "weapon": "ak47", "hitgroup": "chest", "healthDamage": health,
        "armorDamage": armor, "victimHealthBefore": before, "victimArmorAfter": armor_after,
    }  # fmt: skip


def _bomb(
    words: _Words, number: int, s: float, kind: str, actor: int | None, site: str | None = None, pos: Any = None
) -> dict[str, Any]:
    row = {"roundNumber": number, "tick": tick(number, s), "type": kind, "site": site, "position": pos}
    return {**row, **words.who(actor=actor)}


def _economy(words: _Words, number: int, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "roundNumber": number, "startMoney": 800, "moneySpent": 650, "equipmentValue": 850 + i, "type": "pistol",
        "hasArmor": True, "primaryWeapon": None, "secondaryWeapon": "USP-S", "grenadeCount": 1,
        **words.who(player=i),
    }  # fmt: skip
    if number == 2 and i == 0:  # spends more than he has: the money told is from before overtime's reset
        row |= {
            "moneySpent": 3000,
            "equipmentValue": 3200,
            "primaryWeapon": "AK-47",
            "hasHelmet": True,
            "hasDefuseKit": True,
        }
    if words.version == 3:
        row["grenades"] = ["smoke"]
    return row


def _shots(version: int) -> Any:
    ticks, xs, yaws = [tick(1, 5), tick(1, 5.5)], [10, 14], [90, 85]
    if version == 2:
        return [
            {
                "roundNumber": 1,
                "tick": t,
                "steamId64": "P1",
                "weapon": w,
                "position": _pos(x, 20, 30),
                "yaw": yaw,
                "pitch": -1,
            }
            for t, w, x, yaw in zip(ticks, ("weapon_ak47", "knife_karambit"), xs, yaws, strict=True)
        ]
    track = {
        "roundNumber": 1, "playerIndex": 0, "tick": deltas(ticks), "weapon": [0, 2], "x": deltas(xs), "y": [20, 0],
        "z": [30, 0], "yaw": deltas([10 * yaw for yaw in yaws]), "pitch": [-10, 0],
    }  # fmt: skip
    return {"meta": {"coordScale": 1, "angleScale": 10}, "weaponDict": WEAPONS, "tracks": [track]}


def deltas(values: list[int]) -> list[int]:
    """First absolute, then differences."""
    return [values[0], *(b - a for a, b in pairwise(values))]


def _replay(version: int) -> dict[str, Any]:
    scale = 10 if version == 3 else 1
    return {
        "meta": {"coordScale": 1, "angleScale": scale, "sampleRate": 1, "tickrate": 64},
        "weaponDict": WEAPONS,
        "placeDict": ["Yard", "Hall"] if version == 3 else [],
        "rounds": [
            {
                "roundNumber": number,
                "startTick": ZEROS[number - 1],
                "tickStep": 64,
                "frameCount": frames,
                "players": [_track(version, number, i, frames, scale) for i in range(4)],
            }
            for number, frames in ((1, 24), (2, 34))  # three seconds past the end of each round
        ],
    }


def _track(version: int, number: int, i: int, frames: int, scale: int) -> dict[str, Any]:
    moments = range(frames)
    alive = [s < DIED.get((number, i), 99) for s in moments]
    carries = (
        (lambda s: i == 0 and s <= 12) if number == 1 else (lambda s: (i == 2 and s < 2) or (i == 3 and 3 <= s < 10))
    )
    kit = 4 if (number, i) == (2, 0) else 0
    x = [100 * i + 10 * s for s in moments]
    yaw = [scale * (90 * i - s) for s in moments]
    column: dict[str, Any] = {
        "x": x, "y": [-50 * i] * frames, "z": [7] * frames, "yaw": yaw, "hp": [100 if a else 0 for a in alive],
        "weapon": [0 if s % 2 else 2 for s in moments], "flags": [(1 + kit) if a else 0 for a in alive],
    }  # fmt: skip
    if version == 2:
        return {"steamId64": PLAYERS[i], **column}
    money, equipment = [150] * frames, [850 + i] * frames
    column |= {"pitch": [scale * 2] * frames, "armor": [100] * frames, "money": money, "equipValue": equipment}
    column |= {"place": [s % 2 for s in moments]}
    column["flags"] = [f + 2 * (f > 0 and carries(s)) for s, f in zip(moments, column["flags"], strict=True)]
    for name in ("x", "y", "z", "yaw", "pitch", "money", "equipValue"):
        column[name] = deltas(column[name])
    return {"playerIndex": i, **column}


def packed(version: int, parts: dict[str, Any]) -> bytes:
    """The bytes of a demo file: xz of one object, or a zip of one file per section. NaN is written as NaN."""
    if version == 2:
        return lzma.compress(json.dumps(parts).encode())
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.json", (1980, 1, 1, 0, 0, 0)), json.dumps(content))
    return sink.getvalue()


def unpacked(version: int, data: bytes) -> dict[str, Any]:
    """The inverse of ``packed``."""
    if version == 2:
        return dict(json.loads(lzma.decompress(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


def defused() -> dict[str, Any]:
    """Format 2.0 with another end: P1 defuses at 26 s of round 2, and what else the two rounds leave out."""
    parts = sections(2)
    parts["bombs"][-1] = _bomb(_Words(2), 2, 26, "defused", 0, "b", _pos(-300, 50))
    parts["kills"].pop()
    parts["kills"][0]["flashAssisterSteamId64"] = "P2"
    parts["damages"][1] |= {"attackerPosition": _pos(1, 2, 3), "victimPosition": _pos(5, 6, 7)}
    parts["rounds"][1] |= {
        "winnerTeamKey": "teamA",
        "winnerSide": "ct",
        "endReason": "bomb_defused",
        "endTick": tick(2, 26.5),
    }
    parts["match"]["teamA"]["score"], parts["match"]["teamB"]["score"] = 2, 0
    return parts


CASES: dict[str, tuple[int, str, dict[str, Any]]] = {
    "v2_two_rounds": (2, "input.json.xz", sections(2)),
    "v2_defused": (2, "input.json.xz", defused()),
    "v3_two_rounds": (3, "input.zip", sections(3)),
}

if __name__ == "__main__":
    for case, (number, name, content) in CASES.items():
        (FIXTURES / case / name).write_bytes(packed(number, content))
