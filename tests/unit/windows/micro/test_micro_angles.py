"""Angles that do not depend on company."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.windows.micro.angles import apart_deg, bearing_deg

number = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(number, number)
def test_bearings_are_arc_tangents(dy: float, dx: float) -> None:
    found = float(bearing_deg(np.array([dy]), np.array([dx]))[0])
    expected = math.degrees(math.atan2(dy, dx + 0.0))
    if dy == 0.0 and dx < 0.0:
        expected = 180.0  # whichever zero dy is
    assert found == pytest.approx(expected, abs=1e-12 * 180)


@given(st.lists(st.tuples(number, number), min_size=2, max_size=40))
def test_alone_or_together(vectors: list[tuple[float, float]]) -> None:
    dy, dx = np.array(vectors).T
    together = bearing_deg(dy, dx)
    alone = [bearing_deg(dy[k : k + 1], dx[k : k + 1])[0] for k in range(len(dy))]
    assert together.tobytes() == np.array(alone).tobytes()


def test_unknown_stays_unknown() -> None:
    assert np.isnan(bearing_deg(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))).all()
    assert bearing_deg(np.array([0.0]), np.array([0.0])).tolist() == [0.0]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (10.0, 350.0, 20.0),
        (350.0, 10.0, 20.0),
        (-90.0, 90.0, 180.0),
        (725.0, 0.0, 5.0),
        (0.0, 0.0, 0.0),
        (1.0, 181.5, 179.5),
    ],
)
def test_the_smaller_angle(a: float, b: float, expected: float) -> None:
    assert apart_deg(np.array([a]), np.array([b])).tolist() == [expected]
