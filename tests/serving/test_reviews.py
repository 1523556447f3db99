"""The queue keeps its rules on a real PostgreSQL, and the stream says what the tables say, whatever dies in between."""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical import signal as signals
from esports_assets.canonical.signal import AgentSignal, SignalStatus, SignalType
from esports_assets.canonical.vocabulary import Intent
from esports_assets.storage.database import connect, migrate
from serving.database import Database, storable
from serving.errors import ApiError
from serving.gate import Audience, Policy
from serving.release import Releases, channel
from serving.review_events import STREAM, Relay
from serving.review_terms import Action, Cause, Kind, NewReview, Rule, Status, after, approved, triage
from serving.reviews import Reviews
from serving.roles import Principal, Role

ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)
ANN = Principal("ann", Role.REVIEWER, "key:ann")
BEN = Principal("ben", Role.REVIEWER, "key:ben")
OPAL = Principal("opal", Role.OPERATOR, "key:opal")
ALAN = Principal("alan", Role.ANALYST, "key:alan")
VERA = Principal("vera", Role.VIEWER, "key:vera")


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = ZERO

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def database(fresh_database_url: str) -> Iterator[Database]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    found = Database(fresh_database_url)
    yield found
    found.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reviews(database: Database, clock: Clock) -> Reviews:
    return Reviews(database, clock=clock, lease_s=600)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(redis_url.replace("/0", "/6"))
    found.flushdb()
    yield found
    found.flushdb()
    found.close()


@pytest.fixture
def releases(client: "redis.Redis", clock: Clock) -> Releases:
    return Releases(client, Policy(), clock=clock)


@pytest.fixture
def relay(database: Database, client: "redis.Redis", releases: Releases) -> Relay:
    return Relay(database, client, releases)


def _signal(name: str = "a1", **changes: Any) -> AgentSignal:
    values = {
        "signal_id": name,
        "type": SignalType.MOTION_SYNTHESIS,
        "match_id": "m1",
        "event_ts": ZERO,
        "player_id": "p1",
        "intent": Intent.PLANT,
        "confidence": 0.9,
    }
    return AgentSignal(**{**values, **changes})


def _new(name: str = "a1", **changes: Any) -> NewReview:
    _, new = triage(_signal(name, **changes), Rule(), "intent")
    assert new is not None
    return new


def _refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        call()
    assert refused.value.message.endswith(".")
    return refused.value.status, refused.value.code


# What needs a review


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({"intent": Intent.HOLD}, ()),
        ({"intent": Intent.HOLD, "confidence": 0.6}, ()),
        ({"intent": Intent.HOLD, "confidence": 0.5999}, (Cause.LOW_CONFIDENCE,)),
        ({"intent": Intent.HOLD, "confidence": None}, (Cause.LOW_CONFIDENCE,)),
        ({"intent": Intent.PLANT}, (Cause.SENSITIVE_INTENT,)),
        ({"intent": Intent.DEFUSE, "confidence": 0.1}, (Cause.LOW_CONFIDENCE, Cause.SENSITIVE_INTENT)),
        ({"intent": Intent.HOLD, "error": "no motion"}, (Cause.SYNTHESIS_FAILURE,)),
        ({"intent": None, "type": SignalType.STAR_PLAYER}, (Cause.INSIGHT,)),
    ],
)
def test_signals_are_reviewed_for_their_causes(changes: dict[str, Any], causes: tuple[Cause, ...]) -> None:
    told, new = triage(_signal(**changes), Rule(), "intent")
    assert (new.causes if new else ()) == causes
    assert told.review_required == bool(causes)
    assert told.status is (SignalStatus.PENDING_REVIEW if causes else SignalStatus.AUTO_APPROVED)
    assert told.review_id == ("review:a1" if causes else None)
    if new is not None:
        assert (new.review_id, new.run_id, new.kind) == ("review:a1", "m1:p1", Kind.SIGNAL)
        assert signals.of_document(dict(new.subject)) == told


def test_an_operator_chooses_the_threshold_and_the_intents() -> None:
    rule = Rule(min_confidence=0.95, sensitive_intents=frozenset((Intent.HOLD,)), reviewed_types=frozenset())
    assert rule.causes(_signal()) == (Cause.LOW_CONFIDENCE,)
    assert rule.causes(_signal(intent=Intent.HOLD, confidence=0.95)) == (Cause.SENSITIVE_INTENT,)
    with pytest.raises(ValueError, match="confidence"):
        Rule(min_confidence=1.5)


