"""What a player holds, by what it is good for.

Belongs here: classes of weapons by name.
Does not belong here: prices and duels (``view.py``).
"""

from collections.abc import Sequence

import numpy as np

from esports_assets.windows.asof import Floats
from esports_assets.windows.view import PRIMARY_CLASSES

HOLDINGS: dict[str, str] = {
    "knife": "a knife",
    "pistol": "a pistol",
    "smg_or_heavy": "a submachine gun, shotgun, machine gun or scout",
    "rifle": "a rifle",
    "sniper": "a sniper rifle",
    "grenade": "a grenade",
    "bomb": "the bomb",
}
"""Class of what is in the hands to its words."""

_NAMES: dict[str, tuple[str, ...]] = {
    "knife": ("knife", "taser"),
    "pistol": (
        *("glock", "usp_silencer", "hkp2000", "p250", "elite", "fiveseven", "tec9", "cz75a", "deagle"),
        "revolver",
    ),
    "smg_or_heavy": PRIMARY_CLASSES["other"],
    "rifle": PRIMARY_CLASSES["rifle"],
    "sniper": PRIMARY_CLASSES["sniper"],
    "grenade": ("smokegrenade", "flashbang", "hegrenade", "molotov", "incgrenade", "decoy"),
    "bomb": ("c4",),
}
GUNS = frozenset(name for kind in ("pistol", "smg_or_heavy", "rifle", "sniper") for name in _NAMES[kind])
"""Weapons whose shot is contact: it is heard, and it is meant for somebody."""

_CLASS_OF = {name: float(list(HOLDINGS).index(kind)) for kind, names in _NAMES.items() for name in names}


def classes_of(words: Sequence[str]) -> Floats:
    """Index into ``HOLDINGS`` of each word, -1 for a weapon of no class, and NaN at the end for an unknown one."""
    return np.array([*(_CLASS_OF.get(word, -1.0) for word in words), np.nan])
