"""Space of the language: a coordinate system is a value, not a comment.

Belongs here: coordinate systems and exact transforms between them.
Does not belong here: geometry of a particular map (learned from matches, an asset) and drawing.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from esports_assets.canonical.vocabulary import Title

Number = TypeVar("Number", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Point(Generic[Number]):
    """A point, or arrays of points, in some coordinate system."""

    x: Number
    y: Number
    z: Number


@dataclass(frozen=True, slots=True)
class CoordinateSystem:
    """Origin, axes and unit of positions.

    ``metres_per_unit`` scales; ``origin`` is subtracted first; ``flip_y`` turns a right-handed y-up-the-page system into a
    screen-like one; ``has_height`` is false where the source gives no z (z is then 0 everywhere).
    """

    name: str
    metres_per_unit: float
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flip_y: bool = False
    has_height: bool = True

    def to_metres(self, point: Point[Number]) -> Point[Number]:
        """Metres relative to the origin."""
        sign = -1.0 if self.flip_y else 1.0
        scale = self.metres_per_unit
        return Point(
            (point.x - self.origin[0]) * scale,
            (point.y - self.origin[1]) * scale * sign,
            (point.z - self.origin[2]) * scale,
        )

    def from_metres(self, point: Point[Number]) -> Point[Number]:
        """The inverse of ``to_metres``."""
        sign = -1.0 if self.flip_y else 1.0
        scale = self.metres_per_unit
        return Point(
            point.x / scale + self.origin[0],
            point.y / (scale * sign) + self.origin[1],
            point.z / scale + self.origin[2],
        )

    def convert(self, point: Point[Number], target: "CoordinateSystem") -> Point[Number]:
        """The same place in another system."""
        return target.from_metres(self.to_metres(point))


SOURCE_ENGINE = CoordinateSystem("source_engine", metres_per_unit=0.01905)
"""Counter-Strike: sixteen units to the foot, as maps are built; a running player covers 4.8 m a second."""
WORLD_LIMIT_U = 16_384.0
"""Half the edge of the Source engine's world, in game units: nothing can be outside."""
UNREAL = CoordinateSystem("unreal", metres_per_unit=0.01)
"""Rocket League: one unreal unit is one centimetre."""
VALORANT_FLAT = CoordinateSystem("valorant_flat", metres_per_unit=0.01, has_height=False)
"""VALORANT through GRID: centimetres, no height."""

_BY_TITLE = {
    Title.CS2: SOURCE_ENGINE,
    Title.CSGO: SOURCE_ENGINE,
    Title.VALORANT: VALORANT_FLAT,
    Title.ROCKET_LEAGUE: UNREAL,
}


def coordinate_system(title: Title) -> CoordinateSystem:
    """The system of a title's positions.

    Raises LookupError for a title without space: nobody may invent one for it.
    """
    if title not in _BY_TITLE:
        raise LookupError(f"{title.value} has no space: it is played without positions")
    return _BY_TITLE[title]
