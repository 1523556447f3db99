"""Matches made message by message, and the same as tables of the lake."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.event import CanonicalEvent, event_id
from esports_assets.canonical.frames import FrameRow
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Side, Title
from esports_assets.windows.micro.online import Fed, OnlineMicro
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import METRES_PER_U, MicroWindow
from esports_assets.windows.streamed.message import Message, Positions
from esports_assets.windows.view import Sites

MATCH = "made:one:1"
TEAM = {"a1": "alpha", "a2": "alpha", "b1": "beta", "b2": "beta"}
"""Alpha plays CT in odd rounds."""
SITES = Sites((1000.0, 0.0, 0.0), (-1000.0, 0.0, 0.0))
START = datetime(2026, 1, 1, tzinfo=UTC)
U = METRES_PER_U


def ct_team(segment: int) -> str:
    return "alpha" if segment % 2 else "beta"


class Story:
    """Events with their order, and frames."""

    def __init__(self, match_id: str = MATCH, round_s: float = 300.0) -> None:
        self.match_id = match_id
        self.round_s = round_s
        self.messages: list[Message] = []
        self._say(EventType.MAP_START, 0, None, payload={"players": TEAM})

    def zero(self, segment: int) -> datetime:
        """Source time of freeze end."""
        return START + timedelta(seconds=self.round_s * segment)

    def _say(self, kind: EventType, segment: int, t: float | None, **more: Any) -> None:
        seq = len(self.messages)
        self.messages.append(
            CanonicalEvent(
                event_id=event_id("made", self.match_id, seq),
                match_id=self.match_id,
                event_type=kind,
                timestamp=self.zero(segment) + timedelta(seconds=t or 0.0),
                title=Title.CS2,
                series_id="made:one",
                map="de_made",
                segment=segment,
                t=t,
                seq=seq,
                **more,
            )
        )

    def event(
        self,
        segment: int,
        t: float,
        kind: EventType,
        actor: str | None = None,
        target: str | None = None,
        **payload: Any,
    ) -> None:
        """Somebody does something."""
        team = TEAM.get(actor or "")
        side = None if team is None else Side.CT if team == ct_team(segment) else Side.T
        self._say(kind, segment, t, actor=actor, target=target, team=team, side=side, payload=payload)

    def begin(self, segment: int, t: float = -5.0) -> None:
        """A round begins."""
        self._say(EventType.ROUND_START, segment, t, payload={"ct_team": ct_team(segment)})

    def end(self, segment: int, t: float) -> None:
        """A round is decided."""
        self._say(EventType.ROUND_END, segment, t, payload={"ct_team": ct_team(segment)})

    def over(self, segment: int, t: float) -> None:
        """The map is over."""
        self._say(EventType.MAP_END, 0, None, payload={})
        self.messages[-1] = _at(self.messages[-1], self.zero(segment) + timedelta(seconds=t))

    def frame(self, segment: int, t: float, **places: tuple[float, ...] | FrameRow) -> None:
        """Where players are: (x, y) or (x, y, yaw), with full health and an AK-47."""
        told = {who: place if isinstance(place, FrameRow) else stands(*place) for who, place in places.items()}
        self.messages.append(Positions(self.match_id, segment, t, utc_us(self.zero(segment)) + round(t * 1e6), told))

    def frames(self, segment: int, times: Iterable[float], **places: tuple[float, ...] | FrameRow) -> None:
        """Nobody moves."""
        for t in times:
            self.frame(segment, t, **places)

    def rows(
        self, window: MicroWindow | None = None, sites: Sites = SITES
    ) -> dict[tuple[int, float, str], dict[str, Any]]:
        """Final rows by round, time and player."""
        return rows_of(played(self.messages, window, sites).final)


def _at(message: Message, moment: datetime) -> CanonicalEvent:
    assert isinstance(message, CanonicalEvent)
    return msgspec.structs.replace(message, timestamp=moment)


def stands(x: float, y: float, yaw: float | None = 0.0, **more: Any) -> FrameRow:
    """A player on the ground."""
    known: dict[str, Any] = {"alive": True, "health": 100, "armor": 100, "weapon": "ak47", "place": "Yard", **more}
    return FrameRow(player="", x=x, y=y, z=known.pop("z", 0.0), yaw=yaw, team_index=0, **known)


def played(messages: Sequence[Message], window: MicroWindow | None = None, sites: Sites = SITES) -> Fed:
    """All at once, to the end."""
    online = OnlineMicro(lambda _: sites, window, lateness_s=1000.0)  # a story tells frames first, then events
    fed = online.feed(messages)
    for match_id in online.matches:
        end = online.finish(match_id)
        fed.final += end.final
        fed.late += end.late
    return fed


def rows_of(parts: Iterable[MicroRows]) -> dict[tuple[int, float, str], dict[str, Any]]:
    """Rows by round, time and player: identity and features; each key once."""
    rows: dict[tuple[int, float, str], dict[str, Any]] = {}
    for part in parts:
        for row in part.records():
            key = (row["segment"], row["t_s"], row["player"])
            assert key not in rows, f"{key} twice"
            rows[key] = {**{n: v for n, v in row.items() if n != "features"}, **row["features"]}
    return rows


def match_of(messages: Sequence[Message], lineup: Mapping[str, str] = TEAM) -> CanonicalMatch:
    """The messages as the lake holds them: events in the source's order, tracks by round, time and player."""
    events = sorted((m for m in messages if isinstance(m, CanonicalEvent)), key=lambda event: event.seq)
    rows = {
        (frame.segment, float(np.float32(frame.t_s)), player): (frame, player, seen)
        for frame in messages
        if isinstance(frame, Positions)
        for player, seen in frame.players.items()
        if player in lineup
    }
    return CanonicalMatch(
        MatchHeader(MATCH, "made:one", Title.CS2, "de_made", "made"),
        events_table(events),
        _tracking([rows[key] for key in sorted(rows)]),
        table_of(ROUNDS, {name: [] for name in ROUNDS.names}),
        table_of(PLAYERS, {name: [] for name in PLAYERS.names}),
    )


