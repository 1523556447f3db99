"""The words and rules of reviewing, without a database: states, actions, who may do what, and what needs a review.

Belongs here: the state machine, the triage of signals, and what an approved statement looks like.
Does not belong here: keeping reviews (``reviews.py``), telling others (``review_events.py``), HTTP (``routes/reviews.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace as replaced

from esports_assets.canonical import signal as signals
from esports_assets.canonical.signal import AgentSignal, SignalError, SignalStatus, SignalType
from esports_assets.canonical.vocabulary import Intent
from serving.errors import ApiError
from serving.gate import Audience
from serving.roles import Role


class Kind(StrEnum):
    """What is reviewed."""

    SIGNAL = "signal"
    NARRATIVE = "narrative"
    INSIGHT = "insight"


class Status(StrEnum):
    """Where a review stands."""

    PENDING = "pending"
    """Waits for somebody."""
    IN_PROGRESS = "in_progress"
    """Somebody holds it, until the lease ends."""
    EDIT_REQUESTED = "edit_requested"
    """Waits for a better version."""
    ESCALATED = "escalated"
    """Waits for an operator."""
    APPROVED = "approved"
    """Decided: it leaves through the gate."""
    REJECTED = "rejected"
    """Decided: it never leaves."""

    @property
    def decided(self) -> bool:
        """Whether nothing changes it any more."""
        return self in (Status.APPROVED, Status.REJECTED)


class Action(StrEnum):
    """What a reviewer does about it."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_EDIT = "request_edit"
    ESCALATE = "escalate"


class Cause(StrEnum):
    """Why somebody must look at it."""

    LOW_CONFIDENCE = "low_confidence"
    SENSITIVE_INTENT = "sensitive_intent"
    SYNTHESIS_FAILURE = "synthesis_failure"
    INSIGHT = "insight"
    NARRATIVE = "narrative"
    FLAGGED = "flagged"


_LEADS_TO = {
    Action.APPROVE: Status.APPROVED,
    Action.REJECT: Status.REJECTED,
    Action.REQUEST_EDIT: Status.EDIT_REQUESTED,
    Action.ESCALATE: Status.ESCALATED,
}
_REPEATS_NOTHING = {Action.REQUEST_EDIT: Status.EDIT_REQUESTED, Action.ESCALATE: Status.ESCALATED}


def after(status: Status, action: Action, role: Role, *, escalated: bool) -> Status:
    """The state that an action leads to. ApiError 409 where it is not legal, 403 where the role does not reach."""
    refuse_decided(status)
    if _REPEATS_NOTHING.get(action) is status:
        raise ApiError(409, "illegal_transition", f"The review is {status.value} already.")
    needs(role, escalated=escalated)
    return _LEADS_TO[action]


def refuse_decided(status: Status) -> None:
    """ApiError 409 for a review that is decided."""
    if status.decided:
        raise ApiError(409, "already_decided", f"The review is {status.value}; a decision stands.")


def needs(role: Role, *, escalated: bool) -> None:
    """ApiError 403 unless the role may take up a review; one that was ever escalated is for operators."""
    needed = Role.OPERATOR if escalated else Role.REVIEWER
    if not role.covers(needed):
        told = "that was escalated " if escalated else ""
        raise ApiError(403, "role_too_low", f"A review {told}needs the role {needed.value}.")


