"""Weapons and equipment: the game's published prices, rewards and damage, and how well they hit in this model.

Belongs here: the table, damage of one hit.
Does not belong here: who buys what (``economy.py``) and who shoots whom (``fights.py``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weapon:
    """One weapon. Damage, armour ratio, price, reward and run speed are the game's; ``accuracy`` and ``reach`` are the model's."""

    key: str
    """As kills and replay tracks write it."""
    title: str
    """As economies write it."""
    price: int
    reward: int
    damage: float
    armor_ratio: float
    """Share of the damage that passes armour, as the game counts it (halved weapon ratio)."""
    speed: float
    """Run speed, units per second."""
    shots_per_s: float
    accuracy: float
    """Chance that a shot of a standing player of average skill hits at 500 u."""
    reach: float
    """Distance in game units at which that chance has fallen to 1/e of its value at hand."""
    rifle: bool = False
    damage_key: str = ""
    """As damages write it, where that differs."""


_TABLE = (
    Weapon("glock", "Glock-18", 200, 300, 30, 0.47, 240, 5.0, 0.27, 1000),
    Weapon("usp_silencer", "USP-S", 200, 300, 35, 0.505, 240, 3.6, 0.33, 1500, damage_key="hkp2000"),
    Weapon("p250", "P250", 300, 300, 38, 0.64, 240, 4.0, 0.29, 1100),
    Weapon("elite", "Dual Berettas", 300, 300, 38, 0.575, 240, 5.0, 0.26, 1000),
    Weapon("tec9", "Tec-9", 500, 300, 33, 0.906, 240, 4.8, 0.27, 1000),
    Weapon("fiveseven", "Five-SeveN", 500, 300, 32, 0.9115, 240, 4.6, 0.29, 1100),
    Weapon("deagle", "Desert Eagle", 700, 300, 53, 0.932, 230, 2.2, 0.31, 1700),
    Weapon("mac10", "MAC-10", 1050, 600, 29, 0.575, 240, 8.0, 0.22, 750),
    Weapon("mp9", "MP9", 1250, 600, 26, 0.6, 240, 8.0, 0.24, 850),
    Weapon("galilar", "Galil AR", 1800, 300, 30, 0.775, 215, 6.0, 0.25, 1600, rifle=True),
    Weapon("famas", "FAMAS", 1950, 300, 30, 0.7, 220, 6.0, 0.25, 1600, rifle=True),
    Weapon("ak47", "AK-47", 2700, 300, 36, 0.775, 215, 5.6, 0.27, 2000, rifle=True),
    Weapon("m4a1_silencer", "M4A1-S", 2900, 300, 38, 0.7, 225, 5.6, 0.27, 2100, rifle=True, damage_key="m4a1"),
    Weapon("m4a1", "M4A4", 2900, 300, 33, 0.7, 225, 6.0, 0.27, 2000, rifle=True),
    Weapon("awp", "AWP", 4750, 100, 115, 0.975, 200, 0.75, 0.62, 6000, rifle=True),
)
WEAPONS = {weapon.key: weapon for weapon in _TABLE}

GRENADE_PRICES = {"flashbang": 200, "smoke": 300, "hegrenade": 300, "molotov": 400, "incendiary": 500}
"""By the word that economies use; thrown, an incendiary is a ``molotov``."""
GRENADE_IN_HAND = {
    "flashbang": "flashbang",
    "smoke": "smokegrenade",
    "hegrenade": "hegrenade",
    "molotov": "molotov",
    "incendiary": "incgrenade",
}
"""Grenade names of replay tracks."""

VEST_PRICE = 650
HELMET_PRICE = 350
KIT_PRICE = 400
KNIFE_SPEED = 250.0
WALK_SHARE = 0.52
"""Walking speed as a share of running speed."""

_BODY = {
    "head": 4.0,
    "chest": 1.0,
    "stomach": 1.25,
    "left_arm": 1.0,
    "right_arm": 1.0,
    "left_leg": 0.75,
    "right_leg": 0.75,
}


def falloff(weapon: Weapon, distance_u: float) -> float:
    """Share of a weapon's damage left at a distance."""
    if weapon.key == "awp":
        return 1.0
    per_500 = 0.98 if weapon.rifle else 0.87
    return float(per_500 ** (distance_u / 500.0))


def hit_damage(weapon: Weapon, hitgroup: str, distance_u: float, armor: int, helmet: bool) -> tuple[int, int, int]:
    """Raw damage, health damage and armour damage of one hit, by the game's armour rule."""
    raw = weapon.damage * _BODY[hitgroup] * falloff(weapon, distance_u)
    covered = armor > 0 and (helmet if hitgroup == "head" else not hitgroup.endswith("leg"))
    if not covered:
        return int(raw), int(raw), 0
    passed = raw * weapon.armor_ratio
    worn = min(armor, int((raw - passed) * 0.5))
    return int(raw), int(passed), worn
