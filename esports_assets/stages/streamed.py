"""Stage: one match of the stream becomes part of the lake, as if its file had been ingested.

Belongs here: gathering its entries, judging it, what happens where the lake holds it already, and writing it.
Does not belong here: which matches are over and how far the stream was read (``stream_landing.py``), source files (``ingest.py``).

What a file holds stays: it can be read again, the stream cannot. A match that is landed here and comes in a file later is
taken over by the file, with the same bytes.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.invariants import INVARIANTS, broken
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.storage.claims import identities, is_backed, point, rivals
from esports_assets.storage.lake import Lake
from esports_assets.storage.records import MatchRecord
from esports_assets.streams.collect import Collected, Collector
from esports_assets.streams.entries import Entry, told_apart
from esports_assets.streams.errors import CollectError
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import shard_of, shard_stream

_PAGE = 2_000
_SAFE_ID = re.compile(r"[a-z0-9_.\-]+(:[a-z0-9_.\-]+)*")
_LONGEST_ID = 200
_LAST_OF_A_MILLISECOND = (1 << 64) - 1


class Unfinished(CollectError):
    """Entries of the match are still missing."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A match that the lake holds now, and whether this made a difference."""

    header: MatchHeader
    new: bool


def collect(log: EventLog, match_id: str, first: str | None, last: str) -> Collected:
    """A match from its shard, from the entry ``first`` (None: the oldest that is left) up to ``last``.

    Raises Unfinished where entries are missing, CollectError where they make no match that the lake can hold, and GapError
    where the first ones are gone.
    """
    collector = Collector(match_id)
    needle = match_id.encode()
    stream, cursor = shard_stream(shard_of(match_id)), None if first is None else before(first)
    while entries := log.read_after(cursor, _PAGE, stream):
        cursor = entries[-1].id
        for delivery in told_apart(entry for entry in entries if _may_be_of(entry, needle))[0]:
            if delivery.envelope.event.match_id == match_id and order(delivery.entry.id) <= order(last):
                collector.add(delivery.envelope)
        if order(cursor) >= order(last):
            break
    lacking = collector.missing()
    if lacking:
        raise Unfinished(f"{match_id} is incomplete: {lacking} did not come")
    found = _judged(collector)
    if not found.verified and not _is_dense(found.match):
        raise Unfinished(f"{match_id} is incomplete: its events are not numbered from 0 on without a gap")
    return found


def _is_dense(match: CanonicalMatch) -> bool:
    """Whether no event is missing as far as one can tell without a closing record."""
    return bool(np.array_equal(match.events["seq"].to_numpy(), np.arange(match.events.num_rows)))


def _may_be_of(entry: Entry, match_id: bytes) -> bool:
    """Whether an entry may be of a match, without reading it; JSON may write the id with escapes."""
    return entry.data is not None and (match_id in entry.data or b"\\" in entry.data)


def _judged(collector: Collector) -> Collected:
    """The match with its broken invariants among its findings, as ingesting a file states them."""
    try:
        found = collector.collected()
        match, header = found.match, found.match.header
        if header.match_id != collector.match_id or not _SAFE_ID.fullmatch(header.match_id[: _LONGEST_ID + 1]):
            raise CollectError(f"{header.match_id!r} is no id of a match, or not that of its entries")
        if len(header.match_id) > _LONGEST_ID:
            raise CollectError(f"{header.match_id[:60]}... is too long for the id of a match")
        own = replace(match, findings=tuple(f for f in match.findings if f.rule not in INVARIANTS))
        return replace(found, match=replace(own, findings=(*own.findings, *broken(own))))
    except CollectError:
        raise
    except Exception as error:
        # Entries are anybody's data, and only pure code ran: whatever it stumbles over is a fault of the match, told as such.
        raise CollectError(f"{collector.match_id}: cannot be judged: {type(error).__name__}: {error}") from error


def write(lake: Lake, found: Collected) -> Streamed:
    """Keep a match, unless the lake holds it from a file, or from the stream with another id and no less of it."""
    match = found.match
    header = match.header
    raw = found.raw if found.raw and lake.store.exists(found.raw) else ""
    with lake.store.exclusive():
        known = lake.record(header.title, header.day, header.match_id)
        if known is not None and is_backed(lake, known):
            return Streamed(known.header, new=False)
        others = [record for _, record in rivals(lake, match, ()) if record.header.match_id != header.match_id]
        for record in others:
            if is_backed(lake, record) or _worth(record) >= _worth_of(match):
                return Streamed(record.header, new=False)
        for record in others:
            lake.delete_match(record.header)
        lake.write_match(match, adapter_version=found.adapter_version, raw=raw)
        for identity in identities(match):
            point(lake, identity, header)
        return Streamed(header, new=lake.record(header.title, header.day, header.match_id) != known)


def _worth(record: MatchRecord) -> tuple[bool, bool, int]:
    return not record.quarantined, record.header.day != EPOCH_DAY, record.rows["rounds"]


def _worth_of(match: CanonicalMatch) -> tuple[bool, bool, int]:
    accepted = not any(finding.rule in INVARIANTS for finding in match.findings)
    return accepted, match.header.day != EPOCH_DAY, match.rounds.num_rows


def order(entry_id: str) -> tuple[int, int]:
    """An entry id as a value that compares."""
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq or 0)


def before(entry_id: str) -> str | None:
    """The id after which a reader finds this entry first; None where no id is smaller."""
    ms, seq = order(entry_id)
    if seq:
        return f"{ms}-{seq - 1}"
    return f"{ms - 1}-{_LAST_OF_A_MILLISECOND}" if ms else None
