"""State of a round at given instants, from its events and tracks.

Belongs here: which event changes what, and the latest frame of each player; nothing after an instant is ever read.
Does not belong here: which instants there are (``batch.py``) and what features make of the state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.windows.asof import Floats, Ints, Steps, Timeline, forward_fill, latest_frame, recent
from esports_assets.windows.history import PlayerHistory, TeamHistory
from esports_assets.windows.state_event import StateEvent
from esports_assets.windows.view import PRICES, PRIMARIES, RoundView, Sites

SMOKE_S = 20.0
"""How long a smoke stands, in seconds."""
FIRE_S = 7.0
"""How long a fire burns, in seconds."""
RECENT_S = 5.0
"""How long damage counts as recent, in seconds."""
NO_KILL_S = 60.0
"""Seconds since the last death where nobody died yet, and its cap."""
DEFUSE_REACH_U = 90.0
"""How near a defuser stands to the bomb in the plane, in game units."""
STILL_U = 1.25
"""How far a defuser moves between frames at most (10 units a second at 8 Hz)."""
DEAREST_PISTOL = 700.0
"""Price of the Desert Eagle: no sidearm is worth more."""

PRIMARY_CODE = {name: code for code, name in enumerate(PRIMARIES)}
"""Primary weapon to its position in ``PRIMARIES``."""


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """What is known of a round when it starts, and who won it (for the label and the history of later rounds only)."""

    number: int
    ct_team: str
    t_team: str
    ct: npt.NDArray[np.bool_]
    ct_score: float
    t_score: float
    winner: Side | None
    """None while the round is played."""
    duration_s: float | None
    economy: tuple[Mapping[str, Any] | None, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any], team_of: Sequence[str], events: Sequence[StateEvent]) -> "RoundFacts":
        """From a rounds row, the players' teams, and the round's events."""
        economy: list[Mapping[str, Any] | None] = [None] * len(team_of)
        for event in events:
            if event.type is EventType.ECONOMY_UPDATE and event.actor >= 0 and event.t <= 0.0:
                economy[event.actor] = event.payload
        return cls(
            number=row["segment"],
            ct_team=row["ct_team"],
            t_team=row["t_team"],
            ct=np.array([team == row["ct_team"] for team in team_of]),
            ct_score=float(row["ct_score_before"]),
            t_score=float(row["t_score_before"]),
            winner=_side(row["winner_side"]),
            duration_s=row["duration_s"],
            economy=tuple(economy),
        )

    def opponents(self, actor: int, target: int) -> bool:
        """Whether both are players and on different sides."""
        return actor >= 0 and target >= 0 and bool(self.ct[actor] != self.ct[target])

    def bought(self, key: str, unknown: float = 0.0) -> Floats:
        """One field of the players' economy at freeze end; ``unknown`` where the source says nothing."""
        said = [(e or {}).get(key) for e in self.economy]
        return np.array([unknown if value is None else float(value) for value in said])

    def equipment(self, side: Side) -> float:
        """Value of a side's equipment at freeze end; NaN where the source leaves one of its players out."""
        return float(self.bought("equipment_value", np.nan)[self.ct == (side is Side.CT)].sum())


