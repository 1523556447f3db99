"""What a statement says of its origin, and the statement itself: the form that all momentum signals share.

Belongs here: from a finished finding to an ``AgentSignal``, its identity and its time.
Does not belong here: what is found (``shift.py``, ``star.py``, ``economy.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal, Fact, SignalType, signal_id
from esports_assets.windows.streamed.lineup import Lineup

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the ``model_info`` of its statements, its version as part of their identity, the window that it reads."""

    info: Mapping[str, str]
    version: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What a statement is about: match, round, and when."""

    lineup: Lineup
    segment: int
    t: float
    at_us: int


def statement(
    kind: SignalType,
    moment: Moment,
    voice: Voice,
    *,
    team: str | None,
    player: str | None = None,
    confidence: float,
    facts: Iterable[Fact],
    features: Mapping[str, Any],
    entities: Iterable[str | None],
) -> AgentSignal:
    """One statement. It rests on the events of its facts, or on its instant where they name none."""
    explanation = tuple(facts)
    lineup, instant = moment.lineup, from_utc_us(moment.at_us)
    return AgentSignal(
        signal_id=signal_id(
            kind,
            match_id=lineup.match_id,
            map_name=lineup.map,
            segment=moment.segment,
            subject=player or team or "",
            event_ids=[fact.event_id for fact in explanation if fact.event_id is not None],
            instant=instant,
            window_fingerprint=voice.fingerprint,
            model_version=voice.version,
        ),
        type=kind,
        match_id=lineup.match_id,
        series_id=lineup.series_id,
        map=lineup.map,
        segment=moment.segment,
        t=moment.t,
        event_ts=instant,
        team=team,
        player_id=player,
        confidence=round(min(max(confidence, 0.0), 1.0), DECIMALS),
        explanation=explanation,
        features={
            name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in features.items()
        },
        entities=tuple(dict.fromkeys(entity for entity in entities if entity is not None)),
        model_info=dict(voice.info),
        window_fingerprint=voice.fingerprint,
    )
