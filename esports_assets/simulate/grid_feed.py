"""Writing GRID messages: envelope, events, and the nodes that carry deltas and states.

Belongs here: the frame that every event shares, ids and times.
Does not belong here: which events a match has (``grid_format.py``), the tree's algebra (``grid_state.py``).
"""

import hashlib
import uuid
from datetime import UTC, date, datetime, timedelta

import msgspec

from esports_assets.simulate.grid_state import SIDE_WORDS, Tree, apply, brief, first_state
from esports_assets.simulate.match import SimulatedMatch

FIRST_HOUR = 10
HOURS_BETWEEN = 3
"""Start of a day's first match and time to the next (UTC)."""
_encoder = msgspec.json.Encoder()


class Feed:
    """Messages of one series, written while its state goes along."""

    def __init__(self, match: SimulatedMatch, day: date, number_of_day: int) -> None:
        self.match = match
        self.series = f"{match.seed}-{match.index:03d}"
        self.game = self._uuid("game")
        self.start = datetime(day.year, day.month, day.day, FIRST_HOUR + HOURS_BETWEEN * number_of_day, tzinfo=UTC)
        self.state = first_state(match, self.series, self.game)
        self.names = [name for team in match.teams for name in team.players]
        self.messages: list[bytes] = []
        self.events: list[Tree] = []
        self.sides: list[str] = match.rounds[0].sides
        self.segment = ""
        self.number = 0

    def _uuid(self, key: object) -> str:
        digest = hashlib.blake2b(f"{self.match.seed}.{self.match.index}.{key}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))

    def player(self, index: int) -> Tree:
        """A player's game state."""
        found: Tree = self.state["games"][0]["teams"][index // 5]["players"][index % 5]
        return found

    def of_game(self, change: Tree) -> Tree:
        """The series delta of a change of the game."""
        return {"id": self.series, "games": [{"id": self.game, **change}]}

    def of_players(self, changes: dict[int, Tree], segment: Tree | None = None) -> Tree:
        """The series delta of some players' changes; money and loadout of their teams follow."""
        teams: list[Tree] = []
        for team in (0, 1):
            players = [{"id": self.names[i], **c} for i, c in sorted(changes.items()) if i // 5 == team and c]
            if players:
                sums = {k: sum(p.get(k, 0) for p in players) for k in ("money", "loadoutValue", "kills", "deaths")}
                held = {k: v for k, v in sums.items() if v}
                teams.append({"id": self.match.teams[team].name, **held, "players": players})
        change: Tree = {"teams": teams} if teams else {}
        if segment is not None:
            change["segments"] = [{"id": self.segment, "type": "round", "sequenceNumber": self.number, **segment}]
        return self.of_game(change)

    def event(
        self,
        kind: str,
        actor: tuple[str, str],
        target: tuple[str, str],
        delta: Tree,
        *,
        full: bool = False,
        players: dict[int, Tree] | None = None,
    ) -> None:
        """Change the state and add the event to the message being written."""
        apply(self.state, delta)
        for index, change in (players or {}).items():
            if "money" in change or "loadoutValue" in change:
                own = self.player(index)
                own["netWorth"] = own["money"] + own["loadoutValue"]
        event: Tree = {
            "id": self._uuid((len(self.messages), len(self.events))),
            "includesFullState": full,
            "type": kind,
            "actor": self._node(actor, delta, players),
            "action": kind.split("-")[1],
            "target": self._node(target, delta, players),
        }
        if actor[0] != "grid":
            event["seriesStateDelta"] = delta
            event["seriesState"] = (
                self.state if full else brief(self.state, {n for t, n in (actor, target) if t == "player"})
            )
        self.events.append(msgspec.json.decode(_encoder.encode(event)))

    def _node(self, who: tuple[str, str], delta: Tree, players: dict[int, Tree] | None) -> Tree:
        kind, name = who
        state: Tree
        change: Tree
        part: Tree
        segment: Tree
        if kind == "player":
            index = self.names.index(name)
            change = (players or {}).get(index, {})
            side = SIDE_WORDS[self.sides[index]]
            own: Tree = {"id": name, "name": name, "teamId": self.match.teams[index // 5].name, "side": side}
            own["game"] = self.player(index)
            return {"type": kind, "id": name, "stateDelta": {"id": name, "game": change, "round": change}, "state": own}
        if kind in ("game", "round", "team"):
            game = self.state["games"][0]
            part = next(iter(delta.get("games", [])), {})
            if kind == "game":
                state = {k: game[k] for k in ("id", "sequenceNumber", "map", "started", "finished", "clock")}
                return {"type": kind, "id": name, "stateDelta": part, "state": state}
            group = "segments" if kind == "round" else "teams"
            state = next((e for e in game[group] if e["id"] == name), {"id": name})
            change = next((e for e in part.get(group, []) if e["id"] == name), {"id": name})
            if kind == "team":
                segment = next((t for s in part.get("segments", []) for t in s.get("teams", []) if t["id"] == name), {})
                change = {**{k: v for k, v in change.items() if k != "players"}, "round": segment}
                state = {k: v for k, v in state.items() if k != "players"}
            return {"type": kind, "id": name, "stateDelta": change, "state": state}
        if kind == "clock":
            clock = self.state["games"][0]["clock"]
            return {"type": kind, "id": name, "stateDelta": {"id": name}, "state": dict(clock)}
        return {"type": kind, "id": name, "stateDelta": {"id": name}, "state": {"id": name}}

    def flush(self, tick: int) -> None:
        """Close the message at a match tick."""
        if not self.events:
            return
        number = len(self.messages) + 1
        moment = self.start + timedelta(milliseconds=round(tick * 1000 / 64))
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        envelope = {
            "id": self._uuid(("message", number)),
            "correlationId": self._uuid(("cause", number)),
            "occurredAt": stamp,
            "publishedAt": stamp,
            "seriesId": self.series,
            "sequenceNumber": number,
            "sessionSequenceNumber": number,
            "simulated": True,
            "events": self.events,
        }
        self.messages.append(_encoder.encode(envelope))
        self.events = []
