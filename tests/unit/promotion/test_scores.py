"""Games and rounds in a real PostgreSQL: written twice without harm, judged by version, and never by tests or bots."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import RealDictCursor
from sqlalchemy import Engine

from esports_assets.promotion.evidence import load_evidence, load_health, load_paired, load_rounds
from esports_assets.promotion.scores import Game, RoundScore, ScoreError, Traffic, record_game, record_rounds
from esports_assets.promotion.sequential import Ruling, judge
from esports_assets.promotion.terms import Alias

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["tuples", "dictionaries"])
def cursor(engine: Engine, promotion_url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Nothing of a test stays; ``engine`` has migrated."""
    connection = psycopg2.connect(promotion_url)
    with connection.cursor(cursor_factory=RealDictCursor if request.param == "dictionaries" else None) as found:
        yield found
    connection.rollback()
    connection.close()


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}.next_move.xgboost"


def game(name: str, number: int, second: bool = False, result: float | None = 1.0, **changes: Any) -> Game:
    """Number by number later; Production is v3, B is v4, an even coin."""
    told: dict[str, Any] = {
        "game_id": f"{name}:{number}",
        "registered_name": name,
        "alias": Alias.B if second else Alias.PRODUCTION,
        "version": 4 if second else 3,
        "rival_version": 3 if second else 4,
        "challenger_share": 0.5,
        "policy": "brian",
        "traffic": Traffic.HUMAN,
        "is_test": False,
        "started_at": START + timedelta(minutes=number),
        "ended_at": None if result is None else START + timedelta(minutes=number + 1),
        "result": result,
    }
    return Game(**(told | changes))


def score(game: Game, step: int, version: int, alias: Alias = Alias.SHADOW1, **changes: Any) -> RoundScore:
    told: dict[str, Any] = {
        "game_id": game.game_id,
        "step": step,
        "registered_name": game.registered_name,
        "alias": alias,
        "version": version,
        "probabilities": (0.5, 0.3, 0.2),
        "outcome": 0,
        "at": game.started_at + timedelta(seconds=step),
        "latency_ms": 2.0,
    }
    return RoundScore(**(told | changes))


def test_a_game_is_written_once_and_ends_once(cursor: Any, name: str) -> None:
    begun = game(name, 1, result=None)
    assert [record_game(cursor, begun), record_game(cursor, begun)] == [True, False]
    assert len(load_evidence(cursor, name, 3, 4).results) == 0
    ended = game(name, 1, result=0.5)
    assert [record_game(cursor, ended), record_game(cursor, ended), record_game(cursor, begun)] == [True, False, False]
    assert load_evidence(cursor, name, 3, 4).results.tolist() == [0.5]
    with pytest.raises(ScoreError, match=r"ended with 0\.5 already, and not with 1"):
        record_game(cursor, game(name, 1, result=1.0))
    with pytest.raises(ScoreError, match="recorded already, with another version and rival_version"):
        record_game(cursor, replace(ended, version=4, rival_version=3))


def test_evidence_is_what_chance_gave_to_these_two(cursor: Any, name: str) -> None:
    played = [
        game(name, 1, second=False, result=0.0),
        game(name, 2, second=True, result=1.0, challenger_share=0.25),
        game(name, 3, second=True, result=None),
        game(name, 4, second=True, version=5),
        game(name, 5, second=False, rival_version=5),
        game(name, 6, second=False, rival_version=None, challenger_share=None),
        game(name, 7, second=True, challenger_share=1.0),
        game(name, 8, second=True, is_test=True),
        game(name, 9, second=True, traffic=Traffic.BOT),
        game(name, 10, second=True, traffic=Traffic.AUTO_FILL),
        game(name, 11, second=False, result=0.5),
        game(name, 12, registered_name=f"{name}2"),
    ]
    for one in played:
        record_game(cursor, one)
    found = load_evidence(cursor, name, 3, 4)
    assert found.challenger.tolist() == [False, True, False]
    assert found.results.tolist() == [0.0, 1.0, 0.5]
    assert found.shares.tolist() == [0.5, 0.25, 0.5]
    assert found.last_game_at == START + timedelta(minutes=12)
    assert load_evidence(cursor, name, 3, 5).challenger.tolist() == [True, False]
    assert load_evidence(cursor, name, 4, 3).challenger.tolist() == []
    since = load_evidence(cursor, name, 3, 4, since=START + timedelta(minutes=2))
    assert since.results.tolist() == [1.0, 0.5]


def test_the_view_and_a_game_in_hand_say_the_same_of_what_may_judge(cursor: Any, name: str) -> None:
    made = [
        game(name, 10 * k + test, traffic=traffic, is_test=bool(test))
        for k, traffic in enumerate(Traffic)
        for test in (0, 1)
    ]
    for one in made:
        record_game(cursor, one)
    cursor.execute("SELECT array_agg(game_id) AS ids FROM comparable_games WHERE registered_name = %s", (name,))
    row = cursor.fetchone()
    ids = row["ids"] if isinstance(row, dict) else row[0]
    assert ids == [one.game_id for one in made if one.comparable] == [f"{name}:0"]


