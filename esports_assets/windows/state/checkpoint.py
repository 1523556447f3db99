"""A match in progress as bytes and back.

Belongs here: the saved form; a restored match goes on as if nothing had happened.
Does not belong here: where the bytes are kept.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.windows.history import PlayerHistory, RoundSummary, TeamHistory
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.state.match_log import MatchLog
from esports_assets.windows.state.round_log import End, Kept, RoundLog, Start
from esports_assets.windows.streamed.frame_log import FrameLog, Words
from esports_assets.windows.streamed.frames import In
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.message import Message, Positions
from esports_assets.windows.view import Sites

Triple = tuple[float, float, float]


class _Round(msgspec.Struct, array_like=True):
    segment: int
    zero_us: int
    frame_t: bytes
    frame_data: bytes
    primary: bytes
    start_armor: bytes
    started: bool
    events: list[Kept]
    ids: list[str]
    start: Start | None
    end: End | None
    heard_t: float
    final_t: float
    final_events: int


class _Team(msgspec.Struct, array_like=True):
    rounds: list[RoundSummary]
    eco_played: int
    eco_won: int


class _Match(msgspec.Struct, array_like=True):
    settings: tuple[str, int]
    """Fingerprint of the window, lateness."""
    match_id: str
    about: tuple[str, str, bool, tuple[str, ...], tuple[str, ...]] | None
    sites: tuple[Triple, Triple]
    words: list[str]
    teams: dict[str, _Team]
    form: list[PlayerHistory]
    won: dict[str, int]
    rounds: list[_Round]
    over: dict[int, int]
    waiting: list[tuple[CanonicalEvent | None, Positions | None]]
    latest_us: int
    rows: int
    ended: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Match).decode


def save_match(match: MatchLog) -> bytes:
    """Everything that is kept of a match."""
    lineup = match.lineup
    told = None if lineup is None else (lineup.series_id, lineup.map, lineup.simulated, lineup.players, lineup.teams)
    return _encode(
        _Match(
            settings=(ROUND_STATE.fingerprint, match.lateness_us),
            match_id=match.match_id,
            about=told,
            sites=(match.sites.a, match.sites.b),
            words=match.words.known,
            teams={name: _Team(list(team.rounds), team.eco_played, team.eco_won) for name, team in match.teams.items()},
            form=match.form,
            won=match.won,
            rounds=[_saved(own) for own in match.rounds.values()],
            over=match.over,
            waiting=[(None, m) if isinstance(m, Positions) else (m, None) for m in match.waiting],
            latest_us=match.latest_us,
            rows=match.rows,
            ended=match.ended,
        )
    )


def load_match(saved: bytes, lateness_us: int) -> MatchLog:
    """The match as it was saved; ValueError for bytes that are no checkpoint of this window and lateness."""
    try:
        held = _decode(saved)
    except msgspec.DecodeError as error:
        raise ValueError(f"these bytes are no checkpoint of {ROUND_STATE.name}: {error}") from error
    if held.settings != (ROUND_STATE.fingerprint, lateness_us):
        raise ValueError(
            f"the checkpoint of {held.match_id} was made with {held.settings} (window, lateness in microseconds), and this is "
            f"{(ROUND_STATE.fingerprint, lateness_us)}: rebuild the match from the lake"
        )
    lineup = None if held.about is None else Lineup(held.match_id, *held.about)
    words = Words(held.words)
    index = {} if lineup is None else lineup.index
    return MatchLog(
        match_id=held.match_id,
        lateness_us=lateness_us,
        lineup=lineup,
        sites=Sites(*held.sites),
        words=words,
        teams={name: _team(team) for name, team in held.teams.items()},
        form=held.form,
        won=held.won,
        rounds={own.segment: _loaded(own, index, words) for own in held.rounds},
        over=held.over,
        waiting=[_message(event, frame) for event, frame in held.waiting],
        latest_us=held.latest_us,
        rows=held.rows,
        ended=held.ended,
    )


def _team(saved: _Team) -> TeamHistory:
    team = TeamHistory(eco_played=saved.eco_played, eco_won=saved.eco_won)
    team.rounds.extend(saved.rounds)
    return team


def _saved(own: RoundLog) -> _Round:
    own.frames.settle()
    return _Round(
        segment=own.segment,
        zero_us=own.zero_us,
        frame_t=own.frames.t.tobytes(),
        frame_data=own.frames.data.tobytes(),
        primary=own.primary.tobytes(),
        start_armor=own.start_armor.tobytes(),
        started=own.started,
        events=own.events,
        ids=sorted(own.ids),
        start=own.start,
        end=own.end,
        heard_t=own.heard_t,
        final_t=own.final_t,
        final_events=own.final_events,
    )


def _loaded(saved: _Round, index: Mapping[str, int], words: Words) -> RoundLog:
    t = _array(saved.frame_t, np.float64)
    data = _array(saved.frame_data, np.float32).reshape(len(t), len(index), len(In))
    return RoundLog(
        segment=saved.segment,
        zero_us=saved.zero_us,
        frames=FrameLog(tuple(index), words, t, data),
        index=index,
        primary=_array(saved.primary, np.int64),
        start_armor=_array(saved.start_armor, np.float64),
        started=saved.started,
        events=saved.events,
        ids=set(saved.ids),
        start=saved.start,
        end=saved.end,
        heard_t=saved.heard_t,
        final_t=saved.final_t,
        final_events=saved.final_events,
    )


def _array(held: bytes, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.frombuffer(held, dtype=dtype).copy()


def _message(event: CanonicalEvent | None, frame: Positions | None) -> Message:
    if frame is not None:
        return frame
    assert event is not None
    return event
