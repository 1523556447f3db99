"""Clocks and coordinate systems: there and back is where we were."""

import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.clock import SegmentClock, from_utc_us, source_time, source_time_us, utc_us
from esports_assets.canonical.space import (
    SOURCE_ENGINE,
    UNREAL,
    VALORANT_FLAT,
    CoordinateSystem,
    Point,
    coordinate_system,
)
from esports_assets.canonical.vocabulary import Title


def test_the_zero_is_freeze_end() -> None:
    clock = SegmentClock(2712)
    assert clock.t_s(2712) == 0.0
    assert clock.t_s(2712 + 64 * 3 + 32) == 3.5
    assert clock.t_s(2712 - 64) == -1.0


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.sampled_from([64.0, 128.0]))
def test_ticks_and_seconds_are_inverse(zero: int, tick: int, rate: float) -> None:
    clock = SegmentClock(zero, rate)
    assert clock.tick(clock.t_s(tick)) == tick


def test_source_time_is_the_day_plus_ticks() -> None:
    assert source_time(date(2026, 5, 17), 96) == datetime(2026, 5, 17, 0, 0, 1, 500_000, tzinfo=UTC)
    assert from_utc_us(source_time_us(date(2026, 5, 17), 96)) == datetime(2026, 5, 17, 0, 0, 1, 500_000, tzinfo=UTC)
    assert source_time_us(date(1970, 1, 1), 1) == 15_625


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999), timezones=st.just(UTC)))
def test_microseconds_are_exact_in_every_year(moment: datetime) -> None:
    """A division in floating point lost the last digit of far years."""
    assert from_utc_us(utc_us(moment)) == moment


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        utc_us(datetime(2026, 5, 17))


near = st.floats(-20_000, 20_000)
systems = st.builds(
    CoordinateSystem,
    name=st.just("made"),
    metres_per_unit=st.floats(0.001, 10),
    origin=st.tuples(near, near, near),
    flip_y=st.booleans(),
)
points = st.builds(Point, near, near, near)


def _close(a: Point[float], b: Point[float]) -> bool:
    pairs = ((a.x, b.x), (a.y, b.y), (a.z, b.z))
    return all(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-5) for one, other in pairs)


@given(systems, points)
def test_metres_and_back(system: CoordinateSystem, point: Point[float]) -> None:
    assert _close(system.from_metres(system.to_metres(point)), point)


@given(points, st.sampled_from([UNREAL, VALORANT_FLAT]))
def test_convert_and_back(point: Point[float], other: CoordinateSystem) -> None:
    assert _close(other.convert(SOURCE_ENGINE.convert(point, other), SOURCE_ENGINE), point)


def test_a_foot_and_a_flip() -> None:
    assert _close(SOURCE_ENGINE.to_metres(Point(16.0, 0.0, 160.0)), Point(0.3048, 0.0, 3.048))
    flipped = CoordinateSystem("screen", 1.0, origin=(1.0, 2.0, 3.0), flip_y=True)
    assert flipped.to_metres(Point(2.0, 5.0, 3.0)) == Point(1.0, -3.0, 0.0)


def test_a_title_without_space_has_no_system() -> None:
    assert coordinate_system(Title.CS2) is SOURCE_ENGINE
    with pytest.raises(LookupError, match="rps has no space"):
        coordinate_system(Title.RPS)