# States


@given(st.sampled_from(Status), st.sampled_from(Action), st.sampled_from(Role), st.booleans())
def test_only_legal_transitions_by_roles_that_reach(
    status: Status, action: Action, role: Role, escalated: bool
) -> None:
    repeats = (status, action) in (
        (Status.ESCALATED, Action.ESCALATE),
        (Status.EDIT_REQUESTED, Action.REQUEST_EDIT),
    )
    reaches = role is Role.OPERATOR or (role is Role.REVIEWER and not escalated)
    if status in (Status.APPROVED, Status.REJECTED) or repeats:
        assert _refusal(lambda: after(status, action, role, escalated=escalated))[0] == 409
    elif not reaches:
        assert _refusal(lambda: after(status, action, role, escalated=escalated)) == (403, "role_too_low")
    else:
        assert (
            after(status, action, role, escalated=escalated).value
            == {
                "approve": "approved",
                "reject": "rejected",
                "request_edit": "edit_requested",
                "escalate": "escalated",
            }[action.value]
        )


def test_a_review_is_created_once(reviews: Reviews) -> None:
    row = reviews.create(_new(), ALAN)
    assert (row["review_id"], row["status"], row["created_by"]) == ("review:a1", "pending", "alan")
    assert (row["reasons"], row["kind"], row["created_at"]) == (["sensitive_intent"], "signal", ZERO)
    assert _refusal(lambda: reviews.create(_new(), ANN)) == (409, "duplicate_review")
    assert reviews.get("review:a1", ANN)["created_by"] == "alan"


def test_a_replay_ensures_what_is_there(reviews: Reviews) -> None:
    assert reviews.ensure([_new("a2"), _new("a1")]) == 2
    reviews.act("review:a1", ANN, Action.APPROVE, {})
    assert reviews.ensure([_new("a1"), _new("a3"), _new("a2")]) == 1
    assert reviews.ensure([]) == 0
    assert reviews.get("review:a1", ANN)["status"] == "approved"
    assert [row["review_id"] for row in reviews.waiting(10)] == ["review:a2", "review:a3"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": {"signal_id": "x"}}, "bad_subject"),
        ({"subject": signals.document(_signal(match_id=""))}, "bad_subject"),
        ({"kind": Kind.NARRATIVE, "subject": {"text": "It was close."}}, "bad_subject"),
        ({"context": {"x": float("nan")}}, "bad_json"),
        ({"context": {"x": "\ud800"}}, "bad_json"),
        ({"context": {"x": "\0"}}, "bad_json"),
        ({"context": {"x": 2**70}}, "bad_json"),
    ],
)
def test_what_could_never_be_released_or_kept_is_refused(reviews: Reviews, changes: dict[str, Any], code: str) -> None:
    values = {"review_id": "r", "kind": Kind.SIGNAL, "agent_name": "x", "causes": (Cause.FLAGGED,)}
    values["subject"] = signals.document(_signal())
    assert _refusal(lambda: reviews.create(NewReview(**{**values, **changes}), ALAN)) == (422, code)


odd_text = st.text(st.sampled_from('a\\u0\0\ud800"ü'), max_size=8)
values = odd_text | st.floats() | st.integers(-(2**65), 2**65)


@given(st.dictionaries(odd_text, values, max_size=3))
def test_what_is_kept_comes_back_and_what_cannot_be_is_refused(value: dict[str, Any]) -> None:
    parts = [*value, *value.values()]
    odd = any(
        "\0" in part or "\ud800" in part
        if isinstance(part, str)
        else not math.isfinite(part) or (isinstance(part, int) and not -(2**63) <= part < 2**64)
        for part in parts
    )
    if odd:
        assert _refusal(lambda: storable("value", value)) == (422, "bad_json")
    else:
        assert json.loads(storable("value", value)) == value


