"""Replay columns: what every player did 8 times a second, delta coded as in ``cs2-demo-format/3.0``.

Belongs here: resampling simulated steps to frames and coding columns.
Does not belong here: events (``demo_format.py``).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from esports_assets.simulate.geometry import Geometry
from esports_assets.simulate.record import STEP_TICKS, RoundRecord

FRAME_TICKS = 8
FRAMES_AFTER_END = 40
"""Frames run on for about five seconds after the decision, as in real exports."""
EYE_U = 64
ALIVE, BOMB, KIT = 1, 2, 4

Ints = NDArray[np.int64]


class Words:
    """A dictionary column: words to indices, in order of appearance."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._index: dict[str, int] = {}

    def code(self, word: str) -> int:
        """Index of a word, new ones at the end."""
        found = self._index.get(word)
        if found is None:
            found = self._index[word] = len(self.words)
            self.words.append(word)
        return found


def deltas(values: Ints) -> list[int]:
    """First value, then differences."""
    steps: list[int] = np.diff(values, prepend=0).tolist()
    return steps


def replay_round(record: RoundRecord, zero_tick: int, geo: Geometry, hands: Words) -> dict[str, Any]:
    """The replay of one round; ``zero_tick`` is the match tick of freeze end."""
    frames = record.end_tick // FRAME_TICKS + 1 + FRAMES_AFTER_END
    ticks = np.arange(frames) * FRAME_TICKS
    steps = len(record.places)
    at = np.minimum(ticks / STEP_TICKS, steps - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, steps - 1)
    part = (at - low)[:, None]
    where = np.array(record.places)
    x = where[low, :, 0] * (1 - part) + where[high, :, 0] * part
    y = where[low, :, 1] * (1 - part) + where[high, :, 1] * part
    height = geo.height_at(x, y)
    place = geo.place_at(x, y)
    looks = np.array(record.yaws)
    turn = (looks[high] - looks[low] + 180) % 360 - 180
    yaw = np.rint(((looks[low] + turn * part + 180) % 360 - 180) * 10).astype(np.int64)
    codes = np.array([[hands.code(hand) for hand in row] for row in record.hands])[low]
    columns = _states(record, ticks)
    whole = [np.rint(v).astype(np.int64) for v in (x, y, height)]
    pitch = np.rint(20 + 15 * np.sin(at * 0.37)).astype(np.int64)
    flash = _flashes(record, ticks)
    players = []
    for i in range(10):
        alive = columns["alive"][i]
        death = int(alive.sum())
        last = max(death - 1, 0)
        xyz = [np.concatenate([v[:death, i], np.full(frames - death, v[last, i])]) for v in whole]
        carried = columns["bomb"][i] & alive
        kit = alive & record.players[i].kit
        players.append(
            {
                "playerIndex": i,
                "x": deltas(xyz[0]),
                "y": deltas(xyz[1]),
                "z": deltas(xyz[2]),
                "yaw": deltas(yaw[:, i]),
                "pitch": deltas(np.where(alive, pitch, pitch[last])),
                "hp": columns["hp"][i].tolist(),
                "armor": columns["armor"][i].tolist(),
                "money": deltas(columns["money"][i]),
                "equipValue": deltas(np.where(alive, record.players[i].equipment, 0)),
                "weapon": np.where(alive, codes[:, i], -1).tolist(),
                "place": place[:, i].tolist(),
                "flash": flash[i].tolist(),
                "flags": (alive * ALIVE + carried * BOMB + kit * KIT).tolist(),
            }
        )
    return {
        "roundNumber": record.number,
        "startTick": zero_tick,
        "tickStep": FRAME_TICKS,
        "frameCount": frames,
        "players": players,
        "projectiles": [
            _projectile(record, throw_number, zero_tick, geo) for throw_number in range(len(record.throws))
        ],
    }


def _states(record: RoundRecord, ticks: Ints) -> dict[str, NDArray[Any]]:
    """Health, armour, money, life and bomb per player and frame, from the events."""
    frames = len(ticks)
    hp = np.full((10, frames), 100, dtype=np.int64)
    armor = np.array([[p.armor] for p in record.players]) * np.ones(frames, dtype=np.int64)
    money = np.array([[p.money] for p in record.players]) * np.ones(frames, dtype=np.int64)
    alive = np.ones((10, frames), dtype=bool)
    bomb = np.zeros((10, frames), dtype=bool)
    for d in record.damages:
        frame = -(-d.tick // FRAME_TICKS)
        hp[d.victim, frame:] = d.health_before - d.health
        armor[d.victim, frame:] = d.armor_after
    for k in record.kills:
        frame = -(-k.tick // FRAME_TICKS)
        alive[k.victim, frame:] = False
        hp[k.victim, frame:] = 0
        armor[k.victim, frame:] = 0
    for tick, player, amount in record.earned:
        money[player, -(-tick // FRAME_TICKS) :] += amount
    for b in record.bombs:
        if b.kind in ("picked_up", "dropped", "planted"):
            frame = max(0, -(-b.tick // FRAME_TICKS))
            bomb[:, frame:] = False
            if b.kind == "picked_up":
                bomb[b.actor, frame:] = True
    return {"hp": hp, "armor": armor, "money": money, "alive": alive, "bomb": bomb}


def _flashes(record: RoundRecord, ticks: Ints) -> Ints:
    """Tenths of a second of blindness."""
    flash = np.zeros((10, len(ticks)), dtype=np.int64)
    for blind in record.blinds:
        left = blind.tick + blind.seconds * 64 - ticks
        active = (ticks >= blind.tick) & (left > 0)
        flash[blind.flashed, active] = np.maximum(flash[blind.flashed, active], (left[active] / 6.4).astype(np.int64))
    return flash


def _projectile(record: RoundRecord, number: int, zero_tick: int, geo: Geometry) -> dict[str, Any]:
    """A grenade's flight: a parabola between throw and effect."""
    throw = record.throws[number]
    count = max(2, (throw.effect_tick - throw.throw_tick) // FRAME_TICKS)
    share = np.linspace(0.0, 1.0, count)
    x = throw.start[0] + (throw.end[0] - throw.start[0]) * share
    y = throw.start[1] + (throw.end[1] - throw.start[1]) * share
    ends = geo.height_at(x[[0, -1]], y[[0, -1]])
    z = ends[0] + (ends[1] - ends[0]) * share + EYE_U * (1 - share) + 500.0 * share * (1 - share)
    return {
        "grenade": throw.kind,
        "throwerIndex": throw.thrower,
        "startTick": zero_tick + throw.throw_tick,
        **{name: deltas(np.rint(v).astype(np.int64)) for name, v in (("x", x), ("y", y), ("z", z))},
    }
