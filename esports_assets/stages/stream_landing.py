"""Stage: how far the stream was read, which of its matches are over, and landing those in the lake.

Belongs here: the position of a reader, with the matches that it must not forget; one bounded step from it to the next; where
a reader without a memory of its own keeps it.
Does not belong here: one match's way into the lake (``streamed.py``), runs of the graph (``defs/stream_sensor.py``).

The position moves on with every entry; what is needed of an unfinished match is only where it began, as its entries stay in
its shard for the log's retention. A match of which the first entry is gone before its last one came cannot be landed any
more, and is told. So is one that never ends: nothing is kept for longer than the log keeps it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec
from redis import Redis

from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.stages.streamed import Streamed, Unfinished, collect, order, write
from esports_assets.storage.lake import Lake
from esports_assets.streams.entries import Delivery, told_apart
from esports_assets.streams.errors import CollectError, GapError, StreamError
from esports_assets.streams.log import EventLog, Lag

BUDGET_S = 2.5
"""Seconds after which a step takes up no further match; one that is taken up is finished."""
MOST_ENTRIES = 200_000
MOST_MATCHES = 2_000
"""Matches that a position remembers. Of a forgotten one the last entry still tells, at the price of a longer search."""
_PAGE = 1_000


class LandingGap(StreamError):
    """Entries are gone that were never landed; the message says what to do."""


class Stage(StrEnum):
    """How far a match is."""

    RUNNING = "running"
    """Its end has not come."""
    DUE = "due"
    """It is over and was not looked at since its last entry."""
    SHORT = "short"
    """It is over, but entries of it are missing."""
    LANDED = "landed"
    """The lake holds it. Further entries of it make it due again."""
    REFUSED = "refused"
    """Its entries make no match."""


class Place(msgspec.Struct, frozen=True):
    """Where a match began in the log, and how far it is."""

    first: str
    stage: Stage = Stage.RUNNING


class Position(msgspec.Struct, frozen=True):
    """A reader's position: the last entry that it read, None before the first, and the matches of the log that it knows."""

    last: str | None = None
    matches: dict[str, Place] = {}

    @property
    def waiting(self) -> list[str]:
        """Matches that are not in the lake yet and may come to be."""
        return sorted(name for name, place in self.matches.items() if place.stage in _WAITING)


_WAITING = (Stage.RUNNING, Stage.DUE, Stage.SHORT)
_POSITION = "esports:landing"
"""Key of the position of readers that have no memory of their own. It goes with the stream that it is a position in."""


def load_position(client: Redis) -> Position:
    """The position that was kept beside the stream, or the beginning."""
    data = client.get(_POSITION)
    try:
        return msgspec.json.decode(data, type=Position) if isinstance(data, bytes) else Position()
    except msgspec.DecodeError:
        return Position()


def keep_position(client: Redis, position: Position) -> None:
    """Keep a position beside the stream."""
    client.set(_POSITION, msgspec.json.encode(position))


@dataclass(frozen=True, slots=True)
class Told:
    """A match, and one sentence about what became of it."""

    match_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Landed:
    """What a step did.

    ``landed`` are matches that made a difference to the lake, ``repeated`` those that it held already; ``days`` are those of
    both, by title. ``refused`` make no match, ``lost`` were trimmed before they ended.
    """

    position: Position
    read: int
    landed: tuple[str, ...]
    repeated: tuple[str, ...]
    days: dict[Title, tuple[date, ...]]
    refused: tuple[Told, ...]
    lost: tuple[Told, ...]
    malformed: int
    lag: Lag

    @property
    def waiting(self) -> int:
        """How many matches have begun and are not in the lake yet."""
        return len(self.position.waiting)


