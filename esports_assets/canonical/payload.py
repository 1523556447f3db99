"""What an event's payload may hold, per event type: the agreed keys with unit and meaning.

Belongs here: the declaration, of derived facts too, asserted against every adapter's fixtures by the contract tests. Positions
are ``[x, y, z]`` in game units. What a source knows only in hindsight (a death that will be traded, a clutch that will be won)
stands under ``hindsight``, which features never read.
Does not belong here: a source's own names.
"""

from esports_assets.canonical.vocabulary import EventType

_POS = {"pos": "where the actor is [x, y, z], game units"}
_TARGET = {
    "target_pos": "where the target is [x, y, z], game units",
    "target_team": "the target's team",
    "target_side": "the target's side",
}
_HINDSIGHT = {"hindsight": "what the source knew only later; never a feature"}
_ROUND = {
    "ct_team": "team on the CT (defending) side",
    "t_team": "team on the T (attacking) side",
    "ct_score": "rounds won by that team so far",
    "t_score": "rounds won by that team so far",
}
_BOMB = {**_POS, "site": "a, b or c; null where the source does not say"}

PAYLOAD_KEYS: dict[EventType, dict[str, str]] = {
    EventType.MAP_START: {
        "teams": "team id to name",
        "players": "player id to team id",
        "tick_rate": "ticks per second",
        "game": "how a game without a map was set up, as its source records it",
    },
    EventType.MAP_END: {
        "score": "team id to rounds won",
        "winner_team": "the winner; null for a draw",
        "points": "team id to points, in a game of points",
        "secret": "what the values of all rounds follow from, in hex; revealed at the end",
    },
    EventType.ROUND_START: {
        **_ROUND,
        "ct_buy": "buy type of the CT team",
        "t_buy": "buy type of the T team",
        "values": "move to what winning with it is worth in this round",
        "commitment": "hash of the move that one side fixed before the other's came",
    },
    EventType.FREEZE_END: {**_ROUND, "clock_s": "seconds on the round clock"},
    EventType.ROUND_END: {
        **_ROUND,
        "winner_side": "ct or t",
        "winner_team": "team id; null for a draw",
        "reason": "an EndReason",
        "points": "team id to points so far, in a game of points",
    },
    EventType.KILL: {
        **_POS,
        **_TARGET,
        **_HINDSIGHT,
        "weapon": "what killed",
        "headshot": "whether the last hit was to the head",
        "trade": "whether the source calls it a trade kill",
        "through_smoke": "whether shot through smoke",
        "no_scope": "whether unscoped with a sniper rifle",
        "wallbang": "number of objects penetrated",
        "assister": "who assisted",
        "flash_assister": "whose flash assisted",
    },
    EventType.DEATH: {**_POS, **_TARGET, **_HINDSIGHT, "weapon": "what killed", "cause": "bomb, world, fall or self"},
    EventType.DAMAGE: {
        **_POS,
        **_TARGET,
        "weapon": "what hurt",
        "hitgroup": "where it hit",
        "damage": "health points lost",
        "armor_damage": "armour points lost",
        "health_after": "target's health after it",
        "armor_after": "target's armour after it; null where unknown",
    },
    EventType.SHOT: {**_POS, "weapon": "what was fired", "yaw_deg": "view direction", "pitch_deg": "view height"},
    EventType.BLIND: {"duration_s": "seconds", "target_side": "the target's side", "target_team": "the target's team"},
    EventType.UTILITY: {
        **_POS,
        "grenade": "smoke, flashbang, hegrenade, molotov or decoy",
        "grenade_id": "joins the effect",
    },
    EventType.UTILITY_EFFECT: {**_POS, "grenade": "as thrown", "grenade_id": "joins the throw"},
    EventType.ABILITY_USE: {**_POS, "ability": "which ability"},
    EventType.ABILITY_CAST: {**_POS, "ability": "which ability"},
    EventType.BUY: {**_POS, "item": "what was bought", "cost": "game money", "money": "money in hand after it"},
    EventType.ITEM_PICKED_UP: {**_POS, "item": "what"},
    EventType.ITEM_DROPPED: {**_POS, "item": "what"},
    EventType.ECONOMY_UPDATE: {
        "money": "money in hand now; null where unknown",
        "start_money": "money at the start of the round; null where unknown",
        "spent": "money spent in this round",
        "equipment_value": "value of what is carried",
        "armor": "has armour",
        "helmet": "has a helmet",
        "kit": "has a defuse kit",
        "primary": "primary weapon",
        "secondary": "secondary weapon",
        "grenades": "list of grenades in hand; null where only the count is known",
        "grenade_count": "number of grenades in hand",
        "buy": "buy type",
    },
    EventType.BOMB_PICKED_UP: _BOMB,
    EventType.BOMB_DROPPED: _BOMB,
    EventType.BOMB_PLANT_BEGIN: _BOMB,
    EventType.BOMB_PLANTED: _BOMB,
    EventType.BOMB_DEFUSE_BEGIN: {**_BOMB, "kit": "whether with a kit; null where unknown"},
    EventType.BOMB_DEFUSE_ABORT: _BOMB,
    EventType.BOMB_DEFUSED: _BOMB,
    EventType.BOMB_EXPLODED: _BOMB,
    EventType.OBJECTIVE: {**_POS, "objective": "which", "state": "what became of it"},
    EventType.POSITION_UPDATE: {
        **_POS,
        "objective_pos": "where the objective is [x, y, z]",
        "ts": "the source's own clock, seconds",
        "health": "health points",
        "armor": "armour points",
        "money": "money in hand",
        "equipment_value": "value of what is carried",
        "nearby_enemies_count": "enemies the source calls near",
        "nearby_allies_count": "allies the source calls near",
    },
    EventType.MOVE: {
        "move": "which move",
        "value": "what it is worth this round",
        "nonce": "what its commitment was hashed with",
    },
    EventType.SPAWN: {**_POS, "health": "health points", "revived_by": "who revived"},
    EventType.CLUTCH: {**_HINDSIGHT, "opponents": "living opponents"},
    EventType.PAUSE: {"kind": "technical, tactical or timeout"},
    EventType.RESUME: {"kind": "what ended"},
    EventType.AGENT_SIGNAL: {"signal": "the signal's own record"},
    EventType.GENERIC: {"source_type": "the source's word for it", "raw": "the raw record"},
}
"""Every event type with its payload keys; a key may be absent where the source does not tell it."""

