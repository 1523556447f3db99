"""The gate: whether a statement may leave to an audience at an instant, as pure decisions.

Belongs here: delays of statements and of state (events, positions), review state, technical pauses, and what an outward copy
says about its use.
Does not belong here: waiting and publishing (``release.py``), reviewing (``reviews.py``), clocks of any kind.

The delay counts from the time of the event on the wall clock, ``event_ts + live_offset_s``, never from when a statement was
made, and time in a technical pause does not count: what was said 10 s before the game stopped is not old when it goes on.
Whatever cannot be read keeps the gate closed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from esports_assets.canonical.signal import LABEL, PURPOSE, SignalPolicy, SignalStatus, SignalType

POLICY_VERSION = "2"
PUBLIC_MIN_S = 180.0
"""Nothing reaches the public younger than this, whatever an operator sets."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Audience(StrEnum):
    """To whom a statement may go; each has a channel of its own."""

    PUBLIC = "PUBLIC"
    """Anybody, without an account."""
    EDUCATIONAL = "EDUCATIONAL"
    """People who learn from matches."""
    COACH = "COACH"
    """Staff of a team."""
    ANALYST = "ANALYST"
    """Analysts of this house."""


class Reason(StrEnum):
    """Why the gate is open or closed."""

    OPEN = "open"
    TOO_EARLY = "too_early"
    TECHNICAL_PAUSE = "technical_pause"
    NOT_REVIEWED = "not_reviewed"
    REJECTED = "rejected"
    AUDIENCE = "audience"
    NO_TIMESTAMP = "no_timestamp"
    BAD_TIMESTAMP = "bad_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"

    @property
    def waits(self) -> bool:
        """Whether time alone opens the gate; the other reasons stay until somebody changes the statement."""
        return self in (Reason.OPEN, Reason.TOO_EARLY, Reason.TECHNICAL_PAUSE)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the gate looks at, as it came: nothing is believed before ``decide`` has read it."""

    kind: str
    event_ts: Any
    live_offset_s: Any = 0.0
    status: Any = SignalStatus.PENDING_REVIEW
    review_required: Any = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A technical pause on the wall clock; ``end`` is None while it lasts. ValueError if it ends before it starts."""

    start: datetime
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"a pause from {self.start.isoformat()} to {self.end.isoformat()} runs backwards")

    def holds(self, now: datetime) -> bool:
        """Whether the match stands still at an instant."""
        return self.start <= now and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True)
class Policy:
    """The delays of types on the wall clock and who may receive anything. ValueError for one that would let state out."""

    delays_s: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {SignalType.MOMENTUM_SHIFT: 120.0, SignalType.STAR_PLAYER: 60.0, SignalType.ECONOMY_CRASH: 90.0}
        )
    )
    default_delay_s: float = 120.0
    public_delay_s: float = PUBLIC_MIN_S
    state_delays_s: Mapping[Audience, float] = field(
        default_factory=lambda: MappingProxyType(
            {Audience.EDUCATIONAL: 120.0, Audience.COACH: 120.0, Audience.ANALYST: 0.0}
        )
    )
    """Events and positions as they happened; the public's is ``public_delay_s``, that of an audience not named here too."""
    audiences: frozenset[Audience] = frozenset(Audience)
    clock_skew_s: float = 2.0
    """An event may lie so far ahead of this clock; it waits for its whole delay all the same."""

    def __post_init__(self) -> None:
        named = (*self.delays_s.values(), *self.state_delays_s.values())
        for delay_s in (*named, self.default_delay_s, self.public_delay_s, self.clock_skew_s):
            if not (math.isfinite(delay_s) and delay_s >= 0):
                raise ValueError(f"a delay of {delay_s} s is none")
        if self.public_delay_s < PUBLIC_MIN_S:
            raise ValueError(f"the public waits at least {PUBLIC_MIN_S:g} s, not {self.public_delay_s:g} s")

    def delay_s(self, kind: str, audience: Audience) -> float:
        """Seconds from the event until a statement of a type may reach an audience."""
        delay_s = self.delays_s.get(kind, self.default_delay_s)
        return max(delay_s, self.public_delay_s) if audience is Audience.PUBLIC else delay_s

    def state_delay_s(self, audience: Audience) -> float:
        """Seconds from an event until the event itself, or a position, may reach an audience."""
        if audience is Audience.PUBLIC:
            return self.public_delay_s
        return self.state_delays_s.get(audience, self.public_delay_s)


@dataclass(frozen=True, slots=True)
class Decision:
    """Open or closed, why, and from when on it would be open where time alone is missing."""

    open: bool
    reason: Reason
    sentence: str
    opens_at: datetime | None = None
    delay_s: float = 0.0


def statement_of(document: Mapping[str, Any]) -> Statement:
    """What the gate looks at in a signal, narrative or insight as JSON."""
    return Statement(
        kind=str(document.get("type", "")),
        event_ts=document.get("event_ts"),
        live_offset_s=document.get("live_offset_s", 0.0),
        status=document.get("status"),
        review_required=document.get("review_required", False),
    )


