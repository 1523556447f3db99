"""What an operator sets about reviews and delays is what rule and policy do; what is no setting is one sentence at the start."""

import os
import subprocess
import sys

import pytest

from esports_assets.canonical.signal import SignalType
from esports_assets.canonical.vocabulary import Intent
from serving.gate import Audience, Policy
from serving.live_settings import LiveSettings
from serving.review_terms import Rule
from serving.settings import Settings, read

_NAMES = (
    *("HITL_CONF_THRESHOLD", "HITL_SENSITIVE_INTENTS", "SIGNAL_DELAYS_S", "SIGNAL_DEFAULT_DELAY_S"),
    *("STATE_DELAYS_S", "PUBLIC_DELAY_S"),
)


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_those_of_rule_and_policy() -> None:
    settings = read(Settings)
    assert settings.rule == Rule()
    assert settings.policy == Policy()


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("0.75", "plant, peek", "STAR_PLAYER=30, MOTION_SYNTHESIS=10.5", "200", "COACH=60,ANALYST=5", "240")
    for name, value in zip(_NAMES, told, strict=True):
        monkeypatch.setenv(name, value)
    settings = read(Settings)
    assert settings.rule.min_confidence == 0.75
    assert settings.rule.sensitive_intents == {Intent.PLANT, Intent.PEEK}
    policy = settings.policy
    analyst = [policy.delay_s(kind, Audience.ANALYST) for kind in SignalType]
    assert dict(zip(SignalType, analyst, strict=True)) == {
        SignalType.MOTION_SYNTHESIS: 10.5,
        SignalType.MOMENTUM_SHIFT: 200.0,
        SignalType.STAR_PLAYER: 30.0,
        SignalType.ECONOMY_CRASH: 200.0,
    }
    assert policy.delay_s(SignalType.STAR_PLAYER, Audience.PUBLIC) == 240.0
    assert [policy.state_delay_s(audience) for audience in Audience] == [240.0, 240.0, 60.0, 5.0]


def test_the_worker_goes_by_the_same_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_CONF_THRESHOLD", "0.9")
    monkeypatch.setenv("STATE_DELAYS_S", "COACH=300")
    worker = LiveSettings(database_url="postgresql://x/y", redis_url="redis://x")
    assert worker.rule.min_confidence == 0.9
    assert worker.policy.state_delay_s(Audience.COACH) == 300.0


def test_no_intent_may_be_sensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_SENSITIVE_INTENTS", "none")
    assert read(Settings).rule.sensitive_intents == frozenset()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HITL_CONF_THRESHOLD", "1.5", "HITL_CONF_THRESHOLD does not fit: input should be less than or equal to 1."),
        ("HITL_CONF_THRESHOLD", "nan", "HITL_CONF_THRESHOLD does not fit: input should be less than or equal to 1."),
        (
            "HITL_SENSITIVE_INTENTS",
            "plant,dance",
            "HITL_SENSITIVE_INTENTS names 'dance'; known are "
            "advance, retreat, hold, peek, plant, defuse, rotate, trade, engage, none.",
        ),
        ("PUBLIC_DELAY_S", "179.9", "PUBLIC_DELAY_S does not fit: input should be greater than or equal to 180."),
        (
            "SIGNAL_DELAYS_S",
            "STAR_PLAYER:60",
            "SIGNAL_DELAYS_S names 'STAR_PLAYER:60'; known are "
            "MOTION_SYNTHESIS, MOMENTUM_SHIFT, STAR_PLAYER, ECONOMY_CRASH.",
        ),
        (
            "SIGNAL_DELAYS_S",
            "STAR_PLAYER=soon",
            "SIGNAL_DELAYS_S must be a list like MOTION_SYNTHESIS=120, and 'STAR_PLAYER=soon' is no part of one.",
        ),
        ("SIGNAL_DELAYS_S", "STAR_PLAYER=-1", "SIGNAL_DELAYS_S holds a delay of -1.0 s, which is none."),
        ("STATE_DELAYS_S", "ANALYST=inf", "STATE_DELAYS_S holds a delay of inf s, which is none."),
        ("SIGNAL_DEFAULT_DELAY_S", "inf", "A delay of inf s is none."),
        ("STATE_DELAYS_S", "PUBLIC=0", "STATE_DELAYS_S does not set the delay of the public: PUBLIC_DELAY_S does."),
    ],
)
def test_a_bad_value_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        read(Settings)
    assert refused.value.code == sentence


def test_the_service_says_it_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serving.app"],
        env={**os.environ, "HITL_CONF_THRESHOLD": "high", "PUBLIC_DELAY_S": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "HITL_CONF_THRESHOLD does not fit: input should be a valid number, unable to parse string as a number. "
        "PUBLIC_DELAY_S does not fit: input should be greater than or equal to 180.\n"
    )