def _tracking(rows: Sequence[tuple[Positions, str, FrameRow]]) -> Any:
    columns = {
        "match_id": [MATCH] * len(rows),
        "segment": [frame.segment for frame, _, _ in rows],
        "t_s": np.array([frame.t_s for frame, _, _ in rows], dtype=np.float32),
        "player": [player for _, player, _ in rows],
        "team": [TEAM[player] for _, player, _ in rows],
        "side": ["ct" if TEAM[player] == ct_team(frame.segment) else "t" for frame, player, _ in rows],
        "x_u": np.array([seen.x for *_, seen in rows], dtype=np.float32),
        "y_u": np.array([seen.y for *_, seen in rows], dtype=np.float32),
        "z_u": np.array([seen.z for *_, seen in rows], dtype=np.float32),
        "yaw_deg": [seen.yaw for *_, seen in rows],
        "pitch_deg": [None] * len(rows),
        "health": [int(seen.health) for *_, seen in rows],
        "armor": [None if seen.armor is None else int(seen.armor) for *_, seen in rows],
        "money": [None] * len(rows),
        "equipment_value": [None] * len(rows),
        "weapon": [seen.weapon for *_, seen in rows],
        "place": [seen.place for *_, seen in rows],
        "alive": [seen.alive for *_, seen in rows],
        "has_bomb": [seen.has_bomb for *_, seen in rows],
        "has_kit": [seen.has_kit for *_, seen in rows],
    }
    return table_of(TRACKING, columns)