def test_a_lease_keeps_others_out_until_it_ends(reviews: Reviews, clock: Clock) -> None:
    reviews.create(_new(), ALAN)
    row = reviews.claim("review:a1", ANN)
    assert (row["status"], row["assigned_to"], row["lease_until"]) == (
        "in_progress",
        "ann",
        ZERO + timedelta(minutes=10),
    )
    assert reviews.waiting(10) == []
    for call in (
        lambda: reviews.claim("review:a1", BEN),
        lambda: reviews.act("review:a1", BEN, Action.APPROVE, {}),
        lambda: reviews.unclaim("review:a1", BEN),
    ):
        assert _refusal(call) == (409, "leased")
    clock.pass_s(599)
    assert reviews.claim("review:a1", ANN, lease_s=60)["lease_until"] == ZERO + timedelta(seconds=659)
    clock.pass_s(60)
    assert [row["review_id"] for row in reviews.waiting(10)] == ["review:a1"]
    taken = reviews.claim(None, BEN)
    assert (taken["assigned_to"], taken["started_at"]) == ("ben", ZERO)
    assert _refusal(lambda: reviews.act("review:a1", ANN, Action.REJECT, {})) == (409, "leased")
    _, row = reviews.act("review:a1", BEN, Action.REJECT, {})
    assert (row["status"], row["assigned_to"], row["lease_until"]) == ("rejected", "ben", None)
    assert row["finished_at"] == clock.now


def test_a_lease_may_be_given_back_and_an_operator_may_step_in(reviews: Reviews) -> None:
    reviews.create(_new(), ALAN)
    assert _refusal(lambda: reviews.unclaim("review:a1", ANN)) == (409, "not_claimed")
    reviews.claim("review:a1", ANN)
    assert reviews.unclaim("review:a1", ANN)["status"] == "pending"
    assert _refusal(lambda: reviews.claim("review:a1", ANN, assignee="ben")) == (403, "role_too_low")
    assert reviews.claim("review:a1", OPAL, assignee="ben")["assigned_to"] == "ben"
    assert _refusal(lambda: reviews.claim("review:a1", ANN)) == (409, "leased")
    assert reviews.act("review:a1", OPAL, Action.APPROVE, {})[1]["assigned_to"] == "opal"


def test_the_whole_way_of_an_escalation(reviews: Reviews) -> None:
    reviews.create(_new(), ALAN)
    assert _refusal(lambda: reviews.claim("review:a1", ALAN)) == (403, "role_too_low")
    assert reviews.act("review:a1", ANN, Action.REQUEST_EDIT, {"why": "wrong player"})[1]["status"] == "edit_requested"
    assert _refusal(lambda: reviews.claim(None, ANN)) == (404, "nothing_waits")
    assert reviews.act("review:a1", ANN, Action.ESCALATE, {})[1]["assigned_to"] is None
    assert [row["review_id"] for row in reviews.standing(Status.ESCALATED, 5)] == ["review:a1"]
    assert _refusal(lambda: reviews.act("review:a1", ANN, Action.APPROVE, {})) == (403, "role_too_low")
    assert _refusal(lambda: reviews.claim("review:a1", ANN)) == (403, "role_too_low")
    action_id, row = reviews.act("review:a1", OPAL, Action.APPROVE, {"why": "checked"})
    assert (action_id, row["status"]) == (3, "approved")
    for call in (lambda: reviews.act("review:a1", OPAL, Action.REJECT, {}), lambda: reviews.claim("review:a1", OPAL)):
        assert _refusal(call) == (409, "already_decided")
    found = reviews.get("review:a1", OPAL)
    assert [(a["action"], a["actor"], a["payload"]) for a in found["actions"]] == [
        ("request_edit", "ann", {"why": "wrong player"}),
        ("escalate", "ann", {}),
        ("approve", "opal", {"why": "checked"}),
    ]
    assert [(a["action"], a["from_status"], a["to_status"], a["actor_role"]) for a in found["audit"]] == [
        ("create", None, "pending", "analyst"),
        ("request_edit", "pending", "edit_requested", "reviewer"),
        ("escalate", "edit_requested", "escalated", "reviewer"),
        ("approve", "escalated", "approved", "operator"),
    ]


def test_what_was_escalated_stays_with_operators_also_after_a_lease(reviews: Reviews, clock: Clock) -> None:
    reviews.create(_new(), ALAN)
    reviews.act("review:a1", ANN, Action.ESCALATE, {})
    reviews.claim("review:a1", OPAL, lease_s=10)
    assert reviews.unclaim("review:a1", OPAL)["status"] == "escalated"
    reviews.claim("review:a1", OPAL, lease_s=10)
    clock.pass_s(11)
    assert _refusal(lambda: reviews.claim(None, ANN)) == (404, "nothing_waits")
    assert _refusal(lambda: reviews.act("review:a1", ANN, Action.APPROVE, {})) == (403, "role_too_low")
    assert reviews.claim(None, OPAL)["assigned_to"] == "opal"


