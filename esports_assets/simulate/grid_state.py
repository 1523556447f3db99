"""The state tree of a simulated series as GRID would hold it, and changing it by additive deltas.

Belongs here: the first state, applying a delta, finding the delta to a wanted value, partial views of the tree.
Does not belong here: which event carries which change (``grid_format.py``).
"""

from typing import Any

from esports_assets.simulate.match import SimulatedMatch

Tree = dict[str, Any]

SIDE_WORDS = {"t": "terrorists", "ct": "counter-terrorists"}


def apply(state: Tree, delta: Tree) -> None:
    """Change a state in place: numbers are added, lists of objects matched by id, everything else replaced."""
    for key, change in delta.items():
        if isinstance(change, dict):
            apply(state.setdefault(key, {}), change)
        elif isinstance(change, list) and change and isinstance(change[0], dict):
            elements = state.setdefault(key, [])
            for part in change:
                _apply_element(elements, part)
        elif key not in ("id", "sequenceNumber") and _is_number(change) and _is_number(state.get(key)):
            state[key] += change
        else:
            state[key] = change


def _apply_element(elements: list[Tree], part: Tree) -> None:
    found = next((i for i, e in enumerate(elements) if e["id"] == part["id"]), None)
    if part.get("statePath") == []:
        if found is not None:
            del elements[found]
    elif found is None:
        element: Tree = {}
        apply(element, part)
        elements.append(element)
    else:
        apply(elements[found], part)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def change_to(state: Tree, wanted: Tree) -> Tree:
    """The delta that brings some plain fields of a state to wanted values; fields that stay are left out."""
    delta: Tree = {}
    for key, value in wanted.items():
        before = state.get(key)
        if before != value:
            delta[key] = value - before if _is_number(value) and _is_number(before) else value
    return delta


def items_change(held: list[Tree], wanted: list[str]) -> list[Tree]:
    """The delta of an inventory: what came, and what left with an empty state path."""
    names = {item["id"] for item in held}
    gone = [{"id": name, "statePath": []} for name in sorted(names - set(wanted))]
    return gone + [item(name) for name in dict.fromkeys(wanted) if name not in names]


def item(name: str) -> Tree:
    """An item in an inventory."""
    return {"id": name, "name": name, "quantity": 1, "equipped": 0, "stashed": 0}


def first_state(match: SimulatedMatch, series: str, game: str) -> Tree:
    """The state before anything has happened."""
    return {
        "id": series,
        "title": {"nameShortened": "cs2"},
        "format": "best-of-1",
        "started": False,
        "finished": False,
        "valid": True,
        "teams": [{"id": t.name, "name": t.name, "score": 0, "won": False} for t in match.teams],
        "games": [
            {
                "id": game,
                "sequenceNumber": 1,
                "map": {"name": match.map},
                "started": False,
                "finished": False,
                "paused": False,
                "clock": {
                    "id": "clock",
                    "type": "gameClock",
                    "ticking": True,
                    "ticksBackwards": True,
                    "currentSeconds": 0,
                },
                "teams": [_team(match, i) for i in (0, 1)],
                "segments": [],
            }
        ],
    }


def _team(match: SimulatedMatch, index: int) -> Tree:
    team = match.teams[index]
    return {
        "id": team.name,
        "name": team.name,
        "side": SIDE_WORDS[match.rounds[0].sides[index * 5]],
        "won": False,
        "score": 0,
        "money": 4000,
        "loadoutValue": 1000,
        "kills": 0,
        "deaths": 0,
        "players": [_player(name) for name in team.players],
    }


def _player(name: str) -> Tree:
    return {
        "id": name,
        "name": name,
        "participationStatus": "active",
        "money": 800,
        "loadoutValue": 200,
        "netWorth": 1000,
        "kills": 0,
        "deaths": 0,
        "headshots": 0,
        "killAssistsReceivedFromPlayer": [],
        "weaponKills": {},
        "weaponTeamkills": {},
        "inventory": {"items": []},
        "alive": True,
        "currentHealth": 100,
        "maxHealth": 100,
        "currentArmor": 0,
        "damageDealt": 0,
        "damageTaken": 0,
        "damageDealtSources": [],
        "damageDealtTargets": [],
        "position": {"x": 0.0, "y": 0.0},
    }


def brief(state: Tree, touched: set[str]) -> Tree:
    """A partial state: every player's money, loadout and position, the touched ones whole, and the clock."""
    game = state["games"][0]
    fields = ("id", "name", "money", "loadoutValue", "netWorth", "position")
    teams = [
        {
            "id": team["id"],
            "side": team["side"],
            "score": team["score"],
            "players": [p if p["id"] in touched else {f: p[f] for f in fields} for p in team["players"]],
        }
        for team in game["teams"]
    ]
    return {"id": state["id"], "games": [{"id": game["id"], "clock": game["clock"], "teams": teams}]}