@dataclass(frozen=True, slots=True)
class Tracks:
    """Frames of one round by frame (F) and player (P)."""

    t: Floats
    position: Floats
    yaw: Floats
    alive: npt.NDArray[np.bool_]
    has_kit: npt.NDArray[np.bool_]
    has_bomb: npt.NDArray[np.bool_]
    start_armor: Floats
    """Armour in the round's first frame where that stands at or before freeze end, NaN otherwise (P)."""
    primary: Ints
    """Code of the last primary weapon held up to each frame."""

    @classmethod
    def split(cls, table: pa.Table, players: Sequence[str]) -> dict[int, "Tracks"]:
        """The tracking table of a match, by round."""
        if table.num_rows == 0:
            return {}
        segment = table["segment"].to_numpy()
        column = {
            name: table[name].to_numpy()
            for name in ("t_s", "x_u", "y_u", "z_u", "yaw_deg", "alive", "has_kit", "has_bomb")
        }
        armor = table["armor"].cast(pa.float64()).to_numpy()
        who = _codes(table["player"], {player: i for i, player in enumerate(players)})
        weapon = _codes(table["weapon"], PRIMARY_CODE)
        found = {}
        for number in np.unique(segment):
            rows = np.flatnonzero((segment == number) & (who >= 0))
            if not len(rows):
                continue
            t, frame = np.unique(column["t_s"][rows].astype(np.float64), return_inverse=True)
            shape = (len(t), len(players))
            at = (frame, who[rows])

            def laid(values: npt.NDArray[Any], empty: Any, shape: Any = shape, at: Any = at, rows: Ints = rows) -> Any:
                out = np.full(shape, empty)
                out[at] = values[rows]
                return out

            found[int(number)] = cls(
                t=t,
                position=np.stack([laid(column[axis], np.nan) for axis in ("x_u", "y_u", "z_u")], axis=-1),
                yaw=laid(column["yaw_deg"], np.nan),
                alive=laid(column["alive"], False),
                has_kit=laid(column["has_kit"], False),
                has_bomb=laid(column["has_bomb"], False),
                start_armor=laid(armor, np.nan)[0] if t[0] <= 0.0 else np.full(len(players), np.nan),
                primary=forward_fill(laid(weapon, -1)),
            )
        return found


def _side(word: str | None) -> Side | None:
    return None if word is None else Side(word)


def _codes(column: pa.ChunkedArray, index: Mapping[str, int]) -> Ints:
    """Codes of a dictionary column in our own numbering; -1 for null and unknown."""
    array = column.combine_chunks()
    array = array if isinstance(array, pa.DictionaryArray) else pa.concat_arrays(array.chunks)
    mapping = np.array([*(index.get(value, -1) for value in array.dictionary.to_pylist()), -1])
    return np.asarray(mapping[array.indices.fill_null(len(mapping) - 1).to_numpy(zero_copy_only=False)], dtype=np.int64)


