"""The queue of what a person must look at, in PostgreSQL: one row per review, and logs that only grow.

Belongs here: creating, finding, leasing, commenting and deciding, each one transaction with its entry in the audit log.
Does not belong here: the rules (``review_terms.py``), the stream and releases (``review_events.py``), HTTP.

The audit log is the outbox. Its ids must follow the order of commits, so whoever writes to it holds an advisory lock until the
commit; rows are locked before it and never after, so that writers cannot block each other for good.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from psycopg2 import errors as pg
from psycopg2.extras import execute_values

from serving.database import Database, refuse_nul, storable
from serving.errors import ApiError, quoted
from serving.review_terms import (
    Action,
    Kind,
    NewReview,
    Status,
    after,
    approved,
    audiences_of,
    check_subject,
    needs,
    refuse_decided,
)
from serving.roles import Principal, Role

Row = dict[str, Any]
WORKER = Principal("worker", Role.OPERATOR, "process:worker")
"""The platform's own processes, when they put something into the queue."""

_AUDIT_LOCK = 7_301_946_513
_PAGE = 500
_INSERT = """
INSERT INTO human_reviews (review_id, kind, run_id, agent_name, reasons, subject, context, created_by, created_at)
VALUES """
_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ENSURE = """
INSERT INTO human_reviews (review_id, kind, run_id, agent_name, reasons, subject, context, created_by, created_at)
SELECT review_id, kind, run_id, agent_name, reasons, subject, context, %s, %s FROM json_to_recordset(%s::json)
AS told(review_id text, kind text, run_id text, agent_name text, reasons text[], subject json, context json)
ON CONFLICT (review_id) DO NOTHING RETURNING review_id
"""
_AUDIT_CREATED = """
INSERT INTO human_review_audit (event, review_id, action, actor, actor_role, to_status, detail, at)
SELECT 'review.created', review_id, 'create', %s, %s, status,
json_build_object('kind', kind, 'reasons', reasons, 'agent_name', agent_name, 'run_id', run_id), %s
FROM human_reviews WHERE review_id = ANY(%s) ORDER BY review_id
"""
_AUDIT = """
INSERT INTO human_review_audit (event, review_id, action, actor, actor_role, from_status, to_status, detail, at)
VALUES %s
"""
_DECIDE = """
UPDATE human_reviews SET status = %s, assigned_to = %s, lease_until = NULL, final_result = %s,
escalated = escalated OR %s, started_at = coalesce(started_at, %s), finished_at = %s WHERE review_id = %s RETURNING *
"""
_FREE = "(status = 'pending' OR (status = 'in_progress' AND lease_until <= %(now)s))"


def now_utc() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


