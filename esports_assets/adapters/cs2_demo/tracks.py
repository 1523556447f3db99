"""Replay columns to the tracking table.

Belongs here: delta decoding, the cut at the round's end, state that only 2.0's one-second rows hold, the bomb's carrier.
Does not belong here: events.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.cs2_demo import mapping, raw
from esports_assets.adapters.cs2_demo.roster import Roster, RoundInfo
from esports_assets.adapters.cs2_demo.rows import RowReader
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.schema import TRACKING
from esports_assets.canonical.vocabulary import Side

Ints = npt.NDArray[np.int64]

_ALIVE, _BOMB, _KIT = 1, 2, 4
"""Bits of ``flags``; 2.0 never sets the bomb's."""

_SMALL = 1 << 15


def tracking_table(reader: RowReader, bombs: Sequence[raw.Bomb]) -> pa.Table:
    """All tracks of the match, ordered by round, time and player; rounds whose frames cannot be true go to the log.

    A round is tracked whole or not at all: without one of its players, distances and spreads would be wrong unnoticed.
    """
    parts, roster, demo = list(_parts(reader, bombs)), reader.roster, reader.opened.demo
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.empty(0, dtype)
        for name, dtype in _PART_TYPES.items()
    }
    weapons, weapon_codes = _names([mapping.weapon(name) for name in demo.replay.weaponDict], columns["weapon"])
    places, place_codes = _names(list(demo.replay.placeDict), columns["place"])
    player_codes = columns["player"]
    team_codes = np.array(roster.team_of, dtype=np.int32)[player_codes]
    size = len(player_codes)
    return table_of(
        TRACKING,
        {
            "match_id": (np.zeros(size, np.int32), [roster.header.match_id]),
            "segment": columns["segment"],
            "t_s": columns["t_s"],
            "player": (player_codes, roster.players),
            "team": (team_codes, roster.teams),
            "side": (columns["side"], [side.value for side in Side]),
            "x_u": columns["x"],
            "y_u": columns["y"],
            "z_u": columns["z"],
            "yaw_deg": columns["yaw"],
            "pitch_deg": _nullable(columns["pitch"]),
            "health": columns["hp"],
            "armor": _nullable(columns["armor"]),
            "money": _nullable(columns["money"]),
            "equipment_value": _nullable(columns["equipValue"]),
            "weapon": (weapon_codes, weapons),
            "place": (place_codes, places),
            "alive": columns["alive"],
            "has_bomb": columns["bomb"],
            "has_kit": columns["kit"],
        },
    )


_PART_TYPES: dict[str, npt.DTypeLike] = {
    "segment": np.int16,
    "t_s": np.float32,
    **dict.fromkeys(("player", "side"), np.int32),
    **dict.fromkeys(("x", "y", "z", "yaw", "pitch"), np.float32),
    "hp": np.int16,
    **dict.fromkeys(("armor", "money", "equipValue"), np.float64),
    **dict.fromkeys(("weapon", "place"), np.int64),
    **dict.fromkeys(("alive", "bomb", "kit"), np.bool_),
}
"""Columns of a round; NaN and a negative place or weapon stand for what is not known."""
_TRACK_COLUMNS = ("x", "y", "z", "yaw", "pitch", "hp", "armor", "money", "equipValue", "weapon", "place", "flags")
_DELTA = frozenset({"x", "y", "z", "yaw", "pitch", "money", "equipValue"})


def _parts(reader: RowReader, bombs: Sequence[raw.Bomb]) -> Iterator[dict[str, npt.NDArray[Any]]]:
    demo, roster, seen = reader.opened.demo, reader.roster, set[int]()
    try:
        scales = demo.replay.meta.divisors(roster.file, "replay.meta")
    except MalformedRecord as error:
        reader.log.add(error)
        return
    seconds = _Seconds(reader, demo.positions_1s) if demo.positions_1s else None
    for entry in sorted(demo.replay.rounds, key=lambda r: r.roundNumber):
        place = f"replay round {entry.roundNumber}"
        if entry.roundNumber in roster.left_out:
            reader.remark_left_out(entry.roundNumber, place)
            continue
        try:
            if entry.roundNumber in seen:
                raise MalformedRecord(roster.file, place, "the round stands twice")
            seen.add(entry.roundNumber)
            yield _round_part(reader, entry, scales, seconds, bombs)
        except MalformedRecord as error:
            reader.log.add(error)


