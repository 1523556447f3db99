"""One client of a replay: a match of the lake, played with the client's own clock.

The gate holds here as well: an event is told when it is as old by its source time as its audience waits, so a match that has just
landed is no way around the delay. Signals are the gated copies that the audience's channel still has, each after the events of
its instant.

Belongs here: a visit to ``/ws/replay``. Does not belong here: opening matches (``recording.py``), the clock and the orders
(``replay_clock.py``), sockets (``room_connection.py``).
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from esports_assets.canonical.clock import from_utc_us, utc_us
from serving.gate import Audience, Policy, decide_state
from serving.gate import Pause as Standstill
from serving.recording import Recording
from serving.replay_clock import Order, Pause, Playhead, Resume, Seek, Speed, order_of, place_of
from serving.room_connection import Outbox
from serving.room_ends import identified, notice, standing
from serving.room_messages import signal_body

_CHUNK = 100
_ASK_AGAIN_S = 1.0
_TOKEN = re.compile(r"r~([0-9a-f]{8})~(\d{1,9})~(-?\d{1,18})~(-?\d{1,18})~([A-Za-z0-9_-]{0,64})")
_BEFORE_ALL = (-(1 << 62), "")

Moment = Callable[[], Awaitable[tuple[datetime, Sequence[Standstill]]]]


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A gated signal at its place: the source time of what it is about, and its id."""

    at_us: int
    name: str
    body: bytes


def said_of(documents: Sequence[dict[str, Any]]) -> list[Said]:
    """Signals in the order of what they are about; one without a time has no place in a replay."""
    found = {}
    for document in documents:
        try:
            at_us = utc_us(datetime.fromisoformat(str(document["event_ts"])))
        except (KeyError, ValueError):
            continue
        name = str(document.get("signal_id", ""))
        found[name] = Said(at_us, name, signal_body(document))
    return sorted(found.values())


