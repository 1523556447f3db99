"""The closed vocabulary of the canonical language: what may be said at all.

Belongs here: enums whose members every title, adapter, window and consumer shares, one sentence each.
Does not belong here: the words of a source (they live beside their adapter in ``mapping.py``) and any behaviour.
"""

from enum import StrEnum


class Title(StrEnum):
    """Game titles that the language covers."""

    CS2 = "cs2"
    """Counter-Strike 2: rounds, two sides, positions in game units."""
    CSGO = "csgo"
    """Counter-Strike: Global Offensive, kept apart from CS2 because economy, maps and movement differ."""
    VALORANT = "valorant"
    """VALORANT: rounds, two sides, abilities, positions without height."""
    ROCKET_LEAGUE = "rocket_league"
    """Rocket League: one continuous game per match, positions in Unreal units."""
    RPS = "rps"
    """Rock-paper-scissors: hands instead of rounds and no space at all."""


class EventType(StrEnum):
    """What happened. A source's event without a word here becomes ``GENERIC`` and keeps its raw record."""

    MAP_START = "MAP_START"
    """A game on one map begins."""
    MAP_END = "MAP_END"
    """A game on one map is over; the payload holds the score."""
    ROUND_START = "ROUND_START"
    """A round begins, with its freeze time."""
    FREEZE_END = "FREEZE_END"
    """Players may move: the zero of the round's clock."""
    ROUND_END = "ROUND_END"
    """A round is decided; the payload holds winner and reason."""
    KILL = "KILL"
    """Actor killed target."""
    DEATH = "DEATH"
    """Target died without a killer (bomb, fall, world); a KILL already tells the other deaths."""
    DAMAGE = "DAMAGE"
    """Actor hurt target; the payload holds health and armour after it."""
    SHOT = "SHOT"
    """Actor fired or swung a weapon."""
    BLIND = "BLIND"
    """Actor's flash blinded target."""
    UTILITY = "UTILITY"
    """Actor threw a grenade."""
    UTILITY_EFFECT = "UTILITY_EFFECT"
    """A thrown grenade took effect."""
    ABILITY_USE = "ABILITY_USE"
    """Actor used an ability."""
    ABILITY_CAST = "ABILITY_CAST"
    """Actor started casting an ability."""
    BUY = "BUY"
    """Actor bought an item."""
    ITEM_PICKED_UP = "ITEM_PICKED_UP"
    """Actor picked up an item that is not the bomb."""
    ITEM_DROPPED = "ITEM_DROPPED"
    """Actor dropped an item that is not the bomb."""
    ECONOMY_UPDATE = "ECONOMY_UPDATE"
    """Actor's money and equipment as of this instant."""
    BOMB_PICKED_UP = "BOMB_PICKED_UP"
    """Actor carries the bomb from now on."""
    BOMB_DROPPED = "BOMB_DROPPED"
    """Actor no longer carries the bomb."""
    BOMB_PLANT_BEGIN = "BOMB_PLANT_BEGIN"
    """Actor started planting."""
    BOMB_PLANTED = "BOMB_PLANTED"
    """The bomb is planted."""
    BOMB_DEFUSE_BEGIN = "BOMB_DEFUSE_BEGIN"
    """Actor started defusing."""
    BOMB_DEFUSE_ABORT = "BOMB_DEFUSE_ABORT"
    """Actor stopped defusing before it was done."""
    BOMB_DEFUSED = "BOMB_DEFUSED"
    """The bomb is defused."""
    BOMB_EXPLODED = "BOMB_EXPLODED"
    """The bomb exploded."""
    OBJECTIVE = "OBJECTIVE"
    """Progress on an objective that has no word of its own."""
    POSITION_UPDATE = "POSITION_UPDATE"
    """Where actor is, as a single event; dense tracks live in the tracking table."""
    MOVE = "MOVE"
    """Actor's move in a game without space (rock-paper-scissors)."""
    SPAWN = "SPAWN"
    """Actor entered the world, by spawning or by being revived."""
    CLUTCH = "CLUTCH"
    """Actor is the last of the team against a number of opponents (a source's own verdict)."""
    PAUSE = "PAUSE"
    """The game stopped: technical or tactical."""
    RESUME = "RESUME"
    """The game goes on."""
    AGENT_SIGNAL = "AGENT_SIGNAL"
    """A statement of this platform, never of a source."""
    GENERIC = "GENERIC"
    """Something that the source says and the language has no word for; the raw record is in the payload."""


class Side(StrEnum):
    """The two roles of a round: attackers plant, defenders hold."""

    CT = "ct"
    """Counter-terrorists, or defenders."""
    T = "t"
    """Terrorists, or attackers."""

    @property
    def opponent(self) -> "Side":
        """The other side."""
        return Side.T if self is Side.CT else Side.CT


class EndReason(StrEnum):
    """Why a round ended."""

    T_ELIMINATED = "t_eliminated"
    """Every attacker died before a plant."""
    CT_ELIMINATED = "ct_eliminated"
    """Every defender died."""
    BOMB_DEFUSED = "bomb_defused"
    """Defenders defused the bomb."""
    BOMB_EXPLODED = "bomb_exploded"
    """The planted bomb exploded."""
    TIME_EXPIRED = "time_expired"
    """The clock ran out without a plant."""

    @property
    def winner(self) -> Side:
        """The side that wins a round which ends so."""
        return Side.T if self in (EndReason.CT_ELIMINATED, EndReason.BOMB_EXPLODED) else Side.CT


class BuyType(StrEnum):
    """How a team entered a round economically."""

    PISTOL = "pistol"
    """First round of a half."""
    ECO = "eco"
    """Saving."""
    SEMI = "semi"
    """Part of a full buy."""
    FORCE = "force"
    """Everything spent without reaching a full buy."""
    FULL = "full"
    """Rifles, armour and grenades."""


class Intent(StrEnum):
    """What a player is about to do."""

    ADVANCE = "advance"
    """Closes in on the objective or the enemy."""
    RETREAT = "retreat"
    """Backs off from the objective or the enemy."""
    HOLD = "hold"
    """Stays to guard a place."""
    PEEK = "peek"
    """Shows briefly to take or give information."""
    PLANT = "plant"
    """Plants the bomb."""
    DEFUSE = "defuse"
    """Defuses the bomb."""
    ROTATE = "rotate"
    """Moves from one zone to another to defend or attack there."""
    TRADE = "trade"
    """Answers a team-mate's death by killing the killer."""
    ENGAGE = "engage"
    """Fights."""
