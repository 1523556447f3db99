"""Figures about reviews are those of the audit log: after a restart, in every process, however long the log is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from esports_assets.storage.database import connect, migrate
from serving import review_figures
from serving.app import create_app
from serving.database import Database
from serving.errors import ApiError
from serving.review_figures import MOST_AGENTS, ReviewFigures
from serving.review_terms import Action, Cause, Kind, NewReview
from serving.reviews import WORKER, Reviews
from serving.settings import Settings

ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return ZERO + timedelta(seconds=self.seconds)


@pytest.fixture
def database(fresh_database_url: str) -> Iterator[Database]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    found = Database(fresh_database_url)
    yield found
    found.close()


def _insight(review_id: str, agent: str = "momentum") -> NewReview:
    subject = {"match_id": "m", "event_ts": ZERO.isoformat()}
    return NewReview(review_id, Kind.INSIGHT, agent, (Cause.INSIGHT,), subject)


def _told(figures: ReviewFigures) -> dict[str, Any]:
    registry = CollectorRegistry()
    registry.register(figures)
    return {
        f"{s.name}{''.join(f'|{v}' for v in s.labels.values())}": s.value
        for family in registry.collect()
        for s in family.samples
    }


def _decide(reviews: Reviews, clock: _Clock, review_id: str, action: Action, agent: str, took_s: float) -> None:
    reviews.create(_insight(review_id, agent), WORKER)
    clock.seconds += took_s
    reviews.act(review_id, WORKER, action, {})


def test_depth_latency_and_rates_follow_the_log(database: Database) -> None:
    clock = _Clock()
    reviews, figures = Reviews(database, clock=clock), ReviewFigures(database)
    assert figures.poll() == 0
    assert _told(figures)["review_queue_depth"] == 0
    _decide(reviews, clock, "a", Action.APPROVE, "momentum", 4.0)
    _decide(reviews, clock, "b", Action.REJECT, "momentum", 5.0)
    _decide(reviews, clock, "c", Action.APPROVE, "motion", 700.0)
    reviews.create(_insight("d"), WORKER)
    reviews.claim("d", WORKER)
    reviews.comment("d", WORKER, "hm")
    reviews.act("d", WORKER, Action.ESCALATE, {})
    assert figures.poll() == 7
    told = _told(figures)
    assert told["review_queue_depth"] == 1
    assert (told["hitl_reviews_total|insight"], told["hitl_reviews_total|signal"]) == (4, 0)
    assert (told["review_completed_total|approved"], told["review_completed_total|rejected"]) == (2, 1)
    assert (told["approval_rate|momentum"], told["approval_rate|motion"]) == (0.5, 1.0)
    buckets = [told[f"review_latency_seconds_bucket|{bound}"] for bound in ("1.0", "5.0", "600.0", "3600.0", "+Inf")]
    assert buckets == [0, 2, 2, 3, 3]
    assert (told["review_latency_seconds_count"], told["review_latency_seconds_sum"]) == (3, 709.0)


def test_another_process_and_many_pages_tell_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    reviews, first = Reviews(database, clock=clock), ReviewFigures(database)
    for n in range(7):
        _decide(reviews, clock, f"r{n}", Action.APPROVE if n % 3 else Action.REJECT, "momentum", 2.0)
        first.poll()
    monkeypatch.setattr(review_figures, "_PAGE", 3)
    second = ReviewFigures(database)
    assert [second.poll() for _ in range(6)] == [3, 3, 3, 3, 2, 0]
    assert _told(second) == _told(first)
    assert _told(first)["approval_rate|momentum"] == pytest.approx(4 / 7)


def test_names_that_anybody_may_write_are_bounded(database: Database) -> None:
    clock = _Clock()
    reviews, figures = Reviews(database, clock=clock), ReviewFigures(database)
    for n in range(MOST_AGENTS + 5):
        _decide(reviews, clock, f"r{n}", Action.APPROVE, f"agent{n:02}", 1.0)
    _decide(reviews, clock, "again", Action.REJECT, "agent20", 1.0)
    figures.poll()
    rates = {name: value for name, value in _told(figures).items() if name.startswith("approval_rate")}
    assert len(rates) == MOST_AGENTS + 1
    assert (rates["approval_rate|agent20"], rates["approval_rate|other"]) == (0.5, 1.0)


def test_a_database_without_tables_or_away_is_said_and_the_old_figures_stand(fresh_database_url: str) -> None:
    for url in (fresh_database_url, "postgresql://nobody@127.0.0.1:1/none"):
        figures = ReviewFigures(Database(url))
        with pytest.raises(ApiError) as refused:
            figures.poll()
        assert refused.value.status == 503
        assert _told(figures)["review_queue_depth"] == 0


def test_the_service_shows_them(database: Database, fresh_database_url: str, tmp_path: Path) -> None:
    reviews = Reviews(database)
    reviews.create(_insight("shown"), WORKER)
    settings = Settings(esports_home=str(tmp_path), database_url=fresh_database_url)
    with TestClient(create_app(settings)) as client:
        for _ in range(100):
            text = client.get("/metrics").text
            if "review_queue_depth 1.0" in text:
                break
    assert 'hitl_reviews_total{kind="insight"} 1.0' in text
    assert "approval_rate{" not in text
