"""The agent signal: one statement of this platform about a match, its deterministic id and its wire form.

Belongs here: the signal, what it says about its own use, and JSON as it stands in the ``data`` field of the streams.
Does not belong here: when it may leave (``serving/gate.py``), who reviews it (``serving/reviews.py``), what computes it.
"""

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.vocabulary import Intent, Title

LABEL = "ANALYSIS_ONLY"
PURPOSE = "research/ops"


class SignalType(StrEnum):
    """What kind of statement it is."""

    MOTION_SYNTHESIS = "MOTION_SYNTHESIS"
    """What a player is about to do, and the motion that shows it."""
    MOMENTUM_SHIFT = "MOMENTUM_SHIFT"
    """Win probability swung further than its own interval explains."""
    STAR_PLAYER = "STAR_PLAYER"
    """One player moved win probability more than the rest of the team."""
    ECONOMY_CRASH = "ECONOMY_CRASH"
    """A team can no longer buy what it needs."""


class SignalStatus(StrEnum):
    """What people said about it."""

    PENDING_REVIEW = "PENDING_REVIEW"
    """Nobody has looked at it, and somebody must."""
    APPROVED = "APPROVED"
    """A reviewer approved it."""
    AUTO_APPROVED = "AUTO_APPROVED"
    """No rule asks for a review."""
    REJECTED = "REJECTED"
    """A reviewer rejected it: it never leaves."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of an explanation: a sentence, the event that it is about, and how much that event moved the value."""

    text: str
    event_id: str | None = None
    delta: float | None = None

    def __post_init__(self) -> None:
        _finite("fact.delta", self.delta)


class SignalPolicy(msgspec.Struct, frozen=True):
    """What a statement says about its own use; the gate writes audience, delay and review state."""

    audience: str
    delay_s: float
    review_state: str
    policy_version: str
    label: str = LABEL
    purpose: str = PURPOSE


class AgentSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One statement.

    ``event_ts`` is the source time of what it is about and ``live_offset_s`` what a replay adds to get the wall clock; a
    signal without ``event_ts`` can be kept and reviewed, but no gate opens for it. ``generated_at`` and ``live_offset_s``
    are no part of the identity: the same match played twice makes the same signals.
    """

    signal_id: str
    type: SignalType
    match_id: str
    event_ts: datetime | None = None
    live_offset_s: float = 0.0
    series_id: str = ""
    title: Title = Title.CS2
    map: str = ""
    segment: int = 0
    t: float | None = None
    team: str | None = None
    player_id: str | None = None
    intent: Intent | None = None
    confidence: float | None = None
    explanation: tuple[Fact, ...] = ()
    features: dict[str, Any] = {}
    entities: tuple[str, ...] = ()
    model_info: dict[str, Any] = {}
    window_fingerprint: str = ""
    artifact_url: str | None = None
    review_required: bool = False
    review_id: str | None = None
    error: str | None = None
    generated_at: datetime | None = None
    status: SignalStatus = SignalStatus.PENDING_REVIEW
    policy: SignalPolicy | None = None

    def __post_init__(self) -> None:
        for name, moment in (("event_ts", self.event_ts), ("generated_at", self.generated_at)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} {moment.isoformat()} has no time zone")
        for name, value in (("live_offset_s", self.live_offset_s), ("t", self.t), ("confidence", self.confidence)):
            _finite(name, value)
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not between 0 and 1")
        for name, value in self.features.items():
            if isinstance(value, float) and not math.isfinite(value):
                _finite(f"features.{name}", value)

    @property
    def subject(self) -> str:
        """Whom it is about: the player, else the team, else nobody."""
        return self.player_id or self.team or ""


class SignalError(ValueError):
    """A record that is not a signal; the message says where and why."""


def _finite(name: str, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} {value} is not a finite number")


def signal_id(
    kind: SignalType,
    *,
    match_id: str,
    map_name: str,
    segment: int,
    subject: str,
    event_ids: Iterable[str],
    instant: datetime | None,
    window_fingerprint: str,
    model_version: str,
) -> str:
    """Deterministic id: the same statement from the same input always gets the same id (32 hex digits, 128 bits).

    What it rests on are its events, in any order, or the instant where it rests on none. ValueError without either.
    """
    occasion: list[str] | int = sorted(set(event_ids))
    if not occasion:
        if instant is None:
            raise ValueError("a signal without events and without an instant has no identity")
        occasion = utc_us(instant)
    parts = (kind.value, match_id, map_name, segment, subject, occasion, window_fingerprint, model_version)
    return hashlib.blake2b(_encoder.encode(parts), digest_size=16).hexdigest()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AgentSignal)


def encode(signal: AgentSignal) -> bytes:
    """The JSON of the stream's ``data`` field."""
    return _encoder.encode(signal)


def decode(data: bytes | str) -> AgentSignal:
    """Read a signal; SignalError with the path of the offending field for anything else."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise SignalError(f"not a signal: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SignalError(f"not JSON: {error}") from error


def document(signal: AgentSignal) -> dict[str, Any]:
    """The same as plain JSON values."""
    found: dict[str, Any] = msgspec.json.decode(encode(signal))
    return found


def of_document(value: Any) -> AgentSignal:
    """The inverse of ``document``; SignalError for anything else."""
    try:
        return msgspec.convert(value, AgentSignal)
    except msgspec.ValidationError as error:
        raise SignalError(f"not a signal: {error}") from error