def test_what_is_ungated_is_seen_by_reviewers_and_whoever_asked(reviews: Reviews) -> None:
    reviews.create(_new(), ALAN)
    assert reviews.comment("review:a1", ALAN, "Look at 0:45.") == 1
    assert reviews.comment("review:a1", ANN, "I did.") == 2
    assert [c["body"] for c in reviews.get("review:a1", ALAN)["comments"]] == ["Look at 0:45.", "I did."]
    other = Principal("other", Role.ANALYST, "key:other")
    for who in (other, VERA):
        assert _refusal(lambda who=who: reviews.get("review:a1", who)) == (404, "unknown_review")
        assert _refusal(lambda who=who: reviews.comment("review:a1", who, "x")) == (404, "unknown_review")
    assert _refusal(lambda: reviews.act("nobody", ANN, Action.APPROVE, {})) == (404, "unknown_review")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"audiences": []}, "bad_audiences"),
        ({"audiences": "PUBLIC"}, "bad_audiences"),
        ({"audiences": ["EVERYBODY"]}, "bad_audiences"),
        ({"audiences": [["PUBLIC"]]}, "bad_audiences"),
        ({"final_result": "fine"}, "bad_final_result"),
        ({"final_result": {"event_ts": "2020-01-01T00:00:00Z"}}, "bad_final_result"),
        ({"final_result": {"live_offset_s": -1e6}}, "bad_final_result"),
        ({"final_result": {"type": "STAR_PLAYER"}}, "bad_final_result"),
        ({"final_result": {"confidence": 7}}, "bad_subject"),
        ({"why": float("inf")}, "bad_json"),
    ],
)
def test_an_approval_cannot_make_another_statement_of_it(reviews: Reviews, payload: dict[str, Any], code: str) -> None:
    reviews.create(_new(), ALAN)
    assert _refusal(lambda: reviews.act("review:a1", ANN, Action.APPROVE, payload)) == (422, code)
    found = reviews.get("review:a1", ANN)
    assert (found["status"], found["actions"], len(found["audit"])) == ("pending", [], 1)


def test_an_edited_signal_keeps_its_identity_and_a_narrative_its_time() -> None:
    subject = signals.document(_signal())
    edited = approved("r", Kind.SIGNAL, subject, {"explanation": [{"text": "He has the bomb."}]})
    assert (edited["status"], edited["review_id"], edited["signal_id"]) == ("APPROVED", "r", "a1")
    assert edited["explanation"] == [{"text": "He has the bomb."}]
    told = {"match_id": "m1", "event_ts": ZERO.isoformat(), "text": "long", "type": "STAR_PLAYER", "status": "REJECTED"}
    sneaky = {"text": "short", "event_ts": "2000-01-01T00:00:00Z", "live_offset_s": -9e9, "type": "STAR_PLAYER"}
    assert approved("r", Kind.NARRATIVE, told, sneaky) == {
        "signal_id": "r",
        "review_id": "r",
        "type": "NARRATIVE",
        "match_id": "m1",
        "event_ts": ZERO.isoformat(),
        "live_offset_s": 0.0,
        "status": "APPROVED",
        "text": "short",
    }


def test_logs_and_decisions_cannot_be_changed_in_the_database(reviews: Reviews, fresh_database_url: str) -> None:
    reviews.create(_new(), ALAN)
    reviews.comment("review:a1", ANN, "x")
    with psycopg2.connect(fresh_database_url) as connection:
        for statement in (
            *(
                "UPDATE human_review_audit SET actor = 'x'",
                "DELETE FROM human_review_audit",
                "TRUNCATE human_review_audit",
            ),
            *("UPDATE human_review_comments SET body = 'x'", "DELETE FROM human_review_comments"),
            *("UPDATE human_reviews SET subject = '{}'", "UPDATE human_reviews SET created_by = 'x'"),
            *("DELETE FROM human_reviews", "TRUNCATE human_reviews CASCADE"),
        ):
            with pytest.raises(psycopg2.errors.RestrictViolation), connection.cursor() as cursor:
                cursor.execute(statement)
            connection.rollback()
    connection.close()
    reviews.act("review:a1", ANN, Action.REJECT, {})
    with psycopg2.connect(fresh_database_url) as connection:
        for statement in (
            "UPDATE human_reviews SET status = 'approved'",
            "UPDATE human_review_actions SET actor = 'x'",
            "DELETE FROM human_review_actions",
        ):
            with pytest.raises(psycopg2.errors.RestrictViolation), connection.cursor() as cursor:
                cursor.execute(statement)
            connection.rollback()
    connection.close()
    assert reviews.get("review:a1", ANN)["status"] == "rejected"


