-- Games of rock-paper-scissors as they are played: who plays, the secret from which every round follows, and every round with the
-- bot's move, which is fixed and hashed before the player's arrives.

CREATE TABLE rps_sessions (
    session_id  text PRIMARY KEY CHECK (session_id <> ''),
    player_name text NOT NULL CHECK (player_name <> ''),
    created_at  timestamptz NOT NULL
);

CREATE TABLE rps_games (
    game_id           text PRIMARY KEY CHECK (game_id <> ''),
    session_id        text NOT NULL REFERENCES rps_sessions (session_id),
    player_name       text NOT NULL CHECK (player_name <> ''),
    policy            text NOT NULL CHECK (policy <> ''),
    opening           text,
    secret            bytea NOT NULL CHECK (octet_length(secret) = 32),
    secret_commitment text NOT NULL,
    registered_name   text,
    alias             text CHECK (alias IN ('Production', 'B', 'shadow1', 'shadow2')),
    version           integer CHECK (version > 0),
    rival_version     integer CHECK (rival_version > 0),
    challenger_share  double precision CHECK (challenger_share BETWEEN 0 AND 1),
    models            jsonb NOT NULL DEFAULT '{}'::jsonb,
    traffic           text NOT NULL CHECK (traffic IN ('human', 'bot', 'auto_fill')),
    is_test           boolean NOT NULL,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    winner            text CHECK (winner IN ('user', 'bot', 'tie')),
    rounds            smallint NOT NULL DEFAULT 0,
    user_score        double precision NOT NULL DEFAULT 0,
    bot_score         double precision NOT NULL DEFAULT 0,
    told_rounds       smallint NOT NULL DEFAULT -1,
    told_end          boolean NOT NULL DEFAULT false,
    CHECK ((finished_at IS NULL) = (winner IS NULL)),
    CHECK ((registered_name IS NULL) = (alias IS NULL) AND (alias IS NULL) = (version IS NULL)),
    CHECK ((rival_version IS NULL) = (challenger_share IS NULL))
);

COMMENT ON COLUMN rps_games.secret IS 'Told to nobody before the game is over.';
COMMENT ON COLUMN rps_games.models IS 'Version by alias of every model that predicts this game''s rounds: one game, the same versions to its end.';
COMMENT ON COLUMN rps_games.told_rounds IS 'How many rounds are in the log of events; -1 before the game''s beginning is.';

CREATE INDEX rps_games_untold ON rps_games (started_at) WHERE NOT told_end;
CREATE INDEX rps_games_by_player ON rps_games (player_name, started_at);
CREATE INDEX rps_games_by_start ON rps_games (started_at, game_id);

CREATE TABLE rps_rounds (
    game_id            text NOT NULL REFERENCES rps_games (game_id),
    step               smallint NOT NULL CHECK (step > 0),
    rock_points        double precision NOT NULL,
    paper_points       double precision NOT NULL,
    scissors_points    double precision NOT NULL,
    bot_move           text NOT NULL CHECK (bot_move IN ('rock', 'paper', 'scissors')),
    nonce              text NOT NULL,
    commitment         text NOT NULL,
    probability_source text NOT NULL CHECK (probability_source IN ('model', 'gambit', 'bot', 'fallback_bot')),
    predictions        jsonb NOT NULL DEFAULT '[]'::jsonb,
    opened_at          timestamptz NOT NULL,
    token              text,
    user_move          text CHECK (user_move IN ('rock', 'paper', 'scissors')),
    result             text CHECK (result IN ('win', 'lose', 'draw')),
    user_points        double precision,
    bot_points         double precision,
    user_score         double precision,
    bot_score          double precision,
    played_at          timestamptz,
    PRIMARY KEY (game_id, step),
    CHECK (num_nulls(token, user_move, result, user_points, bot_points, user_score, bot_score, played_at) IN (0, 8))
);

COMMENT ON COLUMN rps_rounds.predictions IS 'What each version said before the move: [{alias, version, probabilities (null: no answer), latency_ms}].';
COMMENT ON COLUMN rps_rounds.token IS 'Of the one request that played the round: writing it again is no conflict, another request is.';
COMMENT ON COLUMN rps_rounds.result IS 'The player''s.';

-- The one statement of which games count in figures about people: finished, no tests, no bots, no auto-fill.
CREATE VIEW rps_people_games AS
    SELECT * FROM rps_games WHERE finished_at IS NOT NULL AND NOT is_test AND traffic = 'human';
