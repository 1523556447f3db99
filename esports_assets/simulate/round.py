"""The loop of one round: time passes, players decide, move, fight, until somebody has won.

Belongs here: the order of things within a step, picking up the bomb, the end of the round.
Does not belong here: decisions, fights, grenades themselves, and anything beyond the round (``match.py``).
"""

from esports_assets.simulate import afterplant, fights, tactics, utility
from esports_assets.simulate.arsenal import GRENADE_IN_HAND
from esports_assets.simulate.dice import Dice
from esports_assets.simulate.economy import Gear
from esports_assets.simulate.geometry import Geometry
from esports_assets.simulate.record import STEP_S, STEP_TICKS, RoundRecord
from esports_assets.simulate.world import BOMB_S, ROUND_S, Body, World

PICK_UP_U = 80.0
KNIFE_UNTIL_S = 8.0
STAND_CHANCE = 0.8
"""How often a player stops to fight."""


def play(geo: Geometry, dice: Dice, record: RoundRecord, gears: list[Gear], skills: list[float]) -> RoundRecord:
    """Play one round into its record; gears change as they would."""
    bodies = []
    for side, squares in (("t", geo.t_spawn), ("ct", geo.ct_spawn)):
        members = [i for i, own in enumerate(record.sides) if own == side]
        spots = dice.shuffled(squares)
        for member, square in zip(members, spots, strict=False):
            x, y = geo.centres[square]
            at = (x + dice.uniform(-40, 40), y + dice.uniform(-40, 40))
            bodies.append(Body(member, side, skills[member], gears[member], at, square))
    bodies.sort(key=lambda b: b.index)
    world = World(geo, dice, bodies, record)
    tactics.plan(world)
    carrier = world.carrier()
    if carrier is not None:
        world.tell("picked_up", carrier, -record.freeze_ticks + 8)
    while not record.winner:
        _step(world)
    for body in bodies:
        gear = body.gear
        gear.armor, gear.helmet = body.armor, body.helmet and body.armor > 0
        if not body.alive:
            gear.lose(body.side)
    return record


def _step(world: World) -> None:
    record = world.record
    _note(world)
    utility.land(world)
    tactics.throws(world)
    if world.step % 2 == 0 and world.planted_at is None:
        tactics.command_attack(world)
        tactics.command_defence(world)
    for body in world.bodies:
        if body.alive:
            _act(world, body)
    _pick_up(world)
    fights.fight(world)
    if world.planted_at is None:
        afterplant.try_plant(world)
    elif afterplant.try_defuse(world):
        _finish(world, "ct", "bomb_defused", world.tick)
    if not record.winner:
        _judge(world)
    world.step += 1
    world.t = world.step * STEP_S


def _act(world: World, body: Body) -> None:
    """Decide if it is time to, then move."""
    if body is world.planting or body is world.defusing:
        body.moved = 0.0
        return
    if body.foe is not None and body.hide_until < world.t:
        if body.mode not in ("fetch", "save") and world.dice.chance(STAND_CHANCE):
            world.strafe(body)
            return
    elif body.busy_until > world.t:
        body.moved = 0.0
        return
    if not body.path and body.wait_until <= world.t:
        _decide(world, body)
    if body.path:
        world.advance(body)
    else:
        body.moved = 0.0


def _decide(world: World, body: Body) -> None:
    if body.mode == "save":
        world.send(body, world.dice.pick(world.geo.around[body.square]), 0.52)
        body.wait_until = world.t + 2.0
    elif world.planted_at is not None:
        if body.side == "t":
            afterplant.guard(world, body)
        else:
            afterplant.retake(world, body)
    elif body.side == "ct":
        tactics.hold(world, body)
    elif body.bomb and world.gone:
        if body.square not in world.geo.plant_squares[world.site]:
            world.send(body, world.dice.pick(world.geo.plant_squares[world.site]), 1.0, "execute")
    else:
        if body.mode == "fetch":
            body.mode = "execute" if world.gone else "stage"
        tactics.attack(world, body)


def _pick_up(world: World) -> None:
    if world.bomb_at is None or world.planted_at is not None:
        return
    for body in world.living("t"):
        if abs(body.x - world.bomb_at[0]) < PICK_UP_U and abs(body.y - world.bomb_at[1]) < PICK_UP_U:
            body.bomb = True
            world.bomb_at = None
            world.tell("picked_up", body, world.tick + STEP_TICKS - 1)
            body.wait_until = world.t
            body.path = []
            return


def _judge(world: World) -> None:
    """Whether the round is over."""
    record = world.record
    t_alive, ct_alive = len(world.living("t")), len(world.living("ct"))
    last = record.kills[-1].tick if record.kills else world.tick
    if not ct_alive:
        _finish(world, "t", "t_win", last)
    elif not t_alive and world.planted_at is None:
        _finish(world, "ct", "ct_win", last)
    elif world.planted_at is not None:
        if world.t + STEP_S > world.planted_at + BOMB_S:
            _explode(world)
    elif world.t + STEP_S > ROUND_S:
        _finish(world, "ct", "time_ran_out", int(ROUND_S * 64))


def _explode(world: World) -> None:
    tick = world.tick + STEP_TICKS - 1
    planter = next(b for b in reversed(world.record.bombs) if b.kind == "planted")
    body = world.bodies[planter.actor]
    world.record.bombs.append(type(planter)(tick, "exploded", body.index, planter.at, world.site))
    _finish(world, "t", "target_bombed", tick)
    for victim in afterplant.explosion_kills(world):
        world.latest_tick = tick
        fights.die(world, None, victim, "planted_c4", False, tick)


def _finish(world: World, winner: str, reason: str, tick: int) -> None:
    world.record.winner, world.record.reason = winner, reason
    world.record.end_tick = max(tick, world.latest_tick, *(b.tick for b in world.record.bombs))


def _note(world: World) -> None:
    """Write down where everybody is and what is in their hands."""
    record = world.record
    record.places.append([(b.x, b.y) for b in world.bodies])
    record.yaws.append([b.yaw for b in world.bodies])
    record.hands.append([_hand(world, b) for b in world.bodies])


def _hand(world: World, body: Body) -> str:
    if body is world.planting:
        return "c4"
    if body.throw_at and body.throw_at[-1][0] - world.t < 1.0:
        kind = body.throw_at[-1][1]
        return GRENADE_IN_HAND["incendiary" if kind == "molotov" and body.side == "ct" else kind]
    if world.t < KNIFE_UNTIL_S and body.foe is None and body.path:
        return "knife_t" if body.side == "t" else "knife"
    return body.weapon