def decide(
    statement: Statement, audience: Audience, now: datetime, policy: Policy, pauses: Iterable[Pause] = ()
) -> Decision:
    """Whether a statement may reach an audience at ``now`` (with a time zone)."""
    if audience not in policy.audiences:
        return _closed(Reason.AUDIENCE, f"Nothing goes to {audience.value}.")
    refused = _review(statement)
    if refused is not None:
        return refused
    happened = wall_time(statement.event_ts, statement.live_offset_s)
    if isinstance(happened, Decision):
        return happened
    return _by_time(happened, policy.delay_s(statement.kind, audience), now, now, policy.clock_skew_s, pauses)


def decide_state(
    event_ts: Any,
    live_offset_s: Any,
    audience: Audience,
    now: datetime,
    policy: Policy,
    pauses: Iterable[Pause] = (),
    came_at: datetime | None = None,
) -> Decision:
    """Whether an event or a position, unreviewed as it is, may reach an audience at ``now``.

    ``came_at`` is when it entered the log (``now`` if nobody knows): what was told to be further ahead of that than clocks
    differ has a wrong time, and keeps having it.
    """
    if audience not in policy.audiences:
        return _closed(Reason.AUDIENCE, f"Nothing goes to {audience.value}.")
    happened = wall_time(event_ts, live_offset_s)
    if isinstance(happened, Decision):
        return happened
    return _by_time(happened, policy.state_delay_s(audience), now, came_at or now, policy.clock_skew_s, pauses)


def _by_time(
    happened: datetime, delay_s: float, now: datetime, came_at: datetime, skew_s: float, pauses: Iterable[Pause]
) -> Decision:
    """What the clocks and the pauses say."""
    if happened - came_at > timedelta(seconds=skew_s):
        sentence = f"It is about {happened.isoformat()}, which has not come yet: a clock is wrong."
        return _closed(Reason.FUTURE_TIMESTAMP, sentence)
    known = sorted(pauses, key=lambda pause: pause.start)
    opens_at = opening(happened, delay_s, known)
    if any(pause.holds(now) for pause in known):
        sentence = "The match is in a technical pause, during which nothing leaves."
        return Decision(False, Reason.TECHNICAL_PAUSE, sentence, _after(now, opens_at, known), delay_s)
    if opens_at is None or now < opens_at:
        when = "after the technical pause" if opens_at is None else f"at {opens_at.isoformat()}"
        return Decision(False, Reason.TOO_EARLY, f"It leaves {delay_s:g} s after the event, {when}.", opens_at, delay_s)
    return Decision(True, Reason.OPEN, f"It is older than {delay_s:g} s and nothing holds it.", opens_at, delay_s)


def outward(document: Mapping[str, Any], audience: Audience, decision: Decision, now: datetime) -> dict[str, Any]:
    """The copy that leaves through an open gate. ValueError for a closed one."""
    if not decision.open:
        raise ValueError(f"the gate is closed: {decision.sentence}")
    review_state = str(document["status"]).lower()
    policy = SignalPolicy(audience.value, decision.delay_s, review_state, POLICY_VERSION)
    said = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return {**document, "label": LABEL, "purpose": PURPOSE, "policy": said, "gated_at": now.isoformat()}


def wall_time(event_ts: Any, live_offset_s: Any) -> datetime | Decision:
    """When the event happened on the wall clock, or the decision that it cannot be told."""
    if event_ts is None:
        return _closed(Reason.NO_TIMESTAMP, "It does not say when what it is about happened.")
    told = _instant(event_ts)
    if told is None:
        return _closed(Reason.BAD_TIMESTAMP, "Its event_ts is no time with a zone.")
    if isinstance(live_offset_s, bool) or not isinstance(live_offset_s, int | float):
        return _closed(Reason.BAD_TIMESTAMP, "Its live_offset_s is no number of seconds.")
    try:
        return told + timedelta(seconds=live_offset_s)
    except (ValueError, OverflowError):
        return _closed(Reason.BAD_TIMESTAMP, "Its live_offset_s leads out of the calendar.")


def opening(happened: datetime, delay_s: float, pauses: Iterable[Pause]) -> datetime | None:
    """From when on the delay is over, time in pauses (sorted by start) left out; None while an endless pause holds it."""
    at, left = happened, timedelta(seconds=delay_s)
    for pause in pauses:
        if pause.end is not None and pause.end <= at:
            continue
        running = max(pause.start - at, timedelta())
        if running > left:
            break
        if pause.end is None:
            return None
        at, left = pause.end, left - running
    try:
        return at + left
    except OverflowError:
        return None


def _after(now: datetime, opens_at: datetime | None, pauses: Iterable[Pause]) -> datetime | None:
    """The first instant from ``now`` on that is past ``opens_at`` and in no pause; None if that cannot be told yet."""
    if opens_at is None:
        return None
    return opening(max(now, opens_at), 0.0, pauses)


def _review(statement: Statement) -> Decision | None:
    status = statement.status
    if status == SignalStatus.REJECTED:
        return _closed(Reason.REJECTED, "A reviewer rejected it.")
    if status == SignalStatus.APPROVED or (status == SignalStatus.AUTO_APPROVED and statement.review_required is False):
        return None
    return _closed(Reason.NOT_REVIEWED, "Nobody has approved it.")


def _closed(reason: Reason, sentence: str) -> Decision:
    return Decision(False, reason, sentence)


def _instant(value: Any) -> datetime | None:
    """A time with a zone: a datetime, ISO 8601 text, or seconds since 1970; None for anything else."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = _EPOCH + timedelta(seconds=value)
        return value.astimezone(UTC) if isinstance(value, datetime) and value.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None