def _round_part(
    reader: RowReader,
    entry: raw.ReplayRound,
    scales: tuple[float, float],
    seconds: "_Seconds | None",
    bombs: Sequence[raw.Bomb],
) -> dict[str, npt.NDArray[Any]]:
    roster, demo, delta_coded = reader.roster, reader.opened.demo, reader.opened.is_delta_coded
    place = f"replay round {entry.roundNumber}"
    info = roster.rounds.get(entry.roundNumber)
    if info is None:
        raise MalformedRecord(roster.file, place, "the match has no such round")
    if entry.tickStep <= 0 or abs(entry.startTick - info.raw.freezeEndTick) > roster.ticks_per_s:
        reason = f"frames start at tick {entry.startTick} in steps of {entry.tickStep}; freeze end is {info.raw.freezeEndTick}"
        raise MalformedRecord(roster.file, place, f"the clock is not the round's: {reason}")
    who = [_player(roster, track, f"{place} player {k}") for k, track in enumerate(entry.players)]
    if not who or len(set(who)) != len(who):
        raise MalformedRecord(roster.file, place, f"{len(who)} tracks of {len(set(who))} players")
    for track in entry.players:
        _check_lengths(roster, track, entry)
    frames = max(0, min(entry.frameCount, (info.raw.endTick - entry.startTick) // entry.tickStep + 1))
    ticks = entry.startTick + np.arange(frames, dtype=np.int64) * entry.tickStep
    coordinates, angles = scales
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in _TRACK_COLUMNS:
        told = [getattr(track, name) for track in entry.players]
        columns[name] = _column(told, delta_coded and name in _DELTA, frames)
    for name, scale in (*((axis, coordinates) for axis in "xyz"), ("yaw", angles), ("pitch", angles)):
        columns[name] = columns[name] / scale
    for name, limit in (("hp", _SMALL), ("armor", _SMALL), ("flags", 1 << 31)):
        if (np.abs(columns[name]) >= limit).any():
            raise MalformedRecord(roster.file, f"{place}.{name}", "holds a number that is far out of range")
    for name, words in (("weapon", demo.replay.weaponDict), ("place", demo.replay.placeDict)):
        if (columns[name] >= len(words)).any():
            raise MalformedRecord(roster.file, f"{place}.{name}", f"an index is not one of {len(words)} {name}s")
    columns["place"] = np.nan_to_num(columns["place"], nan=-1)
    flags = columns["flags"]
    columns["alive"] = flags & _ALIVE > 0
    columns["kit"] = flags & _KIT > 0
    columns["bomb"] = flags & _BOMB > 0 if delta_coded else _carrier(roster, bombs, info, ticks, who)
    if seconds is not None:
        columns.update(seconds.as_of(entry.roundNumber, ticks, who))
    shape = columns["x"].shape
    columns["player"] = np.broadcast_to(np.array(who), shape)
    sides = [list(Side).index(roster.side(p, entry.roundNumber)) for p in who]
    columns["side"] = np.broadcast_to(np.array(sides), shape)
    columns["segment"] = np.broadcast_to(np.array(entry.roundNumber), shape)
    t_s = (ticks - info.clock.zero_tick) / info.clock.ticks_per_s
    columns["t_s"] = np.broadcast_to(t_s[:, None], shape)
    return {name: columns[name].astype(dtype, order="C", copy=False).ravel() for name, dtype in _PART_TYPES.items()}


def _player(roster: Roster, track: raw.Track, place: str) -> int:
    player = roster.who(track.steamId64, track.playerIndex, place)
    if player is None:
        raise MalformedRecord(roster.file, place, "a track names no player")
    return player


def _check_lengths(roster: Roster, track: raw.Track, entry: raw.ReplayRound) -> None:
    for name in _TRACK_COLUMNS:
        values = getattr(track, name)
        if values is not None and len(values) != entry.frameCount:
            who = track.playerIndex if track.steamId64 is None else track.steamId64
            place = f"replay round {entry.roundNumber} {who}.{name}"
            raise MalformedRecord(roster.file, place, f"{len(values)} values for {entry.frameCount} frames")


def _column(told: Sequence[list[int] | None], delta: bool, frames: int) -> npt.NDArray[Any]:
    """A column of all tracks, a row for each frame; NaN where a track does not tell it."""
    known = [values for values in told if values is not None]
    pack = Struct(f"{frames}q").pack  # twice as fast as numpy's own way from a list
    whole = np.frombuffer(b"".join([pack(*values[:frames]) for values in known]), np.int64).reshape(len(known), frames)
    if delta:
        whole = np.cumsum(whole, axis=1)
    if len(known) < len(told):
        some = np.full((len(told), frames), np.nan)
        some[[values is not None for values in told]] = whole
        return some.T
    return whole.T


def _carrier(
    roster: Roster, bombs: Iterable[raw.Bomb], info: RoundInfo, ticks: Ints, who: list[int]
) -> npt.NDArray[np.bool_]:
    """Who is known to carry the bomb at each tick: from pick-up to drop or plant, never inferred backwards."""
    carries = np.zeros((len(ticks), len(who)), dtype=bool)
    for bomb in sorted(bombs, key=lambda bomb: bomb.tick):
        if bomb.roundNumber != info.raw.roundNumber:
            continue
        after = ticks >= bomb.tick
        carries[after] = False
        player = roster.who(bomb.actorSteamId64, bomb.actorIndex, "bombs")
        if bomb.type in ("picked_up", "plant_begin") and player in who:
            carries[after, who.index(player)] = True
    return carries


class _Seconds:
    """2.0's one-second rows, looked up as of a tick: the latest row at or before it."""

    def __init__(self, reader: RowReader, rows: list[raw.Second]) -> None:
        who, kept = list[int](), list[raw.Second]()
        known = reader.roster.index_of
        for number, row in reader.opened.numbered("positions-1s", rows):
            player = known.get(row.steamId64)
            if player is None:
                reason = f"player {row.steamId64!r} is not in the match's list of players"
                reader.log.add(MalformedRecord(reader.roster.file, f"positions-1s[{number}]", reason))
            else:
                who.append(player)
                kept.append(row)
        told = np.array([(row.roundNumber, row.tick, row.armor, row.money) for row in kept], dtype=np.int64)
        numbers, ticks, armors, values = told.reshape(-1, 4).T
        players = np.array(who, dtype=np.int64)
        order = np.lexsort((ticks, players, numbers))
        self._ticks = ticks[order]
        self._told = {"armor": armors[order].astype(np.float64), "equipValue": values[order].astype(np.float64)}
        self._spans = _spans(numbers[order], players[order])

    def as_of(self, round_number: int, ticks: Ints, who: list[int]) -> dict[str, npt.NDArray[np.float64]]:
        """Armour and equipment value per tick and player; NaN before the first row."""
        found = {name: np.full((len(who), len(ticks)), np.nan) for name in self._told}
        for k, player in enumerate(who):
            start, end = self._spans.get((round_number, player), (0, 0))
            after = np.searchsorted(self._ticks[start:end], ticks, side="right")
            first = int(np.searchsorted(after, 1))
            for name, values in self._told.items():
                found[name][k, first:] = values[start + after[first:] - 1]
        return {name: values.T for name, values in found.items()}


def _spans(numbers: Ints, players: Ints) -> dict[tuple[int, int], tuple[int, int]]:
    """Where the rows of each round and player stand among rows that are sorted by them."""
    changes = np.flatnonzero((np.diff(numbers) != 0) | (np.diff(players) != 0)) + 1
    bounds = [0, *changes.tolist(), len(numbers)] if len(numbers) else [0]
    return {(int(numbers[start]), int(players[start])): (start, end) for start, end in pairwise(bounds)}


def _nullable(values: npt.NDArray[np.float64]) -> pa.Array:
    missing = np.isnan(values)
    return pa.array(np.where(missing, 0, values), mask=missing if missing.any() else None)


def _names(names: list[str], codes: Ints) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Dictionary of distinct names and the codes into it; negative indexes become null (-1)."""
    distinct = sorted(set(names))
    position = np.array([distinct.index(name) for name in names] + [-1], dtype=np.int32)
    return distinct, position[np.maximum(codes, -1)]
