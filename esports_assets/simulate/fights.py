"""Who sees whom, who hits, who dies.

Belongs here: sight through smoke, noticing, aiming, damage, deaths with their rewards, and what a hit makes a player do.
Does not belong here: plans of a team.
"""

import math

from esports_assets.simulate.arsenal import WEAPONS, hit_damage
from esports_assets.simulate.economy import CT_TEAM_KILL_BONUS
from esports_assets.simulate.record import STEP_S, Damage, Kill, Shot
from esports_assets.simulate.world import WATCH_FROM_S, WATCHING, Body, Sighting, World, distance

FIELD_OF_VIEW_DEG = 58.0
"""Half the angle in which an enemy is noticed."""
REACTION_S = 0.34
"""Shortest usual time from sight to the first shot; with the exponential part below, fights end about as fast as real ones."""
REACTION_SPREAD_S = 0.28
MOVING_REACTION_S = 0.24
HOLDING_REACTION_S = 0.19
"""Who comes running sees later, who waits sees earlier: T win 70 % after a plant in the real matches."""
NOTICE_U = 1200.0
"""Scale at which enemies in sight are overlooked: half of the real kills happen within 631 u, 95 % within 1,389."""
MOVING_AIM = 0.42
MOVING_TARGET = 0.78
HEAD_SHARE = 0.18
"""Share of hits on the head of a player of average skill: gives 51 % headshot kills (48 % in the real matches)."""
BODY_PARTS = (
    ("chest", 0.52),
    ("stomach", 0.2),
    ("right_arm", 0.1),
    ("left_arm", 0.06),
    ("right_leg", 0.07),
    ("left_leg", 0.05),
)
TRADE_TICKS = 320
GRENADE_REWARD = 300
HIDE_CHANCE = 0.4
"""A wounded player hides that often."""
HELP_CHANCE = 0.3
HELP_U = 1000.0


def blocked(world: World, a: Body, b: Body) -> bool:
    """Whether smoke lies between two bodies."""
    for cloud in world.smokes:
        cx, cy = cloud.at
        dx, dy = b.x - a.x, b.y - a.y
        length2 = dx * dx + dy * dy or 1.0
        along = max(0.0, min(1.0, ((cx - a.x) * dx + (cy - a.y) * dy) / length2))
        if math.hypot(a.x + along * dx - cx, a.y + along * dy - cy) < cloud.radius:
            return True
    return False


def contacts(world: World) -> dict[int, list[tuple[float, Body]]]:
    """For every body with enemies in sight: those enemies by distance."""
    found: dict[int, list[tuple[float, Body]]] = {}
    visible = world.geo.visible
    cts = [c for c in world.cts if c.alive]
    for a in world.ts:
        if not a.alive:
            continue
        row = visible[a.square]
        for c in cts:
            if row[c.square] and not (world.smokes and blocked(world, a, c)):
                gap = distance(a, c)
                if notices(world, a, c, gap):
                    found.setdefault(a.index, []).append((gap, c))
                if notices(world, c, a, gap):
                    found.setdefault(c.index, []).append((gap, a))
    return found


def notices(world: World, eye: Body, enemy: Body, gap: float) -> bool:
    """Whether a body is aware of an enemy in its line of sight."""
    if eye.blind_until > world.t:
        return False
    if eye.foe is enemy:
        return True
    if gap > 350.0 or not enemy.loud:
        turn = math.degrees(math.atan2(enemy.y - eye.y, enemy.x - eye.x)) - eye.yaw
        if abs((turn + 180.0) % 360.0 - 180.0) > FIELD_OF_VIEW_DEG:
            return False
    return world.dice.chance(0.9 * math.exp(-((gap / NOTICE_U) ** 2)))