class Reviews:
    """The queue. Safe to share between threads and processes."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_utc, lease_s: float = 600.0) -> None:
        self._database = database
        self._clock = clock
        self._lease_s = lease_s

    def create(self, new: NewReview, by: Principal) -> Row:
        """Put one into the queue; ApiError 409 if its id is taken."""
        values = self._values(new, by)
        with self._database.transaction() as cursor:
            try:
                cursor.execute(f"{_INSERT} {_ROW} RETURNING *", values)
            except pg.UniqueViolation as error:
                message = f"There is a review {quoted(new.review_id)} already."
                raise ApiError(409, "duplicate_review", message) from error
            row: Row = cursor.fetchone()
            self._audit(cursor, [_created(row, by)])
        return row

    def ensure(self, many: Sequence[NewReview], by: Principal = WORKER) -> int:
        """Put those into the queue that it does not hold yet; how many those were. What a replay repeats changes nothing."""
        if not many:
            return 0
        told = orjson.dumps([_own(new) for new in sorted(many, key=lambda new: new.review_id)]).decode()
        refuse_nul("subject", told)
        with self._database.transaction() as cursor:
            cursor.execute(_ENSURE, (by.name, self._clock(), told))
            created = [row["review_id"] for row in cursor.fetchall()]
            if created:
                self._lock_audit(cursor)
                cursor.execute(_AUDIT_CREATED, (by.name, by.role.value, self._clock(), created))
        return len(created)

    def get(self, review_id: str, by: Principal) -> Row:
        """A review with its comments, actions and audit log; ApiError 404 for one that ``by`` may not see."""
        with self._database.transaction() as cursor:
            row = _visible(cursor, review_id, by)
            for name in ("comments", "actions", "audit"):
                cursor.execute(f"SELECT * FROM human_review_{name} WHERE review_id = %s ORDER BY id", (review_id,))
                row[name] = cursor.fetchall()
        return row

    def waiting(self, limit: int) -> list[Row]:
        """What anybody may take up now, oldest first: pending, and leases that ran out."""
        return self._select(_FREE, {"now": self._clock()}, limit)

    def standing(self, status: Status, limit: int) -> list[Row]:
        """What stands in one state, oldest first."""
        return self._select("status = %(status)s", {"status": status.value}, limit)

    def claim(
        self, review_id: str | None, by: Principal, *, lease_s: float | None = None, assignee: str | None = None
    ) -> Row:
        """Lease a review, or the one that has waited longest; who holds it already holds it longer.

        An operator may give it to somebody else. ApiError 409 while another holds it, 404 where nothing waits.
        """
        holder = by.name if assignee is None else assignee
        if holder != by.name and not by.role.covers(Role.OPERATOR):
            raise ApiError(403, "role_too_low", "Giving a review to somebody else needs the role operator.")
        now = self._clock()
        with self._database.transaction() as cursor:
            row = _oldest(cursor, now, by) if review_id is None else _locked(cursor, review_id)
            status = Status(row["status"])
            refuse_decided(status)
            needs(by.role, escalated=row["escalated"])
            _refuse_held(row, by, now)
            until = now + timedelta(seconds=self._lease_s if lease_s is None else lease_s)
            cursor.execute(
                "UPDATE human_reviews SET status = 'in_progress', assigned_to = %s, lease_until = %s, "
                "started_at = coalesce(started_at, %s) WHERE review_id = %s RETURNING *",
                (holder, until, now, row["review_id"]),
            )
            changed: Row = cursor.fetchone()
            self._audit(cursor, [_acted(changed, by, "claim", status, {"assigned_to": holder, "lease_until": until})])
        return changed

    def unclaim(self, review_id: str, by: Principal) -> Row:
        """Give a lease back before it ends."""
        now = self._clock()
        with self._database.transaction() as cursor:
            row = _locked(cursor, review_id)
            if row["status"] != Status.IN_PROGRESS.value:
                raise ApiError(409, "not_claimed", f"Nobody holds the review; it is {row['status']}.")
            _refuse_held(row, by, now)
            cursor.execute(
                "UPDATE human_reviews SET status = CASE WHEN escalated THEN 'escalated' ELSE 'pending' END, "
                "assigned_to = NULL, lease_until = NULL WHERE review_id = %s RETURNING *",
                (review_id,),
            )
            changed: Row = cursor.fetchone()
            self._audit(cursor, [_acted(changed, by, "unclaim", Status.IN_PROGRESS, {})])
        return changed

    def comment(self, review_id: str, by: Principal, body: str) -> int:
        """Add a comment, in any state; its id."""
        with self._database.transaction() as cursor:
            row = _visible(cursor, review_id, by)
            cursor.execute(
                "INSERT INTO human_review_comments (review_id, author, body, created_at) VALUES (%s, %s, %s, %s) RETURNING id",
                (review_id, by.name, body, self._clock()),
            )
            found = int(cursor.fetchone()["id"])
            entry = _acted(row, by, "comment", Status(row["status"]), {"comment_id": found})
            self._audit(cursor, [("review.comment", *entry[1:])])
        return found

    def act(self, review_id: str, by: Principal, action: Action, payload: Mapping[str, Any]) -> tuple[int, Row]:
        """Approve, reject, ask for an edit or escalate; the action's id and the review after it.

        An approval may carry ``final_result`` (what is released instead) and ``audiences`` (to whom; all by default).
        ApiError 403 where the role does not reach, 409 for an illegal transition or somebody else's lease, 422 for a payload that
        does not fit.
        """
        now = self._clock()
        text = storable("payload", payload)
        with self._database.transaction() as cursor:
            row = _locked(cursor, review_id)
            before = Status(row["status"])
            status = after(before, action, by.role, escalated=row["escalated"])
            _refuse_held(row, by, now)
            result, detail = _outcome(row, action, payload)
            finished = now if status.decided else None
            holder = by.name if status.decided else None
            cursor.execute(
                _DECIDE, (status.value, holder, result, status is Status.ESCALATED, now, finished, review_id)
            )
            changed: Row = cursor.fetchone()
            cursor.execute(
                "INSERT INTO human_review_actions (review_id, action, actor, payload, created_at) "
                "VALUES (%s, %s, %s, %s, %s) RETURNING id",
                (review_id, action.value, by.name, text, now),
            )
            found = int(cursor.fetchone()["id"])
            self._audit(cursor, [_acted(changed, by, action.value, before, {"action_id": found, **detail})])
        return found, changed

    def _select(self, condition: str, values: Mapping[str, Any], limit: int) -> list[Row]:
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT * FROM human_reviews WHERE {condition} ORDER BY created_at, id LIMIT %(limit)s",
                {**values, "limit": limit},
            )
            found: list[Row] = cursor.fetchall()
        return found

    def _values(self, new: NewReview, by: Principal) -> tuple[Any, ...]:
        """The columns of a review of whoever it comes from."""
        check_subject(new.kind, new.subject)
        causes = [cause.value for cause in new.causes]
        return (
            *(new.review_id, new.kind.value, new.run_id, new.agent_name, causes),
            *(storable("subject", new.subject), storable("context", new.context), by.name, self._clock()),
        )

    def _audit(self, cursor: Any, entries: Sequence[tuple[Any, ...]]) -> None:
        """Append to the audit log, as the last thing of a transaction."""
        if not entries:
            return
        self._lock_audit(cursor)
        now = self._clock()
        rows = [(*entry[:-1], orjson.dumps(entry[-1]).decode(), now) for entry in entries]
        execute_values(cursor, _AUDIT, rows, page_size=_PAGE)

    def _lock_audit(self, cursor: Any) -> None:
        """Wait for whoever writes to the audit log, and let others wait until the commit."""
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_AUDIT_LOCK,))


def _own(new: NewReview) -> dict[str, Any]:
    """One that the platform made itself: its subject is a signal, so it is JSON."""
    return {
        "review_id": new.review_id,
        "kind": new.kind.value,
        "run_id": new.run_id,
        "agent_name": new.agent_name,
        "reasons": [cause.value for cause in new.causes],
        "subject": new.subject,
        "context": new.context,
    }


def _locked(cursor: Any, review_id: str) -> Row:
    cursor.execute("SELECT * FROM human_reviews WHERE review_id = %s FOR UPDATE", (review_id,))
    row: Row | None = cursor.fetchone()
    if row is None:
        raise _unknown(review_id)
    return row


def _visible(cursor: Any, review_id: str, by: Principal) -> Row:
    """A review that a reviewer, or whoever asked for it, may see: it holds what has not passed the gate."""
    cursor.execute("SELECT * FROM human_reviews WHERE review_id = %s", (review_id,))
    row: Row | None = cursor.fetchone()
    if row is None or not (by.role.covers(Role.REVIEWER) or row["created_by"] == by.name):
        raise _unknown(review_id)
    return row


def _oldest(cursor: Any, now: datetime, by: Principal) -> Row:
    cursor.execute(
        f"SELECT * FROM human_reviews WHERE {_FREE} AND (NOT escalated OR %(operator)s) "
        "ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED",
        {"now": now, "operator": by.role.covers(Role.OPERATOR)},
    )
    row: Row | None = cursor.fetchone()
    if row is None:
        raise ApiError(404, "nothing_waits", "No review waits for anybody.")
    return row


def _outcome(row: Row, action: Action, payload: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """What an approval releases, as text, and to whom; nothing for the other actions."""
    if action is not Action.APPROVE:
        return None, {}
    statement = approved(row["review_id"], Kind(row["kind"]), row["subject"], payload.get("final_result"))
    return storable("final_result", statement), {"audiences": [audience.value for audience in audiences_of(payload)]}


def _unknown(review_id: str) -> ApiError:
    return ApiError(404, "unknown_review", f"There is no review {quoted(review_id)} for you.")


def _refuse_held(row: Row, by: Principal, now: datetime) -> None:
    """ApiError 409 while somebody else holds the lease; an operator may step in."""
    held = row["lease_until"] is not None and row["lease_until"] > now
    if held and row["assigned_to"] != by.name and not by.role.covers(Role.OPERATOR):
        until = row["lease_until"].isoformat(timespec="seconds")
        raise ApiError(409, "leased", f"{quoted(row['assigned_to'])} holds the review until {until}.")


def _created(row: Row, by: Principal) -> tuple[Any, ...]:
    detail = {"kind": row["kind"], "reasons": row["reasons"], "agent_name": row["agent_name"], "run_id": row["run_id"]}
    return ("review.created", row["review_id"], "create", by.name, by.role.value, None, row["status"], detail)


def _acted(row: Row, by: Principal, action: str, before: Status, detail: Mapping[str, Any]) -> tuple[Any, ...]:
    role, status = by.role.value, row["status"]
    return ("review.action", row["review_id"], action, by.name, role, before.value, status, detail)
