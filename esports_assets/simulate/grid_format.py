"""A simulated match as GRID Series Events (JSONL), in the shape of 2025.

Belongs here: which event says what happened, with which deltas, and several events per message.
Does not belong here: the state tree's algebra (``grid_state.py``), names of files (``write.py``).

Every envelope says ``"simulated": true``. Positions of all ten players stand in the states, as in the real feed, and are not
part of the deltas.
"""

from datetime import date
from typing import Any

from esports_assets.simulate.arsenal import GRENADE_IN_HAND
from esports_assets.simulate.demo_format import zero_ticks
from esports_assets.simulate.grid_feed import Feed
from esports_assets.simulate.grid_state import SIDE_WORDS, Tree, change_to, item, items_change
from esports_assets.simulate.match import SimulatedMatch
from esports_assets.simulate.record import STEP_TICKS, BombEvent, Damage, Kill, PlayerRound, RoundRecord

WIN_TYPES = {
    "ct_win": "opponentEliminated",
    "t_win": "opponentEliminated",
    "bomb_defused": "bombDefused",
    "target_bombed": "bombExploded",
    "time_ran_out": "timeExpired",
}
BUY_TICKS = 12
"""Between two purchases of a freeze time."""
_BOMB_WORDS = {
    "planted": "plantBomb",
    "defused": "defuseBomb",
    "exploded": "explodeBomb",
}
_ITEM_WORDS = {"vest": "kevlarvest", **GRENADE_IN_HAND}


def grid_lines(match: SimulatedMatch, day: date, number_of_day: int) -> list[bytes]:
    """The messages of a series of one game, each a line of JSON."""
    return _Teller(match, day, number_of_day).lines()


