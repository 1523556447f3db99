-- One queue of what a person must look at: reviews with their state, and three logs that only grow.
-- The audit log is also the outbox: its ids follow the order of commits (writers take an advisory lock), and the relay
-- publishes it to the stream from the id that the stream itself remembers, so that stream and table never disagree.
-- Documents are json, not jsonb: what was reviewed is released to the letter.
CREATE TABLE human_reviews (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id    text NOT NULL UNIQUE CHECK (review_id <> ''),
    kind         text NOT NULL CHECK (kind IN ('signal', 'narrative', 'insight')),
    run_id       text NOT NULL DEFAULT '',
    agent_name   text NOT NULL CHECK (agent_name <> ''),
    reasons      text[] NOT NULL CHECK (cardinality(reasons) > 0),
    status       text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'in_progress', 'edit_requested', 'escalated', 'approved', 'rejected')),
    subject      json NOT NULL,
    context      json NOT NULL DEFAULT '{}'::json,
    final_result json,
    assigned_to  text,
    lease_until  timestamptz,
    escalated    boolean NOT NULL DEFAULT false,
    created_by   text NOT NULL CHECK (created_by <> ''),
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    finished_at  timestamptz,
    CHECK ((status = 'in_progress') = (lease_until IS NOT NULL)),
    CHECK (status <> 'escalated' OR escalated),
    CHECK (lease_until IS NULL OR assigned_to IS NOT NULL),
    CHECK ((status IN ('approved', 'rejected')) = (finished_at IS NOT NULL))
);

CREATE INDEX human_reviews_open ON human_reviews (created_at, id) WHERE status NOT IN ('approved', 'rejected');
CREATE INDEX human_reviews_by_status ON human_reviews (status, id);

CREATE TABLE human_review_comments (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id  text NOT NULL REFERENCES human_reviews (review_id),
    author     text NOT NULL CHECK (author <> ''),
    body       text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL
);

CREATE INDEX human_review_comments_of ON human_review_comments (review_id, id);

CREATE TABLE human_review_actions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id  text NOT NULL REFERENCES human_reviews (review_id),
    action     text NOT NULL CHECK (action IN ('approve', 'reject', 'request_edit', 'escalate')),
    actor      text NOT NULL CHECK (actor <> ''),
    payload    json NOT NULL DEFAULT '{}'::json,
    created_at timestamptz NOT NULL
);

CREATE INDEX human_review_actions_of ON human_review_actions (review_id, id);

CREATE TABLE human_review_audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id   text NOT NULL REFERENCES human_reviews (review_id),
    event       text NOT NULL CHECK (event IN ('review.created', 'review.comment', 'review.action')),
    action      text NOT NULL CHECK (action <> ''),
    actor       text NOT NULL CHECK (actor <> ''),
    actor_role  text NOT NULL CHECK (actor_role <> ''),
    from_status text,
    to_status   text NOT NULL,
    detail      json NOT NULL DEFAULT '{}'::json,
    at          timestamptz NOT NULL
);

CREATE INDEX human_review_audit_of ON human_review_audit (review_id, id);

-- How far the stream is known to hold the audit log; read only where the stream itself has been lost.
CREATE TABLE human_review_relay (
    stream       text PRIMARY KEY,
    published_id bigint NOT NULL
);

CREATE FUNCTION refuse_change_of_review_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER human_review_comments_rows_are_final BEFORE UPDATE OR DELETE ON human_review_comments
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_review_log();
CREATE TRIGGER human_review_comments_stay BEFORE TRUNCATE ON human_review_comments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_review_log();
CREATE TRIGGER human_review_actions_rows_are_final BEFORE UPDATE OR DELETE ON human_review_actions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_review_log();
CREATE TRIGGER human_review_actions_stay BEFORE TRUNCATE ON human_review_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_review_log();
CREATE TRIGGER human_review_audit_rows_are_final BEFORE UPDATE OR DELETE ON human_review_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_review_log();
CREATE TRIGGER human_review_audit_stay BEFORE TRUNCATE ON human_review_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_review_log();

-- What was asked never changes, and a decision stands.
CREATE FUNCTION keep_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a review is never deleted' USING ERRCODE = 'restrict_violation';
    ELSIF OLD.status IN ('approved', 'rejected') THEN
        RAISE EXCEPTION 'review % is decided and stays as it is', OLD.review_id USING ERRCODE = 'restrict_violation';
    ELSIF OLD.escalated AND NOT NEW.escalated THEN
        RAISE EXCEPTION 'review % was escalated and stays so', OLD.review_id USING ERRCODE = 'restrict_violation';
    ELSIF (NEW.review_id, NEW.kind, NEW.run_id, NEW.agent_name, NEW.reasons, NEW.subject::text, NEW.context::text, NEW.created_by, NEW.created_at)
        IS DISTINCT FROM
        (OLD.review_id, OLD.kind, OLD.run_id, OLD.agent_name, OLD.reasons, OLD.subject::text, OLD.context::text, OLD.created_by, OLD.created_at)
    THEN
        RAISE EXCEPTION 'what review % asks about never changes', OLD.review_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER human_reviews_are_kept BEFORE UPDATE OR DELETE ON human_reviews
    FOR EACH ROW EXECUTE FUNCTION keep_review();
CREATE TRIGGER human_reviews_stay BEFORE TRUNCATE ON human_reviews
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_review_log();
