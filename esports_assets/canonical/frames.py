"""Frames: the tracking table as single events, so that positions travel through the stream like everything else.

A frame is one POSITION_UPDATE event without an actor: every tracked player at one instant of one round. Its payload is

    {"frame": [row, ...], "teams": [[team id, side], ...]}
    row = [player, x, y, z, yaw, alive, k, health, armor, weapon, equipment_value, has_bomb, has_kit, pitch, money, place]

with the units and meanings of the TRACKING columns; ``k`` is the row's index into ``teams``. The values after ``health`` are
left out from the end as long as they are null or false. Nothing is lost: numbers are the shortest decimals that give the
same 32-bit float again, ``t`` is that of the rows, and ``seq`` numbers the frames of a match from 0 (a numbering of its own,
beside that of the EVENTS table, where frames never stand). ``event_id`` follows from match, round and instant.

Belongs here: the payload, tables to frames and back. Pure.
Does not belong here: positions that a source tells as events (POSITION_UPDATE with an actor), streams, sampling.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Meta

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.codec import rows_of, table_of
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, event_id
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import TRACKING
from esports_assets.canonical.vocabulary import EventType, Side

_LARGEST = float(np.finfo(np.float32).max)
_Single = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
_Small = Annotated[int, Meta(ge=-(1 << 15), le=(1 << 15) - 1)]
_Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


class FrameError(ValueError):
    """Why something is not a frame, or a table cannot become frames, in one sentence."""


class FrameRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One player of a frame, in the order of the payload."""

    player: str
    x: _Single
    y: _Single
    z: _Single
    yaw: _Single | None
    alive: bool
    team_index: Annotated[int, Meta(ge=0)]
    health: _Small
    armor: _Small | None = None
    weapon: str | None = None
    equipment_value: _Integer | None = None
    has_bomb: bool = False
    has_kit: bool = False
    pitch: _Single | None = None
    money: _Integer | None = None
    place: str | None = None


class Frame(msgspec.Struct, frozen=True, gc=False):
    """The payload of a frame, checked: every row's ``team_index`` is one of ``teams``."""

    frame: tuple[FrameRow, ...]
    teams: tuple[tuple[str, Side], ...]

    def team(self, row: FrameRow) -> str:
        """Whose team a row's player is in."""
        return self.teams[row.team_index][0]

    def side(self, row: FrameRow) -> Side:
        """Which side that team plays in this round."""
        return self.teams[row.team_index][1]


_COLUMN_OF = {
    "player": "player",
    "x": "x_u",
    "y": "y_u",
    "z": "z_u",
    "yaw": "yaw_deg",
    "alive": "alive",
    "health": "health",
    "armor": "armor",
    "weapon": "weapon",
    "equipment_value": "equipment_value",
    "has_bomb": "has_bomb",
    "has_kit": "has_kit",
    "pitch": "pitch_deg",
    "money": "money",
    "place": "place",
}
"""Field of a row to column of TRACKING; team and side stand in ``teams``."""

_FIELDS = FrameRow.__struct_fields__
_REQUIRED = _FIELDS.index("health") + 1


def is_frame(event: CanonicalEvent) -> bool:
    """Whether an event claims to be a frame."""
    return event.event_type is EventType.POSITION_UPDATE and "frame" in event.payload


def frame_of(event: CanonicalEvent) -> Frame:
    """The checked payload of a frame; FrameError says what is wrong with it."""
    try:
        frame = msgspec.convert(event.payload, Frame)
    except msgspec.ValidationError as error:
        raise FrameError(f"frame {event.event_id}: {error}") from error
    fault = fault_of(frame, event.t)
    if fault is not None:
        raise FrameError(f"frame {event.event_id}: {fault}")
    return frame


def fault_of(frame: Frame, t: float | None) -> str | None:
    """What types alone do not tell: a time that is no instant, or a row of a team that is not there."""
    if t is None or not -_LARGEST <= t <= _LARGEST:
        return f"t is {t}, which is no instant of a round"
    known = len(frame.teams)
    for row in frame.frame:
        if row.team_index >= known:
            return f"{row.player} is in team {row.team_index} of {known}"
    return None


