-- What judges versions in play: games by the version that played them, and what every version predicted in their rounds.

CREATE TABLE promotion_games (
    game_id          text PRIMARY KEY CHECK (game_id <> ''),
    task             text NOT NULL CHECK (task <> ''),
    registered_name  text NOT NULL CHECK (registered_name <> ''),
    alias            text NOT NULL CHECK (alias IN ('Production', 'B', 'shadow1', 'shadow2')),
    version          integer NOT NULL CHECK (version > 0),
    rival_version    integer CHECK (rival_version > 0 AND rival_version <> version),
    challenger_share double precision CHECK (challenger_share BETWEEN 0 AND 1),
    policy           text NOT NULL CHECK (policy <> ''),
    traffic          text NOT NULL CHECK (traffic IN ('human', 'bot', 'auto_fill')),
    is_test          boolean NOT NULL,
    started_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    result           double precision CHECK (result BETWEEN 0 AND 1),
    CHECK ((rival_version IS NULL) = (challenger_share IS NULL)),
    CHECK ((result IS NULL) = (ended_at IS NULL))
);

COMMENT ON COLUMN promotion_games.rival_version IS
    'The other version that the game could have been given to when it began: B''s for a game of Production and the other way round.';
COMMENT ON COLUMN promotion_games.challenger_share IS 'Probability with which the game was given to B.';
COMMENT ON COLUMN promotion_games.result IS 'The version''s: 1 won, 0 lost, 0.5 tied; null while it is played, and for ever if it is left.';

CREATE INDEX promotion_games_by_version ON promotion_games (registered_name, version, ended_at);

-- The one statement of which games may judge anything: people's own. Tests, bots and games that fill up training never do.
CREATE VIEW comparable_games AS
    SELECT * FROM promotion_games WHERE NOT is_test AND traffic = 'human';

CREATE TABLE promotion_round_scores (
    game_id         text NOT NULL REFERENCES promotion_games (game_id),
    step            integer NOT NULL CHECK (step > 0),
    registered_name text NOT NULL CHECK (registered_name <> ''),
    alias           text NOT NULL CHECK (alias IN ('Production', 'B', 'shadow1', 'shadow2')),
    version         integer NOT NULL CHECK (version > 0),
    probabilities   double precision[],
    outcome         smallint NOT NULL CHECK (outcome >= 0),
    correct         boolean,
    log_loss        double precision CHECK (log_loss >= 0),
    brier           double precision CHECK (brier BETWEEN 0 AND 2.000001),
    latency_ms      double precision CHECK (latency_ms >= 0),
    at              timestamptz NOT NULL,
    PRIMARY KEY (game_id, step, registered_name, alias),
    CHECK (num_nulls(probabilities, correct, log_loss, brier) IN (0, 4))
);

COMMENT ON COLUMN promotion_round_scores.probabilities IS 'Of the classes in the order of the contract; null where the version gave no answer.';

CREATE INDEX promotion_round_scores_by_version ON promotion_round_scores (registered_name, version, at);

-- A request is recorded once, whoever writes it.
CREATE UNIQUE INDEX promotion_events_once ON promotion_events (task, (evidence ->> 'request_key'))
    WHERE evidence ->> 'request_key' IS NOT NULL;

-- The ledger as panels and histories read it: the numbers of a comparison in columns, null in entries that hold none.
CREATE VIEW promotion_history AS
    SELECT id,
           created_at AS created_ts_utc,
           task,
           registered_name AS model_type,
           decision,
           from_version AS production_version,
           CASE WHEN evidence ? 'b_version' THEN (evidence ->> 'b_version')::integer ELSE to_version END AS b_version,
           (evidence ->> 'z_statistic')::double precision AS z_statistic,
           (evidence ->> 'p_value')::double precision AS p_value,
           (evidence ->> 'production_wins')::double precision AS production_wins,
           (evidence ->> 'production_total_games')::bigint AS production_total_games,
           (evidence ->> 'b_wins')::double precision AS b_wins,
           (evidence ->> 'b_total_games')::bigint AS b_total_games,
           COALESCE((evidence ->> 'reorder_applied')::boolean, false) AS reorder_applied,
           COALESCE(evidence -> 'alias_rankings', '[]'::jsonb) AS alias_rankings,
           COALESCE(evidence -> 'alias_accuracies', '[]'::jsonb) AS alias_accuracies,
           COALESCE(evidence -> 'alias_assignments', '[]'::jsonb) AS alias_assignments,
           (evidence ->> 'production_games_since_swap')::bigint AS production_games_since_swap,
           (evidence ->> 'b_games_since_swap')::bigint AS b_games_since_swap,
           (evidence ->> 'promotion_cycles_since_swap')::bigint AS promotion_cycles_since_swap,
           reason,
           source,
           actor,
           evidence AS payload
    FROM promotion_events;
