"""GRID's names of weapons and items to ours, and what each title has of them.

Belongs here: the vocabulary of what can be carried or hurt, and what a list of it means for an ECONOMY_UPDATE.
Does not belong here: all other words (``mapping.py``).
"""

from collections.abc import Iterator
from typing import Any

from esports_assets.canonical.vocabulary import Title

_ITEM_WORDS = {"heGrenade": "hegrenade", "incendiaryGrenade": "incgrenade", "incGrenade": "incgrenade", "bomb": "c4"}

GRENADES = {
    "smokegrenade": "smoke",
    "flashbang": "flashbang",
    "hegrenade": "hegrenade",
    "molotov": "molotov",
    "incgrenade": "molotov",
    "decoy": "decoy",
}
"""Our name of a Counter-Strike grenade as an item, to its name as a grenade."""

_CS_SECONDARIES = frozenset(
    ["glock", "hkp2000", "usp_silencer", "p250", "elite", "fiveseven", "tec9", "cz75a", "deagle", "revolver"]
)
_VALORANT_SECONDARIES = frozenset(["classic", "shorty", "frenzy", "ghost", "sheriff", "bandit"])
_SECONDARIES = _CS_SECONDARIES | _VALORANT_SECONDARIES
_GEAR = frozenset(
    [
        "knife",
        "melee",
        "taser",
        "c4",
        "spike",
        "kevlarvest",
        "assaultsuit",
        "helmet",
        "kevlarhelmet",
        "vesthelm",
        "defusekit",
        "defuser",
    ]
)
_PRIMARIES = frozenset(
    [
        *("ak47", "aug", "awp", "famas", "g3sg1", "galilar", "m249", "m4a1", "m4a1_silencer", "mac10", "mag7", "mp5sd"),
        *("mp7", "mp9", "negev", "nova", "p90", "bizon", "sawedoff", "scar20", "sg556", "ssg08", "ump45", "xm1014"),
    ]
)
_VALORANT_PRIMARIES = frozenset(
    [
        *("stinger", "spectre", "bucky", "judge", "bulldog", "guardian", "phantom", "vandal", "marshal", "outlaw"),
        *("operator", "ares", "odin"),
    ]
)
_HARMS = frozenset({"inferno", "planted_c4", "world", "worldspawn", "fall", "bomb"})
"""What hurts in Counter-Strike and cannot be carried."""
_KITS = frozenset({"defusekit", "defuser"})
_HELMETS = frozenset({"helmet", "kevlarhelmet", "vesthelm", "assaultsuit"})
_VESTS = frozenset({"kevlarvest"}) | _HELMETS


_COUNTER_STRIKE = _PRIMARIES | _CS_SECONDARIES | _GEAR | _HARMS | frozenset(GRENADES)
_KNOWN: dict[Title, frozenset[str]] = {
    Title.CSGO: _COUNTER_STRIKE,
    Title.CS2: _COUNTER_STRIKE,
    Title.VALORANT: _VALORANT_PRIMARIES | _VALORANT_SECONDARIES | _GEAR,
}
_NAMED_IN = ("weapon", "item", "primary", "secondary")
"""Payload keys that name a weapon or an item."""


def unknown(payload: dict[str, Any], title: Title) -> Iterator[str]:
    """Weapons and items of a payload that the title is not known to have."""
    for key in _NAMED_IN:
        name = payload.get(key)
        if name is not None and name not in _KNOWN[title] and not name.startswith("knife"):
            yield name


def item(name: str) -> str:
    """Our name of a weapon or item: lower case, with the class name where theirs differs."""
    return _ITEM_WORDS.get(name, name.lower())


def carried(names: list[str], title_: Title) -> dict[str, object]:
    """What a player carries, as payload keys of an ECONOMY_UPDATE; armour and kit are items in Counter-Strike only."""
    ours = [item(name) for name in names]
    weapons = [name for name in ours if name not in GRENADES and name not in _GEAR]
    first_of = {
        "primary": next((w for w in weapons if w not in _SECONDARIES), None),
        "secondary": next((w for w in weapons if w in _SECONDARIES), None),
    }
    if title_ is Title.VALORANT:
        return dict(first_of)
    grenades = [GRENADES[name] for name in ours if name in GRENADES]
    return {
        **first_of,
        "grenades": grenades,
        "grenade_count": len(grenades),
        "helmet": any(name in _HELMETS for name in ours),
        "kit": any(name in _KITS for name in ours),
    }
