"""Rulings about two versions in play: by whose games, when, and with what error."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.promotion.guardrails import Guardrails, Health, vetoes
from esports_assets.promotion.sequential import (
    DEFAULT_TERMS,
    Evidence,
    Ruling,
    Terms,
    judge,
    judge_rollback,
    retraining_waits,
)
from esports_assets.promotion.simulation import Duel, SimulationError, earlier_rule, earlier_rule_once, race, summary

FIT = Health(rounds=500, ece=0.03, brier=0.6, latency_p95_ms=8.0, error_rate=0.0)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def evidence(production: float, challenger: float, games: int, seed: int = 0, **changes: Any) -> Evidence:
    rng = np.random.default_rng(seed)
    second = rng.random(games) < 0.5
    results = (rng.random(games) < np.where(second, challenger, production)).astype(float)
    told: dict[str, Any] = {
        "registered_name": "rps.next_move.xgboost",
        "production_version": 3,
        "challenger_version": 4,
        "challenger": second,
        "results": results,
        "shares": np.full(games, 0.5),
        "last_game_at": NOW,
    }
    return Evidence(**(told | changes))


def judged(found: Evidence, terms: Terms = DEFAULT_TERMS, challenger: Health = FIT) -> Any:
    return judge(found, terms, production_health=FIT, challenger_health=challenger)


def test_few_games_are_no_evidence() -> None:
    found = judged(evidence(0.2, 0.9, 60))
    assert found.ruling is Ruling.INSUFFICIENT_DATA
    assert found.decided_at is None
    assert "each needs 50" in found.reasons[0]
    empty = judged(evidence(0.2, 0.9, 0))
    assert (empty.ruling, empty.lift, empty.bounds, empty.log_e_better) == (
        Ruling.INSUFFICIENT_DATA,
        None,
        (-1.0, 1.0),
        0.0,
    )


def test_a_better_challenger_takes_production_once_it_is_shown() -> None:
    games = evidence(0.4, 0.6, 2000)
    found = judged(games)
    assert found.ruling is Ruling.SWAP
    assert 100 <= found.decided_at < 1000
    assert found.log_e_better >= -np.log(0.03)
    assert found.production.games + found.challenger.games == found.decided_at
    used = games.challenger[: found.decided_at]
    mean = games.results[: found.decided_at][used].mean()
    assert found.challenger.mean == pytest.approx(mean)
    assert found.lift == pytest.approx(mean - games.results[: found.decided_at][~used].mean())
    assert found.bounds[0] < found.lift < found.bounds[1]
    assert found.confidence == pytest.approx(0.94)
    json = found.as_json()
    assert (json["ruling"], json["challenger"]["version"]) == ("swap_production_b", 4)


def test_an_equal_or_worse_challenger_is_given_up_before_the_horizon() -> None:
    for challenger in (0.5, 0.4):
        found = judged(evidence(0.5, challenger, 5000, seed=2))
        assert found.ruling is Ruling.RETAIN
        assert found.decided_at < 5000
        assert "is not better by 0.05" in found.reasons[0]


def test_between_the_two_it_goes_on_until_the_horizon() -> None:
    some = evidence(0.5, 0.53, 400)
    assert judged(some).ruling is Ruling.CONTINUE
    ended = judged(some, Terms(maximum_horizon=400))
    assert (ended.ruling, ended.decided_at) == (Ruling.RETAIN, 400)
    assert "within 400 games" in ended.reasons[0]


def test_what_was_shown_before_both_had_played_enough_must_still_stand_then() -> None:
    """Of a hundred games in turn, the challenger has the better of the first ones and the worse of the rest."""
    second = np.tile([False, True], 50)
    for first, ruling in ((34, Ruling.CONTINUE), (80, Ruling.SWAP)):
        results = np.where(np.arange(100) < first, second, ~second).astype(float)
        games = replace(evidence(0.5, 0.5, 100), challenger=second, results=results)
        assert judged(games, Terms(minimum_games=17)).ruling is Ruling.SWAP
        assert judged(games, Terms(futility_alpha=1e-6)).ruling is ruling


def test_ties_count_half() -> None:
    games = evidence(0.5, 0.5, 400)
    tied = judged(replace(games, results=np.full(400, 0.5)))
    assert tied.lift == 0.0
    assert tied.log_e_better == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.3, 0.7), st.integers(100, 900))
def test_looking_rarely_or_often_decides_the_same(seed: int, rate: float, looked: int) -> None:
    """What was decided with fewer games is decided with more."""
    games = evidence(0.5, rate, 900, seed)
    part = replace(
        games, challenger=games.challenger[:looked], results=games.results[:looked], shares=games.shares[:looked]
    )
    early, late = judged(part), judged(games)
    if early.decided_at is not None:
        assert early == late
    elif late.decided_at is not None:
        assert late.decided_at > looked


def test_a_rollback_is_the_same_race_since_the_swap() -> None:
    worse = evidence(0.4, 0.6, 2000, production_version=4, challenger_version=3)
    found = judge_rollback(worse)
    assert found.ruling is Ruling.ROLLBACK
    assert replace(found, ruling=Ruling.SWAP) == judged(worse)
    assert judge_rollback(evidence(0.6, 0.4, 2000)).ruling is Ruling.RETAIN


def test_guardrails_veto_a_swap_with_reasons() -> None:
    games = evidence(0.4, 0.6, 2000)
    bad = Health(rounds=500, ece=0.09, brier=0.7, latency_p95_ms=80.0, error_rate=0.2)
    found = judged(games, challenger=bad)
    assert found.ruling is Ruling.RETAIN
    assert len(found.vetoes) == 4
    assert "calibration error is 0.0900 against 0.0300; 0.0300 more is allowed" in found.vetoes[0]
    assert found.reasons[0].startswith("The swap is vetoed")
    assert found.decided_at == judged(games).decided_at
    assert judged(evidence(0.5, 0.53, 400), challenger=bad).ruling is Ruling.CONTINUE


def test_guardrails_hold_at_their_limits_and_refuse_what_nobody_measured() -> None:
    limits = Guardrails()
    edge = Health(rounds=200, ece=0.05, brier=0.61, latency_p95_ms=50.0, error_rate=0.01)
    assert vetoes(edge, FIT, limits) == ()
    assert vetoes(replace(edge, latency_p95_ms=50.1), FIT, limits) == (
        "The challenger's 95th percentile of latency in ms is 50.1000; 50.0000 is allowed.",
    )
    assert vetoes(replace(edge, error_rate=None), FIT, limits) == ("The challenger's error rate was not measured.",)
    assert "was not measured for both" in vetoes(edge, replace(FIT, brier=None), limits)[0]
    assert vetoes(replace(edge, rounds=199), FIT, limits) == (
        "The challenger was measured on 199 rounds, and 200 are needed.",
    )


def test_evidence_is_about_two_versions_and_real_games() -> None:
    with pytest.raises(ValueError, match="v3 cannot be compared with itself"):
        evidence(0.5, 0.5, 10, challenger_version=3)
    with pytest.raises(ValueError, match="only go to one arm"):
        evidence(0.5, 0.5, 10, shares=np.ones(10))
    with pytest.raises(ValueError, match="between 0 and 1"):
        evidence(0.5, 0.5, 10, results=np.full(10, 2.0))
    with pytest.raises(ValueError, match="an arm, a result and a share"):
        evidence(0.5, 0.5, 10, results=np.zeros(9))


def test_training_waits_while_a_comparison_is_played() -> None:
    games = evidence(0.5, 0.53, 400)
    waiting = retraining_waits(games, judged(games), NOW + timedelta(days=1))
    assert waiting is not None
    assert "v4 against v3 is compared, 400 of at most 5000 games" in waiting
    assert retraining_waits(games, judged(games), NOW + timedelta(days=7, seconds=1)) is None
    over = evidence(0.4, 0.6, 2000)
    assert retraining_waits(over, judged(over), NOW) is None
    unplayed = evidence(0.5, 0.5, 0, last_game_at=None)
    assert retraining_waits(unplayed, judged(unplayed), NOW) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"alpha": 0.0}, "alpha must lie between 0 and 1"),
        ({"minimum_effect": 1.0}, "minimum_effect must lie"),
        ({"minimum_games": 0}, "minimum_games must be at least 1"),
        ({"maximum_horizon": 99}, "leaves no room for 50 games"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Terms(**changes)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(changes), type=Terms)


def test_an_equal_challenger_is_rarely_promoted_and_a_lift_is_found() -> None:
    """A tenth of the benchmark's trials; the bar is 0.05 and 0.8, the truth about 0.025 and 0.84."""
    equal = race(Duel(0.0), 5000, 400, seed=11)
    assert equal.swapped.mean() <= 0.05
    assert not (equal.swapped & equal.given_up).any()
    lifted = race(Duel(0.05), 5000, 400, seed=12)
    assert lifted.swapped.mean() >= 0.8
    told = lifted.games_to_decision
    assert told is not None
    assert 1500 < told["median"] < 2500


