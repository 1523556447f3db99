"""Shared by the tests of what enters the log: a feed over a real server, and what the log holds then."""

import sys
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from pathlib import Path

from redis import Redis

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.simulate.grid_format import grid_lines
from esports_assets.simulate.match import simulate
from esports_assets.streams.connect import connect
from esports_assets.streams.deadletter import DeadLetters
from esports_assets.streams.entries import told_apart
from esports_assets.streams.log import EventLog
from serving.feed import Feed
from serving.grid_intake import GridIntake
from serving.grid_turns import Turns
from serving.unread import Unread

sys.path.append(str(Path(__file__).parents[1] / "unit" / "adapters"))  # the fixtures of GRID feeds and their reader

HOUR_MS = 3_600_000


@cache
def grid_match(seed: int = 5) -> list[bytes]:
    """The transactions of a simulated match."""
    return grid_lines(simulate(seed, 0), date(2026, 1, 1), 0)


def feed(
    client: Redis, *, gap_s: float = 5.0, clock_ms: Callable[[], int] | None = None, largest: int = 1 << 23
) -> Feed:
    """A feed as a process of the service has it."""
    log = EventLog(client)
    unread = Unread(client, log.retention_ms)
    turns = Turns(client, retention_ms=log.retention_ms, gap_s=gap_s, clock_ms=clock_ms)
    return Feed(log, GridIntake(log, turns, unread), unread, largest)


def logged(client: Redis) -> list[CanonicalEvent]:
    """Every event of the log, in order."""
    log, cursor, found = EventLog(client), None, []
    while entries := log.read_after(cursor):
        cursor = entries[-1].id
        good, bad = told_apart(entries)
        assert bad == []
        found += [delivery.envelope.event for delivery in good]
    return found


def reasons(client: Redis) -> list[str]:
    """Why each dead letter is one."""
    return [letter.reason for letter in DeadLetters(client).all()]


def fresh(url: str) -> Redis:
    """A client of an empty database of the server."""
    client = connect(url)
    client.flushdb()
    return client


def ids(events: Iterable[CanonicalEvent]) -> list[str]:
    """Their ids."""
    return [event.event_id for event in events]