def test_reviewers_at_once_get_different_reviews_and_decide_once(reviews: Reviews) -> None:
    reviews.ensure([_new(f"a{i}") for i in range(8)])
    crowd = [Principal(f"r{i}", Role.REVIEWER, f"key:r{i}") for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda who: reviews.claim(None, who)["review_id"], crowd))
    assert sorted(got) == sorted(f"review:a{i}" for i in range(8))
    reviews.create(_new("z"), ALAN)

    def decide(who: Principal) -> int:
        try:
            reviews.act("review:z", who, Action.APPROVE, {})
        except ApiError as refused:
            return refused.status
        return 200

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(decide, crowd)) == {200: 1, 409: 7}


# Stream and release


def _streamed(client: "redis.Redis") -> list[dict[str, Any]]:
    entries: Any = client.xrange(STREAM)
    return [json.loads(fields[b"data"]) for _, fields in entries]


def _logged(database: Database) -> list[tuple[int, str, str]]:
    with database.transaction() as cursor:
        cursor.execute("SELECT id, event, review_id FROM human_review_audit ORDER BY id")
        return [(row["id"], row["event"], row["review_id"]) for row in cursor.fetchall()]


def _agrees(client: "redis.Redis", database: Database) -> bool:
    return [(e["id"], e["event"], e["review_id"]) for e in _streamed(client)] == _logged(database)


def test_the_stream_tells_what_happened_and_nothing_of_what_is_reviewed(
    reviews: Reviews, relay: Relay, client: "redis.Redis", database: Database
) -> None:
    reviews.create(_new(), ALAN)
    reviews.claim("review:a1", ANN)
    reviews.comment("review:a1", ANN, "secret words")
    reviews.act("review:a1", ANN, Action.REJECT, {"why": "secret words"})
    assert (relay.poll(), relay.poll()) == (4, 0)
    told = _streamed(client)
    assert [(e["event"], e["action"], e["from_status"], e["to_status"], e["actor"]) for e in told] == [
        ("review.created", "create", None, "pending", "alan"),
        ("review.action", "claim", "pending", "in_progress", "ann"),
        ("review.comment", "comment", "in_progress", "in_progress", "ann"),
        ("review.action", "reject", "in_progress", "rejected", "ann"),
    ]
    assert told[0]["reasons"] == ["sensitive_intent"]
    assert "secret" not in json.dumps(told)
    assert _agrees(client, database)


def test_an_approval_leaves_through_the_gate_once(
    reviews: Reviews, relay: Relay, releases: Releases, client: "redis.Redis", clock: Clock
) -> None:
    reviews.create(_new(), ALAN)
    relay.poll()
    clock.pass_s(30)
    reviews.act("review:a1", ANN, Action.APPROVE, {"audiences": ["ANALYST", "PUBLIC"]})
    relay.poll()
    assert [releases.waiting(who) for who in Audience] == [1, 0, 0, 1]
    clock.pass_s(89.9)
    assert releases.poll() == 0
    clock.pass_s(0.1)
    assert releases.poll() == 1
    entries: Any = client.xrange(channel(Audience.ANALYST))
    (copy,) = [json.loads(fields[b"data"]) for _, fields in entries]
    assert (copy["signal_id"], copy["status"], copy["review_id"]) == ("a1", "APPROVED", "review:a1")
    assert (copy["policy"]["review_state"], copy["policy"]["delay_s"]) == ("approved", 120.0)


def test_a_narrative_without_a_time_is_approved_and_stays_in(
    reviews: Reviews, relay: Relay, releases: Releases, caplog: pytest.LogCaptureFixture
) -> None:
    reviews.create(NewReview("n1", Kind.NARRATIVE, "story", (Cause.NARRATIVE,), {"match_id": "m", "text": "t"}), ALAN)
    reviews.act("n1", ANN, Action.APPROVE, {})
    assert relay.poll() == 2
    assert [releases.waiting(who) for who in Audience] == [0, 0, 0, 0]
    assert "n1 stays in for PUBLIC: It does not say when" in caplog.text


