-- What analyses found, for the API, dashboards and people who speak SQL. Every row names its run and the hash of the rows that it
-- rests on, and carries its interval; a run is written as a whole and never changed by another.

CREATE TABLE correlation_results (
    run_id        text NOT NULL CHECK (run_id <> ''),
    dataset_id    text NOT NULL CHECK (dataset_id <> ''),
    metric        text NOT NULL CHECK (metric IN ('point_biserial', 'pearson', 'spearman', 'kendall', 'chi2', 'logistic')),
    feature       text NOT NULL CHECK (feature <> ''),
    outcome       text NOT NULL CHECK (outcome <> ''),
    layout        text NOT NULL CHECK (layout IN ('ct_minus_t', 'ct', 't', 'team')),
    n             bigint NOT NULL CHECK (n >= 0),
    clusters      bigint NOT NULL CHECK (clusters BETWEEN 0 AND n),
    estimate      double precision,
    lo            double precision,
    hi            double precision,
    effect_name   text,
    effect_size   double precision,
    direction     text CHECK (direction IN ('positive', 'negative', 'mixed', 'none')),
    p             double precision CHECK (p BETWEEN 0 AND 1),
    p_bh          double precision CHECK (p_bh BETWEEN p AND 1),
    p_by          double precision CHECK (p_by BETWEEN p_bh AND 1),
    family        bigint NOT NULL CHECK (family >= 1),
    significant   boolean NOT NULL,
    exploratory   boolean NOT NULL,
    stability     double precision CHECK (stability BETWEEN 0 AND 1),
    stable        boolean NOT NULL,
    findings      jsonb NOT NULL,
    filter_title  text,
    filter_map    text,
    filter_side   text CHECK (filter_side IN ('ct', 't')),
    filter_team   text,
    created_at    timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (run_id, metric, feature, outcome, filter_title, filter_map, filter_side, filter_team),
    CHECK (num_nulls(estimate, lo, hi, p, p_bh, p_by) IN (0, 6)),
    CHECK (lo <= estimate AND estimate <= hi),
    CHECK (NOT (significant AND (exploratory OR p IS NULL)))
);

COMMENT ON COLUMN correlation_results.estimate IS
    'The coefficient; of a logistic model in log odds per standard deviation. Null where nothing could be measured: findings say why.';
COMMENT ON COLUMN correlation_results.lo IS 'Lower end of the 95 % interval, by match.';
COMMENT ON COLUMN correlation_results.clusters IS 'Matches: the independent units of errors and tests.';
COMMENT ON COLUMN correlation_results.layout IS 'How a round gives one row: CT less T, the team of a side, or one team.';
COMMENT ON COLUMN correlation_results.family IS 'Tests that were declared together: p_bh and p_by hold for all of them.';
COMMENT ON COLUMN correlation_results.stability IS 'Share of random halves of the matches of which both show it on their own.';

CREATE INDEX correlation_results_newest ON correlation_results (filter_title, created_at DESC, run_id);
CREATE INDEX correlation_results_by_feature ON correlation_results (feature, created_at DESC);

CREATE TABLE causal_effects (
    run_id        text NOT NULL CHECK (run_id <> ''),
    dataset_id    text NOT NULL CHECK (dataset_id <> ''),
    treatment     text NOT NULL CHECK (treatment <> ''),
    outcome       text NOT NULL CHECK (outcome <> '' AND outcome <> treatment),
    covariates    text[] NOT NULL,
    estimand      text NOT NULL CHECK (estimand IN ('ATE', 'ATT')),
    estimator     text NOT NULL CHECK (estimator <> ''),
    estimate      double precision,
    lo            double precision,
    hi            double precision,
    se            double precision CHECK (se >= 0),
    n             bigint NOT NULL CHECK (n >= 0),
    treated       bigint NOT NULL CHECK (treated BETWEEN 0 AND n),
    clusters      bigint NOT NULL CHECK (clusters BETWEEN 0 AND n),
    verdict       text NOT NULL CHECK (verdict <> ''),
    reasons       jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'array'),
    diagnostics   jsonb NOT NULL CHECK (jsonb_typeof(diagnostics) = 'object'),
    filter_title  text,
    filter_map    text,
    filter_side   text CHECK (filter_side IN ('ct', 't')),
    filter_team   text,
    created_at    timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT
        (run_id, treatment, outcome, estimand, estimator, filter_title, filter_map, filter_side, filter_team),
    CHECK (num_nulls(estimate, lo, hi, se) IN (0, 4)),
    CHECK (lo <= estimate AND estimate <= hi)
);

COMMENT ON COLUMN causal_effects.estimate IS 'In the unit of the outcome; null where the effect could not be estimated: reasons say why.';
COMMENT ON COLUMN causal_effects.lo IS 'Lower end of the 95 % interval.';
COMMENT ON COLUMN causal_effects.verdict IS 'What the diagnostics allow to say of it, never its significance.';

CREATE INDEX causal_effects_newest ON causal_effects (filter_title, created_at DESC, run_id);
CREATE INDEX causal_effects_by_treatment ON causal_effects (treatment, outcome, created_at DESC);
