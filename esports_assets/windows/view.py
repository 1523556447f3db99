"""The state of one round at a set of instants: what features read.

Belongs here: the arrays, by instant and player. Batch fills them for all instants of a round (``batch.py``); the live path fills
them for one. Features see nothing else, so one definition serves both.
Does not belong here: how the arrays are filled, and features themselves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from esports_assets.windows.asof import Floats
from esports_assets.windows.history import TeamForm

Flags = npt.NDArray[np.bool_]

HEIGHT_WEIGHT = 1.5
"""Height counts half as much again as the plane in distances: stairs and drops take longer than they measure."""

PRIMARY_CLASSES: dict[str, tuple[str, ...]] = {
    "rifle": ("ak47", "m4a1", "m4a1_silencer", "aug", "sg556", "galilar", "famas"),
    "sniper": ("awp", "scar20", "g3sg1"),
    "other": (
        *("mp9", "mac10", "mp7", "mp5sd", "ump45", "bizon", "p90", "ssg08"),
        *("mag7", "nova", "xm1014", "sawedoff", "m249", "negev"),
    ),
}
"""Primary weapons by what they do in a duel."""

PRICES: dict[str, float] = {
    "ak47": 2700,
    "m4a1": 2900,
    "m4a1_silencer": 2900,
    "aug": 3300,
    "sg556": 3000,
    "galilar": 1800,
    "famas": 1950,
    "awp": 4750,
    "scar20": 5000,
    "g3sg1": 5000,
    "ssg08": 1700,
    "mp9": 1250,
    "mac10": 1050,
    "mp7": 1400,
    "mp5sd": 1400,
    "ump45": 1200,
    "bizon": 1300,
    "p90": 2350,
    "mag7": 1300,
    "nova": 1050,
    "xm1014": 2000,
    "sawedoff": 1100,
    "m249": 5200,
    "negev": 1700,
}
"""Shop prices of primary weapons, in game money."""

PRIMARIES: tuple[str, ...] = tuple(PRICES)
"""Codes of primary weapons: the position in this tuple; -1 is none."""

_CLASS_OF = {name: kind for kind, names in PRIMARY_CLASSES.items() for name in names}
_KINDS = tuple(PRIMARY_CLASSES)
_KIND_CODE = np.array([_KINDS.index(_CLASS_OF[name]) for name in PRIMARIES] + [-1])
_PRICE = np.array([*PRICES.values(), 0.0])


@dataclass(frozen=True, slots=True)
class Sites:
    """Where the bomb can be planted on a map, learned from plants: centres in game units, NaN where unknown."""

    a: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    b: tuple[float, float, float] = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class RoundView:
    """Arrays by instant (I) and player (P); ``ct`` tells each player's side for the round.

    Unknown positions are NaN, an unknown primary weapon is -1. ``planted_t`` and the defuse are NaN until they happen, so an
    instant never sees what comes after it.
    """

    t: Floats
    """Seconds since freeze end (I)."""
    ct: Flags
    """Plays CT (P)."""
    alive: Flags
    """(I, P)."""
    health: Floats
    """(I, P)."""
    armor: Floats
    """(I, P)."""
    helmet: Flags
    """(I, P)."""
    kit: Flags
    """(I, P)."""
    grenades: Floats
    """Grenades left in hand (I, P)."""
    primary: npt.NDArray[np.int64]
    """Code of the last primary weapon held (I, P)."""
    start_equipment: Floats
    """Equipment value at freeze end (P)."""
    sidearm: Floats
    """Value of the pistol bought, bounded by the dearest one (P)."""
    money: Floats
    """Money left at freeze end, NaN where unknown (P)."""
    position: Floats
    """Game units (I, P, 3)."""
    yaw: Floats
    """Degrees (I, P)."""
    blind_s: Floats
    """Seconds of blindness left (I, P)."""
    planted_t: Floats
    """When the bomb was planted, NaN before (I)."""
    planted_at_a: Floats
    """1 at A, 0 at B, NaN unknown or not planted (I)."""
    bomb: Floats
    """Where the bomb is known to be, NaN otherwise (I, 3)."""
    bomb_dropped: Flags
    """Lies on the ground unplanted (I)."""
    smokes: Floats
    """Smokes that stand (I)."""
    fires: Floats
    """Fires that burn (I)."""
    ct_damage_5s: Floats
    """Damage dealt by CT in the last five seconds (I)."""
    t_damage_5s: Floats
    """Damage dealt by T in the last five seconds (I)."""
    since_kill_s: Floats
    """Seconds since the last death, 60 if none (I)."""
    still_s: Floats
    """Seconds that the longest still CT stands within reach of the planted bomb: a defuse that nobody announces (I, P)."""
    rating: Floats
    """Players' rating from earlier rounds (P)."""
    ct_form: TeamForm
    t_form: TeamForm
    ct_score: float
    t_score: float
    round_number: int
    sites: Sites

    @cached_property
    def ct_alive(self) -> Flags:
        """Living CTs (I, P)."""
        return self.alive & self.ct

    @cached_property
    def t_alive(self) -> Flags:
        """Living Ts (I, P)."""
        return self.alive & ~self.ct

    @cached_property
    def planted(self) -> Flags:
        """Whether the bomb is planted (I)."""
        return ~np.isnan(self.planted_t)

    @cached_property
    def kind(self) -> npt.NDArray[np.int64]:
        """Class of the primary weapon: index into rifle, sniper, other; -1 none (I, P)."""
        return np.asarray(_KIND_CODE[self.primary])

    def count_kind(self, kind: str, who: Flags) -> Floats:
        """How many of these players hold a primary weapon of a class (I)."""
        return np.asarray(((self.kind == _KINDS.index(kind)) & who).sum(axis=1), dtype=np.float64)

    @cached_property
    def carried_value(self) -> Floats:
        """Value of what each living player carries now, in game money (I, P): primary, pistol, armour, helmet, grenades, kit.

        Armour is worth 650 for 100 points and a helmet 350 (shop prices); a grenade 250 and a kit 400.
        """
        value = _PRICE[self.primary] + self.sidearm + 6.5 * self.armor + 350.0 * self.helmet + 250.0 * self.grenades
        return np.where(self.alive, value + 400.0 * self.kit, 0.0)

    @cached_property
    def to_bomb(self) -> Floats:
        """Distance of each player to the bomb; NaN where one of them is unknown (I, P)."""
        return distance(self.position, self.bomb[:, None, :])

    @cached_property
    def to_site(self) -> tuple[Floats, Floats]:
        """Distance of each player to the centres of A and B (I, P)."""
        return distance(self.position, np.array(self.sites.a)), distance(self.position, np.array(self.sites.b))

    @cached_property
    def pairs(self) -> Floats:
        """Distances between living CTs and living Ts (I, CT, T); infinite where one is dead or unknown."""
        ct, t = np.flatnonzero(self.ct), np.flatnonzero(~self.ct)
        gap = self.position[:, ct, None, :] - self.position[:, None, t, :]
        both = self.alive[:, ct, None] & self.alive[:, None, t]
        far = np.sqrt((gap**2).sum(axis=-1))
        return np.where(both & ~np.isnan(far), far, np.inf)


def distance(a: Floats, b: Floats) -> Floats:
    """Distance in game units with height weighted; NaN where a coordinate is unknown."""
    gap = a - b
    return np.asarray(np.sqrt(gap[..., 0] ** 2 + gap[..., 1] ** 2 + (HEIGHT_WEIGHT * gap[..., 2]) ** 2))
