-- 0009 Series: numbers without a gap (invoices, credit notes), given within the append; see docs/decisions/0036-numbers-without-a-gap.md.

CREATE TABLE series (
    series text COLLATE "C" PRIMARY KEY,
    last bigint NOT NULL
);
COMMENT ON TABLE series IS 'The last number that was given of each series. A number stands in its event; the row keeps the next one for whoever appends next.';

CREATE UNIQUE INDEX event_legal_number ON event ((body ->> 'legal_number'))
    WHERE type IN ('invoice.issued', 'credit-note.issued') AND body ->> 'legal_number' <> '';

-- A take of the kind `series` is no guard: its key is a series, its holder the number that an event of the command bears. A command whose number
-- is not the next one is as one that met a guard: it is numbered again. The row is locked to the end of the transaction, so a number is given to
-- nobody else before this transaction has ended, and with it, if it is rolled back. All else is as in migration 0005.
CREATE OR REPLACE FUNCTION append(commands new_command[], known touched_stream[], born touched_stream[], events new_event[], guards guard_change[],
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
    outrun integer[] := '{}'; -- the number of another was the next one
    gap integer[];
    nested boolean;
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
    WITH written AS (
        INSERT INTO command (command_id, fingerprint, outcome, first_position, last_position)
        SELECT c.id, c.fingerprint, c.outcome, base + c.first, base + c.last FROM unnest(commands) c ORDER BY c.id
        ON CONFLICT DO NOTHING RETURNING xmin AS writer
    )
    SELECT count(*), coalesce(bool_or(writer <> pg_current_xact_id()::xid), false) INTO done, nested FROM written;
    IF nested THEN
        RAISE EXCEPTION 'append refused within a savepoint: it may be taken back after append() has answered' USING ERRCODE = 'invalid_transaction_state',
            HINT = 'Append outside of SAVEPOINT, nested transactions of a driver and blocks with EXCEPTION.';
    END IF;
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
            SELECT g.* FROM unnest(guards) g WHERE g.take AND g.kind <> 'series' AND g.cmd <> ALL (repeated || stale)
        ), taken AS (
            INSERT INTO guard (kind, key, holder, position) SELECT kind, key, holder, base FROM wanted ORDER BY kind, key, cmd
            ON CONFLICT DO NOTHING RETURNING kind, key, holder
        )
        SELECT coalesce(array_agg(DISTINCT w.cmd), '{}') INTO guarded FROM wanted w
        WHERE (w.kind, w.key, w.holder) NOT IN (SELECT kind, key, holder FROM taken)
          AND NOT EXISTS (SELECT FROM guard g WHERE g.kind = w.kind AND g.key = w.key AND g.holder = w.holder);
        IF EXISTS (SELECT FROM unnest(guards) g WHERE g.kind = 'series') THEN
            INSERT INTO series (series, last) SELECT DISTINCT g.key, 0 FROM unnest(guards) g
            WHERE g.kind = 'series' AND g.cmd <> ALL (repeated || stale || guarded) ORDER BY g.key
            ON CONFLICT DO NOTHING;
            PERFORM FROM series s
            WHERE s.series IN (SELECT g.key FROM unnest(guards) g WHERE g.kind = 'series' AND g.cmd <> ALL (repeated || stale || guarded))
            ORDER BY s.series FOR UPDATE;
            LOOP -- what one command does not take, none after it can have
                SELECT array_agg(DISTINCT n.cmd) INTO gap FROM (
                    SELECT g.cmd, g.holder::bigint - s.last AS ahead, row_number() OVER (PARTITION BY g.key ORDER BY g.holder::bigint) AS place
                    FROM unnest(guards) g JOIN series s ON s.series = g.key
                    WHERE g.kind = 'series' AND g.cmd <> ALL (repeated || stale || guarded)) n
                WHERE n.ahead <> n.place;
                EXIT WHEN gap IS NULL;
                guarded := guarded || gap;
                outrun := outrun || gap;
            END LOOP;
            UPDATE series s SET last = n.last FROM (
                SELECT g.key, max(g.holder::bigint) AS last FROM unnest(guards) g
                WHERE g.kind = 'series' AND g.cmd <> ALL (repeated || stale || guarded) GROUP BY g.key) n
            WHERE s.series = n.key;
        END IF;
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
           CASE WHEN c.ordinality = ANY (outrun) THEN 'series' ELSE (SELECT string_agg(x.kind || ' ' || x.key, ', ') FROM unnest(guards) x
            JOIN guard g ON g.kind = x.kind AND g.key = x.key AND g.holder <> x.holder WHERE x.take AND x.cmd = c.ordinality AND c.ordinality = ANY (guarded)) END,
           k.first_position, k.last_position, k.outcome
    FROM unnest(commands) WITH ORDINALITY c LEFT JOIN command k ON k.command_id = c.id ORDER BY c.ordinality;
END $$;
