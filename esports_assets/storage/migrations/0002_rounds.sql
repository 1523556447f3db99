-- The published copy of the lake's rounds (the lake is the truth), for people and dashboards that speak SQL.
CREATE TABLE rounds (
    match_id           text NOT NULL,
    segment            smallint NOT NULL CHECK (segment >= 1),
    series_id          text NOT NULL,
    title              text NOT NULL,
    source             text NOT NULL,
    simulated          boolean NOT NULL,
    map                text NOT NULL,
    started_at         timestamptz NOT NULL,
    freeze_s           double precision,
    duration_s         double precision,
    ct_team            text NOT NULL,
    t_team             text NOT NULL,
    ct_score_before    smallint NOT NULL,
    t_score_before     smallint NOT NULL,
    ct_buy             text,
    t_buy              text,
    ct_equipment_value bigint,
    t_equipment_value  bigint,
    winner_side        text NOT NULL CHECK (winner_side IN ('ct', 't')),
    winner_team        text NOT NULL,
    end_reason         text NOT NULL,
    planted_t_s        double precision,
    planted_site       text,
    data_version       text NOT NULL,
    published_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (match_id, segment)
);

CREATE INDEX rounds_by_map ON rounds (title, map, started_at);
