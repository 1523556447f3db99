"""The shapes of ``cs2-demo-format`` 2.0 and 3.0, as the exporters write them.

Belongs here: their fields under their names, typed, and only those that we read; 2.0 names players by id ("...SteamId64"),
3.0 by index ("...Index"), so both stand side by side with a default.
Does not belong here: what the words mean (``mapping.py``) and what becomes of them (``adapter.py`` and its parts).
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from esports_assets.adapters.base import MalformedRecord
from esports_assets.canonical.space import WORLD_LIMIT_U

Whole = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
"""A whole number that a float holds exactly; anything larger is no measurement."""


Coordinate = Annotated[float, Meta(ge=-WORLD_LIMIT_U, le=WORLD_LIMIT_U)]


class Position(Struct, frozen=True, gc=False):
    """World units."""

    x: Coordinate
    y: Coordinate
    z: Coordinate


class Demo(Struct, frozen=True, gc=False):
    hash: str
    sourceFileName: str = ""


class Exporter(Struct, frozen=True, gc=False):
    name: str = ""
    version: str = ""


class Manifest(Struct, frozen=True, gc=False):
    schemaVersion: str
    demo: Demo
    mapName: str = ""
    exporter: Exporter = Exporter()
    simulated: bool = False


class Team(Struct, frozen=True, gc=False):
    name: str
    score: Whole


class MatchInfo(Struct, frozen=True, gc=False):
    mapName: str
    tickrate: float
    teamA: Team
    teamB: Team
    serverName: str = ""
    simulated: bool = False


class Player(Struct, frozen=True, gc=False):
    steamId64: str
    name: str
    teamKey: str


class Round(Struct, frozen=True, gc=False):
    roundNumber: Whole
    startTick: Whole
    freezeEndTick: Whole
    endTick: Whole
    teamASide: str
    teamBSide: str
    teamAScoreBefore: Whole
    teamBScoreBefore: Whole
    winnerTeamKey: str
    winnerSide: str
    endReason: str
    teamAEconomy: str | None = None
    teamBEconomy: str | None = None


class Kill(Struct, frozen=True, gc=False):
    roundNumber: Whole
    tick: Whole
    weapon: str
    headshot: bool = False
    tradeKill: bool = False
    tradeDeath: bool = False
    throughSmoke: bool = False
    noScope: bool = False
    penetratedObjects: Whole = 0
    killerPosition: Position | None = None
    victimPosition: Position | None = None
    killerSteamId64: str | None = None
    victimSteamId64: str | None = None
    assisterSteamId64: str | None = None
    flashAssisterSteamId64: str | None = None
    killerIndex: Whole | None = None
    victimIndex: Whole | None = None
    assisterIndex: Whole | None = None
    flashAssisterIndex: Whole | None = None


class Damage(Struct, frozen=True, gc=False):
    roundNumber: Whole
    tick: Whole
    weapon: str
    hitgroup: str
    healthDamage: Whole
    armorDamage: Whole
    victimHealthBefore: Whole
    victimArmorAfter: Whole | None = None
    attackerPosition: Position | None = None
    victimPosition: Position | None = None
    attackerSteamId64: str | None = None
    victimSteamId64: str | None = None
    attackerIndex: Whole | None = None
    victimIndex: Whole | None = None


class Bomb(Struct, frozen=True, gc=False):
    roundNumber: Whole
    tick: Whole
    type: str
    site: str | None = None
    position: Position | None = None
    actorSteamId64: str | None = None
    actorIndex: Whole | None = None


class Grenade(Struct, frozen=True, gc=False):
    roundNumber: Whole
    grenadeId: str
    throwTick: Whole
    grenade: str
    effectTick: Whole | None = None
    throwPosition: Position | None = None
    effectPosition: Position | None = None
    throwerSteamId64: str | None = None
    throwerIndex: Whole | None = None


class Blind(Struct, frozen=True, gc=False):
    roundNumber: Whole
    tick: Whole
    durationSeconds: float
    flasherSteamId64: str | None = None
    flashedSteamId64: str | None = None
    flasherIndex: Whole | None = None
    flashedIndex: Whole | None = None


class Economy(Struct, frozen=True, gc=False):
    roundNumber: Whole
    startMoney: Whole
    moneySpent: Whole
    equipmentValue: Whole
    type: str | None = None
    hasArmor: bool = False
    hasHelmet: bool = False
    hasDefuseKit: bool = False
    primaryWeapon: str | None = None
    secondaryWeapon: str | None = None
    grenadeCount: Whole = 0
    grenades: list[str] | None = None
    steamId64: str | None = None
    playerIndex: Whole | None = None


class Clutch(Struct, frozen=True, gc=False):
    roundNumber: Whole
    tick: Whole
    opponentCount: Whole
    won: bool
    survived: bool
    killCount: Whole
    clutcherSteamId64: str | None = None
    clutcherIndex: Whole | None = None


class Shot(Struct, frozen=True, gc=False):
    """2.0: one row per shot."""

    roundNumber: Whole
    tick: Whole
    steamId64: str
    weapon: str
    position: Position
    yaw: float
    pitch: float


class ShotTrack(Struct, frozen=True, gc=False):
    """3.0: columns of one player's shots in one round; tick, x, y, z, yaw, pitch are delta coded."""

    roundNumber: Whole
    playerIndex: Whole
    tick: list[Whole]
    weapon: list[Whole]
    x: list[float]
    y: list[float]
    z: list[float]
    yaw: list[float]
    pitch: list[float]


