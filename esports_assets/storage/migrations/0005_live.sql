-- What the live path and the graph publish beside rounds: outcomes per team, micro-actions, and events that came too late.
-- Copies for people and dashboards that speak SQL; the lake and the stream are the truth. Documents are json, not jsonb: they
-- are kept as they were said, whatever stands in them.

ALTER TABLE rounds DROP CONSTRAINT rounds_pkey;
ALTER TABLE rounds ADD PRIMARY KEY (match_id, map, segment);

CREATE TABLE macro_outcomes (
    match_id        text NOT NULL,
    map             text NOT NULL,
    segment         smallint NOT NULL,
    team            text NOT NULL CHECK (team <> ''),
    side            text NOT NULL CHECK (side IN ('ct', 't')),
    round_win       boolean NOT NULL,
    site_executed   boolean NOT NULL,
    econ_delta      bigint,
    outcome_meta    json NOT NULL DEFAULT '{}'::json,
    published_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (match_id, map, segment, team),
    FOREIGN KEY (match_id, map, segment) REFERENCES rounds (match_id, map, segment) ON DELETE CASCADE
);

COMMENT ON COLUMN macro_outcomes.site_executed IS 'Whether the bomb was planted; the same for both teams of a round.';
COMMENT ON COLUMN macro_outcomes.econ_delta IS
    'Value of the team''s equipment at the next freeze end minus that at this one; null after the last round and where sides change.';

-- No foreign key to rounds: an action is said while its round is still played.
CREATE TABLE micro_actions (
    signal_id          text PRIMARY KEY CHECK (signal_id <> ''),
    match_id           text NOT NULL,
    series_id          text NOT NULL DEFAULT '',
    title              text NOT NULL,
    map                text NOT NULL,
    segment            smallint NOT NULL,
    t_s                double precision,
    player             text,
    team               text,
    intent             text NOT NULL CHECK (intent <> ''),
    confidence         double precision CHECK (confidence BETWEEN 0 AND 1),
    probabilities      json,
    features           json NOT NULL DEFAULT '{}'::json,
    model_name         text NOT NULL,
    model_version      text NOT NULL,
    probability_source text NOT NULL CHECK (probability_source IN ('model', 'out_of_fold', 'rules')),
    window_fingerprint text NOT NULL,
    artifact_url       text,
    event_ts           timestamptz,
    generated_at       timestamptz,
    live               boolean NOT NULL DEFAULT false,
    batch              boolean NOT NULL DEFAULT false,
    CHECK (live OR batch)
);

COMMENT ON COLUMN micro_actions.live IS 'Whether the live worker said it; such a row stays for ever.';
COMMENT ON COLUMN micro_actions.batch IS
    'Whether it stands in the lake''s match as the promoted model sees it: what analyses read. Exactly one version per match.';

CREATE INDEX micro_actions_by_round ON micro_actions (match_id, map, segment, team);
CREATE INDEX micro_actions_by_player ON micro_actions (player, event_ts);
CREATE INDEX micro_actions_batch ON micro_actions (title, match_id) WHERE batch;

CREATE TABLE late_events (
    event_id    text PRIMARY KEY,
    match_id    text NOT NULL,
    event_ts    timestamptz NOT NULL,
    data        json NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX late_events_by_match ON late_events (match_id, event_ts);