class _Teller(Feed):
    """Tells a match."""

    def lines(self) -> list[bytes]:
        """Everything."""
        zeros = zero_ticks(self.match)
        self.event("grid-started-feed", ("grid", "GRID"), ("feed", "feed-" + self.series), {})
        self.flush(0)
        said = {"id": self.series, "started": True}
        self.event("tournament-started-series", ("tournament", "sim"), ("series", self.series), said, full=True)
        begun = self.of_game({"started": True})
        self.event("series-started-game", ("series", self.series), ("game", self.game), begun, full=True)
        self.flush(0)
        for record, (start, zero) in zip(self.match.rounds, zeros, strict=True):
            self._round(record, start, zero)
        self._end(zeros[-1][1] + self.match.rounds[-1].end_tick + 64)
        return self.messages

    def _clock(self, seconds: int) -> None:
        clock = self.state["games"][0]["clock"]
        change = {"id": "clock", **change_to(clock, {"currentSeconds": seconds})}
        self.event("game-set-gameClock", ("game", self.game), ("clock", "clock"), self.of_game({"clock": change}))

    def _stand(self, record: RoundRecord, tick: int) -> None:
        """Put everybody where they are at a tick since freeze end."""
        row = record.places[max(0, min(tick // STEP_TICKS, len(record.places) - 1))]
        for index, (x, y) in enumerate(row):
            self.player(index)["position"] = {"x": round(x, 1), "y": round(y, 1)}

    def _round(self, record: RoundRecord, start: int, zero: int) -> None:
        self.number, self.segment, self.sides = record.number, f"round-{record.number}", record.sides
        self._stand(record, 0)
        self._open(record, start)
        self._buy(record, start)
        self._free(record, zero)
        happened: list[tuple[int, int, Any]] = [(d.tick, 0, d) for d in record.damages]
        happened += [(k.tick, 1, k) for k in record.kills]
        happened += [(b.tick, 2, b) for b in record.bombs if b.tick >= 0 and b.kind != "plant_begin"]
        happened.sort(key=lambda entry: entry[:2])
        earned = sorted(record.earned)
        current: int | None = None
        for tick, _, fact in happened:
            if tick != current and current is not None:
                self.flush(zero + current)
            current = tick
            due = [e for e in earned if e[0] <= tick]
            earned = earned[len(due) :]
            self._stand(record, tick)
            self._fact(fact, due)
        if current is not None:
            self.flush(zero + current)
        self._close(record, zero + record.end_tick)

    def _open(self, record: RoundRecord, start: int) -> None:
        changes = {}
        for i, p in enumerate(record.players):
            bought = sum(price for _, price in p.purchases)
            carried = max(0, p.equipment - bought)
            wanted = {"money": p.start_money, "loadoutValue": carried, "alive": True, "currentHealth": 100}
            changes[i] = change_to(self.player(i), wanted)
        teams = [
            {"id": t.name, "side": SIDE_WORDS[record.sides[i * 5]], "won": False, "winType": ""}
            for i, t in enumerate(self.match.teams)
        ]
        delta = self.of_players(changes, {"started": True, "finished": False, "teams": teams})
        for i, team in enumerate(self.match.teams):
            side = SIDE_WORDS[record.sides[i * 5]]
            known = next((t for t in delta["games"][0].setdefault("teams", []) if t["id"] == team.name), None)
            if known is None:
                delta["games"][0]["teams"].append({"id": team.name, "side": side})
            else:
                known["side"] = side
        self.event(
            "game-started-round", ("game", self.game), ("round", self.segment), delta, full=True, players=changes
        )
        freeze = {"segments": [{"id": f"freezetime-{self.number}", "type": "freezetime", "started": True}]}
        self.event(
            "round-started-freezetime",
            ("round", self.segment),
            ("freezetime", f"freezetime-{self.number}"),
            self.of_players({}, freeze),
        )
        self._clock(20)
        self.flush(start)
        for fact in (b for b in record.bombs if b.tick < 0):
            self._bomb(fact, {})
        self.flush(start + 8)
        if record.timeout is not None:
            for word, tick in (("started", start + 64), ("ended", start + 64 + 1920)):
                freezetime = ("freezetime", f"freezetime-{self.number}")
                self.event(
                    f"freezetime-{word}-timeout",
                    freezetime,
                    ("timeout", self.match.teams[record.timeout].name),
                    {"id": self.series},
                )
                self.flush(tick)

    def _buy(self, record: RoundRecord, start: int) -> None:
        begin = start + (2048 if record.timeout is not None else 64)
        first = len(self.messages)
        for i, p in enumerate(record.players):
            for name, price in p.purchases:
                word = _ITEM_WORDS.get(name, name)
                change = {
                    "money": -price,
                    "loadoutValue": price,
                    "inventory": {"items": items_with(self.player(i), word)},
                }
                self._deal("purchased", i, word, change)
                self.flush(begin + BUY_TICKS * (len(self.messages) - first))
            for name in p.given:
                self._deal("dropped", i, name, {"inventory": {"items": [{"id": name, "statePath": []}]}})
                self.flush(begin + BUY_TICKS * (len(self.messages) - first))
        for i, p in enumerate(record.players):
            for name in p.received:
                self._deal("pickedUp", i, name, {"inventory": {"items": items_with(self.player(i), name)}})
                self.flush(begin + BUY_TICKS * (len(self.messages) - first))

    def _deal(self, word: str, index: int, name: str, change: Tree) -> None:
        changes = {index: change}
        self.event(
            f"player-{word}-item",
            ("player", self.names[index]),
            ("item", name),
            self.of_players(changes),
            players=changes,
        )

    def _free(self, record: RoundRecord, zero: int) -> None:
        changes = {}
        for i, p in enumerate(record.players):
            own = self.player(i)
            wanted = {"money": p.money, "loadoutValue": p.equipment, "currentArmor": p.armor}
            changes[i] = change_to(own, wanted)
            changes[i]["inventory"] = {"items": items_change(own["inventory"]["items"], carried_items(p))}
        freeze = {"segments": [{"id": f"freezetime-{self.number}", "finished": True}]}
        delta = self.of_players(changes, freeze)
        target = ("freezetime", f"freezetime-{self.number}")
        self.event("round-ended-freezetime", ("round", self.segment), target, delta, full=True, players=changes)
        self._clock(115)
        self.flush(zero)

    def _fact(self, fact: Damage | Kill | BombEvent, due: list[tuple[int, int, int]]) -> None:
        changes: dict[int, Tree] = {}
        for _, player, amount in due:
            own = changes.setdefault(player, {})
            own["money"] = own.get("money", 0) + amount
        if isinstance(fact, Damage):
            self._damage(fact, changes)
        elif isinstance(fact, Kill):
            self._kill(fact, changes)
        else:
            self._bomb(fact, changes)

    def _damage(self, d: Damage, changes: dict[int, Tree]) -> None:
        hit = changes.setdefault(d.victim, {})
        hit.update({"currentHealth": -d.health, "damageTaken": d.health})
        armor = self.player(d.victim)["currentArmor"] - d.armor_after
        if armor:
            hit["currentArmor"] = -armor
        own = changes.setdefault(d.attacker, {})
        own["damageDealt"] = d.health
        part = {
            "id": f"damageDealtSource-{d.weapon}",
            "source": {"name": d.weapon},
            "damageAmount": d.health,
            "occurrenceCount": 1,
        }
        where = {
            "id": f"damageDealtTarget-{d.hitgroup}",
            "target": {"name": d.hitgroup},
            "damageAmount": d.health,
            "occurrenceCount": 1,
        }
        own["damageDealtSources"], own["damageDealtTargets"] = [part], [where]
        self._between("damaged", d.attacker, d.victim, changes)

    def _kill(self, k: Kill, changes: dict[int, Tree]) -> None:
        hit = changes.setdefault(k.victim, {})
        health = self.player(k.victim)["currentHealth"]
        hit.update({"alive": False, "deaths": 1, **({"currentHealth": -health} if health else {})})
        if k.killer is None:
            target = ("player", self.names[k.victim])
            self.event("game-killed-player", ("game", self.game), target, self.of_players(changes), players=changes)
            return
        own = changes.setdefault(k.killer, {})
        if self.sides[k.killer] == self.sides[k.victim]:
            own["weaponTeamkills"] = {k.weapon: 1}
        else:
            own.update({"kills": 1, "weaponKills": {k.weapon: 1}})
            if k.headshot:
                own["headshots"] = 1
            if k.assister is not None:
                helper = self.names[k.assister]
                name = f"killAssistsReceivedFromPlayer-{helper}"
                own["killAssistsReceivedFromPlayer"] = [{"id": name, "playerId": helper, "killAssistsReceived": 1}]
        self._between("killed", k.killer, k.victim, changes)

    def _between(self, word: str, actor: int, target: int, changes: dict[int, Tree]) -> None:
        prefix = "self" if actor == target else "team" if self.sides[actor] == self.sides[target] else ""
        who = (("player", self.names[actor]), ("player", self.names[target]))
        self.event(f"player-{prefix}{word}-player", *who, self.of_players(changes), players=changes)

    def _bomb(self, b: BombEvent, changes: dict[int, Tree]) -> None:
        actor = ("player", self.names[b.actor])
        if b.kind in ("picked_up", "dropped"):
            word = "pickedUp" if b.kind == "picked_up" else "dropped"
            self.event(f"player-{word}-item", actor, ("item", "bomb"), self.of_players(changes), players=changes)
            return
        if b.kind == "defuse_begin":
            kit = any(i["id"] == "defuser" for i in self.player(b.actor)["inventory"]["items"])
            word = "beginDefuseWithKit" if kit else "beginDefuseWithoutKit"
        else:
            word = _BOMB_WORDS[b.kind]
        self.event(f"player-completed-{word}", actor, ("objective", word), self.of_players(changes), players=changes)

    def _close(self, record: RoundRecord, tick: int) -> None:
        index = 0 if record.sides[0] == record.winner else 1
        name = self.match.teams[index].name
        segment = {"teams": [{"id": name, "won": True, "winType": WIN_TYPES[record.reason]}]}
        delta = self.of_players({}, segment)
        delta["games"][0]["teams"] = [{"id": name, "score": 1}]
        self.event("team-won-round", ("team", name), ("round", self.segment), delta)
        self.event(
            "game-ended-round", ("game", self.game), ("round", self.segment), self.of_players({}, {"finished": True})
        )
        self.flush(tick)

    def _end(self, tick: int) -> None:
        index = 0 if self.match.score[0] > self.match.score[1] else 1
        name = self.match.teams[index].name
        won = self.of_game({"teams": [{"id": name, "won": True}]})
        self.event("team-won-game", ("team", name), ("game", self.game), won)
        self.event(
            "series-ended-game",
            ("series", self.series),
            ("game", self.game),
            self.of_game({"finished": True}),
            full=True,
        )
        self.flush(tick)
        series = {"id": self.series, "teams": [{"id": name, "score": 1, "won": True}]}
        self.event("team-won-series", ("team", name), ("series", self.series), series)
        over = {"id": self.series, "finished": True}
        self.event("tournament-ended-series", ("tournament", "sim"), ("series", self.series), over, full=True)
        self.event("grid-ended-feed", ("grid", "GRID"), ("feed", "feed-" + self.series), {})
        self.flush(tick + 64)


def items_with(player: Tree, name: str) -> list[Tree]:
    """The delta that puts an item into an inventory; nothing if it is there."""
    return [] if any(i["id"] == name for i in player["inventory"]["items"]) else [item(name)]


def carried_items(p: PlayerRound) -> list[str]:
    """Everything a player carries at freeze end, in GRID's words."""
    names = ["knife", p.secondary, *([p.primary] if p.primary else []), *(GRENADE_IN_HAND[g] for g in p.grenades)]
    if p.armor:
        names.append("helmet" if p.helmet else "kevlarvest")
    return [*names, *(["defuser"] if p.kit else [])]
