"""Plans of the attackers and defenders before a plant: who goes where and when.

Belongs here: the plan of a round, staging, executing, holding, rotating, throwing, saving.
Does not belong here: what happens once the bomb is down (``afterplant.py``), and fighting.
"""

from esports_assets.simulate.utility import throw
from esports_assets.simulate.world import Body, World

FAST_CHANCE = 0.17
FAST_S = (17.0, 5.0)
SLOW_S = (58.0, 22.0)
"""When attackers go for the site (mean, spread): fits the plants of the real matches (5 % before 26 s, half before 60 s, 95 %
before 106 s, 56 % of the rounds)."""
LATEST_GO_S = 88.0
T_SPLITS = ((2, 1, 2), (3, 1, 1), (1, 1, 3), (2, 2, 1), (1, 2, 2), (3, 0, 2), (2, 0, 3), (4, 1, 0), (0, 1, 4))
CT_SPLITS = ((2, 1, 2), (2, 1, 2), (2, 1, 2), (3, 0, 2), (2, 0, 3), (1, 2, 2), (2, 2, 1), (1, 1, 3), (3, 1, 1))
LANES = ("a", "mid", "b")
STAGE_WAIT_S = 1.7
EXECUTE_WAIT_S = 1.6
HOLD_WAIT_S = 2.0
SHIFT_U = 520.0
"""How far and how often players shift: keeps the mean speed after the opening near 95-100 u/s on both sides, as measured."""
EARLY_GO_CHANCE = 0.008
"""Per half second, once they are more."""
COVER_CHOICES = 3
"""Of so many squares looked at, a player takes the one that shows it least to the enemy."""
RUN_SHARE = 0.62
START_DELAY_S = 2.6
"""Attackers leave a little later: their mean speed over the first 15 s is 179 u/s in the real matches."""
OPENING_S = 16.0
PEEK_CHANCE = 0.10
ROTATE_CHANCE = 0.9
SAVE_CHANCE = 0.5
OPENING_SHARE = 0.55
GRENADE_REACH_U = 3000.0
GRENADE_OPENING_S = (6.5, 16.0)
"""The first grenades land when both sides arrive: median first damage of the real matches is 13.7 s, a quarter before 10.7 s."""


def plan(world: World) -> None:
    """Decide the round's plan and send everybody off."""
    dice = world.dice
    world.site = "a" if dice.chance(0.5) else "b"
    fast = dice.chance(FAST_CHANCE)
    mean, spread = FAST_S if fast else SLOW_S
    world.go_at = max(10.0, min(LATEST_GO_S, dice.normal(mean, spread)))
    split = dice.pick(T_SPLITS)
    if fast:
        split = (4, 1, 0) if world.site == "a" else (0, 1, 4)
    lanes = [lane for lane, count in zip(LANES, split, strict=True) for _ in range(count)]
    for body, lane in zip(dice.shuffled(world.ts), lanes, strict=True):
        body.lane = lane
        letters = world.geo.plan.lanes[lane][-1]
        world.send(body, sheltered(world, body, forward(world, letters)), 1.0, "stage")
        body.busy_until = dice.uniform(0.0, START_DELAY_S)
        schedule(world, body)
    carriers = [b for b in world.ts if b.lane == world.site] or world.ts
    dice.pick(carriers).bomb = True
    split = dice.pick(CT_SPLITS)
    lanes = [lane for lane, count in zip(LANES, split, strict=True) for _ in range(count)]
    for body, lane in zip(dice.shuffled(world.cts), lanes, strict=True):
        body.post = body.lane = lane
        letter = dice.pick(world.geo.plan.posts[lane])
        world.send(body, sheltered(world, body, ahead_half(world, letter)), 1.0, "hold")
        schedule(world, body)


def sheltered(world: World, body: Body, options: list[int]) -> int:
    """One of some squares, rather one where few enemies would see it."""
    exposure = world.geo.exposure[body.side]
    return min((world.dice.pick(options) for _ in range(COVER_CHOICES)), key=lambda s: exposure[s])


