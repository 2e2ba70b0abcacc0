-- 0003 Import: the beginning of a transaction that copies a history into the log; see docs/decisions/0013-import-by-copy.md.

-- The position of the first event, under the conditions of append() (docs/decisions/0002-positions-from-transaction-ids.md). A function of its
-- own: a call within append() would cost every command what only an import needs. The owner's alone: whoever may copy may forge positions.
CREATE FUNCTION begin_import(events integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = o2c, pg_temp AS $$
DECLARE
    base bigint;
BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'an import must be the first write of its transaction' USING ERRCODE = 'invalid_transaction_state';
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        RAISE EXCEPTION 'import refused: synchronous_commit is off on this connection' USING ERRCODE = 'invalid_transaction_state';
    ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an import needs READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
    ELSIF events > 65536 THEN
        RAISE EXCEPTION 'import refused: % events in one transaction, at most 65536', events USING ERRCODE = 'program_limit_exceeded';
    END IF;
    LOCK TABLE event IN ROW EXCLUSIVE MODE;
    SELECT (i.position_offset + pg_current_xact_id()::text::bigint) * 65536 INTO STRICT base FROM incarnation i ORDER BY i.id DESC LIMIT 1;
    RETURN base;
END $$;
REVOKE ALL ON FUNCTION begin_import FROM PUBLIC;
COMMENT ON FUNCTION begin_import IS 'For imports by COPY: the position of the first event, as append() gives it.';
