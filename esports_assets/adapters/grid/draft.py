"""A canonical event without its frame, whom it concerns, and the draft for what the language has no word for.

Belongs here: what every builder of drafts needs.
Does not belong here: the builders (``translate.py`` for deeds, ``frames.py`` for games and rounds).
"""

from dataclasses import dataclass, field
from typing import Any

from esports_assets.adapters.generic import generic_payload, kept
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


def generic(event: raw.Event, record: raw.State, scene: Scene | None = None) -> Draft:
    """An event that the language has no word for, with its raw record.

    Left out is the state of the whole series, which every record repeats, and any part that is too large: the raw file
    keeps them.
    """
    told = {key: value for key, value in record.items() if key != "seriesState"}
    check_depth(told)
    for key, value in told.items():
        node = key in ("actor", "target") and isinstance(value, dict)
        told[key] = {name: kept(part) for name, part in value.items()} if node else kept(value)
    return Draft(EventType.GENERIC, generic_payload(event.type, told), **who_of(event.actor, scene))


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
