"""Delayed release: what the gate will let out later waits in Redis and leaves exactly once per audience.

Belongs here: the waiting lists, the one atomic step that publishes, technical pauses as far as they hold statements back.
Does not belong here: when something may leave (``gate.py``), reviews (``reviews.py``), who may read a channel (``auth.py``).

Where signals live
* ``ORIGINALS`` (``events:agent:motion`` and ``agent.signals``) hold every signal as the worker made it, at once, ungated and
  with its status. They are for this platform's own processes (reviews, Dagster, analytics); nothing outward reads them.
* ``signals:released:<AUDIENCE>`` holds gated copies only. WebSockets and other outward channels read nothing else.
* ``signals:refused`` holds what was taken off a waiting list because the gate will never open for it, with the reason.

Scores of the waiting list are hints: the gate is asked again when an entry is due, so a pause or a longer delay that came in
between holds it. A script then publishes only if the entry still waits and the pauses are those the gate saw, and notes it as
done in the same step. So several processes, restarts and repeated calls release a statement once; what was done is remembered for
``retention_s``, after which a replay of the same input would release it again.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from esports_assets.canonical.clock import from_utc_us, utc_us
from serving.gate import Audience, Decision, Pause, Policy, Reason, Statement, decide, outward, statement_of

if TYPE_CHECKING:
    import redis

ORIGINALS = ("events:agent:motion", "agent.signals")
REFUSED = "signals:refused"
_ROOT = "esports:release"
_PAUSES_KEPT_S = 2 * 86_400
_RECHECK = timedelta(seconds=1)
"""How often an entry is asked about while a pause lasts whose end nobody knows."""
_REFUSED_KEPT = 10_000
_log = logging.getLogger("serving.release")

_ENQUEUE = """
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
if redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
"""
_ENQUEUE_ALL = """
local each = #KEYS / 3
for i = 1, #ARGV, 2 + each do
  for k = 1, each do
    local at, score = 3 * k, ARGV[i + 1 + k]
    if score ~= '' and not redis.call('ZSCORE', KEYS[at], ARGV[i]) then
      if redis.call('ZADD', KEYS[at - 2], 'NX', score, ARGV[i]) == 1 then
        redis.call('HSET', KEYS[at - 1], ARGV[i], ARGV[i + 1])
      end
    end
  end
