"""A cycle over recorded games: which comparison is due, what may change meanwhile, and what is reported."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine
from test_scores import START, game, score

from esports_assets.promotion.cycle import InPlay, judge_cycle
from esports_assets.promotion.reports import history, record_report
from esports_assets.promotion.scores import record_game, record_rounds
from esports_assets.promotion.sequential import Ruling, Terms
from esports_assets.promotion.terms import Alias

NOW = START + timedelta(hours=2)
SHORT = Terms(maximum_horizon=100, minimum_games=10)


@pytest.fixture
def cursor(engine: Engine, promotion_url: str) -> Iterator[Any]:
    """Nothing of a test stays; ``engine`` has migrated."""
    connection = psycopg2.connect(promotion_url)
    with connection.cursor() as found:
        yield found
    connection.rollback()
    connection.close()


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}.next_move.xgboost"


def play(cursor: Any, name: str, games: int, challenger_wins: bool, shadows: bool = True) -> None:
    """Version 4 challenges 3; in shadow 6 predicts better than 4, and 5 worse."""
    for number in range(games):
        second = number % 2 == 1
        won = number % 4 < 2 or (second and challenger_wins)
        one = replace(game(name, number, second, result=float(won)), started_at=START + timedelta(seconds=number))
        record_game(cursor, one)
        if shadows:
            said = {3: (0.5, 0.25, 0.25), 4: (0.5, 0.25, 0.25), 5: (0.3, 0.35, 0.35), 6: (0.9, 0.05, 0.05)}
            aliases = dict(zip(said, Alias, strict=True))
            record_rounds(
                cursor,
                [score(one, step, v, aliases[v], probabilities=p) for v, p in said.items() for step in range(1, 6)],
            )


def test_a_challenger_that_wins_is_promoted_and_the_order_kept(cursor: Any, name: str) -> None:
    play(cursor, name, 300, challenger_wins=True)
    found = judge_cycle(cursor, InPlay(name, 3, (4, 5, 6)), NOW, source="cycle")
    assert found.judgement.ruling is Ruling.SWAP
    assert found.ranking.order == (4, 5, 6)
    assert (found.waits, found.report.reorder_applied) == (None, False)
    record_report(cursor, found.report, request_key="k", actor="t")
    (row,) = history(cursor, model_type=name)
    assert (row["decision"], row["production_version"], row["b_version"]) == ("swap_production_b", 3, 4)
    assert row["production_games_since_swap"] == row["b_games_since_swap"] == 150


def test_while_the_race_is_open_only_shadows_change_places(cursor: Any, name: str) -> None:
    play(cursor, name, 60, challenger_wins=False)
    terms = Terms(minimum_games=20)
    found = judge_cycle(cursor, InPlay(name, 3, (4, 5, 6)), NOW, source="cycle", terms=terms)
    assert found.judgement.ruling is Ruling.CONTINUE
    assert found.ranking.order == (4, 6, 5)
    assert found.waits is not None
    assert found.report.reorder_applied
    assert "v6 predicts better than v5" in found.report.reason
    assert [(one.alias, one.source_alias, one.accuracy) for one in found.report.alias_rankings] == [
        (Alias.B, Alias.B, 1.0),
        (Alias.SHADOW1, Alias.SHADOW2, 1.0),
        (Alias.SHADOW2, Alias.SHADOW1, 0.0),
    ]
    assert [one.total_predictions for one in found.report.alias_accuracies] == [300] * 4


def test_once_it_is_over_a_better_shadow_becomes_b(cursor: Any, name: str) -> None:
    play(cursor, name, 100, challenger_wins=False)
    found = judge_cycle(cursor, InPlay(name, 3, (4, 5, 6)), NOW, source="cycle", terms=SHORT)
    assert found.judgement.ruling is Ruling.RETAIN
    assert found.ranking.order == (6, 4, 5)
    assert found.waits is None


def test_the_replaced_version_is_watched_for_a_rollback_since_the_swap(cursor: Any, name: str) -> None:
    """Version 4 is the one that 3 replaced, half a minute in; no guardrail asks for rounds."""
    play(cursor, name, 300, challenger_wins=True, shadows=False)
    since = START + timedelta(seconds=30)
    found = judge_cycle(cursor, InPlay(name, 3, (4,), replaced=4, swapped_at=since), NOW, source="cycle")
    assert found.judgement.ruling is Ruling.ROLLBACK
    assert found.report.decision == "rollback_production"
    later = InPlay(name, 3, (4,), replaced=4, swapped_at=START + timedelta(seconds=290))
    assert judge_cycle(cursor, later, NOW, source="cycle").judgement.production.games == 5
    vetoed = judge_cycle(cursor, InPlay(name, 3, (4,)), NOW, source="cycle")
    assert vetoed.judgement.ruling is Ruling.RETAIN
    assert vetoed.judgement.vetoes


def test_nobody_challenges_himself() -> None:
    for challengers in ((), (3,), (4, 4), (4, 5, 6, 7)):
        with pytest.raises(ValueError, match="one to three challengers, each another version"):
            InPlay("a.b.c", 3, challengers)
