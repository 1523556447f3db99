"""Matches of decided rounds, made at random: anything that a source may say in them, as tables of the lake.

Rounds come one after another, 150 s apart, and end within 30 s; players of a frame are left out, events come before freeze end
and after the decision, several at one instant.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent, event_id
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Side, Title
from esports_assets.windows.view import Sites

MATCH, SERIES, MAP = "made:one:1", "made:one", "de_made"
TEAM = {"b2": "beta", "a1": "alpha", "b1": "beta", "a2": "alpha"}
"""In no order, as a source may tell it. Alpha plays CT in odd rounds."""
SITES = Sites((1000.0, 0.0, 0.0), (-1000.0, 0.0, 0.0))
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUND_S = 150.0

_KINDS = (
    *(EventType.KILL, EventType.DEATH, EventType.DAMAGE, EventType.DAMAGE, EventType.SHOT, EventType.BLIND),
    *(EventType.UTILITY, EventType.UTILITY_EFFECT, EventType.ECONOMY_UPDATE, EventType.BOMB_PICKED_UP),
    *(EventType.BOMB_DROPPED, EventType.BOMB_PLANT_BEGIN, EventType.BOMB_PLANTED, EventType.BOMB_DEFUSE_BEGIN),
    *(EventType.BOMB_DEFUSED, EventType.BOMB_EXPLODED, EventType.GENERIC),
)


def sides(segment: int) -> tuple[str, str]:
    """The teams on the CT and the T side."""
    return ("alpha", "beta") if segment % 2 else ("beta", "alpha")


def zero(segment: int) -> datetime:
    """Source time of a round's freeze end."""
    return START + timedelta(seconds=ROUND_S * segment)


class Made:
    """Events and frames of a match, said in any order; ``match`` puts them in the order of the lake."""

    def __init__(self) -> None:
        self._said: list[tuple[tuple[int, float, int], dict[str, Any]]] = []
        self._frames: list[dict[str, Any]] = []
        self._rounds: list[dict[str, Any]] = []
        self._won = dict.fromkeys(TEAM.values(), 0)
        self.say(0, None, EventType.MAP_START, payload={"players": TEAM})

    def say(self, segment: int, t: float | None, kind: EventType, **more: Any) -> None:
        """An event."""
        place = (segment or (0 if kind is EventType.MAP_START else 999), -1e9 if t is None else t, len(self._said))
        self._said.append((place, {"segment": segment, "t": t, "event_type": kind, "payload": {}, **more}))

    def frame(self, segment: int, t: float, player: str, **more: Any) -> None:
        """Where a player is at an instant."""
        known: dict[str, Any] = {"x_u": 0.0, "y_u": 0.0, "z_u": 0.0, "yaw_deg": None, "health": 100, "alive": True}
        team = TEAM[player]
        side = "ct" if team == sides(segment)[0] else "t"
        keys = {"segment": segment, "t_s": float(np.float32(t)), "player": player, "team": team, "side": side}
        self._frames.append({**known, "has_bomb": False, "has_kit": False, **more, **keys})

    def begin(self, segment: int, *, start: bool = True, freeze: bool = True) -> None:
        """A round begins; one of the two events may be missing."""
        ct, t = sides(segment)
        told = {"ct_team": ct, "t_team": t, "ct_score": self._won[ct], "t_score": self._won[t]}
        if start:
            self.say(segment, -5.0, EventType.ROUND_START, payload=told)
        if freeze:
            self.say(segment, 0.0, EventType.FREEZE_END, payload=told)

    def end(self, segment: int, t: float, winner: Side = Side.CT, reason: str = "t_eliminated") -> None:
        """A round is decided."""
        ct, other = sides(segment)
        before = self._won[ct], self._won[other]
        team = ct if winner is Side.CT else other
        self._won[team] += 1
        told = {"ct_team": ct, "t_team": other, "ct_score": self._won[ct], "t_score": self._won[other]}
        self.say(segment, t, EventType.ROUND_END, payload={**told, "winner_side": winner.value, "reason": reason})
        row = dict.fromkeys(ROUNDS.names)
        row |= {
            "match_id": MATCH,
            "series_id": SERIES,
            "title": "cs2",
            "source": "made",
            "simulated": False,
            "map": MAP,
        }
        row |= {
            "segment": segment,
            "started_at": utc_us(zero(segment)),
            "duration_s": t,
            "ct_team": ct,
            "t_team": other,
        }
        row |= {"ct_score_before": before[0], "t_score_before": before[1], "winner_side": winner.value}
        self._rounds.append(row | {"winner_team": team, "end_reason": reason})

    def events(self) -> list[CanonicalEvent]:
        """In the order of the source."""
        said = [told for _, told in sorted(self._said, key=lambda pair: pair[0])]
        return [
            CanonicalEvent(
                event_id=event_id("made", MATCH, seq),
                match_id=MATCH,
                timestamp=zero(told["segment"]) + timedelta(seconds=told["t"] or 0.0),
                title=Title.CS2,
                series_id=SERIES,
                map=MAP,
                seq=seq,
                **told,
            )
            for seq, told in enumerate(said)
        ]

    def match(self) -> CanonicalMatch:
        """As the lake holds it."""
        frames = sorted(self._frames, key=lambda row: (row["segment"], row["t_s"], row["player"]))
        columns = {name: [row.get(name) for row in frames] for name in TRACKING.names} | {
            "match_id": [MATCH] * len(frames)
        }
        rows = {name: [row[name] for row in self._rounds] for name in ROUNDS.names}
        who = {"match_id": [MATCH] * len(TEAM), "player": list(TEAM), "team": list(TEAM.values())}
        names = {"player_name": list(TEAM), "team_name": list(TEAM.values())}
        return CanonicalMatch(
            MatchHeader(MATCH, SERIES, Title.CS2, MAP, "made"),
            events_table(self.events()),
            table_of(TRACKING, columns),
            table_of(ROUNDS, rows),
            table_of(PLAYERS, {**who, **names}),
        )