def fight(world: World) -> None:
    """One step of all fights."""
    found = contacts(world)
    for body in world.bodies:
        if body.foe is not None and body.index not in found:
            body.foe, body.foe_lost_at = None, world.t
    if not found:
        return
    shots: list[tuple[int, float, Body, Body]] = []
    for index, enemies in found.items():
        body = world.bodies[index]
        enemies.sort(key=lambda pair: pair[0])
        gap, enemy = enemies[0]
        knowledge = world.seen[body.side]
        for _, other in enemies:
            knowledge[other.index] = _sighting(world, other)
        if body.foe is None or all(other is not body.foe for _, other in enemies):
            body.foe = enemy
            body.ready_at = world.t + reaction(world, body, enemy, gap)
        else:
            gap, enemy = distance(body, body.foe), body.foe
        body.yaw = math.degrees(math.atan2(enemy.y - body.y, enemy.x - body.x))
        if body.hide_until > world.t or body is world.planting:
            continue
        if body.ready_at < world.t + STEP_S:
            shots.extend(_trigger(world, body, enemy, gap))
    shots.sort(key=lambda shot: shot[0])
    for tick, gap, body, enemy in shots:
        if body.alive and enemy.alive:
            _shoot(world, tick, gap, body, enemy)


def _sighting(world: World, other: Body) -> Sighting:
    return Sighting(world.t, other.square, other.bomb)


def reaction(world: World, body: Body, enemy: Body, gap: float) -> float:
    """Seconds until the first aimed shot at somebody just noticed."""
    base = REACTION_S + world.dice.wait(REACTION_SPREAD_S)
    if body.mode in WATCHING and world.t > WATCH_FROM_S:
        base -= HOLDING_REACTION_S
    elif body.moved > 20.0:
        base += MOVING_REACTION_S
    if world.t - body.foe_lost_at < 1.5:
        base *= 0.6
    turn = math.degrees(math.atan2(enemy.y - body.y, enemy.x - body.x)) - body.yaw
    base += abs((turn + 180.0) % 360.0 - 180.0) / 400.0
    if body.weapon == "awp":
        base += 0.1
    return max(0.1, base * (1.25 - 0.25 * body.skill) + gap / 9000.0)


def _trigger(world: World, body: Body, enemy: Body, gap: float) -> list[tuple[int, float, Body, Body]]:
    """Shots of one body in this step."""
    start = max(0.0, body.ready_at - world.t)
    mean = WEAPONS[body.weapon].shots_per_s * (STEP_S - start) * (1.0 if gap < 900 else 0.7)
    count = int(mean) + world.dice.chance(mean % 1.0)
    first = int(start * 64)
    span = max(1, 16 - first)
    return [(world.tick + first + world.dice.below(span), gap, body, enemy) for _ in range(count)]


def _shoot(world: World, tick: int, gap: float, body: Body, enemy: Body) -> None:
    weapon = WEAPONS[body.weapon]
    world.record.shots.append(Shot(tick, body.index, weapon.key, (body.x, body.y), body.yaw))
    chance = weapon.accuracy * math.exp((500.0 - gap) / weapon.reach) * body.skill
    if body.moved > 25.0:
        chance *= MOVING_AIM if weapon.price > 1300 else 0.7
    if enemy.moved > 25.0:
        chance *= MOVING_TARGET
    if not world.dice.chance(min(chance, 0.85)):
        return
    part = "head"
    if not world.dice.chance(HEAD_SHARE * body.skill * (0.35 if weapon.key == "awp" else 1.0)):
        roll = world.dice.uniform()
        for name, share in BODY_PARTS:
            part = name
            roll -= share
            if roll < 0:
                break
    raw, health, armor = hit_damage(weapon, part, gap, enemy.armor, enemy.helmet)
    hurt(world, body, enemy, weapon.key, part, raw, health, armor, tick)


