"""A match in progress as bytes and back.

Belongs here: the saved form; a restored match goes on as if nothing had happened.
Does not belong here: where the bytes are kept.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.windows.micro.facts import Fact
from esports_assets.windows.micro.match_log import MatchLog
from esports_assets.windows.micro.round_log import RoundLog
from esports_assets.windows.micro.spec import MicroWindow, micro_spec
from esports_assets.windows.micro.standing import Of, Standing
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
    people: bytes
    bomb: bytes
    facts: list[Fact]
    ids: list[str]
    ct_team: str | None
    end_t: float
    heard_t: float
    final_rows: int
    announced_rows: int
    final_t: float
    unannounced: list[float]


class _Match(msgspec.Struct, array_like=True):
    settings: tuple[str, float | None, int]
    """Fingerprint of the window, rate, lateness."""
    match_id: str
    about: tuple[str, str, bool] | None
    teams: dict[str, str]
    sites: tuple[Triple, Triple]
    words: list[str]
    rounds: list[_Round]
    over: dict[int, int]
    waiting: list[tuple[CanonicalEvent | None, Positions | None]]
    latest_us: int
    ended: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Match).decode


def save_match(match: MatchLog) -> bytes:
    """Everything that is kept of a match."""
    lineup = match.lineup
    return _encode(
        _Match(
            settings=_settings(match.window, match.lateness_us),
            match_id=match.match_id,
            about=None if lineup is None else (lineup.series_id, lineup.map, lineup.simulated),
            teams={} if lineup is None else dict(zip(lineup.players, lineup.teams, strict=True)),
            sites=(match.sites.a, match.sites.b),
            words=match.words.known,
            rounds=[_saved(own) for own in match.rounds.values()],
            over=match.over,
            waiting=[(None, m) if isinstance(m, Positions) else (m, None) for m in match.waiting],
            latest_us=match.latest_us,
            ended=match.ended,
        )
    )


def load_match(saved: bytes, window: MicroWindow, lateness_us: int) -> MatchLog:
    """The match as it was saved; ValueError for bytes that are no checkpoint of this window, rate and lateness."""
    try:
        held = _decode(saved)
    except msgspec.DecodeError as error:
        raise ValueError(f"these bytes are no checkpoint of cs2/player_micro: {error}") from error
    if held.settings != _settings(window, lateness_us):
        raise ValueError(
            f"the checkpoint of {held.match_id} was made with {held.settings} (window, rate, lateness in microseconds), "
            f"and this is {_settings(window, lateness_us)}: rebuild the match from the lake"
        )
    lineup = None if held.about is None else Lineup.of(held.match_id, *held.about, held.teams)
    words = Words(held.words)
    players = () if lineup is None else lineup.players
    return MatchLog(
        match_id=held.match_id,
        lateness_us=lateness_us,
        window=window,
        lineup=lineup,
        sites=Sites(*held.sites),
        words=words,
        rounds={own.segment: _loaded(own, players, words, window) for own in held.rounds},
        over=held.over,
        waiting=[_message(event, frame) for event, frame in held.waiting],
        latest_us=held.latest_us,
        ended=held.ended,
    )


def _settings(window: MicroWindow, lateness_us: int) -> tuple[str, float | None, int]:
    return micro_spec(window.window_s).fingerprint, window.rate_hz, lateness_us


def _saved(own: RoundLog) -> _Round:
    own.frames.settle()
    return _Round(
        segment=own.segment,
        zero_us=own.zero_us,
        frame_t=own.frames.t.tobytes(),
        frame_data=own.frames.data.tobytes(),
        people=own.base.people.tobytes(),
        bomb=own.base.bomb.tobytes(),
        facts=own.facts,
        ids=sorted(own.ids),
        ct_team=own.ct_team,
        end_t=own.end_t,
        heard_t=own.heard_t,
        final_rows=own.final_rows,
        announced_rows=own.announced_rows,
        final_t=own.final_t,
        unannounced=own.unannounced,
    )


def _loaded(saved: _Round, players: tuple[str, ...], words: Words, window: MicroWindow) -> RoundLog:
    t = _array(saved.frame_t, np.float64)
    data = _array(saved.frame_data, np.float32).reshape(len(t), len(players), len(In))
    people = _array(saved.people, np.float64).reshape(len(Of), len(players))
    return RoundLog(
        segment=saved.segment,
        zero_us=saved.zero_us,
        frames=FrameLog(players, words, t, data),
        base=Standing(people, _array(saved.bomb, np.float64)),
        every_frame=window.rate_hz is None,
        facts=saved.facts,
        ids=set(saved.ids),
        ct_team=saved.ct_team,
        end_t=saved.end_t,
        heard_t=saved.heard_t,
        final_rows=saved.final_rows,
        announced_rows=saved.announced_rows,
        final_t=saved.final_t,
        unannounced=saved.unannounced,
    )


def _array(held: bytes, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.frombuffer(held, dtype=dtype).copy()


def _message(event: CanonicalEvent | None, frame: Positions | None) -> Message:
    if frame is not None:
        return frame
    assert event is not None
    return event