def forward(world: World, letter: str) -> list[int]:
    """The half of a lane's last place that lies nearer to the objectives."""
    squares = world.geo.squares[letter]
    goals = world.geo.site_centre.values()
    ranked = sorted(squares, key=lambda s: min(world.geo.distance[s][g] for g in goals))
    return ranked[: max(4, len(ranked) // 2)]


def ahead_half(world: World, letter: str) -> list[int]:
    """The half of a post that lies nearer to where attackers come from."""
    row = world.geo.distance[world.geo.t_spawn[len(world.geo.t_spawn) // 2]]
    ranked = sorted(world.geo.squares[letter], key=lambda s: row[s])
    return ranked[: max(4, len(ranked) // 2)]


def schedule(world: World, body: Body) -> None:
    """When a player will throw which grenade, and where."""
    geo, dice = world.geo, world.dice
    body.throw_at = []
    for kind in body.gear.grenades:
        word = "molotov" if kind == "incendiary" else kind
        opening = dice.chance(OPENING_SHARE)
        if opening:
            when = dice.uniform(*GRENADE_OPENING_S)
        elif body.side == "t":
            when = world.go_at + dice.uniform(-5.0, 4.0)
        else:
            when = dice.uniform(16.0, 60.0)
        posts = geo.plan.posts[body.lane if opening else world.site]
        letter = geo.plan.lanes[body.lane][-1] if body.side == "ct" else posts[0]
        body.throw_at.append((when, word, dice.pick(geo.squares[letter])))
    body.throw_at.sort(reverse=True)


def throws(world: World) -> None:
    """Grenades that are due."""
    for body in world.bodies:
        while body.throw_at and body.throw_at[-1][0] <= world.t:
            _, kind, square = body.throw_at.pop()
            if not body.alive or body is world.planting or body is world.defusing:
                continue
            if body.foe is not None:
                body.throw_at.append((world.t + 1.5, kind, square))
                break
            known = [s for s in world.seen[body.side].values() if world.t - s.time < 6.0]
            if known and kind != "smoke" and world.dice.chance(0.5):
                square = world.dice.pick(known).square
            if world.geo.distance[body.square][square] < GRENADE_REACH_U:
                throw(world, body, kind, square)


def attack(world: World, body: Body) -> None:
    """What an attacker does next (no bomb planted)."""
    geo = world.geo
    if body.mode == "stage":
        _linger(world, body, geo.plan.lanes[body.lane], STAGE_WAIT_S, geo.site_centre[world.site])
        return
    if body.mode == "execute" and world.bomb_at is not None and world.carrier() is None:
        return
    if body.mode == "execute":
        _linger(world, body, world.site, EXECUTE_WAIT_S, geo.ct_spawn[len(geo.ct_spawn) // 2])


def _linger(world: World, body: Body, letters: str, wait: float, front: int) -> None:
    """Shift around in some places, looking at where enemies would come from."""
    geo, dice = world.geo, world.dice
    if dice.chance(PEEK_CHANCE):
        options = [s for s in geo.near(body.square, 750.0) if geo.distance[s][front] < geo.distance[body.square][front]]
    else:
        options = geo.near(body.square, SHIFT_U, letters)
    if options and dice.chance(0.8):
        world.send(body, sheltered(world, body, options), 1.0 if dice.chance(RUN_SHARE) else 0.52)
    elif not options:
        world.send(body, dice.pick(geo.squares[letters[-1]]), 1.0)
    world.face(body, front)
    body.wait_until = world.t + dice.wait(wait if world.t > OPENING_S else 0.5 * wait) + len(body.path) * 0.8


def hold(world: World, body: Body) -> None:
    """What a defender does next (no bomb planted)."""
    geo = world.geo
    front = geo.t_spawn[len(geo.t_spawn) // 2]
    _linger(world, body, geo.plan.posts[body.post], HOLD_WAIT_S, front)


def command_attack(world: World) -> None:
    """Attackers as a team: go, change the site, carry the bomb, save."""
    living = world.living("t")
    enemies = len(world.living("ct"))
    if not living:
        return
    if not world.gone:
        early = len(living) - enemies >= 1 and world.t > 18.0
        if early and world.dice.chance(EARLY_GO_CHANCE):
            world.go_at = min(world.go_at, world.t)
        if world.t >= world.go_at:
            _go(world, living)
    if world.carrier() is None and world.bomb_at is not None:
        _fetch(world, living)
    if len(living) <= 2 and enemies - len(living) >= 2 and world.t > 70.0 and "t" not in world.saving:
        world.saving.add("t")
        if world.dice.chance(SAVE_CHANCE):
            for body in living:
                world.send(body, world.dice.pick(world.geo.t_spawn), 0.52, "save")


def _go(world: World, living: list[Body]) -> None:
    """Everybody to the site, where fewer defenders were seen."""
    dice, geo = world.dice, world.geo
    world.gone = True
    known = [geo.site_of(s.square) for s in world.seen["t"].values() if world.t - s.time < 15.0]
    if known.count(world.site) >= 2 and dice.chance(0.4):
        world.site = "b" if world.site == "a" else "a"
    for body in living:
        goal = dice.pick(geo.plant_squares[world.site] if body.bomb else geo.squares[world.site])
        world.send(body, goal, 1.0 if dice.chance(0.85) else 0.52, "execute")


def _fetch(world: World, living: list[Body]) -> None:
    """Somebody goes for the bomb on the ground."""
    if world.bomb_at is None:
        return
    square = world.bomb_square
    if any(b.mode == "fetch" and b.goal == square for b in living):
        return
    body = min(living, key=lambda b: world.geo.distance[b.square][square])
    if body.foe is None:
        world.send(body, square, 1.0, "fetch")
        body.path[0] = world.bomb_at


def command_defence(world: World) -> None:
    """Defenders as a team: rotate to where attackers were seen."""
    dice, geo = world.dice, world.geo
    pressure = {"a": 0, "b": 0}
    for sighting in world.seen["ct"].values():
        if world.t - sighting.time < 5.0:
            site = geo.site_of(sighting.square)
            if geo.distance[sighting.square][geo.site_centre[site]] < 1500:
                pressure[site] += 3 if sighting.bomb else 1
    for site, other in (("a", "b"), ("b", "a")):
        if pressure[site] < 2 or pressure[site] <= pressure[other]:
            continue
        for body in world.living("ct"):
            if body.post == site or body.foe is not None or body.mode != "hold":
                continue
            stay = body.post == other and pressure[site] < 3
            if dice.chance((0.12 if stay else 0.35) * ROTATE_CHANCE):
                body.post = site
                letter = dice.pick(geo.plan.posts[site])
                world.send(body, dice.pick(geo.squares[letter]), 1.0)
                body.wait_until = world.t
