"""The momentum agent over the stream: the same whatever the batches, the order and the restarts; no model, no invented number."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.signal import AgentSignal, SignalType, encode
from esports_assets.canonical.vocabulary import EventType
from esports_assets.models.bundle import Feature, Model
from esports_assets.signals.economy import VOICE as RULE
from esports_assets.signals.momentum import WinPoint
from esports_assets.signals.momentum_agent import MomentumAgent, WinModel
from esports_assets.windows.batch import match_windows
from esports_assets.windows.micro.parity import messages_of, shuffled
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.streamed.message import Message, time_of
from esports_assets.windows.view import Sites
from serving.derivation import derivation_of
from serving.served import ServedModel

sys.path.insert(0, str(Path(__file__).parents[1] / "windows"))
from future import simulated

SITES = Sites((1000.0, 0.0, 0.0), (-1000.0, 0.0, 0.0))
Spoken = tuple[list[AgentSignal], list[WinPoint]]


@dataclass(frozen=True)
class Promised:
    classes: tuple[str, ...] = ("ct", "t")
    positive_class: str = "ct"
    window_fingerprint: str = ROUND_STATE.fingerprint


@dataclass
class Plain:
    """Says what the living and their health say, with a narrow interval."""

    info: Mapping[str, str] = field(default_factory=lambda: {"model_name": "made", "model_version": "1"})
    contract: Promised = Promised()
    names: tuple[str, ...] = ("log_hp", "diff_alive")
    half: float | None = 0.04

    def predict_each(self, matrix: np.ndarray) -> tuple[Any, list[float] | None, list[float] | None]:
        ct = 1.0 / (1.0 + np.exp(-1.5 * matrix[:, 0] - 0.6 * matrix[:, 1], dtype=np.float64))
        own = ct if self.contract.positive_class == "ct" else 1.0 - ct
        columns = [ct if name == "ct" else 1.0 - ct for name in self.contract.classes]
        if self.half is None:
            return np.stack(columns, axis=1), None, None
        return np.stack(columns, axis=1), (own - self.half).tolist(), (own + self.half).tolist()


def match() -> CanonicalMatch:
    return simulated(8, 6)


def in_time() -> list[Message]:
    return sorted(messages_of(match()), key=lambda message: time_of(message)[2])


def agent(model: WinModel | None) -> MomentumAgent:
    return MomentumAgent(lambda: model, lambda _: SITES)


def cuts(messages: Sequence[Message], sizes: Sequence[int]) -> Iterator[Sequence[Message]]:
    begin = k = 0
    while begin < len(messages):
        yield messages[begin : begin + sizes[k % len(sizes)]]
        begin, k = begin + sizes[k % len(sizes)], k + 1


def played(speaker: MomentumAgent, batches: Iterator[Sequence[Message]]) -> Spoken:
    said = [*(speaker.feed(batch) for batch in batches), speaker.finish(match().header.match_id)]
    return [signal for signals, _ in said for signal in signals], [point for _, points in said for point in points]


def plain(spoken: Spoken) -> tuple[list[bytes], list[WinPoint]]:
    return [encode(signal) for signal in spoken[0]], spoken[1]


@pytest.fixture(scope="module")
def whole() -> Spoken:
    return played(agent(Plain()), iter([in_time()]))


def test_there_is_something_to_say(whole: Spoken) -> None:
    kinds = Counter(signal.type for signal in whole[0])
    assert kinds[SignalType.MOMENTUM_SHIFT] >= 3
    assert kinds[SignalType.STAR_PLAYER] >= 1
    assert kinds[SignalType.ECONOMY_CRASH] >= 1
    assert len({signal.signal_id for signal in whole[0]}) == len(whole[0])
    for signal in whole[0]:
        assert signal.event_ts is not None
        assert 0.0 <= (signal.confidence or -1.0) <= 1.0
        assert signal.explanation[0].delta is not None
        assert signal.window_fingerprint == ROUND_STATE.fingerprint


def test_a_point_follows_every_event_of_the_window(whole: Spoken) -> None:
    table = match_windows(match(), SITES).to_pylist()
    events = [row for row in table if row["row_kind"] == "event"]
    points = whole[1]
    assert [(p.segment, p.t, p.event_id) for p in points] == [(r["segment"], r["t_s"], r["event_id"]) for r in events]
    moments = dict(zip(*(match().events[name].to_pylist() for name in ("event_id", "timestamp")), strict=True))
    assert all(p.event_ts == moments[p.event_id] for p in points)
    x = np.array([[r["log_hp"], r["diff_alive"]] for r in events], dtype=np.float32)
    expected = [float(Plain().predict_each(x[i : i + 1])[0][0, 0]) for i in range(len(x))]
    assert [p.p_ct for p in points] == expected
    assert [p.lo for p in points] == [p - 0.04 for p in expected]
    assert {p.model_version for p in points} == {"made v1"}


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.lists(st.integers(40, 1500), min_size=1, max_size=3), st.data())
def test_batches_order_and_restarts_change_nothing(
    whole: Spoken, seed: int, sizes: list[int], data: st.DataObject
) -> None:
    speaker, said = agent(Plain()), []
    for batch in cuts(shuffled(messages_of(match()), 2.0, np.random.default_rng(seed)), sizes):
        said.append(speaker.feed(batch))
        if speaker.matches and data.draw(st.integers(0, 3)) == 0:
            saved = speaker.checkpoint(match().header.match_id)
            speaker = agent(Plain())
            assert speaker.restore(saved) == match().header.match_id
    said.append(speaker.finish(match().header.match_id))
    spoken = [s for signals, _ in said for s in signals], [p for _, points in said for p in points]
    assert plain(spoken) == plain(whole)


def test_without_a_model_only_the_economy_speaks() -> None:
    signals, points = played(agent(None), iter([in_time()]))
    with_one, _ = played(agent(Plain()), iter([in_time()]))
    assert points == []
    assert {signal.type for signal in signals} <= {SignalType.ECONOMY_CRASH}
    assert [s.signal_id for s in signals] == [s.signal_id for s in with_one if s.type is SignalType.ECONOMY_CRASH]
    assert all(signal.model_info == RULE.info for signal in signals)


def test_a_model_without_an_interval_tells_no_shift_but_points() -> None:
    signals, points = played(agent(Plain(half=None)), iter([in_time()]))
    assert SignalType.MOMENTUM_SHIFT not in {signal.type for signal in signals}
    assert SignalType.STAR_PLAYER in {signal.type for signal in signals}
    assert {(point.lo, point.hi) for point in points} == {(None, None)}


def test_a_model_that_is_positive_about_t_says_the_same(whole: Spoken) -> None:
    other = Plain(contract=Promised(("t", "ct"), "t"))
    signals, points = played(agent(other), iter([in_time()]))
    assert [s.signal_id for s in signals] == [s.signal_id for s in whole[0]]
    assert [p.lo for p in points] == pytest.approx([p.lo for p in whole[1]])


def test_a_model_that_is_replaced_speaks_under_its_own_version() -> None:
    models: list[Plain] = [Plain(), Plain(info={"model_name": "made", "model_version": "2"})]
    speaker = MomentumAgent(lambda: models[0], lambda _: SITES)
    messages = in_time()
    middle = next(i for i, message in enumerate(messages) if time_of(message)[:2] >= (4, 58.0))
    signals, points = speaker.feed(messages[:middle])
    models.pop(0)
    more, later = speaker.feed(messages[middle:])
    assert {p.model_version for p in points} == {"made v1"}
    assert {p.model_version for p in later} == {"made v2"}
    by_model = [s for s in more if s.type is not SignalType.ECONOMY_CRASH]
    assert by_model
    assert {s.model_info["model_version"] for s in by_model} == {"2"}
    assert [(s.segment, s.model_info["model_version"]) for s in signals if s.type is SignalType.MOMENTUM_SHIFT] == [
        (4, "1")
    ]
    assert (4, SignalType.STAR_PLAYER) not in {
        (s.segment, s.type) for s in more
    }  # neither has judged that round as a whole


def test_a_model_of_another_window_is_refused() -> None:
    speaker = agent(Plain(contract=Promised(window_fingerprint="other")))
    with pytest.raises(ValueError, match="reads a window with fingerprint other"):
        speaker.feed(in_time())


def test_the_served_model_fits() -> None:
    names = ("ct_alive", "t_alive", "t_s_clock", "since_plant_s")
    features = tuple(Feature(name, "", "", 0, 200) for name in names)
    contract = tiny_bundle.contract(features=features, window_fingerprint=ROUND_STATE.fingerprint)
    served = ServedModel(Model(contract, tiny_bundle.graph()), "Production", derivation_of("cs2/round_state"))
    signals, points = played(agent(served), iter([in_time()]))
    kills = {p.event_id: p for p in points}
    table = match_windows(match(), SITES).to_pylist()
    row = next(r for r in table if r["event_type"] == EventType.KILL.value)
    x = np.array([[row[name] for name in names]], dtype=np.float32)
    p, lower, upper = served.predict(x)
    assert lower is not None
    assert upper is not None
    point = kills[row["event_id"]]
    assert (point.p_ct, point.lo, point.hi) == (float(p[0, 0]), lower[0], upper[0])
    assert all(s.model_info == served.info for s in signals if s.type is not SignalType.ECONOMY_CRASH)


def test_checkpoints_are_refused_where_they_do_not_fit() -> None:
    speaker = agent(None)
    with pytest.raises(LookupError, match="not in progress"):
        speaker.checkpoint("nobody")
    with pytest.raises(ValueError, match="no checkpoint of the momentum agent"):
        speaker.restore(b"nothing")


def test_it_loads_nothing_heavy() -> None:
    code = "import sys, esports_assets.signals.momentum_agent; print(','.join({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.strip().split(","))
    assert loaded & {"pandas", "sklearn", "mlflow", "dagster", "sqlalchemy", "xgboost", "scipy", "onnxruntime"} == set()