@dataclass(frozen=True, slots=True)
class Rule:
    """What needs a review: an operator's choice."""

    min_confidence: float = 0.6
    sensitive_intents: frozenset[Intent] = frozenset((Intent.PLANT, Intent.DEFUSE))
    reviewed_types: frozenset[SignalType] = frozenset(
        (SignalType.MOMENTUM_SHIFT, SignalType.STAR_PLAYER, SignalType.ECONOMY_CRASH)
    )
    """Insights about a match: reviewed however sure the model is."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_confidence <= 1.0:
            raise ValueError(f"a confidence of {self.min_confidence} is none: give one from 0 to 1")

    def causes(self, signal: AgentSignal) -> tuple[Cause, ...]:
        """Every reason for which a person must look at a signal; an unknown confidence is a low one."""
        holds = {
            Cause.LOW_CONFIDENCE: signal.confidence is None or signal.confidence < self.min_confidence,
            Cause.SENSITIVE_INTENT: signal.intent in self.sensitive_intents,
            Cause.SYNTHESIS_FAILURE: signal.error is not None,
            Cause.INSIGHT: signal.type in self.reviewed_types,
        }
        return tuple(cause for cause, given in holds.items() if given)


@dataclass(frozen=True, slots=True)
class NewReview:
    """What is put into the queue. ``subject`` is the statement as JSON: what an approval releases."""

    review_id: str
    kind: Kind
    agent_name: str
    causes: tuple[Cause, ...]
    subject: Mapping[str, Any]
    run_id: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


def triage(
    signal: AgentSignal, rule: Rule, agent_name: str, at: datetime | None = None
) -> tuple[AgentSignal, NewReview | None]:
    """The signal as it may be published inside, and the review that it needs, if any; the same signal, the same review.

    ``at`` is when it was made, where it does not say so itself.
    """
    causes, made = rule.causes(signal), at if signal.generated_at is None else signal.generated_at
    if not causes:
        status = SignalStatus.AUTO_APPROVED
        return replaced(signal, status=status, review_required=False, review_id=None, generated_at=made), None
    review_id = f"review:{signal.signal_id}"
    status = SignalStatus.PENDING_REVIEW
    told = replaced(signal, status=status, review_required=True, review_id=review_id, generated_at=made)
    context = {"intent": signal.intent, "confidence": signal.confidence, "error": signal.error}
    run_id = f"{signal.match_id}:{signal.subject}"
    return told, NewReview(review_id, Kind.SIGNAL, agent_name, causes, signals.document(told), run_id, context)


def approved(review_id: str, kind: Kind, subject: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """The statement that an approval releases: the subject, or what the reviewer made of it (``final_result``).

    An edited signal must still be the same statement. ApiError 422 otherwise.
    """
    if result is not None and not isinstance(result, Mapping):
        raise ApiError(
            422, "bad_final_result", "final_result must be an object: the statement as it is to be released."
        )
    if kind is not Kind.SIGNAL:
        fixed = {"type": kind.value.upper(), **{name: subject.get(name) for name in ("match_id", "event_ts")}}
        fixed |= {"live_offset_s": subject.get("live_offset_s", 0.0), "status": SignalStatus.APPROVED.value}
        return {**subject, **(result or {}), **fixed, "signal_id": review_id, "review_id": review_id}
    signal = as_signal(subject)
    told = signal if result is None else as_signal({**subject, **result})
    if _identity(told) != _identity(signal):
        kept = ", ".join(_SIGNAL_KEEPS)
        raise ApiError(422, "bad_final_result", f"An edited signal is still the same statement: {kept} cannot change.")
    return signals.document(replaced(told, status=SignalStatus.APPROVED, review_id=review_id))


_SIGNAL_KEEPS = ("signal_id", "type", "match_id", "event_ts", "live_offset_s")


def _identity(signal: AgentSignal) -> tuple[Any, ...]:
    return tuple(getattr(signal, name) for name in _SIGNAL_KEEPS)


def check_subject(kind: Kind, subject: Mapping[str, Any]) -> None:
    """ApiError 422 for what could never be released: a signal that is none, or a statement about no match."""
    if kind is Kind.SIGNAL:
        as_signal(subject)
    for name in ("match_id", "signal_id") if kind is Kind.SIGNAL else ("match_id",):
        if not (isinstance(subject.get(name), str) and subject[name]):
            raise ApiError(422, "bad_subject", f"The subject needs a {name}.")


def as_signal(subject: Any) -> AgentSignal:
    """The signal in a subject; ApiError 422 with the place of what does not fit."""
    try:
        return signals.of_document(subject)
    except SignalError as error:
        raise ApiError(422, "bad_subject", f"The subject is {str(error)[:160]}.") from error


def audiences_of(payload: Mapping[str, Any]) -> tuple[Audience, ...]:
    """To whom an approval releases: all, or those that it names; ApiError 422 for one that does not exist."""
    named = payload.get("audiences")
    if named is None:
        return tuple(Audience)
    known = {audience.value: audience for audience in Audience}
    if not isinstance(named, list) or not named or not all(isinstance(one, str) and one in known for one in named):
        raise ApiError(422, "bad_audiences", f"audiences must be a list of some of {', '.join(known)}.")
    return tuple(dict.fromkeys(known[one] for one in named))