def hurt(
    world: World, attacker: Body, victim: Body, weapon: str, part: str, raw: int, health: int, armor: int, tick: int
) -> None:
    """Take health, and the life with it if nothing is left."""
    tick = world.latest_tick = max(tick, world.latest_tick)
    before = victim.hp
    taken = min(before, max(1, health))
    victim.hp -= taken
    victim.armor = max(0, victim.armor - armor)
    world.record.damages.append(
        Damage(
            tick,
            attacker.index,
            victim.index,
            weapon,
            part,
            raw,
            taken,
            armor,
            before,
            victim.armor,
            (attacker.x, attacker.y),
            (victim.x, victim.y),
        )
    )
    if attacker.side != victim.side:
        victim.assists[attacker.index] = victim.assists.get(attacker.index, 0) + taken
        world.seen[victim.side][attacker.index] = _sighting(world, attacker)
    if victim.hp <= 0:
        die(world, attacker, victim, weapon, part == "head", tick)
    elif weapon in WEAPONS:
        _flinch(world, attacker, victim)


def _flinch(world: World, attacker: Body, victim: Body) -> None:
    """What a hit makes a player do: turn, or hide."""
    if victim.foe is None:
        victim.yaw = math.degrees(math.atan2(attacker.y - victim.y, attacker.x - victim.x))
    if victim.hide_until > world.t or victim is world.planting or victim is world.defusing:
        return
    if victim.foe is not attacker and world.dice.chance(HIDE_CHANCE):
        sight = world.geo.visible[attacker.square]
        hidden = [s for s in world.geo.around[victim.square] if not sight[s]]
        if hidden:
            world.send(victim, world.dice.pick(hidden))
            victim.hide_until = world.t + world.dice.uniform(0.8, 2.0)
            victim.wait_until = world.t + world.dice.uniform(1.5, 4.0)


def die(world: World, killer: Body | None, victim: Body, weapon: str, headshot: bool, tick: int) -> None:
    """A death: rewards, the bomb on the ground, who remembers, who helps."""
    victim.alive = False
    victim.hp = 0
    victim.path = []
    last = world.last_kill.get(victim.index)
    trade = killer is not None and last is not None and tick - last[0] <= TRADE_TICKS
    assister = flash_assister = None
    if killer is not None and killer.side != victim.side:
        world.pay(killer, WEAPONS[weapon].reward if weapon in WEAPONS else GRENADE_REWARD, tick)
        if killer.side == "ct":
            for mate in world.cts:
                world.pay(mate, CT_TEAM_KILL_BONUS, tick)
        world.last_kill[killer.index] = (tick, victim.index)
        helpers = [(d, i) for i, d in victim.assists.items() if i != killer.index and d >= 41]
        assister = max(helpers)[1] if helpers else None
        if victim.flasher and victim.flasher[1] > world.t and world.bodies[victim.flasher[0]].side == killer.side:
            flash_assister = victim.flasher[0] if victim.flasher[0] != killer.index else None
        if assister is None:
            assister = flash_assister
    at = (killer.x, killer.y) if killer else (victim.x, victim.y)
    world.record.kills.append(
        Kill(
            tick,
            killer.index if killer else None,
            victim.index,
            assister,
            flash_assister,
            weapon,
            headshot,
            trade,
            last[1] if trade and last else None,
            at,
            (victim.x, victim.y),
        )
    )
    for body in world.bodies:
        if body.foe is victim:
            body.foe = None
    if victim is world.planting:
        world.planting = None
    if victim is world.defusing:
        world.defusing = None
    if victim.bomb:
        victim.bomb = False
        world.bomb_at, world.bomb_square = (victim.x, victim.y), victim.square
        world.tell("dropped", victim, tick)
    if killer is not None:
        _help(world, killer, victim)


def _help(world: World, killer: Body, victim: Body) -> None:
    """Team-mates nearby come to answer."""
    for mate in world.living(victim.side):
        if mate.foe is not None or mate.hide_until > world.t or mate is world.defusing or mate is world.planting:
            continue
        if distance(mate, victim) < HELP_U and world.dice.chance(HELP_CHANCE) and mate.mode not in ("save", "retake"):
            world.send(mate, killer.square, 1.0)
            mate.wait_until = world.t + 2.5