end
return 1
"""
_RELEASE = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if (redis.call('GET', KEYS[4]) or '') ~= ARGV[2] then return 0 end
local now = redis.call('TIME')
local oldest = math.max(0, now[1] * 1000 - ARGV[5])
redis.call('XADD', KEYS[5], 'MINID', '~', string.format('%.0f', oldest), '*', 'signal_id', ARGV[1], 'data', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. string.format('%.0f', ARGV[4] - ARGV[5] * 1000))
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""
_REFUSE = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'signal_id', ARGV[1], 'reason', ARGV[2], 'audience', ARGV[3],
           'data', redis.call('HGET', KEYS[2], ARGV[1]) or '')
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""
_PAUSE = """
local told = redis.call('GET', KEYS[1]) or ''
if told:sub(-1) == ':' then return 0 end
local last = told:match('(%d+)$')
if last and tonumber(ARGV[1]) < tonumber(last) then return 0 end
redis.call('SET', KEYS[1], (told == '' and '' or told .. ',') .. ARGV[1] .. ':', 'EX', ARGV[2])
return 1
"""
_RESUME = """
local told = redis.call('GET', KEYS[1]) or ''
local start = told:match('(%d+):$')
if not start then return 0 end
local ended = told:match('(%d+),%d+:$')
local at = tonumber(ARGV[1])
if ended and at <= tonumber(ended) and at < tonumber(start) then return 0 end
local finish = at < tonumber(start) and start or ARGV[1]
redis.call('SET', KEYS[1], told .. finish, 'EX', ARGV[2])
return 1
"""


def channel(audience: Audience) -> str:
    """The stream of gated copies for an audience."""
    return f"signals:released:{audience.value}"


class Waiting(NamedTuple):
    """A statement that is to wait: its name, its match, what the gate looks at, and its JSON."""

    signal_id: str
    match_id: str
    statement: Statement
    payload: bytes


class _Entry(NamedTuple):
    """What is due: its name, the statement, and the pauses of its match as Redis tells them at this moment."""

    name: bytes
    document: dict[str, Any]
    pauses_key: str
    pauses: bytes | None


class Releases:
    """Waiting lists and channels on one Redis, whose client does not decode answers.

    Safe to share between threads; any number of processes may poll.
    """

    def __init__(
        self,
        client: "redis.Redis",
        policy: Policy,
        *,
        clock: Callable[[], datetime] | None = None,
        retention_s: float = 7 * 86_400,
        batch: int = 200,
    ) -> None:
        self._redis: Any = client
        self.policy = policy
        self._clock = clock or self._server_time
        self._retention_ms = round(retention_s * 1000)
        self._batch = batch
        self._enqueue = client.register_script(_ENQUEUE)
        self._enqueue_all = client.register_script(_ENQUEUE_ALL)
        self._release = client.register_script(_RELEASE)
        self._refuse = client.register_script(_REFUSE)
        self._pause = client.register_script(_PAUSE)
        self._resume = client.register_script(_RESUME)

    def schedule(
        self, document: Mapping[str, Any], audiences: Iterable[Audience] = tuple(Audience)
    ) -> dict[Audience, Decision]:
        """Let a statement wait for its time, once per audience however often this is called; the gate's answers of now.

        A statement for which time alone does not open the gate is not queued. ValueError without ``signal_id`` or ``match_id``.
        """
        name, match_id = document.get("signal_id"), document.get("match_id")
        if not (isinstance(name, str) and name and isinstance(match_id, str) and match_id):
            raise ValueError("what is released needs a signal_id and a match_id")
        now, pauses = self._clock(), self.pauses(match_id)
        found = {one: decide(statement_of(document), one, now, self.policy, pauses) for one in audiences}
        payload = orjson.dumps(document)
        for audience, decision in found.items():
            if decision.reason.waits:
                score = utc_us(decision.opens_at or now)
                self._enqueue(keys=_lists(audience), args=[name, score, payload])
        return found

    def schedule_all(
        self, waiting: Sequence[Waiting], audiences: Iterable[Audience] = tuple(Audience)
    ) -> dict[str, Reason]:
        """``schedule`` for many statements in a few round trips; of those that nobody will ever receive, why."""
        if not waiting:
            return {}
        now, asked = self._clock(), tuple(audiences)
        keys = [key for audience in asked for key in _lists(audience)]
        refused: dict[str, Reason] = {}
        for begin in range(0, len(waiting), self._batch):
            some = waiting[begin : begin + self._batch]
            matches = list(dict.fromkeys(one.match_id for one in some))
            told = self._redis.mget([_pauses_key(match_id) for match_id in matches])
            pauses = {match_id: _read_pauses(known) for match_id, known in zip(matches, told, strict=True)}
            args: list[Any] = []
            for one in some:
                decisions = self._decisions(one, asked, now, pauses[one.match_id])
                scores = [utc_us(told.opens_at or now) if told.reason.waits else "" for told in decisions]
                args += (one.signal_id, one.payload, *scores)
                if not any(scores):
                    refused[one.signal_id] = decisions[0].reason
            self._enqueue_all(keys, args)
        return refused

    def _decisions(
        self, one: Waiting, asked: Sequence[Audience], now: datetime, pauses: Sequence[Pause]
    ) -> list[Decision]:
        """What the gate says for each audience, asked once for each delay: nothing else of an audience matters to it."""
        delays = [
            self.policy.delay_s(one.statement.kind, audience) if audience in self.policy.audiences else math.inf
            for audience in asked
        ]
        known = {
            delay_s: decide(one.statement, audience, now, self.policy, pauses)
            for delay_s, audience in dict(zip(delays, asked, strict=True)).items()
        }
        return [known[delay_s] for delay_s in delays]

    def poll(self) -> int:
        """Release what is due now; how many statements left."""
        return sum(self._poll(audience) for audience in Audience)

    def run(self, stop: threading.Event, interval_s: float = 0.1) -> None:
        """Poll until stopped; a Redis that is away is asked again, more patiently each time."""
        from redis import RedisError

        wait_s = interval_s
        while not stop.wait(wait_s):
            try:
                wait_s = 0.0 if self.poll() else interval_s
            except RedisError as error:
                wait_s = min(2 * max(wait_s, interval_s), 5.0)
                _log.warning("releases wait, Redis does not answer: %s", error)

    def waiting(self, audience: Audience) -> int:
        """How many statements wait for an audience."""
        return int(self._redis.zcard(_lists(audience)[0]))

    def pause(self, match_id: str, at: datetime) -> bool:
        """A technical pause began (wall clock); whether that was news."""
        return bool(self._pause(keys=[_pauses_key(match_id)], args=[utc_us(at), _PAUSES_KEPT_S]))

    def resume(self, match_id: str, at: datetime) -> bool:
        """The match goes on (wall clock); whether that was news."""
        return bool(self._resume(keys=[_pauses_key(match_id)], args=[utc_us(at), _PAUSES_KEPT_S]))

    def pauses(self, match_id: str) -> list[Pause]:
        """The technical pauses of a match as far as they are known."""
        return _read_pauses(self._redis.get(_pauses_key(match_id)))

    def _poll(self, audience: Audience) -> int:
        now = self._clock()
        with self._redis.pipeline(transaction=False) as pipe:
            asked = [self._settle(pipe, audience, entry, now) for entry in self._due(audience, now)]
            answers = pipe.execute() if asked else []
        return sum(answer for answer, released in zip(answers, asked, strict=True) if released)

    def _due(self, audience: Audience, now: datetime) -> list[_Entry]:
        due, payloads, _ = _lists(audience)
        names = self._redis.zrange(due, "-inf", utc_us(now), byscore=True, offset=0, num=self._batch)
        if not names:
            return []
        documents = [_read(payload) for payload in self._redis.hmget(payloads, names)]
        keys = [_pauses_key(str(document.get("match_id", ""))) for document in documents]
        return [_Entry(*parts) for parts in zip(names, documents, keys, self._redis.mget(keys), strict=True)]

    def _settle(self, pipe: Any, audience: Audience, entry: _Entry, now: datetime) -> bool:
        """Put onto the pipe what the gate says about a due entry; whether that is a release."""
        keys = _lists(audience)
        decision = decide(statement_of(entry.document), audience, now, self.policy, _read_pauses(entry.pauses))
        if decision.open:
            data = orjson.dumps(outward(entry.document, audience, decision, now))
            args: list[Any] = [entry.name, entry.pauses or b"", data, utc_us(now), self._retention_ms]
            self._release(keys=[*keys, entry.pauses_key, channel(audience)], args=args, client=pipe)
        elif decision.reason.waits:
            pipe.zadd(keys[0], {entry.name: utc_us(decision.opens_at or now + _RECHECK)}, xx=True)
        else:
            _log.warning("%s is never released to %s: %s", entry.name.decode(), audience.value, decision.sentence)
            refusal: list[Any] = [entry.name, decision.reason.value, audience.value, _REFUSED_KEPT]
            self._refuse(keys=[*keys[:2], REFUSED], args=refusal, client=pipe)
        return decision.open

    def _server_time(self) -> datetime:
        """Redis's own clock, which all processes share."""
        seconds, micros = self._redis.time()
        return from_utc_us(seconds * 1_000_000 + micros)


def _lists(audience: Audience) -> list[str]:
    return [f"{_ROOT}:{part}:{audience.value}" for part in ("due", "payload", "done")]


def _pauses_key(match_id: str) -> str:
    return f"{_ROOT}:pauses:{match_id}"


def _read(payload: bytes | None) -> dict[str, Any]:
    """A queued document; an unreadable one is empty, for which the gate stays closed."""
    try:
        found = orjson.loads(payload or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _read_pauses(told: bytes | None) -> list[Pause]:
    spans = [span.split(":") for span in (told or b"").decode().split(",") if span]
    return [Pause(from_utc_us(int(a)), from_utc_us(int(b)) if b else None) for a, b in spans]
