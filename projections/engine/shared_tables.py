"""The tables that all projections share: how far each of them is, what is parked or skipped, what is kept, and what was done to it."""

CREATE = b"""
CREATE SCHEMA IF NOT EXISTS projection;
CREATE TABLE IF NOT EXISTS projection.checkpoint (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    event_id uuid,
    shape_version integer NOT NULL,
    generation bigint NOT NULL,
    swapped_at timestamptz
);
COMMENT ON TABLE projection.checkpoint IS 'How far each projection has folded the log; generation changes when its tables were swapped or a group retried.';
CREATE TABLE IF NOT EXISTS projection.parked (
    name text COLLATE "C" NOT NULL,
    group_key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, group_key, position)
);
COMMENT ON TABLE projection.parked IS 'Events that a fold could not take, and those of the same group that wait behind them.';
CREATE TABLE IF NOT EXISTS projection.skipped (
    name text COLLATE "C" NOT NULL,
    group_key text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    error text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, position)
);
COMMENT ON TABLE projection.skipped IS 'Events that a person set aside for good: no way of running the fold takes them.';
CREATE TABLE IF NOT EXISTS projection.kept (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    event_id uuid,
    shape_version integer NOT NULL,
    parked jsonb NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE projection.kept IS 'Of the tables a rebuild replaced (<name>_old): how far they had folded the log, and what was parked.';
CREATE TABLE IF NOT EXISTS projection.history (
    name text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    what text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    group_key text COLLATE "C",
    position bigint NOT NULL,
    from_shape integer NOT NULL,
    to_shape integer NOT NULL
);
COMMENT ON TABLE projection.history IS 'Who rebuilt, rolled back, retried, skipped or mended what, and why. position: where the tables stood then; of a skip, the event.';
"""
"""Makes the schema and the shared tables where they are missing. No parameters."""
