"""Step functions against references that walk the events one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.windows.asof import Steps, Timeline, forward_fill, latest_frame, recent

PLAYERS = 3
changes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, PLAYERS - 1), st.sampled_from(["set", "add"]), st.integers(-5, 5)),
    max_size=15,
)
instants = st.lists(st.integers(0, 40), max_size=10)


@given(changes, instants)
def test_steps(steps: list[tuple[int, int, str, int]], applied: list[int]) -> None:
    found = Steps([10.0, 20.0, 30.0], PLAYERS)
    order, told = 0, []
    for gap, player, what, value in steps:
        order += gap
        getattr(found, what)(order, player, float(value))
        told.append((order, player, what, value))
    values = found.as_of(np.array(applied, dtype=np.int64))
    assert values.shape == (len(applied), PLAYERS)
    for row, seen in zip(values, applied, strict=True):
        now = [10.0, 20.0, 30.0]
        for when, player, what, value in told:
            if when < seen:
                now[player] = value if what == "set" else now[player] + value
        assert row.tolist() == now


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), max_size=12), instants)
def test_timeline(steps: list[tuple[int, int]], applied: list[int]) -> None:
    found = Timeline((0.5, -1.0))
    order, told = 0, []
    for gap, value in steps:
        order += gap
        found.set(order, float(value), float(-value))
        told.append((order, value))
    values = found.as_of(np.array(applied, dtype=np.int64))
    for row, seen in zip(values, applied, strict=True):
        past = [(float(v), float(-v)) for when, v in told if when < seen]
        assert tuple(row) == (past[-1] if past else (0.5, -1.0))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=12),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=8),
)
def test_recent(things: list[tuple[int, int]], rows: list[tuple[int, int]]) -> None:
    times = np.cumsum([gap for gap, _ in things]).astype(float).tolist()
    amounts = [float(amount) for _, amount in things]
    t, applied = np.array([float(r[0]) for r in rows]), np.array([r[1] for r in rows], dtype=np.int64)
    found = recent(times, amounts, list(range(len(things))), t, applied, 5.0)
    expected = [
        sum(a for k, (when, a) in enumerate(zip(times, amounts, strict=True)) if k < seen and when > now - 5.0)
        for now, seen in rows
    ]
    assert found.tolist() == expected


@given(st.lists(st.integers(0, 20), unique=True), st.lists(st.integers(-2, 22), max_size=8))
def test_latest_frame(frames: list[int], rows: list[int]) -> None:
    grid = sorted(frames)
    found = latest_frame(np.array(grid, dtype=float), np.array(rows, dtype=float))
    expected = [max((i for i, frame in enumerate(grid) if frame <= now), default=-1) for now in rows]
    assert found.tolist() == expected


@given(st.lists(st.lists(st.integers(-1, 4), min_size=2, max_size=2), min_size=1, max_size=10))
def test_forward_fill(codes: list[list[int]]) -> None:
    found = forward_fill(codes)
    for column in range(2):
        last = -1
        for row, code in enumerate(codes):
            last = code[column] if code[column] >= 0 else last
            assert found[row, column] == last
