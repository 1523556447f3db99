"""What a simulated round leaves behind: facts with ticks since freeze end, before any file format.

Belongs here: plain records, filled by ``round.py`` and its helpers.
Does not belong here: how a format writes them.
"""

from dataclasses import dataclass, field

STEP_TICKS = 16
"""Ticks per simulated step: decisions are taken four times a second, events fall on any tick in between."""
STEP_S = STEP_TICKS / 64.0

Position = tuple[float, float]


@dataclass(slots=True)
class Damage:
    """One hit."""

    tick: int
    attacker: int
    victim: int
    weapon: str
    hitgroup: str
    raw: int
    health: int
    armor: int
    health_before: int
    armor_after: int
    attacker_at: Position
    victim_at: Position


@dataclass(slots=True)
class Kill:
    """One death; ``killer`` is None for the bomb."""

    tick: int
    killer: int | None
    victim: int
    assister: int | None
    flash_assister: int | None
    weapon: str
    headshot: bool
    trade: bool
    traded_victim_of: int | None
    killer_at: Position
    victim_at: Position


@dataclass(slots=True)
class BombEvent:
    """picked_up, dropped, plant_begin, planted, defuse_begin, defused, exploded."""

    tick: int
    kind: str
    actor: int
    at: Position
    site: str | None = None


@dataclass(slots=True)
class Throw:
    """One grenade."""

    number: int
    kind: str
    thrower: int
    throw_tick: int
    effect_tick: int
    destroy_tick: int
    start: Position
    end: Position


@dataclass(slots=True)
class Blind:
    """One player blinded by a flash."""

    tick: int
    throw: int
    flasher: int
    flashed: int
    seconds: float


@dataclass(slots=True)
class Shot:
    """One shot."""

    tick: int
    player: int
    weapon: str
    at: Position
    yaw: float


@dataclass(slots=True)
class PlayerRound:
    """What a player entered the round with, for economies."""

    start_money: int
    spent: int
    equipment: int
    buy_type: str
    armor: int
    helmet: bool
    kit: bool
    primary: str | None
    secondary: str
    grenades: list[str]
    purchases: list[tuple[str, int]]
    given: list[str]
    received: list[str]
    money: int


@dataclass(slots=True)
class RoundRecord:
    """One round."""

    number: int
    sides: list[str]
    """Side of every player, by index."""
    players: list[PlayerRound]
    team_buys: tuple[str, str]
    freeze_ticks: int
    timeout: int | None
    """Index of the team that took a time-out in this freeze time."""
    end_tick: int = 0
    winner: str = ""
    reason: str = ""
    score_before: tuple[int, int] = (0, 0)
    places: list[list[Position]] = field(default_factory=list)
    """Per step, per player: where."""
    yaws: list[list[float]] = field(default_factory=list)
    hands: list[list[str]] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    bombs: list[BombEvent] = field(default_factory=list)
    throws: list[Throw] = field(default_factory=list)
    blinds: list[Blind] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    earned: list[tuple[int, int, int]] = field(default_factory=list)
    """(tick, player, money) paid during the round."""
    money_after: list[int] = field(default_factory=list)
    """Money of every player when the next round begins, before it buys."""
