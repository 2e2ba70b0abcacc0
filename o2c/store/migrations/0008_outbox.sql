-- 0008 outbox: what is to be told to whom outside, how far each hook has read the log, and what came of each delivery.

CREATE TABLE hook_place (
    hook text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);
COMMENT ON TABLE hook_place IS 'How far each hook has read the log: what it is to be told of up to there stands in the outbox, or was told.';

CREATE TABLE outbox (
    hook text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    part smallint NOT NULL,
    event_id uuid NOT NULL,
    stream text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    tried_at timestamptz,
    status integer,
    word text NOT NULL DEFAULT '',
    latency_ms integer,
    PRIMARY KEY (hook, position, part)
);
CREATE INDEX outbox_queue ON outbox (hook, stream, position, part) WHERE state = 'pending';
CREATE INDEX outbox_delivered ON outbox (tried_at) WHERE state = 'delivered';
CREATE INDEX outbox_dead ON outbox (hook, made_at) WHERE state = 'dead';
-- Rows come and go at the early end of the queue, and what is gone stands in the way of every look until it is vacuumed.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE outbox IS 'Deliveries to hooks, one row for each message: an index of events, and of what came of telling them. No payload stands here.';
COMMENT ON COLUMN outbox.part IS 'Which of the messages that the event makes, from 0.';
COMMENT ON COLUMN outbox.word IS 'Why the last attempt failed, in a word; empty where none has.';
