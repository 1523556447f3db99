"""What can be seen and walked on a map: squares, lines of sight, shortest paths, heights.

Belongs here: everything that is computed from a drawing once per process, and questions about it.
Does not belong here: players and what they want.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from esports_assets.simulate.dice import Dice
from esports_assets.simulate.maps import PLANS, Plan

SQUARE_U = 128.0
"""Edge of a square in game units."""
SIGHT_U = 2300.0
"""Nobody fights beyond this: the longest kills of the real matches are about 2,000 u (95 % below 1,389)."""
_WANDER = 40.0
"""How far from a square's centre a way point may lie."""

Point = tuple[float, float]


class Geometry:
    """A computed map. Squares are numbered; ``visible`` and ``distance`` are between squares."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name = plan.name
        rows = [row for row in plan.drawing.splitlines() if row]
        self.width, self.height = max(len(row) for row in rows), len(rows)
        self.letters: list[str] = []
        self.centres: list[Point] = []
        self.grid = np.full((self.height, self.width), -1, dtype=np.int32)
        for r, row in enumerate(rows):
            for c, letter in enumerate(row):
                if letter in ".#":
                    continue
                self.grid[r, c] = len(self.letters)
                self.letters.append(letter)
                self.centres.append(self._centre(r, c))
        self.count = len(self.letters)
        self.index: list[list[int]] = self.grid.tolist()
        names = list(plan.places)
        self.place_names = [plan.places[letter][0] for letter in names]
        self.place_of = np.array([names.index(letter.lower()) for letter in self.letters], dtype=np.int32)
        self.heights = self._heights()
        sees = self._sight()
        self.visible: list[bytes] = [row.tobytes() for row in sees]
        self._next, distance = self._routes()
        self.distance: list[list[float]] = distance.tolist()
        self.squares = {
            letter: [i for i, own in enumerate(self.letters) if own.lower() == letter] for letter in plan.places
        }
        self.plant_squares = {site: [i for i, own in enumerate(self.letters) if own == site.upper()] for site in "ab"}
        self.site_centre = {site: squares[len(squares) // 2] for site, squares in self.plant_squares.items()}
        self.around = [[j for j in range(self.count) if distance[i, j] <= 2.9 * SQUARE_U] for i in range(self.count)]
        self.exposure = {"t": self._exposure(plan.posts), "ct": self._exposure(plan.lanes)}
        self.t_spawn = self.squares["v"]
        self.ct_spawn = self.squares["c"]

    def _exposure(self, letters: dict[str, str]) -> list[int]:
        """How many squares of some places every square sees: where the enemy would be."""
        enemy = [i for letter in {c for group in letters.values() for c in group} for i in self.squares[letter]]
        return [sum(row[i] for i in enemy) for row in self.visible]

    def _centre(self, row: int, column: int) -> Point:
        return ((column + 0.5 - self.width / 2) * SQUARE_U, (self.height / 2 - row - 0.5) * SQUARE_U)

    def _heights(self) -> NDArray[np.float64]:
        """Height of every square of the grid, smoothed so that nobody steps higher than a stair; walls take their neighbours'."""
        base = np.full(self.grid.shape, np.nan)
        for letter_index, (r, c) in enumerate(zip(*np.nonzero(self.grid >= 0), strict=True)):
            base[r, c] = self.plan.places[self.letters[letter_index].lower()][1]
        field = np.pad(base, 1, constant_values=np.nan)
        for _ in range(6):
            shifted = np.stack([np.roll(field, (dr, dc), (0, 1)) for dr in (-1, 0, 1) for dc in (-1, 0, 1)])
            known = np.isfinite(shifted)
            total = np.where(known, shifted, 0.0).sum(axis=0)
            field = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
        inner: NDArray[np.float64] = np.nan_to_num(field[1:-1, 1:-1])
        return inner

    def _sight(self) -> NDArray[np.uint8]:
        """Which squares see each other: the straight line between their centres stays on squares."""
        points = np.array(self.centres)
        sees = np.zeros((self.count, self.count), dtype=np.uint8)
        steps = np.linspace(0.0, 1.0, 49)[:, None]
        for i in range(self.count):
            others = points[i:]
            far = np.hypot(*(others - points[i]).T)
            line = points[i] + steps[:, None, :] * (others - points[i])[None]
            column = (line[..., 0] / SQUARE_U + self.width / 2).astype(int)
            row = (self.height / 2 - line[..., 1] / SQUARE_U).astype(int)
            free = (self.grid[row, column] >= 0).all(axis=0) & (far <= SIGHT_U)
            sees[i, i:] = free
            sees[i:, i] = free
        return sees

    def _routes(self) -> tuple[list[list[int]], NDArray[np.float64]]:
        """Next square on the shortest way and its length, between all pairs."""
        distance = np.full((self.count, self.count), np.inf)
        neighbours: list[list[int]] = [[] for _ in range(self.count)]
        for r, c in zip(*np.nonzero(self.grid >= 0), strict=True):
            here = int(self.grid[r, c])
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1)):
                if not (0 <= r + dr < self.height and 0 <= c + dc < self.width):
                    continue
                there = int(self.grid[r + dr, c + dc])
                if there < 0 or (dr and dc and (self.grid[r + dr, c] < 0 or self.grid[r, c + dc] < 0)):
                    continue
                distance[here, there] = SQUARE_U * (1.4142 if dr and dc else 1.0)
                neighbours[here].append(there)
        edges = distance.copy()
        np.fill_diagonal(distance, 0.0)
        for k in range(self.count):
            np.minimum(distance, distance[:, k : k + 1] + distance[k], out=distance)
        if not np.isfinite(distance).all():
            raise ValueError(f"{self.name}: some squares cannot be reached")
        following = [
            np.array(near)[np.argmin(edges[i, near][:, None] + distance[near], axis=0)].tolist()
            for i, near in enumerate(neighbours)
        ]
        return following, distance

    def square(self, point: Point) -> int:
        """The square under a point; -1 in a wall."""
        return self.index[int(self.height / 2 - point[1] / SQUARE_U)][int(point[0] / SQUARE_U + self.width / 2)]

    def path(self, start: int, goal: int, dice: Dice) -> list[Point]:
        """Way points from a square to another, corners cut where the line is free."""
        points: list[Point] = []
        here, ahead = start, start
        while here != goal:
            sight = self.visible[here]
            ahead = self._next[here][goal]
            for _ in range(9):
                if ahead == goal:
                    break
                candidate = self._next[ahead][goal]
                if not sight[candidate]:
                    break
                ahead = candidate
            x, y = self.centres[ahead]
            points.append((x + dice.uniform(-_WANDER, _WANDER), y + dice.uniform(-_WANDER, _WANDER)))
            here = ahead
        if not points:
            x, y = self.centres[goal]
            points.append((x + dice.uniform(-_WANDER, _WANDER), y + dice.uniform(-_WANDER, _WANDER)))
        return points

    def ahead(self, start: int, goal: int) -> int:
        """The farthest square on the way to a goal that is still in sight."""
        sight = self.visible[start]
        here = self._next[start][goal]
        while here != goal:
            following = self._next[here][goal]
            if not sight[following]:
                break
            here = following
        return here

    def near(self, square: int, reach_u: float, among: str | None = None) -> list[int]:
        """Squares within walking reach, of the given places only."""
        row = self.distance[square]
        if among is None:
            return [i for i in range(self.count) if row[i] <= reach_u]
        return [i for letter in among for i in self.squares[letter] if row[i] <= reach_u]

    def site_of(self, square: int) -> str:
        """The site that a square is nearer to."""
        row = self.distance[square]
        return "a" if row[self.site_centre["a"]] <= row[self.site_centre["b"]] else "b"

    def height_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height of points, interpolated between squares."""
        column = np.clip(x / SQUARE_U + self.width / 2 - 0.5, 0, self.width - 1.001)
        row = np.clip(self.height / 2 - y / SQUARE_U - 0.5, 0, self.height - 1.001)
        c, r = column.astype(int), row.astype(int)
        fc, fr = column - c, row - r
        h = self.heights
        top = h[r, c] * (1 - fc) + h[r, c + 1] * fc
        bottom = h[r + 1, c] * (1 - fc) + h[r + 1, c + 1] * fc
        result: NDArray[np.float64] = top * (1 - fr) + bottom * fr
        return result

    def place_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        """Place of points: index into ``place_names``."""
        column = np.clip((x / SQUARE_U + self.width / 2).astype(int), 0, self.width - 1)
        row = np.clip((self.height / 2 - y / SQUARE_U).astype(int), 0, self.height - 1)
        squares = np.maximum(self.grid[row, column], 0)
        result: NDArray[np.int32] = self.place_of[squares]
        return result


@cache
def geometry(name: str) -> Geometry:
    """The map of that name, computed once per process."""
    for plan in PLANS:
        if plan.name == name:
            return Geometry(plan)
    raise LookupError(f"there is no simulated map {name!r}; there are {', '.join(p.name for p in PLANS)}")
