"""Begin and end of games and rounds, and what everyone carries when a round begins.

Belongs here: drafts that speak of a whole game, round or team.
Does not belong here: what players do (``translate.py``).
"""

from typing import Any

from esports_assets.adapters.grid import arsenal, mapping, raw
from esports_assets.adapters.grid.draft import Draft
from esports_assets.adapters.grid.scene import Scene, our_id
from esports_assets.canonical.vocabulary import EventType, Side


def _teams(scene: Scene) -> dict[str, Any]:
    sides, scores = scene.sides(), scene.scores()
    ct, t = sides.get(Side.CT), sides.get(Side.T)
    return {"ct_team": ct, "t_team": t, "ct_score": scores.get(ct or "", 0), "t_score": scores.get(t or "", 0)}


def round_start(scene: Scene) -> Draft:
    """A round begins, with sides and score."""
    return Draft(EventType.ROUND_START, _teams(scene))


def freeze_end(event: raw.Event, siblings: list[raw.Event], scene: Scene) -> Draft:
    """Players may move; the clock is what the same message sets it to."""
    clocks = (
        raw.clock_s(raw.tree(e.target.state)) for e in siblings if e.type in ("game-set-clock", "game-set-gameClock")
    )
    clock = next((c for c in clocks if c is not None), None)
    return Draft(EventType.FREEZE_END, {**_teams(scene), "clock_s": clock})


def economies(scene: Scene) -> list[Draft]:
    """Money and equipment of every player whose money the state tells, as of freeze end."""
    found = []
    side_of = {team: side for side, team in scene.sides().items()}
    for team, player in raw.players(scene.game):
        who, money = raw.text(player.get("id")), raw.whole(player.get("money"), 0)
        if who is None or money is None:
            continue
        ours = our_id(raw.text(team.get("id")))
        armor = raw.whole(player.get("currentArmor"))
        payload: dict[str, Any] = {"money": money, "equipment_value": raw.equipment_value(player)}
        payload["armor"] = None if armor is None else armor > 0
        if (carried := raw.items(player)) is not None:
            payload |= arsenal.carried(carried, scene.match.header.title)
        found.append(Draft(EventType.ECONOMY_UPDATE, payload, our_id(who), None, ours, side_of.get(ours or "")))
    return found


def round_end(event: raw.Event, scene: Scene) -> Draft:
    """A round is decided.

    Raises ValueError where the winner or its side is not told.
    """
    winner = our_id(event.actor.id) if event.type == "team-won-round" else winner_of(raw.tree(event.target.state))
    side = scene.side_of(winner)
    if winner is None or side is None:
        raise ValueError("the winner or its side is not told")
    own = raw.by_id(scene.round_state.get("teams"), event.actor.id)
    trees = (raw.tree(event.actor.stateDelta, "round"), raw.tree(event.actor.state, "round"), own)
    won_by = next((w for s in trees if (w := raw.text(s.get("winType")))), None) or win_type(
        raw.tree(event.target.state)
    )
    reason = mapping.end_reason(won_by or "", side)
    payload = _teams(scene)
    payload[f"{side.value}_score"] += 1
    payload |= {"winner_side": side.value, "winner_team": winner, "reason": reason and reason.value}
    return Draft(EventType.ROUND_END, payload, team=winner, side=side)


def winner_of(round_state: raw.State) -> str | None:
    """(Our) id of the team that won a round, by the round's state."""
    winners = [t for t in raw.dicts(round_state.get("teams")) if t.get("won") is True]
    return our_id(raw.text(winners[0].get("id"))) if len(winners) == 1 else None


def win_type(round_state: raw.State) -> str | None:
    """How a round was won, by the round's state."""
    return next((w for t in raw.dicts(round_state.get("teams")) if (w := raw.text(t.get("winType")))), None)


def map_start(scene: Scene) -> Draft:
    """A game begins, with teams and players."""
    members = scene.members()
    names = {m.team: m.team_name for m in members.values()}
    return Draft(EventType.MAP_START, {"teams": names, "players": {who: m.team for who, m in members.items()}})


def map_end(scene: Scene) -> Draft:
    """A game is over, with its score."""
    teams = [(our_id(raw.text(t.get("id"))), t) for t in raw.dicts(scene.game.get("teams"))]
    score = {who: raw.whole(t.get("score"), 0, 100) for who, t in teams if who}
    winner = next((who for who, t in teams if t.get("won") is True), None)
    return Draft(EventType.MAP_END, {"score": score, "winner_team": winner}, team=winner)
