"""The state of a round while it is played.

Belongs here: bodies, bomb, smoke and fire, what a side knows, and moving along a path.
Does not belong here: decisions (``tactics.py``), shooting (``fights.py``), throwing (``utility.py``).
"""

import math
from dataclasses import dataclass, field

from esports_assets.simulate.arsenal import KNIFE_SPEED, WALK_SHARE, WEAPONS
from esports_assets.simulate.dice import Dice
from esports_assets.simulate.economy import Gear
from esports_assets.simulate.geometry import Geometry, Point
from esports_assets.simulate.record import STEP_S, STEP_TICKS, BombEvent, RoundRecord

ROUND_S = 115.0
BOMB_S = 40.0
WATCHING = ("hold", "guard")
"""Modes in which a player keeps its eyes on where the enemy would come from, even while it shifts."""
WATCH_FROM_S = 9.0


class Body:
    """One player in one round."""

    __slots__ = (
        "alive", "armor", "assists", "blind_until", "bomb", "busy_until", "flasher", "foe", "foe_lost_at", "gear", "goal",
        "helmet", "hide_until", "hp", "index", "lane", "loud", "mode", "moved", "path", "post", "ready_at",
        "side", "skill", "speed", "square", "throw_at", "wait_until", "x", "y", "yaw",
    )  # fmt: skip

    def __init__(self, index: int, side: str, skill: float, gear: Gear, at: Point, square: int) -> None:
        self.index, self.side, self.skill, self.gear = index, side, skill, gear
        self.x, self.y = at
        self.square = square
        self.hp, self.armor, self.helmet, self.alive = 100, gear.armor, gear.helmet, True
        self.path: list[Point] = []
        self.goal = square
        self.speed = 0.0
        self.moved = 0.0
        self.yaw = 90.0 if side == "t" else -90.0
        self.mode = "start"
        self.lane, self.post = "mid", "mid"
        self.wait_until = 0.0
        self.foe: Body | None = None
        self.foe_lost_at = -9.0
        self.ready_at = 0.0
        self.blind_until = -1.0
        self.flasher: tuple[int, float] | None = None
        self.busy_until = 0.0
        self.hide_until = -1.0
        self.bomb = False
        self.loud = False
        self.throw_at: list[tuple[float, str, int]] = []
        self.assists: dict[int, int] = {}

    @property
    def weapon(self) -> str:
        """What it fights with."""
        return self.gear.primary or self.gear.secondary


@dataclass(slots=True)
class Cloud:
    """Smoke or fire on the ground."""

    at: Point
    radius: float
    until: float
    owner: int


@dataclass(slots=True)
class Sighting:
    """Where an enemy was last seen."""

    time: float
    square: int
    bomb: bool


@dataclass
class World:
    """Everything that is true at the moment ``t``."""

    geo: Geometry
    dice: Dice
    bodies: list[Body]
    record: RoundRecord
    t: float = 0.0
    step: int = 0
    latest_tick: int = 0
    """Tick of the latest hit: hits are recorded in the order in which they count."""
    site: str = "a"
    go_at: float = 60.0
    gone: bool = False
    bomb_at: Point | None = None
    """Where the bomb lies when nobody carries it."""
    bomb_square: int = 0
    planted_at: float | None = None
    planting: Body | None = None
    defusing: Body | None = None
    defuse_started: float = 0.0
    retake_at: float = 0.0
    saving: set[str] = field(default_factory=set)
    smokes: list[Cloud] = field(default_factory=list)
    fires: list[Cloud] = field(default_factory=list)
    landing: list[tuple[float, str, int, Point, int]] = field(default_factory=list)
    seen: dict[str, dict[int, Sighting]] = field(default_factory=lambda: {"t": {}, "ct": {}})
    last_kill: dict[int, tuple[int, int]] = field(default_factory=dict)
    """killer -> (tick, victim) of its latest kill."""

    def __post_init__(self) -> None:
        self.ts = [b for b in self.bodies if b.side == "t"]
        self.cts = [b for b in self.bodies if b.side == "ct"]

    def living(self, side: str) -> list[Body]:
        """The living of a side."""
        return [b for b in (self.ts if side == "t" else self.cts) if b.alive]

    @property
    def tick(self) -> int:
        """The tick at which this step begins."""
        return self.step * STEP_TICKS

    def send(self, body: Body, square: int, share: float = 1.0, mode: str | None = None) -> None:
        """Start walking to a square with a share of the running speed."""
        body.path = self.geo.path(body.square, square, self.dice)
        body.path.reverse()
        body.goal = square
        knife = self.t < 9.0 and body.mode in ("start", "stage", "hold") and share >= 1.0
        top = KNIFE_SPEED if knife else WEAPONS[body.weapon].speed
        body.speed = top * share * self.dice.uniform(0.93, 1.0)
        body.loud = share > WALK_SHARE + 0.1
        if mode is not None:
            body.mode = mode

    def advance(self, body: Body) -> None:
        """Move one step along the path and look where it goes."""
        left = body.speed * STEP_S
        x, y = body.x, body.y
        path = body.path
        while path and left > 0.0:
            px, py = path[-1]
            gap = math.hypot(px - x, py - y)
            if gap > left:
                x += (px - x) * left / gap
                y += (py - y) * left / gap
                break
            x, y = px, py
            left -= gap
            path.pop()
        square = self.geo.square((x, y))
        if square >= 0:
            body.square = square
        dx, dy = x - body.x, y - body.y
        body.moved = math.hypot(dx, dy)
        watching = body.mode in WATCHING and self.t > WATCH_FROM_S
        if body.moved > 1.0 and body.foe is None and not watching:
            body.yaw = math.degrees(math.atan2(dy, dx))
        body.x, body.y = x, y

    def strafe(self, body: Body) -> None:
        """Side steps of a player in a fight: never out of its square."""
        x = body.x + self.dice.uniform(-20.0, 20.0)
        y = body.y + self.dice.uniform(-20.0, 20.0)
        body.moved = 0.0
        if self.geo.square((x, y)) == body.square:
            body.moved = math.hypot(x - body.x, y - body.y)
            body.x, body.y = x, y

    def face(self, body: Body, square: int) -> None:
        """Look at where somebody from that square would come from."""
        if square == body.square:
            return
        ahead = self.geo.ahead(body.square, square)
        x, y = self.geo.centres[ahead]
        body.yaw = math.degrees(math.atan2(y - body.y, x - body.x)) + self.dice.uniform(-12.0, 12.0)

    def tell(self, kind: str, body: Body, tick: int, site: str | None = None) -> None:
        """Record something about the bomb."""
        self.record.bombs.append(BombEvent(tick, kind, body.index, (body.x, body.y), site))

    def pay(self, body: Body, amount: int, tick: int) -> None:
        """Money during the round."""
        before = body.gear.money
        body.gear.earn(amount)
        if body.gear.money != before:
            self.record.earned.append((tick, body.index, body.gear.money - before))

    def carrier(self) -> Body | None:
        """Who carries the bomb."""
        for body in self.ts:
            if body.bomb and body.alive:
                return body
        return None


def distance(a: Body, b: Body) -> float:
    """Between two bodies, on the ground."""
    return math.hypot(a.x - b.x, a.y - b.y)
