"""Statements from rows and probabilities: who names, what is told once, and what a signal says."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.signal import SignalType
from esports_assets.canonical.vocabulary import Intent
from esports_assets.models.contract import Decision
from esports_assets.signals.debounce import QUIET_S, Debounce
from esports_assets.signals.motion import Instants, of_table, statements
from esports_assets.signals.speaker import UNNAMED, Speaker, rules_speaker
from esports_assets.windows.micro.rows import micro_table
from esports_assets.windows.micro.spec import PLAYER_MICRO

CLASSES = tuple(intent.value for intent in Intent)
INFO = {"model_name": "cs2.intent.xgboost", "model_version": "3", "probability_source": "model"}
FLAT = Decision(dict.fromkeys(CLASSES, 1.0), 0.4, 1.0, 0.0, 0.0)
ZERO_US = 1_700_000_000_000_000


def speaker(decision: Decision | None = FLAT) -> Speaker:
    return Speaker.of_model(CLASSES, decision, INFO, "f1")


def rows(t: list[float], players: list[str], segment: int = 1, **features: float) -> Instants:
    x = np.full((len(t), len(PLAYER_MICRO.features)), np.nan, dtype=np.float32)
    for name, value in features.items():
        x[:, PLAYER_MICRO.feature_names.index(name)] = value
    return Instants("m1", "s1", "de_x", segment, t, players, ["team:a"] * len(t), x)


def sure(*intents: Intent, p: float = 0.8) -> np.ndarray:
    """Probabilities that give ``p`` to one intent each."""
    found = np.full((len(intents), len(CLASSES)), (1 - p) / (len(CLASSES) - 1), dtype=np.float32)
    for i, intent in enumerate(intents):
        found[i, CLASSES.index(intent.value)] = p
    return found


def after(*intents: Intent, players: tuple[str, ...] = ("p1", "p2")) -> Debounce:
    """A memory whose latest rows named these intents."""
    seen = {who: CLASSES.index(intent.value) for who, intent in zip(players, intents, strict=False)}
    return Debounce(segment=1, seen=seen)


def test_a_statement_says_who_when_what_and_how_sure() -> None:
    given_rows = rows([12.5], ["p1"], speed_mean=2.5)
    (signal,) = statements(given_rows, sure(Intent.PEEK), speaker(), after(Intent.PEEK), ZERO_US)
    assert signal.type is SignalType.MOTION_SYNTHESIS
    assert (signal.match_id, signal.segment, signal.t, signal.player_id, signal.team) == (
        *("m1", 1, 12.5),
        *("p1", "team:a"),
    )
    assert signal.intent is Intent.PEEK
    assert signal.confidence == pytest.approx(0.8)
    assert signal.event_ts == datetime.fromtimestamp(1_700_000_012.5, UTC)
    assert signal.features["speed_mean"] == 2.5
    assert signal.features["speed_max"] is None
    assert signal.features["probabilities"]["peek"] == pytest.approx(0.8, abs=1e-6)
    assert signal.model_info == INFO
    assert signal.explanation[0].text.startswith("peek 0.80")


def test_the_identity_is_the_instant_and_the_model_not_the_wall_clock() -> None:
    def identity(at: float = 3.0, who: Speaker | None = None, zero_us: int = ZERO_US, player: str = "p1") -> str:
        memory = after(Intent.HOLD, Intent.HOLD)
        (signal,) = statements(rows([at], [player]), sure(Intent.HOLD), who or speaker(), memory, zero_us)
        return signal.signal_id

    assert identity() == identity(zero_us=ZERO_US + 1)
    other = Speaker.of_model(CLASSES, FLAT, {**INFO, "model_version": "4"}, "f1")
    assert len({identity(), identity(at=3.5), identity(who=other), identity(player="p2")}) == 4


def test_no_source_time_no_event_ts() -> None:
    (signal,) = statements(rows([1.0], ["p1"]), sure(Intent.HOLD), speaker(), after(Intent.HOLD), None)
    assert signal.event_ts is None


def test_the_decision_rule_names_and_the_abstain_band_keeps_silent() -> None:
    weighted = Decision({**dict.fromkeys(CLASSES, 1.0), "rotate": 9.0}, 0.4, 1.0, 0.0, 0.0)
    p = sure(Intent.HOLD, p=0.6)
    assert speaker(weighted).names(rows([0.0], ["p1"]).x, p).tolist() == [CLASSES.index("hold")]
    p[0, CLASSES.index("rotate")] = 0.2
    assert CLASSES[speaker(weighted).names(rows([0.0], ["p1"]).x, p)[0]] == "rotate"
    (signal,) = statements(rows([0.0], ["p1"]), p, speaker(weighted), after(Intent.ROTATE), ZERO_US)
    assert signal.confidence == pytest.approx(0.2)
    unsure = sure(Intent.HOLD, p=0.39)
    assert statements(rows([0.0], ["p1"]), unsure, speaker(), after(Intent.HOLD), ZERO_US) == []


def test_a_lasting_intent_is_told_once_and_a_flickering_one_slowly() -> None:
    t = [0.5 * i for i in range(40)]
    lasting = statements(rows(t, ["p1"] * 40), sure(*[Intent.HOLD] * 40), speaker(), Debounce(), ZERO_US)
    assert [signal.t for signal in lasting] == [0.5]
    flicker = [Intent.HOLD if i // 2 % 2 else Intent.PEEK for i in range(40)]
    told = statements(rows(t, ["p1"] * 40), sure(*flicker), speaker(), Debounce(), ZERO_US)
    assert [(s.t, s.intent) for s in told[:4]] == [
        (0.5, Intent.PEEK),
        (1.5, Intent.HOLD),
        (6.5, Intent.PEEK),
        (7.5, Intent.HOLD),
    ]
    gaps = [b.t - a.t for a, b in zip(told, told[2:], strict=False) if a.t is not None and b.t is not None]
    assert min(gaps) >= QUIET_S


def test_what_shows_in_a_single_row_is_not_told() -> None:
    t = [0.5 * i for i in range(6)]
    once = [Intent.HOLD, Intent.HOLD, Intent.PEEK, Intent.HOLD, Intent.HOLD, Intent.HOLD]
    told = statements(rows(t, ["p1"] * 6), sure(*once), speaker(), Debounce(), ZERO_US)
    assert [(s.t, s.intent) for s in told] == [(0.5, Intent.HOLD)]


def test_players_and_rounds_do_not_silence_each_other() -> None:
    memory, both = after(Intent.HOLD, Intent.HOLD), sure(*[Intent.HOLD] * 2)
    first = statements(rows([1.0, 1.0], ["p1", "p2"]), both, speaker(), memory, ZERO_US)
    second = statements(rows([1.0, 1.5], ["p1", "p1"], segment=2), both, speaker(), memory, ZERO_US)
    assert [s.player_id for s in first] == ["p1", "p2"]
    assert [(s.segment, s.t) for s in second] == [(2, 1.5)]


@given(st.lists(st.tuples(st.sampled_from(["p1", "p2"]), st.integers(-1, 3)), max_size=60), st.data())
def test_batches_do_not_change_what_is_told(named: list[tuple[str, int]], data: st.DataObject) -> None:
    t = [0.5 * (i // 2) for i in range(len(named))]
    players, codes = [who for who, _ in named], [code for _, code in named]
    whole = Debounce().worth_telling(1, t, players, codes)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(named)), max_size=5)) | {0, len(named)})
    memory, parts = Debounce(), []
    for begin, end in pairwise(cuts):
        told = memory.worth_telling(1, t[begin:end], players[begin:end], codes[begin:end])
        parts += [begin + i for i in told]
    assert parts == whole


def test_without_a_model_rules_speak_and_claim_no_confidence() -> None:
    advancing = rows([0.0, 0.0], ["p1", "p2"], dist_to_objective_min=10.0, approach_velocity=1.5)
    memory = after(Intent.ADVANCE, Intent.ADVANCE)
    first, second = statements(advancing, None, rules_speaker(CLASSES), memory, ZERO_US)
    assert (first.intent, second.intent) == (Intent.ADVANCE, Intent.ADVANCE)
    assert first.confidence is None
    assert first.model_info["probability_source"] == "rules"
    assert "No model" in first.model_info["note"]
    assert "No model is promoted" in first.explanation[0].text
    assert statements(rows([0.0], ["p1"]), None, rules_speaker(CLASSES), Debounce(), ZERO_US) == []


def test_a_rule_is_told_beside_the_model_and_never_outvotes_it() -> None:
    advancing = rows([0.0], ["p1"], dist_to_objective_min=10.0, approach_velocity=1.5)
    (signal,) = statements(advancing, sure(Intent.HOLD), speaker(), after(Intent.HOLD), ZERO_US)
    assert signal.intent is Intent.HOLD
    assert "A rule says advance" in signal.explanation[1].text
    assert "the model gives that 0.03" in signal.explanation[1].text


def test_a_model_without_its_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        statements(rows([0.0], ["p1"]), None, speaker(), Debounce(), ZERO_US)


def test_an_empty_table_has_no_rounds() -> None:
    assert of_table(micro_table([])) == []
    assert UNNAMED == -1