def test_rounds_are_scored_as_they_are_written(cursor: Any, name: str) -> None:
    one = game(name, 1)
    record_game(cursor, one)
    right, wrong = score(one, 1, 3, Alias.PRODUCTION), score(one, 1, 4, Alias.B, outcome=2)
    silent = score(one, 2, 3, Alias.PRODUCTION, probabilities=None, latency_ms=None)
    assert record_rounds(cursor, [right, wrong, silent]) == 3
    assert record_rounds(cursor, [right, replace(wrong, outcome=1), score(one, 3, 3)]) == 1
    assert record_rounds(cursor, []) == 0
    cursor.execute(
        "SELECT correct, log_loss, brier FROM promotion_round_scores WHERE game_id = %s ORDER BY step, version",
        (one.game_id,),
    )
    rows = [tuple(row.values()) if isinstance(row, dict) else row for row in cursor.fetchall()]
    assert rows[0] == (True, pytest.approx(-math.log(0.5)), pytest.approx(0.25 + 0.09 + 0.04))
    assert rows[1] == (False, pytest.approx(-math.log(0.2)), pytest.approx(0.25 + 0.09 + 0.64))
    assert rows[2] == (None, None, None)


def test_health_is_that_of_one_version_on_comparable_rounds(cursor: Any, name: str) -> None:
    mine, test = game(name, 1), game(name, 2, is_test=True)
    for one in (mine, test):
        record_game(cursor, one)
    scores = [score(mine, step, 3, outcome=step % 2, latency_ms=float(step)) for step in range(1, 11)]
    scores += [score(mine, 11, 3, probabilities=None, latency_ms=None), score(mine, 1, 4, Alias.B)]
    scores += [score(test, step, 3, outcome=2, latency_ms=900.0) for step in range(1, 50)]
    record_rounds(cursor, scores)
    found = load_health(cursor, name, 3)
    assert found.rounds == 11
    assert found.error_rate == pytest.approx(1 / 11)
    assert found.latency_p95_ms == pytest.approx(9.55)
    assert found.brier == pytest.approx(0.5 * 0.38 + 0.5 * (0.25 + 0.49 + 0.04))
    assert load_rounds(cursor, name, 3).outcomes.tolist() == [1, 0] * 5
    assert load_health(cursor, name, 9).rounds == 0
    assert load_health(cursor, name, 3, since=mine.started_at + timedelta(seconds=10)).rounds == 2


def test_pairs_are_games_that_both_predicted(cursor: Any, name: str) -> None:
    first, second, test, open_game = (
        game(name, 1),
        game(name, 2),
        game(name, 3, is_test=True),
        game(name, 4, result=None),
    )
    for one in (first, second, test, open_game):
        record_game(cursor, one)
        better = {"probabilities": (0.8, 0.1, 0.1)}
        record_rounds(cursor, [score(one, step, 6, Alias.SHADOW2, **better) for step in (1, 2)])
        record_rounds(cursor, [score(one, 1, 5), score(one, 2, 5, probabilities=(0.8, 0.1, 0.1))])
    record_rounds(cursor, [score(second, 3, 6, Alias.SHADOW2), score(second, 3, 5, probabilities=None)])
    gain = (0.38 - 0.06) / 2 / 2
    assert load_paired(cursor, name, 6, 5).gains.tolist() == pytest.approx([gain, gain])
    assert load_paired(cursor, name, 5, 6).gains.tolist() == pytest.approx([-gain, -gain])
    assert load_paired(cursor, name, 6, 7).gains.tolist() == []
    assert len(load_paired(cursor, name, 6, 5, since=second.started_at).gains) == 1


def test_what_is_recorded_leads_to_a_ruling(cursor: Any, name: str) -> None:
    for number in range(400):
        second = number % 2 == 1
        record_game(cursor, game(name, number, second, result=float(second or number % 4 == 0)))
    found = judge(
        load_evidence(cursor, name, 3, 4),
        production_health=load_health(cursor, name, 3),
        challenger_health=load_health(cursor, name, 4),
    )
    assert found.ruling is Ruling.RETAIN
    assert found.vetoes == ("The challenger was measured on 0 rounds, and 200 are needed.",)
    assert found.decided_at is not None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"result": 2.0}, "has the result 2.0, which does not lie between 0 and 1"),
        ({"result": math.nan}, "has the result nan"),
        ({"ended_at": None}, "a result once it has ended"),
        ({"challenger_share": None}, "needs both a rival version and its share"),
        ({"registered_name": "xgboost"}, "'xgboost' is no registered name"),
        ({"game_id": ""}, "is no id of a game"),
    ],
)
def test_a_game_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScoreError, match=sentence):
        replace(game("a.b.c", 1), **changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"step": 0}, "a step below 1"),
        ({"outcome": 3}, "came to class 3, and there are 3"),
        ({"probabilities": (0.5, 0.4, 0.3)}, "probabilities that are none"),
        ({"probabilities": (math.nan, 0.5, 0.5)}, "probabilities that are none"),
    ],
)
def test_a_round_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ScoreError, match=sentence):
        score(game("a.b.c", 1), **({"step": 1, "version": 3} | changes))
