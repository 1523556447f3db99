"""A canonical event without its frame, whom it concerns, and the draft for what the language has no word for.

Belongs here: what every builder of drafts needs.
Does not belong here: the builders (``translate.py`` for deeds, ``frames.py`` for games and rounds).
"""

from dataclasses import dataclass, field
from typing import Any

from esports_assets.adapters.grid import mapping, raw
from esports_assets.adapters.grid.scene import Scene, our_id
from esports_assets.adapters.grid.state import check_depth
from esports_assets.canonical.vocabulary import EventType, Side


@dataclass(slots=True)
class Draft:
    """A canonical event without its frame (ids, time, order)."""

    type: EventType
    payload: dict[str, Any] = field(default_factory=dict)
    actor: str | None = None
    target: str | None = None
    team: str | None = None
    side: Side | None = None


def generic(event: raw.Event, scene: Scene | None = None) -> Draft:
    """An event that the language has no word for, with its raw record less the state snapshots.

    Every snapshot repeats the whole series; the raw file keeps them.
    """
    record: dict[str, Any] = {"id": event.id, "type": event.type, "action": event.action}
    for name, node in (("actor", event.actor), ("target", event.target)):
        check_depth(node.stateDelta)
        record[name] = {"type": node.type, "id": node.id, "stateDelta": node.stateDelta}
    return Draft(EventType.GENERIC, {"source_type": event.type, "raw": record}, **who_of(event.actor, scene))


def who_of(node: raw.Node, scene: Scene | None) -> dict[str, Any]:
    """Actor, team and side of a node that is a player or a team; nothing for others."""
    if node.type == "player" and node.id:
        team = our_id(raw.text(raw.tree(node.state).get("teamId"))) or (scene.team_of(node.id) if scene else None)
        side = mapping.SIDES.get(raw.text(raw.tree(node.state).get("side")) or "")
        return {"actor": our_id(node.id), "team": team, "side": side or (scene.side_of(team) if scene else None)}
    if node.type == "team" and node.id:
        team = our_id(node.id)
        return {"team": team, "side": scene.side_of(team) if scene else None}
    return {}