def land(
    log: EventLog,
    lake: Lake,
    position: Position,
    budget_s: float = BUDGET_S,
    max_entries: int = MOST_ENTRIES,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Landed:
    """Read on from a position and land every match that is over.

    Half of the time goes to reading at most; one match is landed whatever that takes, so that every step gets on. Raises
    LandingGap where entries after the position are gone.
    """
    started = clock()
    matches = dict(position.matches)
    lost = _lost(log, matches)
    last, read, malformed = _read(log, position.last, matches, max_entries, lambda: clock() - started < budget_s / 2)
    settled: list[Streamed] = []
    refused: list[Told] = []
    for match_id in _due(matches):
        if (settled or refused) and clock() - started >= budget_s:
            break
        try:
            settled.append(_land_one(log, lake, matches, match_id, last))
        except Unfinished:
            matches[match_id] = Place(matches[match_id].first, Stage.SHORT)
        except GapError as error:
            lost.append(Told(match_id, str(error)))
            del matches[match_id]
        except CollectError as error:
            refused.append(Told(match_id, str(error)))
            matches[match_id] = Place(matches[match_id].first, Stage.REFUSED)
    position = Position(last, _bounded(matches))
    return Landed(
        position,
        read,
        tuple(sorted(done.header.match_id for done in settled if done.new)),
        tuple(sorted(done.header.match_id for done in settled if not done.new)),
        _days(settled),
        tuple(refused),
        tuple(lost),
        malformed,
        log.lag(last),
    )


def _read(
    log: EventLog,
    last: str | None,
    matches: dict[str, Place],
    max_entries: int,
    goes_on: Callable[[], bool],
) -> tuple[str | None, int, int]:
    """Read entries and note what matches they are of; the last one, how many there were, and how many were malformed."""
    read = malformed = 0
    while read < max_entries and (read == 0 or goes_on()):
        try:
            entries = log.read_after(last, min(_PAGE, max_entries - read))
        except GapError as error:
            raise LandingGap(
                f"{error} Ingest the files of what was played meanwhile (or play it again), then set the position back: "
                "empty the cursor of the sensor 'stream' in Dagster, or run 'esports land --from-oldest'."
            ) from error
        if not entries:
            break
        good, bad = told_apart(entries)
        for delivery in good:
            _note(matches, delivery)
        last, read, malformed = entries[-1].id, read + len(entries), malformed + len(bad)
    return last, read, malformed


def _note(matches: dict[str, Place], delivery: Delivery) -> None:
    envelope = delivery.envelope
    known = matches.get(envelope.event.match_id)
    over = envelope.closing is not None or envelope.event.event_type is EventType.MAP_END
    if known is None:
        matches[envelope.event.match_id] = Place(delivery.entry.id, Stage.DUE if over else Stage.RUNNING)
    elif known.stage is not Stage.DUE and (over or known.stage is not Stage.RUNNING):
        matches[envelope.event.match_id] = Place(known.first, Stage.DUE)


def _due(matches: dict[str, Place]) -> list[str]:
    """Matches to land, the one that began first first."""
    due = [name for name, place in matches.items() if place.stage is Stage.DUE]
    return sorted(due, key=lambda name: (order(matches[name].first), name))


def _land_one(log: EventLog, lake: Lake, matches: dict[str, Place], match_id: str, last: str | None) -> Streamed:
    """Land a match from where it is known to have begun, or else from the oldest entry that is left."""
    until = last or matches[match_id].first
    try:
        found = collect(log, match_id, matches[match_id].first, until)
    except Unfinished:
        found = collect(log, match_id, None, until)
    done = write(lake, found)
    matches[match_id] = Place(matches[match_id].first, Stage.LANDED)
    return done


def _lost(log: EventLog, matches: dict[str, Place]) -> list[Told]:
    """Forget matches whose first entry is gone; those among them that the lake does not hold."""
    oldest = log.first_id()
    gone = [name for name, place in matches.items() if oldest is None or order(place.first) < order(oldest)]
    lost = [name for name in gone if matches[name].stage in _WAITING]
    for name in gone:
        del matches[name]
    why = "it began longer ago than the log keeps entries, and has not ended or is incomplete: ingest its file"
    return [Told(name, f"{name}: {why}") for name in sorted(lost)]


def _bounded(matches: dict[str, Place]) -> dict[str, Place]:
    """At most so many matches, in order of their beginning: finished ones are forgotten first, then the oldest."""
    begun = sorted(matches, key=lambda name: (order(matches[name].first), name))
    over = len(begun) - MOST_MATCHES
    if over > 0:
        gone = sorted(begun, key=lambda name: matches[name].stage in _WAITING)[:over]
        begun = [name for name in begun if name not in set(gone)]
    return {name: matches[name] for name in begun}


def _days(settled: Iterable[Streamed]) -> dict[Title, tuple[date, ...]]:
    found: dict[Title, set[date]] = {}
    for done in settled:
        found.setdefault(done.header.title, set()).add(done.header.day)
    return {title: tuple(sorted(days)) for title, days in sorted(found.items())}
