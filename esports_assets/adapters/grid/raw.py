"""GRID's shapes: the envelope and its events as structs, and accessors for the state tree that forgive a missing field.

Belongs here: field names of 2023 (CS:GO) and 2025 (VALORANT, CS2) side by side, and the types they may have.
Does not belong here: what the words mean (``mapping.py``), deltas (``state.py``), order and rollbacks (``decoder.py``).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

State = dict[str, Any]

MAX_LINE_BYTES = 8 * 1024 * 1024
"""Longest message that is believed. The longest real ones carry a whole series state, well under 1 MB."""


class Node(msgspec.Struct):
    """Actor or target of an event: what it is, its change, and itself after it."""

    type: str = ""
    id: str = ""
    stateDelta: State | None = None
    state: State | None = None


class Event(msgspec.Struct):
    """One event; ``type`` is ``<actor type>-<action>-<target type>``, with ``!`` before the action that it undoes."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    actor: Node
    target: Node
    id: str = ""
    action: str = ""
    includesFullState: bool = False
    seriesStateDelta: State | None = None
    seriesState: State | None = None

    @property
    def undone_type(self) -> str | None:
        """The type of the event that this one takes back, or None."""
        return self.type.replace("-!", "-", 1) if "-!" in self.type else None


class Message(msgspec.Struct):
    """An envelope, or a single event dressed as one (then it may have no time), with its place in the input.

    ``body`` is the JSON of its events.
    """

    series: str
    number: int
    occurred_at: datetime | None
    events: list[Event]
    place: str
    simulated: bool = False
    title_id: str = ""
    body: bytes = b""
    digest: bytes = b""

    def record(self, index: int) -> State:
        """One of the events as the source wrote it, with the fields that nobody declared."""
        found: State = _records.decode(self.body)[index]
        return found


_records = msgspec.json.Decoder(list[State])


def dicts(value: Any) -> list[State]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def tree(value: Any, *path: str) -> State:
    """The object below a path of keys; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float | None:
    """A finite number that fits 64 bits, else None (true is not a number)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 2**63 else None


def whole(value: Any, low: int = -(2**53), high: int = 2**53) -> int | None:
    """A number within the limits as an integer, else None."""
    found = number(value)
    return None if found is None or not low <= found <= high else int(found)


def text(value: Any) -> str | None:
    """A string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def by_id(value: Any, wanted: str) -> State:
    """The object of a list with that id; empty where there is none."""
    return next((item for item in dicts(value) if item.get("id") == wanted), {})


def game_of(event: Event) -> str | None:
    """Id of the game that an event belongs to; None for an event of the series."""
    touched = [found for g in dicts(tree(event.seriesStateDelta).get("games")) if (found := text(g.get("id")))]
    for node in (event.actor, event.target):
        if node.type == "game" and node.id:
            return node.id
    return touched[0] if len(touched) == 1 else None


def segment_of(event: Event) -> int | None:
    """Number of the round that an event touches, as far as the event itself says."""
    for node in (event.target, event.actor):
        if node.type == "round":
            return whole(tree(node.state).get("sequenceNumber"), 1, 200) or _trailing_number(node.id)
    for game in dicts(tree(event.seriesStateDelta).get("games")):
        rounds = [s for s in dicts(game.get("segments")) if s.get("type") == "round"]
        if rounds:
            return whole(rounds[-1].get("sequenceNumber"), 1, 200)
    return None


def _trailing_number(name: str) -> int | None:
    found = re.fullmatch(r"round-(\d{1,3})", name)
    return whole(int(found[1]), 1, 200) if found else None


def round_state(game: State, segment: int) -> State:
    """The round of a game with that number."""
    rounds = (s for s in dicts(game.get("segments")) if s.get("type") == "round")
    return next((s for s in rounds if s.get("sequenceNumber") == segment), {})


FARTHEST_U = 1e6
"""Farthest coordinate that is believed, in game units: many times the largest map."""


def position(player: State) -> list[float] | None:
    """``[x, y, z]`` of a player, z = 0 where the source has none; None where the position is null or no place."""
    where = tree(player, "position")
    x, y, z = number(where.get("x")), number(where.get("y")), number(where.get("z"))
    found = None if x is None or y is None else [float(x), float(y), float(z or 0.0)]
    return found if found and all(abs(value) <= FARTHEST_U for value in found) else None


def equipment_value(player: State) -> int | None:
    """``inventoryValue`` until 2023, ``loadoutValue`` since."""
    return whole(player.get("loadoutValue", player.get("inventoryValue")), 0)


def items(player: State) -> list[str] | None:
    """Ids of what a player carries: ``items`` until 2023, ``inventory.items`` since; None where not told."""
    carried = player.get("items", tree(player, "inventory").get("items"))
    return [i["id"] for i in dicts(carried) if text(i.get("id"))] if isinstance(carried, list) else None


def weapon_kills(value: Any) -> dict[str, int]:
    """Weapon to kills: a dict in events, a list in end states."""
    if isinstance(value, dict):
        return {name: count for name, c in value.items() if (count := whole(c)) is not None}
    pairs = ((text(k.get("weaponName")), whole(k.get("count"))) for k in dicts(value))
    return {name: count for name, count in pairs if name and count is not None}


def clock_s(node: State) -> float | None:
    """Seconds on a game's clock (``clock`` until 2023, type ``gameClock`` since)."""
    return number(node.get("currentSeconds"))


_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?")


def duration_s(value: Any) -> float | None:
    """Seconds of an ISO 8601 duration.

    >>> duration_s("PT1M28.568S")
    88.568
    """
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def moment(value: Any) -> datetime | None:
    """An aware time from 1970 to 2999, else None."""
    try:
        found = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return found if found.tzinfo and 1970 <= found.year < 3000 else None


def players(game: State) -> Iterator[tuple[State, State]]:
    """Every (team, player) of a game or round state."""
    for team in dicts(game.get("teams")):
        for player in dicts(team.get("players")):
            yield team, player
