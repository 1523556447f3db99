"""One GRID event to drafts of canonical events: who, whom, and the payload.

Belongs here: one small function per canonical event type, for what players do.
Does not belong here: games and rounds (``frames.py``), words (``mapping.py``), ids, clocks and order (``decoder.py``).
"""

from collections.abc import Callable
from typing import Any

from esports_assets.adapters.grid import arsenal, frames, mapping, raw
from esports_assets.adapters.grid.draft import Draft, generic, who_of
from esports_assets.adapters.grid.scene import SOURCE, Scene, our_id
from esports_assets.canonical.match import identifier
from esports_assets.canonical.vocabulary import EventType


def drafts(message: raw.Message, index: int, scene: Scene) -> list[Draft]:
    """What an event of a message says in our words.

    Raises ValueError where the event lacks what its type must have.
    """
    event = message.events[index]
    kind = mapping.EVENT_TYPES.get(event.type, EventType.GENERIC)
    if event.type == "game-ended-round" and scene.round is not None and scene.round.decided:
        kind = EventType.GENERIC
    if kind is EventType.GENERIC:
        return [generic(event, message.record(index), scene)]
    if kind is EventType.FREEZE_END:
        return [frames.freeze_end(event, message.events, scene), *frames.economies(scene)]
    return [_BUILDERS[kind](event, scene)]


def _player(node: raw.Node, role: str) -> str:
    if node.type != "player":
        raise ValueError(f"its {role} is of type {node.type!r} and not a player")
    if not node.id:
        raise ValueError(f"its {role} has no id")
    return identifier(SOURCE, node.id)


def _pos(node: raw.Node, scene: Scene) -> list[float] | None:
    return raw.position(raw.tree(node.state, "game")) or raw.position(scene.player(node.id))


def _act(kind: EventType, event: raw.Event, scene: Scene, **payload: Any) -> Draft:
    _player(event.actor, "actor")
    return Draft(kind, {"pos": _pos(event.actor, scene), **payload}, **who_of(event.actor, scene))


def _target(event: raw.Event, scene: Scene) -> dict[str, Any]:
    whom = who_of(event.target, scene)
    side = whom.get("side")
    return {
        "target_pos": _pos(event.target, scene),
        "target_team": whom.get("team"),
        "target_side": side and side.value,
    }


def _delta(node: raw.Node, key: str) -> float | None:
    """A change of a player's game (else round) state."""
    found = raw.number(raw.tree(node.stateDelta, "game").get(key))
    return raw.number(raw.tree(node.stateDelta, "round").get(key)) if found is None else found


def _after(node: raw.Node, scene: Scene, key: str) -> int | None:
    """A player's value after the event: its own state, else the running one."""
    for state in (raw.tree(node.state, "game"), raw.tree(node.state, "round"), scene.player(node.id)):
        if (found := raw.whole(state.get(key))) is not None:
            return found
    return None


def _changed_list(node: raw.Node, key: str) -> list[raw.State]:
    return raw.dicts(raw.tree(node.stateDelta, "round").get(key) or raw.tree(node.stateDelta, "game").get(key))


def _only(names: set[str | None]) -> str | None:
    return names.pop() if len(names) == 1 else None


def _damage(event: raw.Event, scene: Scene) -> Draft:
    sources = {raw.text(raw.tree(s, "source").get("name")) for s in _changed_list(event.actor, "damageDealtSources")}
    parts = {raw.text(raw.tree(s, "target").get("name")) for s in _changed_list(event.actor, "damageDealtTargets")}
    weapon, part = _only(sources), _only(parts)
    health, armor, taken = (_delta(event.target, key) for key in ("currentHealth", "currentArmor", "damageTaken"))
    draft = _act(EventType.DAMAGE, event, scene, **_target(event, scene))
    draft.target = _player(event.target, "target")
    draft.payload |= {
        "weapon": weapon and arsenal.item(weapon),
        "hitgroup": part or ("head" if _delta(event.actor, "headshots") else None),
        "damage": raw.whole(taken if health is None else -health),
        "armor_damage": None if armor is None else raw.whole(-armor),
        "health_after": _after(event.target, scene, "currentHealth"),
        "armor_after": _after(event.target, scene, "currentArmor"),
    }
    return draft


def _weapon(event: raw.Event) -> str | None:
    """The only weapon whose count of (team, self) kills the event changes."""
    for part in ("round", "game"):
        delta = raw.tree(event.actor.stateDelta, part)
        for key in ("weaponKills", "weaponTeamkills"):
            if len(kills := raw.weapon_kills(delta.get(key))) == 1:
                return arsenal.item(next(iter(kills)))
    return None