def test_a_summary_tells_rates_of_swap_and_rollback() -> None:
    found = summary(Duel(-0.2), 1500, 100, seed=1)
    assert (found["trials"], found["swap_rate"]) == (100, 0.0)
    assert found["rollback_rate"] > 0.95
    assert summary(Duel(0.0), 60, 20)["games_to_decision"] is None
    assert summary(Duel(0.0), 60, 20, seed=4) == summary(Duel(0.0), 60, 20, seed=4)


def test_the_earlier_rule_swaps_equal_versions_a_third_of_the_time() -> None:
    assert earlier_rule_once(Duel(0.0), 3) == pytest.approx(0.34375)
    assert earlier_rule_once(Duel(0.0), 30) == pytest.approx(0.4487, abs=1e-4)
    assert earlier_rule(Duel(0.0), 500, 300).swapped.mean() > 0.9
    assert earlier_rule(Duel(0.0), 20, 300, level=0.05).swapped.mean() < 0.3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ((0.6, 0.5, 0.5), "which is no win rate"),
        ((0.0, 1.5, 0.5), "a win rate lies between 0 and 1"),
        ((0.0, 0.5, 1.0), "share of games lies between"),
    ],
)
def test_a_duel_that_cannot_be_is_refused(wrong: tuple[float, float, float], sentence: str) -> None:
    with pytest.raises(SimulationError, match=sentence):
        Duel(*wrong)
    with pytest.raises(SimulationError, match="must be a game and a trial"):
        race(Duel(0.0), 0, 1)
