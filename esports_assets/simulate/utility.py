"""Grenades: throwing them, and what they do when they land.

Belongs here: flight, smoke, fire, blast and blinding.
Does not belong here: why a grenade is thrown (``tactics.py`` schedules throws).
"""

import math

from esports_assets.simulate.fights import hurt
from esports_assets.simulate.geometry import Point
from esports_assets.simulate.record import STEP_S, Blind, Throw
from esports_assets.simulate.world import Body, Cloud, World

SMOKE_S = 20.0
SMOKE_U = 150.0
FIRE_S = 7.0
FIRE_U = 150.0
BLAST_U = 380.0
BLAST_DAMAGE = 58.0
FIRE_DAMAGE_PER_STEP = 7
"""Fire burns 40 health a second at its worst; players step out, so that 17 % of the damage events of the real matches and
0.4 % of their kills come from fire."""
FLASH_U = 1100.0
FLASH_MEDIAN_S = 1.5
"""Median blindness of the real matches: 1.55 s (10 % below 0.48, 90 % below 4.17)."""
THROW_SPEED_U = 900.0


def throw(world: World, body: Body, kind: str, square: int) -> None:
    """Throw a grenade of a body at a square; nothing happens if it has none of that kind."""
    owned = next((g for g in body.gear.grenades if g == kind or (kind == "molotov" and g == "incendiary")), None)
    if owned is None or square == body.square:
        return
    body.gear.grenades.remove(owned)
    x, y = world.geo.centres[square]
    end = (x + world.dice.uniform(-50.0, 50.0), y + world.dice.uniform(-50.0, 50.0))
    flight = max(0.7, math.hypot(end[0] - body.x, end[1] - body.y) / THROW_SPEED_U) + (0.6 if kind == "smoke" else 0.0)
    if kind == "flashbang":
        flight = min(flight, 1.6)
    number = len(world.record.throws)
    start_tick = world.tick + world.dice.below(16)
    effect = start_tick + int(flight * 64)
    lasts = {"smoke": int(SMOKE_S * 64), "molotov": int(FIRE_S * 64)}.get(kind, 0)
    world.record.throws.append(
        Throw(number, kind, body.index, start_tick, effect, effect + lasts, (body.x, body.y), end)
    )
    world.landing.append((world.t + flight, kind, body.index, end, number))
    body.yaw = math.degrees(math.atan2(end[1] - body.y, end[0] - body.x))
    body.busy_until = max(body.busy_until, world.t + world.dice.uniform(0.3, 0.8))


def land(world: World) -> None:
    """Effects of everything that landed in this step, and of what burns."""
    due = [g for g in world.landing if g[0] < world.t + STEP_S]
    if due:
        world.landing = [g for g in world.landing if g[0] >= world.t + STEP_S]
        for _, kind, owner, at, number in due:
            if kind == "smoke":
                world.smokes.append(Cloud(at, SMOKE_U, world.t + SMOKE_S, owner))
            elif kind == "molotov":
                world.fires.append(Cloud(at, FIRE_U, world.t + FIRE_S, owner))
            elif kind == "hegrenade":
                _blast(world, owner, at, number)
            elif kind == "flashbang":
                _flash(world, owner, at, number)
    if world.smokes:
        world.smokes = [c for c in world.smokes if c.until > world.t]
    if world.fires:
        world.fires = [c for c in world.fires if c.until > world.t]
        _burn(world)


def _effect_tick(world: World, number: int) -> int:
    return max(world.record.throws[number].effect_tick, world.tick)


def _blast(world: World, owner: int, at: Point, number: int) -> None:
    thrower = world.bodies[owner]
    for body in world.bodies:
        gap = math.hypot(body.x - at[0], body.y - at[1])
        if not body.alive or gap > BLAST_U or (body.side == thrower.side and world.dice.chance(0.8)):
            continue
        damage = BLAST_DAMAGE * math.exp(-((gap / 220.0) ** 2)) * (0.6 if body.armor else 1.0)
        if damage >= 1:
            hurt(
                world,
                thrower,
                body,
                "hegrenade",
                "generic",
                int(damage),
                int(damage),
                min(body.armor, 10),
                _effect_tick(world, number),
            )


def _flash(world: World, owner: int, at: Point, number: int) -> None:
    square = world.geo.square(at)
    if square < 0:
        return
    thrower = world.bodies[owner]
    for body in world.bodies:
        gap = math.hypot(body.x - at[0], body.y - at[1])
        if not body.alive or gap > FLASH_U or not world.geo.visible[square][body.square]:
            continue
        turned = abs((math.degrees(math.atan2(at[1] - body.y, at[0] - body.x)) - body.yaw + 180) % 360 - 180)
        if body.side == thrower.side and (body is thrower or world.dice.chance(0.6)):
            continue
        seconds = (
            FLASH_MEDIAN_S
            * math.exp(world.dice.normal(0.0, 0.7))
            * (1.0 if turned < 70 else 0.35)
            * (1.2 - gap / FLASH_U)
        )
        if seconds < 0.2:
            continue
        seconds = min(seconds, 5.0)
        body.blind_until = max(body.blind_until, world.t + seconds * 0.75)
        body.flasher = (owner, world.t + seconds)
        world.record.blinds.append(Blind(_effect_tick(world, number), number, owner, body.index, round(seconds, 3)))


def _burn(world: World) -> None:
    for cloud in world.fires:
        thrower = world.bodies[cloud.owner]
        for body in world.bodies:
            if not body.alive or body.side == thrower.side:
                continue
            if math.hypot(body.x - cloud.at[0], body.y - cloud.at[1]) > cloud.radius:
                continue
            damage = world.dice.below(FIRE_DAMAGE_PER_STEP) + 1
            hurt(world, thrower, body, "inferno", "generic", damage, damage, 0, world.tick + world.dice.below(16))
            if body.alive and body.mode != "flee" and body is not world.defusing:
                flee_fire(world, body, cloud)


def flee_fire(world: World, body: Body, cloud: Cloud) -> None:
    """Step out of a fire, away from its centre."""
    best, best_gap = body.square, 0.0
    for square in world.geo.around[body.square]:
        x, y = world.geo.centres[square]
        gap = math.hypot(x - cloud.at[0], y - cloud.at[1])
        if gap > best_gap:
            best, best_gap = square, gap
    world.send(body, best, 1.0)
    body.wait_until = world.t + 1.0