def _kill(event: raw.Event, scene: Scene) -> Draft:
    draft = _act(EventType.KILL, event, scene, **_target(event, scene))
    draft.target = victim = _player(event.target, "target")
    helpers = _changed_list(event.actor, "killAssistsReceivedFromPlayer")
    hitter, part = scene.round.last_hit.get(victim, (None, None)) if scene.round else (None, None)
    draft.payload |= {
        "weapon": _weapon(event),
        "headshot": part == "head" if part and hitter == draft.actor else None,
        "assister": our_id(raw.text(helpers[0].get("playerId"))) if helpers else None,
    }
    return draft


def _death(event: raw.Event, scene: Scene) -> Draft:
    victim = _player(event.target, "target")
    payload = {**_target(event, scene), "weapon": _weapon(event), "cause": mapping.DEATH_CAUSES[event.type]}
    return Draft(EventType.DEATH, payload, target=victim)


def _spawn(event: raw.Event, scene: Scene) -> Draft:
    _player(event.target, "target")
    payload = {
        "pos": _pos(event.target, scene),
        "health": _after(event.target, scene, "currentHealth"),
        "revived_by": our_id(event.actor.id or None),
    }
    return Draft(EventType.SPAWN, payload, **who_of(event.target, scene))


def _buy(event: raw.Event, scene: Scene) -> Draft:
    spent = _delta(event.actor, "money")
    money = _after(event.actor, scene, "money")
    cost = None if spent is None else raw.whole(-spent)
    return _act(EventType.BUY, event, scene, item=_item(event), cost=cost, money=money)


def _item(event: raw.Event) -> str:
    if not event.target.id:
        raise ValueError("its item has no id")
    return arsenal.item(event.target.id)


def _handling(kind: EventType) -> Callable[[raw.Event, Scene], Draft]:
    def build(event: raw.Event, scene: Scene) -> Draft:
        if event.target.id in mapping.BOMB_ITEMS:
            return _act(mapping.BOMB_WORDS[kind], event, scene, site=None)
        return _act(kind, event, scene, item=_item(event))

    return build


def _ability(event: raw.Event, scene: Scene) -> Draft:
    name = raw.text(raw.tree(event.target.state).get("name")) or event.target.id
    return _act(EventType.ABILITY_USE, event, scene, ability=name or None)


def _bomb(kind: EventType) -> Callable[[raw.Event, Scene], Draft]:
    def build(event: raw.Event, scene: Scene) -> Draft:
        return _act(kind, event, scene, site=None)

    return build


def _defuse_begin(event: raw.Event, scene: Scene) -> Draft:
    return _act(EventType.BOMB_DEFUSE_BEGIN, event, scene, site=None, kit=mapping.DEFUSE_KIT[event.type])


def _objective(event: raw.Event, scene: Scene) -> Draft:
    name = event.target.id or event.type.rsplit("-", 1)[-1]
    payload: dict[str, Any] = {"objective": name, "state": event.action or "completed"}
    if event.actor.type == "player":
        payload["pos"] = _pos(event.actor, scene)
    return Draft(EventType.OBJECTIVE, payload, **who_of(event.actor, scene))


def _pause(kind: EventType) -> Callable[[raw.Event, Scene], Draft]:
    def build(event: raw.Event, scene: Scene) -> Draft:
        told = {"kind": "timeout"} if event.type in mapping.TIMEOUTS else {}
        return Draft(kind, dict(told), **who_of(event.actor, scene))

    return build


def _of_scene(build: Callable[[Scene], Draft]) -> Callable[[raw.Event, Scene], Draft]:
    """What the state says as of the event, whatever the event itself says."""
    return lambda _, scene: build(scene)


_BOMB_DEEDS = (
    EventType.BOMB_PLANTED,
    EventType.BOMB_DEFUSED,
    EventType.BOMB_EXPLODED,
    EventType.BOMB_DEFUSE_ABORT,
)

_BUILDERS: dict[EventType, Callable[[raw.Event, Scene], Draft]] = {
    EventType.MAP_START: _of_scene(frames.map_start),
    EventType.MAP_END: _of_scene(frames.map_end),
    EventType.PAUSE: _pause(EventType.PAUSE),
    EventType.RESUME: _pause(EventType.RESUME),
    EventType.ROUND_START: _of_scene(frames.round_start),
    EventType.ROUND_END: frames.round_end,
    EventType.KILL: _kill,
    EventType.DEATH: _death,
    EventType.DAMAGE: _damage,
    EventType.SPAWN: _spawn,
    EventType.BUY: _buy,
    EventType.ITEM_PICKED_UP: _handling(EventType.ITEM_PICKED_UP),
    EventType.ITEM_DROPPED: _handling(EventType.ITEM_DROPPED),
    EventType.ABILITY_USE: _ability,
    EventType.BOMB_DEFUSE_BEGIN: _defuse_begin,
    EventType.OBJECTIVE: _objective,
    **{kind: _bomb(kind) for kind in _BOMB_DEEDS},
}