def fill_view(
    facts: RoundFacts,
    events: Sequence[StateEvent],
    tracks: Tracks | None,
    t: Floats,
    applied: Ints,
    teams: Mapping[str, TeamHistory],
    form: Sequence[PlayerHistory],
    sites: Sites,
) -> RoundView:
    """The view of a round at instants ``t`` that have seen the first ``applied`` events."""
    players, instants = len(facts.ct), len(t)
    bought = facts.bought
    state = _State(facts, events, tracks)
    frame = latest_frame(tracks.t, t) if tracks is not None else np.full(instants, -1)
    known = frame >= 0

    def seen(values: Any, empty: Any) -> Any:
        """A track's values at the latest frame of each instant."""
        out = np.full((instants, *values.shape[1:]), empty)
        out[known] = values[frame[known]]
        return out

    nothing = np.full((instants, players), np.nan)
    primary = np.where(state.primary0 >= 0, state.primary0, -1) * np.ones((instants, 1), dtype=np.int64)
    alive = state.health.as_of(applied) > 0
    kit = np.broadcast_to(bought("kit") > 0, (instants, players)).copy()
    position, yaw = np.full((instants, players, 3), np.nan), nothing
    still = np.zeros((instants, players))
    if tracks is not None:
        held = seen(tracks.primary, -1)
        primary = np.where(held >= 0, held, primary)
        alive &= seen(tracks.alive, True)
        kit = np.where(known[:, None], seen(tracks.has_kit, False), kit)
        position, yaw = seen(tracks.position, np.nan), seen(tracks.yaw, np.nan)
    bomb = state.bomb.as_of(applied)
    carrier = bomb[:, 4].astype(np.int64)
    if tracks is not None:
        by_flag = seen(tracks.has_bomb, False)
        carrier = np.where((carrier < 0) & (bomb[:, 3] == 0) & by_flag.any(axis=1), by_flag.argmax(axis=1), carrier)
    carried = (carrier >= 0) & alive[np.arange(instants), carrier]
    place = np.where(carried[:, None], position[np.arange(instants), carrier], bomb[:, :3])
    planted_t = bomb[:, 5]
    if tracks is not None:
        still = _still(tracks, frame, place, planted_t, facts.ct, alive)
    armor = np.where(alive, state.armor.as_of(applied), 0.0)
    prices = np.array([_price(code) for code in state.primary0])
    sidearm = np.clip(
        bought("equipment_value") - prices - 650 * (bought("armor") > 0) - 350 * (bought("helmet") > 0)
        - 200 * bought("grenade_count") - 400 * (bought("kit") > 0),
        0.0,
        DEAREST_PISTOL,
    )  # fmt: skip
    return RoundView(
        t=t,
        ct=facts.ct,
        alive=alive,
        health=np.where(alive, state.health.as_of(applied), 0.0),
        armor=armor,
        helmet=(bought("helmet") > 0) & (armor > 0),
        kit=kit & alive,
        grenades=np.where(alive, np.maximum(state.grenades.as_of(applied), 0.0), 0.0),
        primary=primary,
        start_equipment=bought("equipment_value"),
        sidearm=sidearm,
        money=bought("money", np.nan),
        position=position,
        yaw=yaw,
        blind_s=np.maximum(state.blind_until.as_of(applied) - t[:, None], 0.0),
        planted_t=planted_t,
        planted_at_a=bomb[:, 6],
        bomb=place,
        bomb_dropped=np.asarray(~carried & ~np.isnan(place[:, 0]) & np.isnan(planted_t)),
        smokes=recent(state.smokes[0], [1.0] * len(state.smokes[0]), state.smokes[1], t, applied, SMOKE_S),
        fires=recent(state.fires[0], [1.0] * len(state.fires[0]), state.fires[1], t, applied, FIRE_S),
        ct_damage_5s=recent(*state.damage(ct=True), t, applied, RECENT_S),
        t_damage_5s=recent(*state.damage(ct=False), t, applied, RECENT_S),
        since_kill_s=np.minimum(t - state.last_kill.as_of(applied)[:, 0], NO_KILL_S),
        still_s=still,
        rating=np.array([player.rating for player in form]),
        ct_form=teams[facts.ct_team].form(facts.equipment(Side.CT)),
        t_form=teams[facts.t_team].form(facts.equipment(Side.T)),
        ct_score=facts.ct_score,
        t_score=facts.t_score,
        round_number=facts.number,
        sites=sites,
    )


def _price(code: int) -> float:
    return PRICES[PRIMARIES[code]] if code >= 0 else 0.0


