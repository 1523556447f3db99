"""Which messages are taken: order by sequence number, copies, conflicts, gaps; and remarks about a match.

Belongs here: what can be judged without looking into events. Time is only compared, never used to order or to find copies.
Does not belong here: events and state (``decoder.py``).
"""

from datetime import datetime

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.grid.raw import Message
from esports_assets.canonical.match import Finding


class Remarks:
    """Remarks by match, one finding per rule and sentence, with the first place and how often."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[str, dict[tuple[str, str], tuple[str, int]]] = {}

    def add(self, match_id: str, rule: str, place: str, message: str) -> None:
        """Note something; ``match_id`` is empty before any game."""
        found = self._found.setdefault(match_id, {})
        first, count = found.get((rule, message), (f"{self._file} {place}", 0))
        found[rule, message] = (first, count + 1)

    def settle(self, match_id: str) -> None:
        """What was noted before any game belongs to the game that now begins."""
        for key, (first, count) in self._found.pop("", {}).items():
            found = self._found.setdefault(match_id, {})
            earlier = found.get(key)
            found[key] = (earlier[0], earlier[1] + count) if earlier else (first, count)

    def of(self, match_id: str) -> tuple[Finding, ...]:
        """The findings of a match."""
        return tuple(
            Finding(rule, first, f"{message} ({count} times)" if count > 1 else message)
            for (rule, message), (first, count) in self._found.get(match_id, {}).items()
        )


class Sequence:
    """Sequence numbers taken so far."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: dict[int, bytes] = {}
        self._number = -1
        self._moment: datetime | None = None

    def admit(self, message: Message) -> list[tuple[str, str]] | None:
        """Remarks (rule, sentence) on a message that is to be taken; None for an exact copy of one that was.

        Raises MalformedRecord for a message that contradicts an earlier one or comes after its turn.
        """
        place = f"{message.place}, sequence number {message.number}"
        if message.number in self._seen:
            if self._seen[message.number] == message.digest:
                return None
            reason = "this sequence number was already taken by a message with other content; the first one stands"
            raise MalformedRecord(self._file, place, reason)
        if message.number < self._number:
            reason = f"it comes after sequence number {self._number} was applied; feed messages by sequence number"
            raise MalformedRecord(self._file, place, reason)
        remarks = []
        if 0 <= self._number < message.number - 1:
            remarks.append(("sequence_gap", "messages are missing before this one"))
        if self._moment and message.occurred_at and message.occurred_at < self._moment:
            remarks.append(("clock_backwards", "occurredAt runs backwards here; order is kept by sequence number"))
        self._seen[message.number] = message.digest
        self._number = message.number
        self._moment = message.occurred_at or self._moment
        return remarks