def zeros_of(match: CanonicalMatch) -> dict[int, int]:
    """Source time (µs) at which the clock of each round is 0: from the rounds table, else from the round's own events."""
    zeros: dict[int, int] = {}
    moments = match.events["timestamp"].cast(pa.int64()).to_pylist()
    told = rows_of(match.events, "segment", "t_s", "event_type")
    for moment, (segment, t_s, kind) in zip(moments, told, strict=True):
        if t_s is not None and (segment not in zeros or kind == EventType.FREEZE_END.value):
            zeros[segment] = moment - round(t_s * 1_000_000)
    starts = match.rounds["started_at"].cast(pa.int64()).to_pylist()
    known = zip(match.rounds["segment"].to_pylist(), starts, strict=True)
    return zeros | {segment: start for segment, start in known if start is not None}


def count_frames(tracking: pa.Table) -> int:
    """How many frames a tracking table has."""
    return int(_run_starts(tracking["segment"].to_numpy(), tracking["t_s"].to_numpy()).size)


def frames_of(tracking: pa.Table, header: MatchHeader, zeros: Mapping[int, int]) -> Iterator[CanonicalEvent]:
    """The frames of a tracking table, in its order: one per run of rows with the same round and instant.

    Raises FrameError for a round whose zero is not among ``zeros``: its frames would have no source time; and for a time that is
    out of the calendar.
    """
    segments, t_s = tracking["segment"].to_numpy(), tracking["t_s"].to_numpy()
    starts = _run_starts(segments, t_s)
    unknown = sorted(set(segments[starts].tolist()) - set(zeros))
    if unknown:
        raise FrameError(f"{header.match_id}: the tracks of round {unknown[0]} have no source time")
    moments = zip(segments[starts].tolist(), _shortest(t_s[starts]).tolist(), _payloads(tracking, starts), strict=True)
    meta = IngestionMeta(source=header.source, simulated=header.simulated)
    met: dict[tuple[int, float], int] = {}
    for number, (segment, t, payload) in enumerate(moments):
        index = met[segment, t] = met.get((segment, t), -1) + 1
        yield CanonicalEvent(
            event_id=event_id("frame", header.match_id, f"{segment}:{t!r}", index),
            match_id=header.match_id,
            event_type=EventType.POSITION_UPDATE,
            timestamp=_moment(header, segment, zeros[segment], t),
            payload=payload,
            ingestion_meta=meta,
            title=header.title,
            series_id=header.series_id,
            map=header.map,
            segment=segment,
            t=t,
            seq=number,
        )


