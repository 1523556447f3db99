-- The ledger of promotions: append only; the champions it implies; nothing here is ever rewritten.
CREATE TABLE promotion_events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    task            text NOT NULL CHECK (task <> ''),
    registered_name text NOT NULL CHECK (registered_name <> ''),
    decision        text NOT NULL CHECK (decision <> ''),
    alias           text,
    from_version    integer,
    to_version      integer,
    reason          text NOT NULL CHECK (reason <> ''),
    evidence        jsonb NOT NULL DEFAULT '{}'::jsonb,
    source          text NOT NULL,
    actor           text NOT NULL,
    dagster_run_id  text,
    mlflow_run_id   text
);

CREATE INDEX promotion_events_by_task ON promotion_events (task, id);
CREATE INDEX promotion_events_by_name ON promotion_events (registered_name, id);

CREATE FUNCTION refuse_change_of_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'promotion_events is append-only: % is refused; write a new event that corrects the old one', TG_OP
        USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER promotion_events_rows_are_final
    BEFORE UPDATE OR DELETE ON promotion_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();

CREATE TRIGGER promotion_events_stay
    BEFORE TRUNCATE ON promotion_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_ledger();

CREATE TABLE champions (
    task            text PRIMARY KEY,
    registered_name text NOT NULL,
    since           timestamptz NOT NULL DEFAULT clock_timestamp(),
    event_id        bigint NOT NULL REFERENCES promotion_events (id)
);
