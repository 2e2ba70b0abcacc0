-- 0002 Lives: a new life of the log is declared inside the database, so that who writes events needs no right to write the table of lives.

ALTER TABLE incarnation ADD COLUMN actor text, ADD COLUMN command_id uuid UNIQUE;
COMMENT ON COLUMN incarnation.actor IS 'Who declared it by hand; null where the program noticed it.';
COMMENT ON COLUMN incarnation.fork_position IS 'The last position of the life before; what was written there after it is not in this log.';

-- The cluster and the timeline that the server writes on; no row on a standby, which is in no life of its own.
CREATE FUNCTION standing() RETURNS TABLE (system text, timeline bigint) LANGUAGE sql VOLATILE SET search_path = o2c, pg_temp AS
$$ SELECT (SELECT system_identifier::text FROM pg_control_system()),
          ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint WHERE NOT pg_is_in_recovery() $$;
COMMENT ON FUNCTION standing() IS 'Cluster and timeline of the server as it writes now; nothing on a standby.';

-- For the two functions below. The table lock waits for appends that read the old offset and holds back new ones: none may end below a
-- horizon that was raised meanwhile. The new offset lies 2^32 transactions above the last position: more than a lost life can have written.
CREATE FUNCTION begin_life(system_now text, timeline_now bigint, why text, who text, command uuid) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = o2c, pg_temp AS $$
DECLARE
    top bigint := (SELECT coalesce(max(position), 0) FROM event);
    first boolean := NOT EXISTS (SELECT FROM incarnation);
BEGIN
    INSERT INTO incarnation (system_identifier, timeline, position_offset, fork_position, reason, actor, command_id)
    VALUES (system_now, timeline_now, CASE WHEN first THEN 0 ELSE top / 65536 + 4294967296 END, top,
            CASE WHEN first THEN 'created' ELSE why END, who, command);
    RETURN top;
END $$;
REVOKE ALL ON FUNCTION begin_life FROM PUBLIC;

-- Notices a promotion, a recovery onto a new timeline or another cluster, and declares it. How many lives there were then, and the fork position
-- where one was declared just now.
CREATE FUNCTION declare_incarnation() RETURNS TABLE (lives bigint, fork_position bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = o2c, pg_temp AS $$
#variable_conflict use_column
DECLARE
    now_at record;
    known record;
BEGIN
    SELECT * INTO now_at FROM standing();
    IF NOT FOUND THEN
        RETURN QUERY SELECT 0::bigint, NULL::bigint;
        RETURN;
    END IF;
    FOR look IN 1..2 LOOP
        SELECT i.system_identifier, i.timeline, count(*) OVER () AS lives INTO known FROM incarnation i ORDER BY i.id DESC LIMIT 1;
        IF (known.system_identifier, known.timeline) = (now_at.system, now_at.timeline) THEN
            RETURN QUERY SELECT known.lives, NULL::bigint;
            RETURN;
        END IF;
        IF look = 1 THEN
            LOCK TABLE event IN EXCLUSIVE MODE;
        END IF;
    END LOOP;
    RETURN QUERY SELECT coalesce(known.lives, 0) + 1, begin_life(now_at.system, now_at.timeline, 'another cluster or timeline was found', NULL, NULL);
END $$;
COMMENT ON FUNCTION declare_incarnation() IS 'Asked on every new connection: declares a new life of the log where the server shows one.';

-- By hand, for what changes neither cluster nor timeline; the same command id declares once. The owner's alone: each call takes 2^32 of 2^47 offsets.
CREATE FUNCTION adopt_log(who text, why text, command uuid) RETURNS TABLE (lives bigint, fork_position bigint, repeated boolean)
LANGUAGE plpgsql VOLATILE SET search_path = o2c, pg_temp AS $$
#variable_conflict use_column
DECLARE
    now_at record;
BEGIN
    LOCK TABLE event IN EXCLUSIVE MODE;
    SELECT * INTO STRICT now_at FROM standing();
    repeated := EXISTS (SELECT FROM incarnation WHERE command_id = command);
    IF NOT repeated THEN
        PERFORM begin_life(now_at.system, now_at.timeline, why, who, command);
    END IF;
    RETURN QUERY SELECT (SELECT count(*) FROM incarnation), i.fork_position, repeated FROM incarnation i WHERE i.command_id = command;
END $$;
REVOKE ALL ON FUNCTION adopt_log FROM PUBLIC;
COMMENT ON FUNCTION adopt_log IS 'Declares a new life of the log by hand, after a copy that the server does not show.';