_LEAST_SCALE = 0.001


class Scales(Struct, frozen=True, gc=False):
    """``angleScale`` divides angles to degrees; ``coordScale`` divides coordinates to units."""

    coordScale: float = 1
    angleScale: float = 1
    tickrate: float = 64

    def divisors(self, file: str, place: str) -> tuple[float, float]:
        """Both scales; refuses those that cannot divide."""
        if min(self.coordScale, self.angleScale) < _LEAST_SCALE:
            raise MalformedRecord(
                file, place, f"scales {self.coordScale} and {self.angleScale} must be at least {_LEAST_SCALE}"
            )
        return self.coordScale, self.angleScale


class Shots(Struct, frozen=True, gc=False):
    meta: Scales
    weaponDict: list[str]
    tracks: list[ShotTrack]


class Second(Struct, frozen=True, gc=False):
    """2.0: a player's state once a second; the columns that its replay lacks. Its ``money`` is the value of the equipment."""

    roundNumber: Whole
    tick: Whole
    steamId64: str
    armor: Whole
    money: Whole


Numbers = list[Whole] | None
"""A column of a replay track. All exporters write whole numbers."""


class Track(Struct, frozen=True, gc=False):
    """One player's columns in one round."""

    x: list[Whole]
    y: list[Whole]
    z: list[Whole]
    yaw: list[Whole]
    hp: list[Whole]
    weapon: list[Whole]
    flags: list[Whole]
    steamId64: str | None = None
    playerIndex: Whole | None = None
    pitch: Numbers = None
    armor: Numbers = None
    money: Numbers = None
    equipValue: Numbers = None
    place: Numbers = None


class ReplayRound(Struct, frozen=True, gc=False):
    roundNumber: Whole
    startTick: Whole
    tickStep: Whole
    frameCount: Whole
    players: list[Track]
    projectiles: msgspec.Raw = msgspec.Raw()


class Replay(Struct, frozen=True, gc=False):
    meta: Scales
    weaponDict: list[str]
    rounds: list[ReplayRound]
    placeDict: list[str] = []


RENAMED = {
    "player_economies": "player-economies",
    "positions_1s": "positions-1s",
    "player_stats": "player-stats",
}


class DemoFile(Struct, frozen=True, gc=False, rename=RENAMED):
    """A whole exported match; in 3.0 each field is a file of the archive."""

    manifest: Manifest
    match: MatchInfo
    players: list[Player]
    rounds: list[Round]
    kills: list[Kill]
    damages: list[Damage]
    bombs: list[Bomb]
    grenades: list[Grenade]
    blinds: list[Blind]
    player_economies: list[Economy]
    shots: list[Shot] | Shots
    replay: Replay
    clutches: list[Clutch] = []
    positions_1s: list[Second] = []


FILES: dict[str, str] = {field.encode_name: field.name for field in msgspec.structs.fields(DemoFile)}
"""Name of a file's stem to the field that holds it."""
