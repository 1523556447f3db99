"""Entries of the log as the worker takes them in: the good ones, and why others are refused.

Belongs here: what is refused beside what is malformed, and the pauses that entries tell of.
Does not belong here: what good entries lead to (``live_states.py``), retries (``live_shard.py``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from esports_assets.canonical.event import WireError
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.entries import Entry
from esports_assets.streams.envelope import Envelope
from esports_assets.windows.streamed.lineup import lineup_of
from serving.live_work import Pausing, Work

AHEAD_S = 60.0
"""An event so far in the future would end the waiting for everything before it: its clock is wrong."""
MOST_PLAYERS = 64
"""A match with more players is none: the windows' work grows with the square of their number."""
_OF_THE_GAME = ("timeout", "tactical")
"""Kinds of pauses that the rules of the game give to teams."""


def read_into(work: Work, entries: Sequence[Entry], now: datetime) -> list[Envelope]:
    """The good ones. The work learns of their entries and pauses, and that the others become dead letters with the commit."""
    found: list[Envelope] = []
    good: list[Entry] = []
    limits: dict[float, datetime] = {}
    for entry in entries:
        try:
            envelope = entry.envelope()
        except WireError as error:
            work.dead.append((entry, f"malformed: {error}"))
            continue
        offset_s = envelope.live_offset_s or 0.0
        if offset_s not in limits:
            limits[offset_s] = _limit(now, offset_s)
        if reason := _refusal(envelope, limits[offset_s]):
            work.dead.append((entry, reason))
            continue
        found.append(envelope)
        good.append(entry)
    work.entries = good
    work.pauses = [pausing for envelope in found if (pausing := _pausing(envelope)) is not None]
    return found


def _limit(now: datetime, offset_s: float) -> datetime:
    """The latest source time that is believed of what a replay with this offset tells."""
    try:
        return now + timedelta(seconds=AHEAD_S) - timedelta(seconds=offset_s)
    except OverflowError:
        return (datetime.min if offset_s > 0.0 else datetime.max).replace(tzinfo=UTC)


def _refusal(envelope: Envelope, limit: datetime) -> str:
    """Why an entry is not taken in; empty for a good one."""
    event = envelope.event
    if event.timestamp > limit:
        return f"it happens at {envelope.live_at.isoformat()}, which has not come: a clock is wrong"
    if event.event_type is EventType.MAP_START and (crowd := len(lineup_of(event.payload))) > MOST_PLAYERS:
        return f"it tells {crowd} players, and a match has no more than {MOST_PLAYERS}"
    return ""


def _pausing(envelope: Envelope) -> Pausing | None:
    """What an event says about technical pauses. Time-outs are part of the game, neither pause nor end of one; a pause of which
    the source says no kind may be technical, and so is one.
    """
    event = envelope.event
    if event.event_type not in (EventType.PAUSE, EventType.RESUME) or event.payload.get("kind") in _OF_THE_GAME:
        return None
    return Pausing(event.match_id, envelope.live_at, event.event_type is EventType.PAUSE)
