"""The words of ``cs2-demo-format`` to ours.

Belongs here: vocabulary tables and the normalisation of weapon names.
Does not belong here: shapes (``raw.py``) and order, clocks, checks (``adapter.py``).
"""

from functools import cache

from esports_assets.canonical.vocabulary import BuyType, EndReason, EventType, Side

END_REASONS: dict[str, dict[Side, EndReason]] = {
    "ct_win": {Side.CT: EndReason.T_ELIMINATED},
    "t_win": {Side.T: EndReason.CT_ELIMINATED},
    "bomb_defused": {Side.CT: EndReason.BOMB_DEFUSED},
    "target_bombed": {Side.T: EndReason.BOMB_EXPLODED},
    "time_ran_out": {Side.CT: EndReason.TIME_EXPIRED},
}
"""Their end reason to ours, with the side that must have won."""

BOMB_EVENTS: dict[str, EventType] = {
    "picked_up": EventType.BOMB_PICKED_UP,
    "dropped": EventType.BOMB_DROPPED,
    "plant_begin": EventType.BOMB_PLANT_BEGIN,
    "planted": EventType.BOMB_PLANTED,
    "defuse_begin": EventType.BOMB_DEFUSE_BEGIN,
    "defused": EventType.BOMB_DEFUSED,
    "exploded": EventType.BOMB_EXPLODED,
}

SIDES: dict[str, Side] = {"ct": Side.CT, "t": Side.T}

BUYS: dict[str, BuyType] = {member.value: member for member in BuyType}

BOMB_WEAPONS = frozenset({"planted_c4", "c4"})
"""Weapons of a KILL row that is the bomb's doing: a DEATH of ours."""

_PRIMARY_SHOP = {
    "AK-47": "ak47",
    "AUG": "aug",
    "AWP": "awp",
    "FAMAS": "famas",
    "G3SG1": "g3sg1",
    "Galil AR": "galilar",
    "M249": "m249",
    "M4A1-S": "m4a1_silencer",
    "M4A4": "m4a1",
    "MAC-10": "mac10",
    "MAG-7": "mag7",
    "MP5-SD": "mp5sd",
    "MP7": "mp7",
    "MP9": "mp9",
    "Negev": "negev",
    "Nova": "nova",
    "P90": "p90",
    "PP-Bizon": "bizon",
    "Sawed-Off": "sawedoff",
    "SCAR-20": "scar20",
    "SG 553": "sg556",
    "SSG 08": "ssg08",
    "UMP-45": "ump45",
    "XM1014": "xm1014",
}
_SECONDARY_SHOP = {
    "CZ75-Auto": "cz75a",
    "Desert Eagle": "deagle",
    "Dual Berettas": "elite",
    "Five-SeveN": "fiveseven",
    "Glock-18": "glock",
    "P2000": "hkp2000",
    "P250": "p250",
    "R8 Revolver": "revolver",
    "Tec-9": "tec9",
    "USP-S": "usp_silencer",
}
SHOP_NAMES: dict[str, str] = {**_PRIMARY_SHOP, **_SECONDARY_SHOP}
"""Shop names (economy rows) to the class names that kills and tracks use."""

WEAPONS = frozenset(SHOP_NAMES.values()) | {
    "knife",
    "taser",
    "c4",
    "planted_c4",
    "smokegrenade",
    "flashbang",
    "hegrenade",
    "molotov",
    "incgrenade",
    "inferno",
    "decoy",
    "world",
    "healthshot",
}
"""Every weapon name of ours; another name is kept as written and reported."""

GRENADES = frozenset({"smoke", "flashbang", "hegrenade", "molotov", "decoy"})

_BLADES = ("knife", "bayonet", "karambit")


@cache
def weapon(name: str) -> str:
    """Our name of a weapon: without prefix, every blade is ``knife``."""
    short = SHOP_NAMES.get(name) or name.lower().removeprefix("weapon_")
    return "knife" if any(blade in short for blade in _BLADES) else short
