"""What both sides do once the bomb is down.

Belongs here: guarding, retaking or saving, defusing.
Does not belong here: plans before the plant (``tactics.py``).
"""

from esports_assets.simulate.economy import DEFUSE_BONUS, PLANT_BONUS
from esports_assets.simulate.world import BOMB_S, Body, World

PLANT_S = 3.2
DEFUSE_S = 10.0
DEFUSE_KIT_S = 5.0
RETAKE_WAIT_S = (2.0, 10.0)
SAVE_BY_GAP = {0: 0.02, 1: 0.12, 2: 0.4, 3: 0.65, 4: 0.8}
"""How often defenders save after a plant when they are that many players behind.

14 % of the real rounds ended with an explosion.
"""
TOUCH_U = 90.0
BLAST_REACH_U = 900.0
"""Walking distance within which the explosion kills."""


def planted(world: World, body: Body, tick: int) -> None:
    """The bomb is down."""
    world.planted_at = world.t
    world.planting = None
    body.bomb = False
    world.bomb_at, world.bomb_square = (body.x, body.y), body.square
    world.tell("planted", body, tick, world.site)
    world.pay(body, PLANT_BONUS, tick)
    gap = len(world.living("t")) - len(world.living("ct"))
    world.retake_at = world.t + world.dice.uniform(*RETAKE_WAIT_S)
    if world.dice.chance(SAVE_BY_GAP.get(max(0, gap), 0.02)):
        world.saving.add("ct-retake")
    for mate in world.living("t"):
        if mate.mode != "save":
            guard(world, mate, first=True)
    for enemy in world.living("ct"):
        far = world.geo.distance[enemy.square][body.square] > 900
        if "ct-retake" in world.saving:
            world.send(enemy, world.dice.pick(world.geo.ct_spawn), 0.9, "save")
        elif far:
            letter = world.dice.pick(world.geo.plan.retreat[world.site])
            world.send(enemy, world.dice.pick(world.geo.squares[letter]), 1.0, "rally")
        else:
            enemy.mode = "retake"
            enemy.wait_until = world.t


def guard(world: World, body: Body, first: bool = False) -> None:
    """An attacker watches the bomb."""
    geo, dice = world.geo, world.dice
    if world.bomb_at is None:
        return
    bomb = world.bomb_square
    if first or dice.chance(0.45):
        options = [s for s in geo.near(bomb, 900.0) if geo.visible[s][bomb] and geo.distance[body.square][s] < 1100]
        if options:
            world.send(body, dice.pick(options), 1.0 if dice.chance(0.5) else 0.52, "guard")
    rally = geo.squares[dice.pick(geo.plan.retreat[world.site])]
    world.face(body, dice.pick(rally))
    body.wait_until = world.t + dice.wait(2.5) + len(body.path) * 0.8


def retake(world: World, body: Body) -> None:
    """A defender waits for the others, then goes for the bomb."""
    geo, dice = world.geo, world.dice
    if world.bomb_at is None or body.mode == "save":
        return
    if body.mode == "rally" and world.t < world.retake_at:
        body.wait_until = world.t + 0.5
        return
    bomb = world.bomb_square
    body.mode = "retake"
    if world.defusing is None and body is _nearest(world, bomb):
        world.send(body, bomb, 1.0)
        body.path[0] = world.bomb_at
        body.wait_until = world.t + 1.0
        return
    options = geo.near(bomb, 700.0)
    world.send(body, dice.pick(options), 1.0 if dice.chance(0.7) else 0.52)
    body.wait_until = world.t + dice.wait(1.5)


def _nearest(world: World, square: int) -> Body:
    return min(world.living("ct"), key=lambda b: world.geo.distance[b.square][square])


def try_plant(world: World) -> None:
    """Begin, continue or finish planting."""
    body = world.planting
    if body is not None:
        if world.t >= body.busy_until:
            planted(world, body, world.tick)
        return
    body = world.carrier()
    if body is None or body.foe is not None or body.path or body.square not in world.geo.plant_squares[world.site]:
        return
    if world.t - body.foe_lost_at < 1.0 or not world.gone:
        return
    world.planting = body
    body.busy_until = world.t + PLANT_S
    world.tell("plant_begin", body, world.tick, world.site)


def try_defuse(world: World) -> bool:
    """Begin, continue, give up or finish defusing; True when the bomb is defused."""
    body = world.defusing
    if body is not None:
        threatened = body.foe is not None and distance_to_end(world, body) > 1.2
        if threatened and world.dice.chance(0.5):
            world.defusing = None
            return False
        if distance_to_end(world, body) <= 0.0:
            world.tell("defused", body, world.tick, world.site)
            world.pay(body, DEFUSE_BONUS, world.tick)
            return True
        return False
    if world.bomb_at is None or world.planted_at is None:
        return False
    for enemy in world.living("ct"):
        near = abs(enemy.x - world.bomb_at[0]) < TOUCH_U and abs(enemy.y - world.bomb_at[1]) < TOUCH_U
        if near and enemy.foe is None and enemy.mode != "save" and enemy.blind_until < world.t:
            need = DEFUSE_KIT_S if enemy.gear.kit else DEFUSE_S
            left = world.planted_at + BOMB_S - world.t
            if need > left + 3.0:
                world.send(enemy, world.dice.pick(world.geo.ct_spawn), 1.0, "save")
                continue
            if world.t - enemy.foe_lost_at < 0.7:
                continue
            world.defusing = enemy
            world.defuse_started = world.t
            enemy.path = []
            world.tell("defuse_begin", enemy, world.tick, world.site)
            return False
    return False


def distance_to_end(world: World, body: Body) -> float:
    """Seconds that a running defuse still needs."""
    need = DEFUSE_KIT_S if body.gear.kit else DEFUSE_S
    return need - (world.t - world.defuse_started)


def explosion_kills(world: World) -> list[Body]:
    """Whom the explosion reaches: everybody near enough to the bomb."""
    if world.bomb_at is None:
        return []
    square = world.bomb_square
    return [b for b in world.bodies if b.alive and world.geo.distance[b.square][square] < BLAST_REACH_U]