class _State:
    """Walks the events of a round once and records every change."""

    def __init__(self, facts: RoundFacts, events: Sequence[StateEvent], tracks: Tracks | None) -> None:
        players = len(facts.ct)
        armor = 100.0 * (facts.bought("armor") > 0)
        if tracks is not None:
            armor = np.where(np.isnan(tracks.start_armor), armor, tracks.start_armor)
        self.primary0 = np.array([PRIMARY_CODE.get((e or {}).get("primary") or "", -1) for e in facts.economy])
        self.health = Steps([100.0], players)
        self.armor = Steps(armor, players)
        self.grenades = Steps(facts.bought("grenade_count"), players)
        self.blind_until = Steps([-np.inf], players)
        # x, y, z, dropped or planted, carrier, planted t, planted at A
        self.bomb = Timeline((np.nan, np.nan, np.nan, 0.0, -1.0, np.nan, np.nan))
        self.last_kill = Timeline((-np.inf,))
        self.smokes: tuple[list[float], list[int]] = ([], [])
        self.fires: tuple[list[float], list[int]] = ([], [])
        self._facts = facts
        self._damage: list[tuple[float, float, int, bool]] = []
        self._health = np.full(players, 100.0)
        self._planted: tuple[float, ...] = ()
        for order, event in enumerate(events):
            self._apply(order, event)

    def damage(self, ct: bool) -> tuple[list[float], list[float], list[int]]:
        """Times, amounts and positions of the damage that one side dealt to the other."""
        mine = [d for d in self._damage if d[3] is ct]
        return [d[0] for d in mine], [d[1] for d in mine], [d[2] for d in mine]

    def _apply(self, order: int, event: StateEvent) -> None:
        kind, target, actor = event.type, event.target, event.actor
        if kind is EventType.DAMAGE and target >= 0:
            self._hurt(order, event)
        elif kind in (EventType.KILL, EventType.DEATH) and target >= 0:
            self.health.set(order, target, 0.0)
            self._health[target] = 0.0
            self.last_kill.set(order, event.t)
        elif kind is EventType.BLIND and target >= 0:
            self.blind_until.set(order, target, event.t + float(event.payload["duration_s"]))
        elif kind is EventType.UTILITY and actor >= 0:
            self.grenades.add(order, actor, -1.0)
        elif kind is EventType.UTILITY_EFFECT:
            shelf = {"smoke": self.smokes, "molotov": self.fires}.get(event.payload.get("grenade", ""))
            if shelf is not None:
                shelf[0].append(event.t)
                shelf[1].append(order)
        else:
            self._bomb(order, event)

    def _hurt(self, order: int, event: StateEvent) -> None:
        target, after = event.target, float(event.payload["health_after"])
        lost = max(self._health[target] - after, 0.0)
        if self._health[target] > 0:
            self.health.set(order, target, after)
            self._health[target] = after
        armor = event.payload.get("armor_after")
        if armor is not None:
            self.armor.set(order, target, float(armor))
        if self._facts.opponents(event.actor, target):
            self._damage.append((event.t, lost, order, bool(self._facts.ct[event.actor])))

    def _bomb(self, order: int, event: StateEvent) -> None:
        nowhere = (np.nan, np.nan, np.nan)
        pos = tuple(float(v) for v in event.payload.get("pos") or nowhere)
        if self._planted:
            return
        if event.type is EventType.BOMB_PICKED_UP:
            self.bomb.set(order, *nowhere, 0.0, float(event.actor), np.nan, np.nan)
        elif event.type is EventType.BOMB_DROPPED:
            self.bomb.set(order, *pos, 1.0, -1.0, np.nan, np.nan)
        elif event.type is EventType.BOMB_PLANTED:
            site = {"a": 1.0, "b": 0.0}.get(event.payload.get("site") or "", np.nan)
            self._planted = (*pos, 1.0, -1.0, event.t, site)
            self.bomb.set(order, *self._planted)


def _still(
    tracks: Tracks,
    frame: Ints,
    bomb: Floats,
    planted_t: Floats,
    ct: npt.NDArray[np.bool_],
    alive: npt.NDArray[np.bool_],
) -> Floats:
    """Seconds that each CT has stood still within reach of the planted bomb, as of each instant (I, P)."""
    planted = ~np.isnan(planted_t)
    out = np.zeros(alive.shape)
    if not planted.any():
        return out
    where = bomb[np.flatnonzero(planted)[0]]
    step = np.sqrt((np.diff(tracks.position[..., :2], axis=0, prepend=np.nan) ** 2).sum(axis=-1))
    near = np.sqrt(((tracks.position[..., :2] - where[:2]) ** 2).sum(axis=-1)) < DEFUSE_REACH_U
    stands = near & (step <= STILL_U) & ct & (tracks.t >= planted_t[planted][0])[:, None]
    start = np.where(stands, np.inf, tracks.t[:, None])
    since = np.maximum.accumulate(np.where(np.isinf(start), -np.inf, start), axis=0)
    run = np.where(stands, tracks.t[:, None] - since, 0.0)
    at = np.maximum(frame, 0)
    return np.where(planted[:, None] & (frame >= 0)[:, None] & alive, run[at], 0.0)