class ReplaySession:
    """A visit. ``moment`` gives the time by which the gate decides, and the technical pauses of the match."""

    def __init__(
        self,
        recording: Recording,
        signals: Sequence[Said],
        audience: Audience,
        policy: Policy,
        moment: Moment,
        outbox: Outbox,
        *,
        speed: float = 1.0,
        frames: bool = True,
    ) -> None:
        self._recording = recording
        self._signals = signals
        self._audience = audience
        self._policy = policy
        self._moment = moment
        self._outbox = outbox
        self._frames = frames
        self._orders: deque[Order] = deque()
        self._ordered = asyncio.Event()
        self._place = 0
        self._last_signal: tuple[int, str] = _BEFORE_ALL
        self._next_signal = 0
        self._head = Playhead(int(recording.at_us[0]), time.monotonic(), speed)
        self._bodies: dict[int, tuple[str, str, bytes]] = {}
        self._held = False

    @property
    def token(self) -> str:
        """The id of what the client got last."""
        at_us = int(self._recording.at_us[self._place - 1]) if self._place else 0
        name = self._last_signal[1] if re.fullmatch(r"[A-Za-z0-9_-]{0,64}", self._last_signal[1]) else ""
        signal_us = max(self._last_signal[0], -(10**17))
        return f"r~{self._recording.version[:8]}~{self._place}~{at_us}~{signal_us}~{name}"

    def go_to(self, text: str) -> None:
        """Stand at ``segment/t`` or behind a message. ValueError in a sentence for what is neither."""
        place = place_of(text)
        if place is not None:
            self._seek(*place)
        else:
            self._go_behind(text)

    async def heard(self, text: str) -> None:
        """Take an order; anything else gets a notice and changes nothing."""
        try:
            self._orders.append(order_of(text))
        except ValueError as error:
            self._notify("unknown_message", str(error))
        self._ordered.set()

    async def run(self) -> None:
        """Play until the connection ends."""
        self._head.set(time.monotonic())
        await self._stand()
        told_end = False
        while True:
            self._ordered.clear()
            while self._orders:
                self._obey(self._orders.popleft())
                told_end = False
                await self._stand()
            due_us, wall_s = self._due_us(), time.monotonic()
            if due_us is None and not told_end:
                told_end = True
                await self._stand()
            wait_s = None if due_us is None else self._head.wait_s(due_us, wall_s)
            if wait_s == 0.0:
                wait_s = await self._tell(self._head.now_us(wall_s))
            await self._rest(wait_s)

    async def keep_alive(self, every_s: float) -> None:
        """Say where the replay stands whenever nothing else was said for a while."""
        while True:
            await asyncio.sleep(every_s)
            if self._outbox.quiet_s() >= every_s:
                await self._stand()

    async def _rest(self, wait_s: float | None) -> None:
        if self._orders or wait_s == 0.0:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._ordered.wait()
        except TimeoutError:
            return

    def _due_us(self) -> int | None:
        """The match time of what comes next; None at the end."""
        state = int(self._recording.at_us[self._place]) if self._place < len(self._recording) else None
        signal = self._signals[self._next_signal].at_us if self._next_signal < len(self._signals) else None
        known = [at_us for at_us in (state, signal) if at_us is not None]
        return min(known, default=None)

    async def _tell(self, until_us: int) -> float:
        """Tell what is due, at most a stretch of it; how long to wait then."""
        now, pauses = await self._moment()
        for _ in range(_CHUNK):
            due_us = self._due_us()
            if due_us is None or due_us > until_us:
                return 0.0
            if self._place < len(self._recording) and int(self._recording.at_us[self._place]) == due_us:
                source = from_utc_us(int(self._recording.source_us[self._place]))
                decision = decide_state(source, 0.0, self._audience, now, self._policy, pauses)
                if not decision.open:
                    return self._hold(due_us, decision.sentence)
                await self._tell_state()
            else:
                await self._tell_signal()
        self._held = False
        return 0.0

    async def _tell_state(self) -> None:
        if self._place not in self._bodies:
            stop = min(self._place + _CHUNK, len(self._recording))
            made = await asyncio.to_thread(self._recording.bodies, self._place, stop)
            self._bodies = dict(enumerate(made, start=self._place))
        kind, _, body = self._bodies.pop(self._place)
        self._place += 1
        if kind == "event" or self._frames:
            await self._outbox.put(kind, identified(self.token, body))

    async def _tell_signal(self) -> None:
        signal = self._signals[self._next_signal]
        self._next_signal += 1
        self._last_signal = (signal.at_us, signal.name)
        await self._outbox.put("signal", identified(self.token, signal.body))

    def _hold(self, at_us: int, sentence: str) -> float:
        """Let the clock stand at what may not be told yet."""
        self._head.set(time.monotonic(), at_us=at_us)
        if not self._held:
            self._notify("held", f"The replay waits for the gate: {sentence}")
        self._held = True
        return _ASK_AGAIN_S

    def _obey(self, order: Order) -> None:
        wall_s = time.monotonic()
        try:
            if isinstance(order, Speed):
                self._head.set(wall_s, speed=order.speed)
            elif isinstance(order, Seek) and order.segment is not None and order.id is None:
                self._seek(order.segment, order.t)
            elif isinstance(order, Seek):
                self._go_behind(order.id or "")
            elif isinstance(order, Resume) and order.id is not None:
                self._go_behind(order.id)
                self._head.set(wall_s, playing=True)
            else:
                self._head.set(wall_s, playing=not isinstance(order, Pause))
        except ValueError as error:
            self._notify("unknown_place", str(error))

    def _seek(self, segment: int, t_s: float) -> None:
        at_us = self._recording.instant_of(segment, t_s) if abs(t_s) < 1e6 else None
        if at_us is None:
            rounds = self._recording.segments
            told = f"rounds {rounds[0]} to {rounds[-1]}" if rounds else "no rounds with a clock"
            raise ValueError(f"This match has no such instant, it has {told}; nothing changes.")
        self._stand_at(self._recording.place_at(at_us), at_us, (at_us - 1, ""))

    def _go_behind(self, token: str) -> None:
        form = _TOKEN.fullmatch(token)
        if form is None:
            raise ValueError("That is neither segment/t nor an id of a message of a replay; nothing changes.")
        place, at_us, signal = int(form[2]), int(form[3]), (int(form[4]), form[5])
        if form[1] != self._recording.version[:8] or place > len(self._recording):
            self._notify("landed_anew", "The match has landed anew since that id: it goes on at the same instant.")
            place = self._recording.place_at(at_us + 1) if place else 0
        first = int(self._recording.at_us[0])
        self._stand_at(place, max(at_us, signal[0], first), signal)

    def _stand_at(self, place: int, at_us: int, signal: tuple[int, str]) -> None:
        self._place, self._last_signal, self._held = place, signal, False
        told = (index for index, one in enumerate(self._signals) if (one.at_us, one.name) > signal)
        self._next_signal = next(told, len(self._signals))
        self._head.set(time.monotonic(), at_us=at_us)

    def _notify(self, code: str, sentence: str) -> None:
        self._outbox.offer("notice", notice(self.token, code, sentence))

    async def _stand(self) -> None:
        header, head = self._recording.header, self._head
        over = self._due_us() is None
        phase = "over" if over else "playing" if head.playing else "paused"
        at = from_utc_us(head.now_us(time.monotonic())).isoformat()
        told: dict[str, Any] = {"match_id": header.match_id, "audience": self._audience.value, "phase": phase}
        state_delay_s = self._policy.state_delay_s(self._audience)
        await self._outbox.put(
            "state", standing(self.token, **told, speed=head.speed, at=at, state_delay_s=state_delay_s)
        )
