"""GRID's words to ours.

Belongs here: event types, titles, sides, reasons; nothing but vocabulary.
Does not belong here: weapons and items (``arsenal.py``), shapes (``raw.py``) and payloads (``translate.py``).
``coverage.yaml`` is this table with the payload keys that fixtures prove; a test holds the two together.
"""

from esports_assets.canonical.vocabulary import EndReason, EventType, Side, Title

_GENERIC_TYPES = [
    "grid-started-feed",
    "grid-sampled-feed",
    "grid-ended-feed",
    "grid-sampled-tournament",
    "grid-sampled-series",
    "grid-invalidated-series",
    "grid-validated-series",
    "tournament-started-series",
    "tournament-ended-series",
    "game-set-clock",
    "game-started-clock",
    "game-stopped-clock",
    "game-set-gameClock",
    "game-started-gameClock",
    "game-stopped-gameClock",
    "round-started-freezetime",
    "team-won-game",
    "team-won-series",
    "player-left-series",
    "player-rejoined-series",
    "team-picked-map",
    "team-banned-map",
    "series-picked-map",
]

EVENT_TYPES: dict[str, EventType] = {
    **dict.fromkeys(_GENERIC_TYPES, EventType.GENERIC),
    "series-started-game": EventType.MAP_START,
    "series-ended-game": EventType.MAP_END,
    "series-paused-game": EventType.PAUSE,
    "series-resumed-game": EventType.RESUME,
    "freezetime-started-timeout": EventType.PAUSE,
    "freezetime-ended-timeout": EventType.RESUME,
    "game-started-round": EventType.ROUND_START,
    "round-ended-freezetime": EventType.FREEZE_END,
    "team-won-round": EventType.ROUND_END,
    "game-ended-round": EventType.ROUND_END,
    "player-killed-player": EventType.KILL,
    "player-teamkilled-player": EventType.KILL,
    "player-selfkilled-player": EventType.DEATH,
    "game-killed-player": EventType.DEATH,
    "player-damaged-player": EventType.DAMAGE,
    "player-teamdamaged-player": EventType.DAMAGE,
    "player-selfdamaged-player": EventType.DAMAGE,
    "player-revived-player": EventType.SPAWN,
    "player-selfrevived-player": EventType.SPAWN,
    "player-purchased-item": EventType.BUY,
    "player-pickedUp-item": EventType.ITEM_PICKED_UP,
    "player-dropped-item": EventType.ITEM_DROPPED,
    "player-used-ability": EventType.ABILITY_USE,
    "player-completed-plantBomb": EventType.BOMB_PLANTED,
    "player-completed-defuseBomb": EventType.BOMB_DEFUSED,
    "player-completed-explodeBomb": EventType.BOMB_EXPLODED,
    "player-completed-beginDefuseBomb": EventType.BOMB_DEFUSE_BEGIN,
    "player-completed-beginDefuseWithKit": EventType.BOMB_DEFUSE_BEGIN,
    "player-completed-beginDefuseWithoutKit": EventType.BOMB_DEFUSE_BEGIN,
    "player-completed-stopDefuseBomb": EventType.BOMB_DEFUSE_ABORT,
    "player-completed-reachDefuseBombCheckpoint": EventType.OBJECTIVE,
    "team-completed-plantBomb": EventType.OBJECTIVE,
    "team-completed-defuseBomb": EventType.OBJECTIVE,
    "team-completed-explodeBomb": EventType.OBJECTIVE,
}
"""Their event type to ours; a type that is not here becomes GENERIC.

The team's copy of a player's plant is an OBJECTIVE, else each plant would count twice. ``game-ended-round`` is the round's end
only where ``team-won-round`` is missing; after it, it is GENERIC. The bomb's pick-up and drop have words of their own.
"""

VALIDITY = {"grid-invalidated-series": False, "grid-validated-series": True}
"""What the feed says of itself: whether the series, as told so far, stands."""

BOMB_WORDS: dict[EventType, EventType] = {
    EventType.ITEM_PICKED_UP: EventType.BOMB_PICKED_UP,
    EventType.ITEM_DROPPED: EventType.BOMB_DROPPED,
}
BOMB_ITEMS = frozenset({"bomb", "c4", "spike"})

DEFUSE_KIT: dict[str, bool | None] = {
    "player-completed-beginDefuseBomb": None,
    "player-completed-beginDefuseWithKit": True,
    "player-completed-beginDefuseWithoutKit": False,
}

DEATH_CAUSES = {"player-selfkilled-player": "self", "game-killed-player": "world"}
TIMEOUTS = frozenset({"freezetime-started-timeout", "freezetime-ended-timeout"})

_TITLE_WORDS: dict[str, Title] = {
    "csgo": Title.CSGO,
    "counter-strike: global offensive": Title.CSGO,
    "1": Title.CSGO,
    "cs2": Title.CS2,
    "counter-strike 2": Title.CS2,
    "counter strike 2": Title.CS2,
    "28": Title.CS2,
    "val": Title.VALORANT,
    "valorant": Title.VALORANT,
    "6": Title.VALORANT,
}
FOREIGN_TITLES = {
    "2": "Dota 2",
    "dota": "Dota 2",
    "dota2": "Dota 2",
    "3": "League of Legends",
    "lol": "League of Legends",
}
"""Names for titles that GRID carries and this adapter does not read, so that the refusal can name them."""

SIDES: dict[str, Side] = {
    "counter-terrorists": Side.CT,
    "terrorists": Side.T,
    "defender": Side.CT,
    "attacker": Side.T,
}
VALORANT_SIDES = frozenset({"attacker", "defender"})
"""Words of VALORANT alone: they tell the title where a partial state does not."""


def title(word: str) -> Title | None:
    """Our title for GRID's id, short name or name."""
    return _TITLE_WORDS.get(word.lower())


def end_reason(win_type: str, winner: Side) -> EndReason | None:
    """Why a round ended; elimination is told apart by who won. None for an unknown word."""
    eliminated = EndReason.CT_ELIMINATED if winner is Side.T else EndReason.T_ELIMINATED
    return {
        "opponentEliminated": eliminated,
        "bombExploded": EndReason.BOMB_EXPLODED,
        "bombDefused": EndReason.BOMB_DEFUSED,
        "timeExpired": EndReason.TIME_EXPIRED,
    }.get(win_type)
