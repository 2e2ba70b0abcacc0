-- 0001 log: the event log, head rows, commands, guards, agenda, stock pools, the clock, and append(), the only way to write them.
-- Positions need no sequence and no lock: see docs/decisions/0002-positions-from-transaction-ids.md.

CREATE TABLE incarnation (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_identifier text NOT NULL,
    timeline bigint NOT NULL,
    position_offset bigint NOT NULL,
    fork_position bigint NOT NULL,
    reason text NOT NULL,
    declared_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE incarnation IS 'Lives of this log: a new one after promotion, restore or copy. Its offset keeps positions growing.';

CREATE TABLE event (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    channel text NOT NULL,
    command_id uuid NOT NULL,
    causation uuid,
    order_id uuid,
    customer_id text,
    body jsonb NOT NULL,
    personal jsonb
);
CREATE UNIQUE INDEX event_stream_version ON event (stream, version);
CREATE INDEX event_order ON event (order_id, position) WHERE order_id IS NOT NULL;
COMMENT ON TABLE event IS 'The log. Rows are added by append() and never change.';
COMMENT ON COLUMN event.position IS 'Place in the whole log; readers never see a later one before an earlier one.';
COMMENT ON COLUMN event.occurred_at IS 'Business time: what rules, rows and metrics read.';
COMMENT ON COLUMN event.recorded_at IS 'Evidence from the clock of the server; read by no rule.';
COMMENT ON COLUMN event.personal IS 'Personal fields of the body, stored apart; not visible to analysts.';

CREATE TABLE head (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    last_position bigint NOT NULL,
    shape integer NOT NULL,
    state json,
    state_version bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE head IS 'One row a stream: optimistic guard, snapshot and one-read load. Private to the store; events are the truth. json, not jsonb: it keeps the order of keys and is never searched.';
COMMENT ON COLUMN head.state_version IS 'The version the state is of; a large state is written now and then, and the events after it are folded on.';

CREATE TABLE command (
    command_id uuid PRIMARY KEY,
    fingerprint text NOT NULL,
    outcome jsonb NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL
);
COMMENT ON TABLE command IS 'Every command once: the same id and fingerprint get the same answer for ever, another fingerprint is refused.';

CREATE TABLE guard (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (kind, key)
);
COMMENT ON TABLE guard IS 'Hard uniqueness: who holds a SIM, a number, a port-in, an invoice number.';

CREATE TABLE agenda (
    stream text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    step text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    priority smallint NOT NULL,
    since timestamptz NOT NULL,
    attempt integer NOT NULL,
    pool text NOT NULL,
    cause uuid NOT NULL,
    round bigint NOT NULL,
    lease_until timestamptz,
    PRIMARY KEY (stream, item, step)
);
CREATE INDEX agenda_due ON agenda (due_at, priority, stream, item, step);
CREATE INDEX agenda_pool ON agenda (pool, kind, priority, since) WHERE pool <> '';
-- Rows come and go at the early end of the due index, and what is gone stands in the way of every look until it is vacuumed.
ALTER TABLE agenda SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE agenda IS 'What must happen later; an index of events that can be rebuilt from them.';

CREATE TABLE pool (
    pool text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    available_at timestamptz NOT NULL,
    detail jsonb NOT NULL,
    round bigint NOT NULL,
    PRIMARY KEY (pool, key)
);
COMMENT ON TABLE pool IS 'Candidates for assignment by pool (SIM kind, number class); a hint only, the guard row decides. A pass sees what earlier rounds offered.';

CREATE TABLE policy_checkpoint (
    policy text PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE clock (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    kind text NOT NULL CHECK (kind IN ('simulated', 'real')),
    now timestamptz NOT NULL,
    window_s integer NOT NULL,
    window_end timestamptz,
    round bigint NOT NULL,
    seed bigint NOT NULL
);
COMMENT ON TABLE clock IS 'One kind of clock for life. A simulated one stands at now; round counts passes, so that a killed run goes on as it would have.';

-- The window with the earliest due row: its end with all its rows of this round and before, each with its stream's last position, in the
-- fixed order; one row without a stream when they are all of a later round. That is the open window while anything is due in it, then the
-- next one of the fixed grid that is not empty. STABLE: rows and positions are of one snapshot. Without the settings a plan made while the
-- agenda was small would read all of it every time.
CREATE FUNCTION next_window(open_until timestamptz, stands_at timestamptz, until timestamptz, grid interval, pass bigint)
RETURNS TABLE (before timestamptz, stream text, item text, step text, kind text, due_at timestamptz, priority smallint, since timestamptz,
               attempt integer, pool text, cause text, seen bigint)
LANGUAGE plpgsql STABLE SET search_path = o2c, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    first timestamptz := (SELECT min(due_at) FROM agenda);
    bound timestamptz;
BEGIN
    IF first < open_until THEN
        bound := open_until;
    ELSIF first < until THEN
        bound := least(date_bin(grid, greatest(first, stands_at), 'epoch') + grid, greatest(until, stands_at));
    ELSE
        RETURN;
    END IF;
    RETURN QUERY SELECT bound, a.stream, a.item, a.step, a.kind, a.due_at, a.priority, a.since, a.attempt, a.pool, a.cause::text,
            (SELECT h.last_position FROM head h WHERE h.stream = a.stream) -- no join: a plan for many rows would hash all heads for a few
        FROM agenda a WHERE a.due_at < bound AND a.round <= pass
        ORDER BY a.due_at, a.priority, a.stream, a.item, a.step;
    IF NOT FOUND THEN
        before := bound;
        RETURN NEXT;
    END IF;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % refused; correct a fact by appending another', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_unchanged BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_untruncated BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION current_offset() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT position_offset FROM o2c.incarnation ORDER BY id DESC LIMIT 1 $$;

-- What analysts see: no personal field, and of ICCID, IMSI and MSISDN only the first four and last three digits.
CREATE FUNCTION masked(body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT regexp_replace(regexp_replace(body::text, '"(portIn[A-Za-z]+)": "[^"]*"', '"\1": "***"', 'g'), '"(\+?[0-9]{4})[0-9]{4,13}([0-9]{3})"', '"\1***\2"', 'g')::jsonb $$;
CREATE VIEW analyst_event AS
    SELECT position, CASE WHEN stream ~ '^(sim|number)-' THEN o2c.masked(to_jsonb(split_part(stream, '-', 2))) #>> '{}' ELSE stream END AS stream,
           version, type, schema_version, recorded_at, occurred_at, actor, channel, command_id, causation, order_id, customer_id,
           o2c.masked(body - 'asked') AS body, o2c.masked(body -> 'asked') AS asked
    FROM event;
COMMENT ON VIEW analyst_event IS 'The log for analysis: without personal fields, with the identifiers of SIMs and numbers masked.';

-- STABLE on purpose: it must see the snapshot of the statement it stands in, or readers miss events.
CREATE FUNCTION horizon() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT (o2c.current_offset() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) * 65536 $$;
COMMENT ON FUNCTION horizon() IS 'Every transaction that could write a position below it has ended.';

-- What append() is given: rows of these, one array a table. `cmd` is the ordinal (from 1) of the command that a row belongs to.
CREATE TYPE new_command AS (id uuid, fingerprint text, outcome jsonb, first integer, last integer);
COMMENT ON TYPE new_command IS 'first and last are the ordinals (from 0) of its first and last event in the append.';
CREATE TYPE touched_stream AS (cmd integer, stream text COLLATE "C", expected bigint, seen bigint, version bigint, shape integer, state json, last integer);
COMMENT ON TYPE touched_stream IS 'expected: the version that the command saw. seen: the position of the last event that the command saw of it (0: not told); after a restore the same version may be another event. last: the ordinal (from 1) of its last event here. No state: the one that stands stays.';
CREATE TYPE new_event AS (cmd integer, stream text COLLATE "C", version bigint, id uuid, type text COLLATE "C", schema_version smallint,
    occurred_at timestamptz, actor text, channel text, causation uuid, order_id uuid, customer_id text, body jsonb, personal jsonb);
CREATE TYPE guard_change AS (cmd integer, take boolean, kind text COLLATE "C", key text COLLATE "C", holder text COLLATE "C");
CREATE TYPE agenda_change AS (cmd integer, stream text COLLATE "C", item text COLLATE "C", step text COLLATE "C", kind text, due_at timestamptz,
    priority smallint, since timestamptz, attempt integer, pool text, cause uuid);
COMMENT ON TYPE agenda_change IS 'Without a kind: a row to take away.';
CREATE TYPE pool_change AS (cmd integer, put boolean, pool text COLLATE "C", key text COLLATE "C", available_at timestamptz, detail jsonb);

-- Writes many commands at once. A stale, repeated or refused command is a result, never an abort; the others go on. No stream comes twice.
-- Plans are made once a connection and look rows up one by one: a plan for each call would cost more than the call, and one that was made
-- while a table was small would read all of it ever after.
-- One row a command is returned; when all were appended, only one row with ordinal 0, and where the first event stands.
CREATE FUNCTION append(commands new_command[], known touched_stream[], born touched_stream[], events new_event[], guards guard_change[],
                       entries agenda_change[], pieces pool_change[], pass bigint)
RETURNS TABLE (ordinal integer, verdict text, detail text, first_position bigint, last_position bigint, outcome jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = o2c, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    base bigint;
    final bigint;
    done bigint;
    repeated integer[] := '{}';
    failed integer[] := '{}';
    stale integer[] := '{}';
    guarded integer[] := '{}';
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'append must be the first write of its transaction' USING ERRCODE = 'invalid_transaction_state';
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        RAISE EXCEPTION 'append refused: synchronous_commit is off on this connection' USING ERRCODE = 'invalid_transaction_state';
    ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append needs READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
    ELSIF cardinality(events) > 65536 THEN
        RAISE EXCEPTION 'append refused: % events in one transaction, at most 65536', cardinality(events) USING ERRCODE = 'program_limit_exceeded';
    END IF;
    LOCK TABLE event IN ROW EXCLUSIVE MODE;
    SELECT (i.position_offset + pg_current_xact_id()::text::bigint) * 65536 INTO STRICT base FROM incarnation i ORDER BY i.id DESC LIMIT 1;
    final := base + 65535; -- what stands between the two was written here

    -- Command ids in one order for all, so that two writers of the same ids wait for one another and never deadlock.
    INSERT INTO command (command_id, fingerprint, outcome, first_position, last_position)
    SELECT c.id, c.fingerprint, c.outcome, base + c.first, base + c.last FROM unnest(commands) c ORDER BY c.id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done < cardinality(commands) THEN
        SELECT coalesce(array_agg(c.ordinality::integer), '{}') INTO repeated FROM unnest(commands) WITH ORDINALITY c JOIN command k ON k.command_id = c.id
        WHERE k.first_position NOT BETWEEN base AND final;
        IF done + cardinality(repeated) <> cardinality(commands) THEN
            RAISE EXCEPTION 'append refused: the same command id twice' USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;

    -- Known streams: lock in name order, then judge.
    IF cardinality(known) > 0 THEN
        SELECT coalesce(array_agg(DISTINCT s.cmd), '{}') INTO stale
        FROM (SELECT * FROM unnest(known) ORDER BY stream) s
        LEFT JOIN LATERAL (SELECT version, last_position FROM head WHERE stream = s.stream FOR UPDATE) h ON true -- one by one: no plan reads all heads
        WHERE s.cmd <> ALL (repeated)
          AND ((h.version = s.expected) IS NOT TRUE OR h.last_position >= base OR (s.seen > 0 AND h.last_position <> s.seen));
    END IF;
    -- New streams: whoever inserts first has them.
    IF cardinality(born) > 0 THEN
        INSERT INTO head (stream, version, last_position, shape, state, state_version)
        SELECT s.stream, s.version, base + s.last - 1, s.shape, s.state, CASE WHEN s.state IS NULL THEN 0 ELSE s.version END
        FROM unnest(born) s WHERE s.cmd <> ALL (repeated || stale) ORDER BY s.stream
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS done = ROW_COUNT;
        IF done < cardinality(born) THEN
            SELECT stale || coalesce(array_agg(DISTINCT s.cmd), '{}') INTO stale FROM unnest(born) s JOIN head h ON h.stream = s.stream
            WHERE h.last_position NOT BETWEEN base AND final AND s.cmd <> ALL (repeated || stale);
        END IF;
    END IF;

    -- Guards decide what "we looked before" cannot.
    IF cardinality(guards) > 0 THEN
        WITH wanted AS (
            SELECT g.* FROM unnest(guards) g WHERE g.take AND g.cmd <> ALL (repeated || stale)
        ), taken AS (
            INSERT INTO guard (kind, key, holder, position) SELECT kind, key, holder, base FROM wanted ORDER BY kind, key, cmd
            ON CONFLICT DO NOTHING RETURNING kind, key, holder
        )
        SELECT coalesce(array_agg(DISTINCT w.cmd), '{}') INTO guarded FROM wanted w
        WHERE (w.kind, w.key, w.holder) NOT IN (SELECT kind, key, holder FROM taken)
          AND NOT EXISTS (SELECT FROM guard g WHERE g.kind = w.kind AND g.key = w.key AND g.holder = w.holder);
        IF cardinality(guarded) > 0 THEN
            DELETE FROM guard g USING unnest(guards) x
            WHERE x.take AND x.cmd = ANY (guarded) AND g.kind = x.kind AND g.key = x.key AND g.holder = x.holder AND g.position = base
              AND NOT EXISTS (
                SELECT FROM unnest(guards) y
                WHERE y.take AND y.cmd <> ALL (repeated || stale || guarded) AND y.kind = g.kind AND y.key = g.key AND y.holder = g.holder);
        END IF;
        DELETE FROM guard g USING unnest(guards) x
        WHERE NOT x.take AND x.cmd <> ALL (repeated || stale || guarded) AND g.kind = x.kind AND g.key = x.key AND g.holder = x.holder;
    END IF;

    failed := stale || guarded;
    IF cardinality(failed) > 0 THEN
        DELETE FROM head h USING unnest(born) s
        WHERE s.cmd = ANY (failed) AND h.stream = s.stream AND h.last_position BETWEEN base AND final;
        DELETE FROM command c USING unnest(commands) WITH ORDINALITY x WHERE x.ordinality = ANY (failed) AND c.command_id = x.id;
    END IF;
    failed := failed || repeated;
    IF cardinality(known) > 0 THEN
        UPDATE head h SET version = s.version, last_position = base + s.last - 1,
            shape = CASE WHEN s.state IS NULL THEN h.shape ELSE s.shape END, state = coalesce(s.state, h.state),
            state_version = CASE WHEN s.state IS NULL THEN h.state_version ELSE s.version END
        FROM unnest(known) s WHERE h.stream = s.stream AND s.cmd <> ALL (failed);
    END IF;
    INSERT INTO event (position, stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, causation,
                       order_id, customer_id, body, personal)
    SELECT base + e.ordinality - 1, e.stream, e.version, e.id, e.type, e.schema_version, e.occurred_at, e.actor, e.channel, commands[e.cmd].id, e.causation,
           e.order_id, e.customer_id, e.body, e.personal
    FROM unnest(events) WITH ORDINALITY e WHERE e.cmd <> ALL (failed);

    IF cardinality(entries) > 0 THEN
        DELETE FROM agenda a USING unnest(entries) x
        WHERE x.kind IS NULL AND x.cmd <> ALL (failed) AND a.stream = x.stream AND a.item = x.item AND a.step = x.step;
        INSERT INTO agenda (stream, item, step, kind, due_at, priority, since, attempt, pool, cause, round)
        SELECT stream, item, step, kind, due_at, priority, since, attempt, pool, cause, pass FROM unnest(entries) x
        WHERE x.kind IS NOT NULL AND x.cmd <> ALL (failed) ORDER BY stream, item, step
        ON CONFLICT (stream, item, step) DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at, priority = excluded.priority,
            since = excluded.since, attempt = excluded.attempt, pool = excluded.pool, cause = excluded.cause, round = excluded.round, lease_until = NULL;
    END IF;
    IF cardinality(pieces) > 0 THEN
        DELETE FROM pool p USING unnest(pieces) x WHERE NOT x.put AND x.cmd <> ALL (failed) AND p.pool = x.pool AND p.key = x.key;
        INSERT INTO pool (pool, key, available_at, detail, round)
        SELECT pool, key, available_at, detail, pass FROM unnest(pieces) x WHERE x.put AND x.cmd <> ALL (failed) ORDER BY pool, key
        ON CONFLICT (pool, key) DO UPDATE SET available_at = excluded.available_at, detail = excluded.detail, round = excluded.round;
    END IF;

    IF pass > 1 THEN
        UPDATE clock SET round = pass - 1 WHERE single AND round < pass - 1; -- the pass under way
    END IF;
    IF cardinality(failed) = 0 THEN
        ordinal := 0;
        verdict := 'appended';
        first_position := base;
        RETURN NEXT;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT c.ordinality::integer,
           CASE WHEN c.ordinality = ANY (stale) THEN 'stale' WHEN c.ordinality = ANY (guarded) THEN 'guarded'
                WHEN c.ordinality <> ALL (repeated) THEN 'appended' WHEN k.fingerprint = c.fingerprint THEN 'repeated' ELSE 'refused' END,
           (SELECT string_agg(x.kind || ' ' || x.key, ', ') FROM unnest(guards) x
            JOIN guard g ON g.kind = x.kind AND g.key = x.key AND g.holder <> x.holder WHERE x.take AND x.cmd = c.ordinality AND c.ordinality = ANY (guarded)),
           k.first_position, k.last_position, k.outcome
    FROM unnest(commands) WITH ORDINALITY c LEFT JOIN command k ON k.command_id = c.id ORDER BY c.ordinality;
END $$;
REVOKE ALL ON FUNCTION append FROM PUBLIC;
COMMENT ON FUNCTION append IS 'The only way to write the log: see docs/architecture.md.';
