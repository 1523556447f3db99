"""Time of the language: segments and seconds since their start. Event time is never ingest time.

Belongs here: how a source's ticks and dates become ``timestamp`` (source time) and ``t`` (seconds in the segment), and the
day partition of a match.
Does not belong here: wall-clock time, delays and watermarks (they belong to the live path).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

EPOCH_DAY = date(1970, 1, 1)
"""The day of a match whose source tells no date."""

CS2_ROUND_S = 115.0
"""Length of a Counter-Strike 2 round from freeze end, in seconds (mp_roundtime_defuse 1.92)."""
CS2_BOMB_S = 41.0
"""Seconds from the planted event to the explosion: mp_c4timer 40 and one second that real matches show on top."""
CS2_TICKS_PER_S = 64.0

LONGEST_ROUND_S = 3600.0
"""No round, paused or not, is believed to last longer from freeze end to its decision, in seconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SegmentClock:
    """The clock of one segment (round, game or hand): tick of its zero and tick rate.

    ``t`` is 0 at freeze end, negative before it.
    """

    zero_tick: float
    ticks_per_s: float = CS2_TICKS_PER_S

    def t_s(self, tick: float) -> float:
        """Seconds since the segment's zero."""
        return (tick - self.zero_tick) / self.ticks_per_s

    def tick(self, t_s: float) -> float:
        """The inverse of ``t_s``."""
        return self.zero_tick + t_s * self.ticks_per_s


def source_time(day: date, tick: float, ticks_per_s: float = CS2_TICKS_PER_S) -> datetime:
    """Source time of a demo's tick: midnight UTC of its day plus tick / rate."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=tick / ticks_per_s)


def source_time_us(day: date, tick: float, ticks_per_s: float = CS2_TICKS_PER_S) -> int:
    """``source_time`` as whole microseconds since 1970 (UTC), the unit of the wire form and the lake."""
    return (day - EPOCH_DAY).days * 86_400_000_000 + round(tick * 1_000_000 / ticks_per_s)


def utc_us(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime.

    Raises ValueError for a naive one: a time without a zone is a guess.
    """
    if moment.tzinfo is None:
        raise ValueError(f"timestamp {moment.isoformat()} has no time zone")
    since = moment - _EPOCH  # taken apart, because dividing it is slower than all the rest
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_utc_us(value: int) -> datetime:
    """The inverse of ``utc_us``."""
    return _EPOCH + timedelta(microseconds=value)