def random_match(seed: int, rounds: int, events: int, frames: int) -> CanonicalMatch:
    """Anything."""
    rng, made = np.random.default_rng(seed), Made()
    for segment in range(1, rounds + 1):
        missing = int(rng.integers(5))
        made.begin(segment, start=missing != 0, freeze=missing != 1)
        for player in TEAM:
            if rng.random() < 0.9:
                made.say(segment, 0.0, EventType.ECONOMY_UPDATE, actor=player, payload=_economy(rng))
        for t in rng.integers(-64, 30 * 8, events) / 8:
            _happen(made, rng, segment, float(t))
        for t in rng.choice(np.arange(-64, 30 * 8), frames, replace=False) / 8:
            for player in TEAM:
                if rng.random() < 0.8:
                    _stand(made, rng, segment, float(t), player)
        winner = [Side.CT, Side.T][int(rng.integers(2))]
        made.end(
            segment, float(rng.integers(1, 31 * 8) / 8), winner, "ct_eliminated" if winner is Side.T else "t_eliminated"
        )
    made.say(rounds, 32.0, EventType.MAP_END)
    return made.match()


def _economy(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "money": [None, int(rng.integers(0, 9000))][int(rng.random() < 0.9)],
        "equipment_value": int(rng.integers(200, 7000)),
        "armor": bool(rng.integers(2)),
        "helmet": bool(rng.integers(2)),
        "kit": [None, True, False][rng.integers(3)],
        "primary": [None, "ak47", "awp", "mp9"][rng.integers(4)],
        "grenade_count": int(rng.integers(0, 5)),
    }


def _happen(made: Made, rng: np.random.Generator, segment: int, t: float) -> None:
    kind = _KINDS[rng.integers(len(_KINDS))]
    actor, target = (str(rng.choice([*TEAM, "nobody"])) for _ in range(2))
    pos = [None, [float(v) for v in rng.uniform(-900, 900, 3)]][rng.integers(2)]
    payload: dict[str, Any] = {"pos": pos}
    if kind is EventType.DAMAGE:
        payload |= {"health_after": int(rng.integers(0, 100)), "armor_after": [None, 40][rng.integers(2)]}
    elif kind is EventType.BLIND:
        payload |= {"duration_s": float(rng.uniform(0, 5))}
    elif kind is EventType.UTILITY_EFFECT:
        payload |= {"grenade": str(rng.choice(["smoke", "molotov", "flashbang"]))}
    elif kind is EventType.ECONOMY_UPDATE:
        payload = _economy(rng)
    elif kind is EventType.BOMB_PLANTED:
        payload |= {"site": [None, "a", "b"][rng.integers(3)], "pos": [pos, [30.0, 0.0, 0.0]][rng.integers(2)]}
    elif kind is EventType.KILL:
        payload |= {"trade": bool(rng.integers(2))}
    made.say(segment, t, kind, actor=actor, target=target, payload=payload)


def _stand(made: Made, rng: np.random.Generator, segment: int, t: float, player: str) -> None:
    x, y, yaw = (float(np.float32(v)) for v in rng.uniform(-500, 500, 3))
    still = rng.random() < 0.7
    alive = bool(rng.random() < 0.95)
    made.frame(
        *(segment, t, player),
        x_u=0.0 if still else x,
        y_u=0.0 if still else y,
        yaw_deg=None if rng.random() < 0.1 else yaw,
        alive=alive,
        health=100 if alive else 0,
        armor=[None, 50][rng.integers(2)],
        weapon=[None, "knife", "ak47", "awp"][rng.integers(4)],
        has_bomb=bool(rng.random() < 0.1),
        has_kit=bool(rng.integers(2)),
    )
