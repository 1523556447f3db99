"""Returns of two short rounds, by hand."""

import numpy as np
import pytest
from unit.models.made import rows

from esports_assets.models.families.returns import returns


def test_returns_by_hand() -> None:
    data = rows(matches=2)
    two = data.take(np.array([0, 1, 2, 15, 16]))  # three seconds of round 1, two of round 2
    p = np.array([0.5, 0.6, 0.8, 0.3, 0.4])
    first, second = float(two.y[0]), float(two.y[3])
    middle = 0.1 * 0.8 + 0.9 * first
    expected = [0.1 * 0.6 + 0.9 * middle, middle, first, 0.1 * 0.4 + 0.9 * second, second]
    assert returns(two, p, 0.9) == pytest.approx(expected)
    assert returns(two, p, 1.0) == pytest.approx(two.y)