def frame_times(tracking: pa.Table, zeros: Mapping[int, int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """The first row of every frame of a tracking table, and its source time (µs); -1 where that is not known.

    It is not where the round's zero is not, nor out of the calendar.
    """
    segments, t_s = tracking["segment"].to_numpy(), tracking["t_s"].to_numpy()
    starts = _run_starts(segments, t_s)
    rounds, of_frame = np.unique(segments[starts], return_inverse=True)
    zero = np.array([zeros.get(segment, -1) for segment in rounds.tolist()], dtype=np.int64)[of_frame]
    since = _shortest(t_s[starts])
    known = (zero >= 0) & (np.abs(since) <= _CALENDAR_S)
    return starts, np.where(known, zero + np.round(np.where(known, since, 0.0) * 1_000_000).astype(np.int64), -1)


_CALENDAR_S = 1e11
"""Longer than the calendar, and small enough to be told in microseconds."""


def _moment(header: MatchHeader, segment: int, zero: int, t: float) -> datetime:
    try:
        return from_utc_us(zero + round(t * 1_000_000))
    except OverflowError as error:
        raise FrameError(f"{header.match_id}: a track of round {segment} is at {t} s, out of the calendar") from error


_AT_ONCE = 512
"""So many frames are taken out of their columns together."""


def _payloads(tracking: pa.Table, starts: npt.NDArray[np.intp]) -> Iterator[dict[str, Any]]:
    bounds = [*starts.tolist(), tracking.num_rows]
    for first in range(0, len(starts), _AT_ONCE):
        block = bounds[first : first + _AT_ONCE + 1]
        part = tracking.slice(block[0], block[-1] - block[0])
        sides = list(zip(_values(part["team"]), _values(part["side"]), strict=True))
        spans = list(pairwise(position - block[0] for position in block))
        teams = [list(dict.fromkeys(sides[start:end])) for start, end in spans]
        indexes = [met.index(side) for met, (start, end) in zip(teams, spans, strict=True) for side in sides[start:end]]
        rows = _rows(part, indexes)
        for met, (start, end) in zip(teams, spans, strict=True):
            yield {"frame": rows[start:end], "teams": met}


def _rows(tracking: pa.Table, team_indexes: list[int]) -> list[tuple[Any, ...]]:
    """Every row as it stands in a payload."""
    columns: list[list[Any]] = []
    lengths = np.full(tracking.num_rows, _REQUIRED)
    for position, field in enumerate(_FIELDS):
        if field == "team_index":
            columns.append(team_indexes)
            continue
        column = tracking[_COLUMN_OF[field]]
        columns.append(_values(column))
        if position >= _REQUIRED:
            told = column.is_valid() if not pa.types.is_boolean(column.type) else column
            lengths[told.to_numpy()] = position + 1
    return [row[:length] for row, length in zip(zip(*columns, strict=True), lengths.tolist(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values as Python's own, several times faster than ``to_pylist``."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        words = np.array([*array.dictionary.to_pylist(), None], dtype=object)
        return list(words[array.indices.fill_null(-1).to_numpy()].tolist())
    numbers = (array.fill_null(0) if array.null_count else array).to_numpy(zero_copy_only=False)
    values: list[Any] = (_shortest(numbers) if pa.types.is_float32(array.type) else numbers).tolist()
    if array.null_count:
        for missing in np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False)).tolist():
            values[missing] = None
    return values


def _shortest(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """For each 32-bit float the 64-bit one with the fewest decimals that rounds to it."""
    exact = values.astype(np.float64)
    found, left = exact.copy(), np.arange(len(values))
    for decimals in range(10):
        candidate = np.round(exact[left], decimals)
        fits = candidate.astype(np.float32) == values[left]
        found[left[fits]] = candidate[fits]
        left = left[~fits]
        if not len(left):
            break
    return found


def _run_starts(segments: npt.NDArray[Any], t_s: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    if not len(segments):
        return np.empty(0, np.intp)
    bits = t_s.view(np.int32)  # 0 and -0 are two instants, so that both come back
    changes = (segments[1:] != segments[:-1]) | (bits[1:] != bits[:-1])
    return np.concatenate([np.zeros(1, np.intp), np.flatnonzero(changes) + 1])


def tracking_of(frames: Iterable[tuple[CanonicalEvent, Frame]]) -> pa.Table:
    """The tracking table of frames, ordered by their ``seq``: the inverse of ``frames_of``."""
    ordered = sorted(frames, key=lambda pair: pair[0].seq)
    rows = [(event, frame, row) for event, frame in ordered for row in frame.frame]
    columns: dict[str, Any] = {
        "match_id": [event.match_id for event, _, _ in rows],
        "segment": [event.segment for event, _, _ in rows],
        "t_s": np.array([event.t for event, _, _ in rows], dtype=np.float32),
        "team": [frame.team(row) for _, frame, row in rows],
        "side": [frame.side(row).value for _, frame, row in rows],
    }
    for field, name in _COLUMN_OF.items():
        columns[name] = [getattr(row, field) for _, _, row in rows]
    return table_of(TRACKING, columns)
