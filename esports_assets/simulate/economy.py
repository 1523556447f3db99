"""Money and buying: the game's rules, and what a team decides to spend.

Belongs here: gear, loss bonus, rewards' sums, the buy of one team before a round, and how a buy is classified.
Does not belong here: kill rewards' moments (``round.py`` pays them as they happen).
"""

from dataclasses import dataclass, field

from esports_assets.simulate.arsenal import GRENADE_PRICES, HELMET_PRICE, KIT_PRICE, VEST_PRICE, WEAPONS
from esports_assets.simulate.dice import Dice

START_MONEY = 800
OVERTIME_MONEY = 10_000
MAX_MONEY = 16_000
LOSS_BONUS = (1400, 1900, 2400, 2900, 3400)
WIN_ELIMINATION = 3250
WIN_BOMB = 3500
PLANT_TEAM_BONUS = 600
"""For every T of a team that planted and lost."""
PLANT_BONUS = 300
DEFUSE_BONUS = 300
CT_TEAM_KILL_BONUS = 50
"""To every CT for every T killed."""

FULL_EQUIPMENT = 4000
ECO_EQUIPMENT = 1000
FORCE_SHARE = 0.8
"""Limits of the buy types as the real exports draw them: no full buy of a player below 4,000 and no eco above 900 in 5,500
player-rounds; force spends most of the money, semi does not."""

FULL_TEAM = 3850
ECO_TEAM = 1300
FORCE_TEAM_SHARE = 0.75
"""The same for a team, by means: in the real exports 95 % of the force buys lie below 4,030 a player and 95 % of the full ones
above 3,700; eco ends near 1,460."""

RIFLE_ROUND_T = 3250
RIFLE_ROUND_CT = 3650
"""Average money from which a team buys fully; with them 66 % of T and 73 % of CT team-rounds were full in the real matches."""
FORCE_CHANCE = 0.10
SEMI_CHANCE = 0.65
"""Below a full buy: how often a team forces, and how often it buys a part of those times it does not force."""


@dataclass(slots=True)
class Gear:
    """What one player owns between rounds."""

    money: int = START_MONEY
    armor: int = 0
    helmet: bool = False
    kit: bool = False
    primary: str | None = None
    secondary: str = "glock"
    grenades: list[str] = field(default_factory=list)
    bought: list[tuple[str, int]] = field(default_factory=list)
    """This round's purchases: item as the economies or GRID would write it, and price."""
    start_money: int = START_MONEY
    given: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    """Weapons handed over to and by team-mates this round."""

    def lose(self, side: str) -> None:
        """Dead: everything but the money is gone."""
        self.armor, self.helmet, self.kit, self.primary = 0, False, False, None
        self.secondary = "glock" if side == "t" else "usp_silencer"
        self.grenades = []

    def earn(self, amount: int) -> None:
        """Money, up to the limit."""
        self.money = min(MAX_MONEY, self.money + amount)

    @property
    def spent(self) -> int:
        """Money spent this round."""
        return sum(price for _, price in self.bought)

    @property
    def value(self) -> int:
        """Equipment value as the exports count it."""
        total = WEAPONS[self.primary].price if self.primary else 0
        total += WEAPONS[self.secondary].price
        total += VEST_PRICE if self.armor else 0
        total += HELMET_PRICE if self.helmet else 0
        total += KIT_PRICE if self.kit else 0
        return total + sum(GRENADE_PRICES[g] for g in self.grenades)

    def take(self, item: str, price: int) -> bool:
        """Buy if the money suffices; the caller puts the item where it belongs."""
        if price > self.money:
            return False
        self.money -= price
        self.bought.append((item, price))
        return True


@dataclass(slots=True)
class Ledger:
    """A team's losing streak as the game counts it."""

    losses: int = 1

    def settle(self, won: bool) -> int:
        """Loss bonus of a round just played (0 if won), and the new streak."""
        if won:
            self.losses = max(0, self.losses - 1)
            return 0
        bonus = LOSS_BONUS[min(self.losses, 4)]
        self.losses = min(4, self.losses + 1)
        return bonus


def _weapon(gear: Gear, key: str) -> bool:
    weapon = WEAPONS[key]
    if not gear.take(key, weapon.price):
        return False
    if weapon.price >= 1000:
        gear.primary = key
    else:
        gear.secondary = key
    return True


def _armor(gear: Gear, helmet: bool, budget: int) -> None:
    if gear.armor < 60 and budget >= VEST_PRICE and gear.take("vest", VEST_PRICE):
        gear.armor = 100
        budget -= VEST_PRICE
    if helmet and gear.armor and not gear.helmet and budget >= HELMET_PRICE and gear.take("helmet", HELMET_PRICE):
        gear.helmet = True


def _grenades(gear: Gear, side: str, keep: int, dice: Dice) -> None:
    wish = ["smoke", "flashbang", "molotov" if side == "t" else "incendiary", "hegrenade"]
    for item in dice.shuffled(wish):
        price = GRENADE_PRICES[item]
        if (
            len(gear.grenades) < 4
            and item not in gear.grenades
            and gear.money - price >= keep
            and gear.take(item, price)
        ):
            gear.grenades.append(item)


