"""Where a client of a live room stands, and the ids of messages that say it.

A room is made of up to three streams (``Source``). The id of a message names, for each of them, the last entry that the client
has got once it has that message; whoever comes back with it gets exactly what follows. It tells nothing that its holder
has not got, and belongs to one audience, because every audience has a stream of signals of its own.

Belongs here: positions and their text. Does not belong here: reading streams (``room_log.py``), ids of recordings
(``recording.py``).
"""

import re
from enum import IntEnum
from typing import NamedTuple

from serving.gate import Audience

EntryId = tuple[int, int]
"""An id of a stream's entry: milliseconds and a number."""
NOTHING: EntryId = (0, 0)
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ID = r"(\d{1,15})-(\d{1,15})"
_TEXT = re.compile(rf"([a-z])~{_ID}~{_ID}~{_ID}~([A-Za-z0-9_-]{{0,64}})")


class Source(IntEnum):
    """What a room is made of, in the order in which it tells what falls on one instant."""

    STATE = 0
    """Events and positions, from the shard of the match."""
    SIGNAL = 1
    """Gated signals of the audience's channel."""
    PROVISIONAL = 2
    """What the worker says before it is final, for analysts who ask for it."""


class Position(NamedTuple):
    """The last entries that a client has got, and the last event among them, by which the lake finds the place."""

    ids: tuple[EntryId, EntryId, EntryId]
    event_id: str = ""

    def after(self, source: Source, entry: EntryId, event_id: str = "") -> "Position":
        """The position behind an entry."""
        ids = list(self.ids)
        ids[source] = entry
        return Position((ids[0], ids[1], ids[2]), event_id if _PLAIN.fullmatch(event_id) else self.event_id)


def text_of(position: Position, audience: Audience) -> str:
    """The id of a message."""
    ids = "~".join(f"{ms}-{number}" for ms, number in position.ids)
    return f"{audience.value[0].lower()}~{ids}~{position.event_id}"


def position_of(text: str, audience: Audience) -> Position:
    """The inverse of ``text_of``; ValueError in a sentence for anything else, and for an id of another audience."""
    form = _TEXT.fullmatch(text)
    if form is None:
        raise ValueError("That is no id of a message of this room.")
    if form[1] != audience.value[0].lower():
        raise ValueError(f"That id is of another audience than {audience.value}.")
    numbers = [int(form[place]) for place in range(2, 8)]
    return Position(((numbers[0], numbers[1]), (numbers[2], numbers[3]), (numbers[4], numbers[5])), form[8])


def before(ms: int) -> EntryId:
    """Before every entry of an instant."""
    return (ms - 1, 0) if ms > 0 else NOTHING


def entry_id(text: str) -> EntryId:
    """An entry's id as numbers."""
    ms, _, number = text.partition("-")
    return int(ms), int(number)


def entry_text(entry: EntryId) -> str:
    """The inverse of ``entry_id``."""
    return f"{entry[0]}-{entry[1]}"