def test_a_relay_that_dies_before_it_appends_repeats_nothing(
    reviews: Reviews, relay: Relay, releases: Releases, client: "redis.Redis", database: Database, clock: Clock
) -> None:
    reviews.create(_new(), ALAN)
    reviews.act("review:a1", ANN, Action.APPROVE, {})
    dying = Relay(database, client, releases)

    def dies(**_: Any) -> bool:
        raise redis.ConnectionError("gone")

    dying._append = dies  # type: ignore[assignment]
    with pytest.raises(redis.ConnectionError):
        dying.poll()
    clock.pass_s(1000)
    assert releases.poll() == 4
    assert relay.poll() == 2
    assert (releases.poll(), len(client.xrange(channel(Audience.PUBLIC)))) == (0, 1)
    assert _agrees(client, database)


def test_a_server_that_forgot_its_last_second_is_told_again(
    reviews: Reviews, relay: Relay, client: "redis.Redis", database: Database
) -> None:
    reviews.ensure([_new("a1"), _new("a2")])
    relay.poll()
    saved = {key: client.dump(key) for key in client.keys("*")}
    reviews.ensure([_new("a3")])
    relay.poll()
    client.flushdb()
    for key, content in saved.items():
        client.restore(key, 0, content)
    assert not _agrees(client, database)
    assert relay.poll() == 1
    assert _agrees(client, database)


def test_a_server_that_forgot_everything_is_not_told_old_history(
    reviews: Reviews, relay: Relay, client: "redis.Redis"
) -> None:
    reviews.ensure([_new("a1")])
    reviews.act("review:a1", ANN, Action.APPROVE, {})
    relay.poll()
    client.flushdb()
    assert relay.poll() == 0
    reviews.ensure([_new("a2")])
    assert relay.poll() == 1
    assert [entry["review_id"] for entry in _streamed(client)] == ["review:a2"]


def test_writers_and_relays_at_once_lose_and_repeat_nothing(
    reviews: Reviews, database: Database, client: "redis.Redis", releases: Releases
) -> None:
    stop = threading.Event()
    loops = [threading.Thread(target=Relay(database, client, releases).run, args=(stop, 0.001)) for _ in range(2)]
    for loop in loops:
        loop.start()

    def write(part: int) -> None:
        for i in range(25):
            reviews.ensure([_new(f"w{part}-{i}"), _new(f"shared-{i}")])
            reviews.comment(f"review:w{part}-{i}", ANN, "seen")
            reviews.act(f"review:w{part}-{i}", ANN, Action.REJECT, {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    relay = Relay(database, client, releases)
    deadline = time.monotonic() + 30
    while relay.poll() or (len(_streamed(client)) < len(_logged(database)) and time.monotonic() < deadline):
        pass
    stop.set()
    for loop in loops:
        loop.join(20)
    assert len(_logged(database)) == 25 + 4 * 25 * 3
    assert _agrees(client, database)


def test_a_database_that_is_away_or_not_migrated_is_a_sentence(fresh_database_url: str) -> None:
    away = Reviews(Database("postgresql://nobody@127.0.0.1:1/none"))
    assert _refusal(lambda: away.waiting(1)) == (503, "no_database")
    assert _refusal(lambda: Reviews(Database(fresh_database_url)).waiting(1)) == (503, "not_migrated")


def test_connections_that_the_server_closed_are_replaced(reviews: Reviews, fresh_database_url: str) -> None:
    reviews.create(_new(), ALAN)
    connection = psycopg2.connect(fresh_database_url)
    connection.autocommit = True
    connection.cursor().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'esports serving'"
    )
    connection.close()
    assert [row["review_id"] for row in reviews.waiting(1)] == ["review:a1"]


def test_more_callers_than_connections_wait_and_then_are_told(fresh_database_url: str) -> None:
    small = Database(fresh_database_url, size=1, wait_s=0.05)
    with small.transaction():
        assert _refusal(lambda: Reviews(small).waiting(1)) == (503, "database_busy")
    with small.transaction() as cursor:
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetchone() == {"one": 1}
    small.close()