def _pistol(gear: Gear, side: str, dice: Dice) -> None:
    roll = dice.uniform()
    if roll < 0.68:
        _armor(gear, False, VEST_PRICE)
    elif roll < 0.76:
        _weapon(gear, "elite" if side == "ct" else "p250")
        _grenades(gear, side, 0, dice)
    else:
        if side == "ct" and gear.take("defuser", KIT_PRICE):
            gear.kit = True
        _grenades(gear, side, 0, dice)


def _full(gear: Gear, side: str, awper: bool, dice: Dice) -> None:
    if gear.primary is None or WEAPONS[gear.primary].price < 1700:
        armor = (0 if gear.armor else VEST_PRICE) + (0 if gear.helmet else HELMET_PRICE)
        rifle = "ak47" if side == "t" else dice.pick(("m4a1_silencer", "m4a1_silencer", "m4a1"))
        cheap = "galilar" if side == "t" else "famas"
        light = "mac10" if side == "t" else "mp9"
        first = "awp" if awper and gear.money >= WEAPONS["awp"].price + VEST_PRICE else rifle
        for key in (first, rifle, cheap, light):
            if WEAPONS[key].price + min(armor, VEST_PRICE) <= gear.money and _weapon(gear, key):
                break
    _armor(gear, side == "t" or dice.chance(0.82), gear.money)
    if side == "ct" and not gear.kit and gear.money > 900 and gear.take("defuser", KIT_PRICE):
        gear.kit = True
    _grenades(gear, side, 0, dice)


def _force(gear: Gear, side: str, dice: Dice) -> None:
    if gear.primary is None:
        options = ("galilar", "mac10") if side == "t" else ("famas", "mp9", "mp9")
        key = dice.pick(options)
        if gear.money >= WEAPONS[key].price + VEST_PRICE:
            _weapon(gear, key)
        elif gear.money >= 1300:
            _weapon(gear, "deagle" if dice.chance(0.3) else "tec9" if side == "t" else "fiveseven")
    _armor(gear, side == "t" or dice.chance(0.5), gear.money)
    _grenades(gear, side, 200, dice)


def _partial(gear: Gear, side: str, keep: int, dice: Dice) -> None:
    """Spend what is above ``keep``."""
    _armor(gear, False, gear.money - keep)
    if gear.primary is None and gear.secondary in ("glock", "usp_silencer") and gear.money - 700 >= keep:
        roll = dice.uniform()
        better = "tec9" if side == "t" else "fiveseven"
        if roll < 0.7:
            _weapon(gear, "deagle" if roll < 0.2 else "p250" if roll < 0.35 else better)
    if gear.money - 800 > keep:
        _grenades(gear, side, keep, dice)


def buy(gears: list[Gear], side: str, *, pistol: bool, last_chance: bool, awper: int, dice: Dice) -> None:
    """One team buys; every gear is changed in place. ``last_chance``: saving has no point any more."""
    for gear in gears:
        gear.start_money, gear.bought, gear.given, gear.received = gear.money, [], [], []
    if pistol:
        for gear in gears:
            _pistol(gear, side, dice)
        return
    wealth = [
        g.money + (2700 if g.primary and WEAPONS[g.primary].rifle else 0) + (700 if g.armor > 50 else 0) for g in gears
    ]
    average = sum(wealth) / len(wealth)
    full = average >= (RIFLE_ROUND_T if side == "t" else RIFLE_ROUND_CT)
    force = last_chance or dice.chance(FORCE_CHANCE)
    partial = dice.chance(SEMI_CHANCE)
    if full:
        _drop(gears, side)
    for i, gear in enumerate(gears):
        if full and gear.money + (2700 if gear.primary else 0) >= 2500:
            _full(gear, side, i == awper, dice)
        elif full or force:
            _force(gear, side, dice)
        else:
            _partial(gear, side, 1300 if partial else max(1500, gear.money - 400), dice)


def _drop(gears: list[Gear], side: str) -> None:
    """The rich buy rifles for the poor, as long as they can still buy their own."""
    rifle = WEAPONS["ak47" if side == "t" else "m4a1"]
    for poor in sorted(gears, key=lambda g: g.money):
        rich = max(gears, key=lambda g: g.money)
        if poor.primary or poor.money >= rifle.price + VEST_PRICE or rich.money < 2 * rifle.price + 1500:
            continue
        if rich is not poor and rich.take(rifle.key, rifle.price):
            poor.primary = rifle.key
            rich.given.append(rifle.key)
            poor.received.append(rifle.key)


def player_type(gear: Gear, pistol: bool) -> str:
    """How the exports classify one player's buy."""
    if pistol:
        return "pistol"
    value = gear.value
    if value >= FULL_EQUIPMENT:
        return "full"
    if value < ECO_EQUIPMENT:
        return "eco"
    return "force" if gear.spent >= FORCE_SHARE * gear.start_money else "semi"


def team_type(gears: list[Gear], pistol: bool) -> str:
    """How the exports classify a team's buy, by its means."""
    if pistol:
        return "pistol"
    value = sum(gear.value for gear in gears) / len(gears)
    if value >= FULL_TEAM:
        return "full"
    if value < ECO_TEAM:
        return "eco"
    return "force" if sum(g.spent for g in gears) >= FORCE_TEAM_SHARE * sum(g.start_money for g in gears) else "semi"
