"""What is posted to the log: GRID transactions and canonical events, each once, and the rest among the dead letters.

Belongs here: one body from bytes to counts. Does not belong here: splitting it (``feed_records.py``), the order of a series
(``grid_turns.py``), HTTP (``routes/webhook.py``).
"""

from collections.abc import Sequence

from esports_assets.canonical.event import WireError
from esports_assets.streams.envelope import Envelope, decode, encode
from esports_assets.streams.log import EventLog
from serving.feed_records import Claim, Record, records
from serving.grid_intake import Counts, GridIntake
from serving.unread import Unread

ORIGIN = "feed:webhook"
"""What dead letters of this room say that they come from."""
_BATCH = 500


class Feed:
    """Takes bodies into a log."""

    def __init__(self, log: EventLog, grid: GridIntake, unread: Unread, max_event_bytes: int) -> None:
        self._log = log
        self.grid = grid
        self.unread = unread
        self._largest = max_event_bytes

    def take(self, body: bytes, origin: str = ORIGIN) -> Counts:
        """Take whatever a body holds; ``origin`` says in dead letters where it came from.

        Raises RedisError where it cannot be kept; sending it again is then right.
        """
        counts = Counts()
        transactions: list[tuple[bytes, str]] = []
        events: list[Envelope] = []
        for record in records(body, self._largest):
            if record.claim is Claim.TRANSACTION:
                transactions.append((record.data, record.place))
            elif record.claim is Claim.EVENT:
                try:
                    envelope = decode(record.data)
                    encode(envelope)
                except WireError as error:
                    self._bury(record, str(error), origin, counts)
                else:
                    events.append(envelope)
            else:
                self._bury(record, record.reason, origin, counts)
        self._append(events, counts)
        self.grid.take(transactions, counts)
        return counts

    def _append(self, events: Sequence[Envelope], counts: Counts) -> None:
        for start in range(0, len(events), _BATCH):
            for result in self._log.append(events[start : start + _BATCH]):
                counts.duplicates += result.duplicate
                counts.accepted += not result.duplicate

    def _bury(self, record: Record, reason: str, origin: str, counts: Counts) -> None:
        self.unread.bury(record.data, reason, origin, record.place)
        counts.dead += 1