_KINDS = (
    *(
        EventType.KILL,
        EventType.DEATH,
        EventType.DAMAGE,
        EventType.SHOT,
        EventType.SHOT,
        EventType.BLIND,
        EventType.UTILITY,
    ),
    *(
        EventType.ECONOMY_UPDATE,
        EventType.BOMB_PICKED_UP,
        EventType.BOMB_DROPPED,
        EventType.BOMB_PLANTED,
        EventType.SPAWN,
    ),
    *(EventType.ABILITY_USE, EventType.OBJECTIVE, EventType.CLUTCH, EventType.BOMB_PLANT_BEGIN, EventType.GENERIC),
)


def random_story(seed: int, rounds: int, events: int, frames: int) -> list[Message]:
    """Anything that a source might say, in its own order: frames that leave players out or come in two parts, rounds
    without an end and ones that overlap, several deaths of one player, events before freeze end and after the decision."""
    rng = np.random.default_rng(seed)
    story = Story(round_s=float(rng.choice([300.0, 15.0])))
    for segment in range(1, rounds + 1):
        if rng.random() < 0.9:
            story.begin(segment)
        deeds = [("event", t) for t in rng.integers(-64, 30 * 64, events) / 64]
        deeds += [("frame", t) for t in rng.choice(np.arange(-128, 30 * 64), frames, replace=False) / 64]
        for what, t in sorted(deeds, key=lambda deed: deed[1]):
            if what == "event":
                _random_event(story, rng, segment, float(t))
            else:
                _random_frame(story, rng, segment, float(t))
        if rng.random() < 0.8:
            story.end(segment, float(rng.integers(0, 31 * 64) / 64))
    story.over(rounds, 40.0)
    return story.messages


def _random_event(story: Story, rng: np.random.Generator, segment: int, t: float) -> None:
    kind = _KINDS[rng.integers(len(_KINDS))]
    actor, target = (str(rng.choice([*TEAM, "nobody"])) for _ in range(2))
    payload: dict[str, Any] = {}
    if kind is EventType.DAMAGE:
        payload = {"health_after": int(rng.integers(0, 100)), "armor_after": [None, 40][rng.integers(2)]}
    elif kind is EventType.SHOT:
        payload = {"weapon": str(rng.choice(["ak47", "knife", "deagle"]))}
    elif kind is EventType.BLIND:
        payload = {"duration_s": float(rng.uniform(0, 5))}
    elif kind is EventType.ECONOMY_UPDATE:
        payload = {"grenade_count": int(rng.integers(0, 5)), "armor": True, "kit": [None, True][rng.integers(2)]}
    elif kind in (EventType.BOMB_PLANTED, EventType.BOMB_DROPPED):
        pos = [None, [float(v) for v in rng.uniform(-900, 900, 3)]][rng.integers(2)]
        payload = {"site": [None, "a", "b"][rng.integers(3)], "pos": pos}
    story.event(segment, t, kind, actor, target, **payload)


def _random_frame(story: Story, rng: np.random.Generator, segment: int, t: float) -> None:
    places = {}
    for player in (*TEAM, "stranger"):
        if rng.random() < 0.8:
            x, z, yaw = (float(np.float32(v)) for v in rng.uniform(-2000, 2000, 3))
            places[player] = FrameRow(
                player=player,
                team_index=0,
                x=x if rng.random() < 0.98 else 1e6,
                y=float(rng.integers(-3, 3)),  # many stand nearly still
                z=z,
                yaw=None if rng.random() < 0.1 else yaw,
                alive=bool(rng.random() < 0.95),
                health=int(rng.integers(0, 101)),
                armor=None if rng.random() < 0.3 else int(rng.integers(0, 101)),
                weapon=[None, "ak47", "awp", "knife", "raygun", "c4"][rng.integers(6)],
                place=[None, "Yard", "Hall"][rng.integers(3)],
                has_bomb=bool(rng.random() < 0.2),
                has_kit=bool(rng.random() < 0.2),
            )
    parts = [places]
    if rng.random() < 0.3:
        parts = [{k: v for k, v in places.items() if (k < "b") is first} for first in (True, False)]
    for part in parts:
        if part:
            story.frame(segment, t, **part)
