"""Transactions of GRID series into the log: every event once, whichever process was told, whenever it dies.

What is offered is put in order first (``grid_turns.py``), then translated from that one list by whoever has time. A translator is
nothing but a function of the list: a process that starts anew reads the list again, two that work at once write the same events in
the same order, and the log takes each id once. So nothing is locked between processes and nothing is lost between two steps: what
is in the list and not in the log yet is sent by the next call, or by ``run``.

Belongs here: offering, translating, appending, burying what is refused.
Does not belong here: the translation (``adapters/grid/live.py``), bodies of requests (``feed.py``), sockets (``grid_client.py``).
"""

import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from redis import RedisError

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.grid.live import LiveSeries, Told, transaction
from esports_assets.adapters.grid.raw import Message
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.log import EventLog
from serving.grid_turns import Offer, Turns, Verdict
from serving.unread import Unread

ORIGIN = "feed:grid"
"""What dead letters of this room say that they come from."""
_PAGE = 100
_BATCH = 500
_MOST_SERIES = 32
"""Translators that are kept; of a series that is looked after again later the list is read again."""
_POLL_S, _AGAIN_S = 0.5, 5.0
_WHY = {
    Verdict.CONFLICT: "this sequence number was already taken by a transaction with other content; the first one stands",
    Verdict.LATE: "the series went on without this sequence number after waiting for it; send the whole series as a file",
}
_log = logging.getLogger("serving.grid")


@dataclass(slots=True)
class Counts:
    """What became of what was sent."""

    accepted: int = 0
    duplicates: int = 0
    dead: int = 0

    def count(self, verdict: Verdict) -> None:
        """Take note of one verdict."""
        if verdict.accepted:
            self.accepted += 1
        elif verdict is Verdict.DUPLICATE:
            self.duplicates += 1
        else:
            self.dead += 1


@dataclass(slots=True)
class _Running:
    """A translator and how many transactions of the list it has read."""

    born: bytes
    series: LiveSeries = field(default_factory=LiveSeries)
    position: int = 0


class GridIntake:
    """The way of GRID's transactions into a log."""

    def __init__(self, log: EventLog, turns: Turns, unread: Unread) -> None:
        self.log = log
        self.turns = turns
        self._unread = unread
        self._running: OrderedDict[str, _Running] = OrderedDict()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def take(self, data: Iterable[tuple[bytes, str]], counts: Counts) -> None:
        """Take transactions, each with its place in what was sent, and send what they say."""
        offered: dict[str, list[tuple[Message, bytes]]] = {}
        for body, place in data:
            try:
                message = transaction(body, place)
            except MalformedRecord as error:
                self._unread.bury(body, error.reason, ORIGIN, place)
                counts.dead += 1
                continue
            offered.setdefault(series_of(message), []).append((message, body))
        for series, found in offered.items():
            for start in range(0, len(found), _PAGE):
                self._offer(series, found[start : start + _PAGE], counts)
            self.advance(series)

    def _offer(self, series: str, found: list[tuple[Message, bytes]], counts: Counts) -> None:
        """Put transactions of a series in order; those that have no place in it are buried."""
        verdicts = self.turns.offer(series, [Offer(message.number, message.digest, body) for message, body in found])
        for verdict, (message, body) in zip(verdicts, found, strict=True):
            counts.count(verdict)
            if verdict in _WHY:
                self._unread.bury(body, _WHY[verdict], ORIGIN, f"{series} {message.number}")

    def advance(self, series: str) -> None:
        """Send everything of a series that is in order and not in the log."""
        with self._lock(series):
            born, sent = self.turns.progress(series)
            running = self._running.pop(series, None)
            if (
                running is None or running.born != born or running.position > sent
            ):  # else the server lost its last words
                running = _Running(born)
            while page := self.turns.after(series, running.position, _PAGE):
                self._send(series, running, page, sent)
            self._keep(series, running)

    def _send(self, series: str, running: _Running, page: list[bytes], sent: int) -> None:
        """Append what a page of the list says, as far as it is not among the first ``sent`` transactions."""
        envelopes: list[Envelope] = []
        for data in page:
            told = self._told(running, series, data)
            if running.position > sent:
                envelopes += map(Envelope, told.events)
        for start in range(0, len(envelopes), _BATCH):
            self.log.append(envelopes[start : start + _BATCH])
        if running.position > sent:
            self.turns.mark_sent(series, running.position)

    def _told(self, running: _Running, series: str, data: bytes) -> Told:
        """What the next transaction says; refusals are buried."""
        running.position += 1
        message = transaction(data, series)
        try:
            told = running.series.feed(message)
        except Exception as error:  # noqa: BLE001 - a feed must go on; what broke is in the dead letters and in the log
            _log.exception("series %s, sequence number %s cannot be translated", series, message.number)
            reason = f"it cannot be translated: {type(error).__name__}: {error}"
            self._unread.bury(data, reason, ORIGIN, f"{series} {message.number}")
            return Told()
        for refusal in told.refusals:
            self._unread.bury(data, refusal.reason, ORIGIN, f"{series} {message.number}")
        return told

    def run(self, stop: threading.Event) -> None:
        """Look after series whose gaps do not close and whose sender died, until ``stop``."""
        while not stop.wait(_POLL_S):
            try:
                self.look_after()
            except RedisError as error:
                _log.warning("Redis does not answer, series wait: %s", error)
                stop.wait(_AGAIN_S)

    def look_after(self) -> None:
        """Do now what is due."""
        for series in self.turns.due():
            if self.turns.give_up_gap(series):
                _log.warning("series %s goes on without transactions that did not come", series)
            self.advance(series)

    def _lock(self, series: str) -> threading.Lock:
        with self._guard:
            return self._locks[series]

    def _keep(self, series: str, running: _Running) -> None:
        """Keep a translator that is in step with the list; one that broke on the way was dropped and is made anew."""
        with self._guard:
            self._running[series] = running
            while len(self._running) > _MOST_SERIES:
                gone, _ = self._running.popitem(last=False)
                self._locks.pop(gone, None)


def series_of(message: Message) -> str:
    """Name of a series in keys: simulated ones are others than real ones of the same number."""
    return f"sim.{message.series}" if message.simulated else message.series