ENRICHED_KEYS: dict[str, str] = {
    "opening_kill": "whether it is the first kill of an opponent in this round",
    "multi_kill": "how many opponents the actor has killed in this round, with this one",
    "trade_kill": "whether the target had killed a team-mate of the actor at most 5 s before",
    "traded_players": "the team-mates whom a trade kill answers, in the order in which they died",
    "trade_delay_s": "seconds from the latest of those deaths to the trade kill",
    "trade_potential_count": "living team-mates of the target within 15 m of where he died",
    "untraded_risk": "whether there is no such team-mate",
    "player_speed_m_s": "speed of the actor, or of the target where nobody acts, between his last two known positions",
    "dist_to_objective_m": "how far he is from the planted bomb, else from the objective told, else from the nearer bomb site",
    "objective_control": "active below 5 m, contesting below 15 m, else none",
    "control_intensity": "1 - distance / limit of that control; absent where it is none",
    "team_econ_delta": "money of the team against the start of the round, game money, over the players told so far",
    "team_econ_players": "how many players of the team that covers",
}
"""What is derived of an event from what came before it in its match; a key is absent where the source does not tell enough.

The bomb sites are those where the bomb was planted in earlier rounds of the match, their centre the median of the plants.
"""

_RANKED = (
    EventType.MAP_START,
    EventType.ROUND_START,
    EventType.FREEZE_END,
    EventType.ECONOMY_UPDATE,
    None,
    EventType.DAMAGE,
    EventType.KILL,
    EventType.DEATH,
    EventType.BOMB_PLANTED,
    EventType.BOMB_DEFUSED,
    EventType.BOMB_EXPLODED,
    EventType.ROUND_END,
    EventType.MAP_END,
)

EVENT_RANK: dict[EventType, int] = {
    kind: _RANKED.index(kind) if kind in _RANKED else _RANKED.index(None) for kind in EventType
}
"""Order of events at one instant of a source that gives none: causes before effects, the decision last."""
